"""Suspicious pictures: copies under two names, clipped faces."""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd

from thermalign.audit.findings import Faces, Finding
from thermalign.geometry import Floats
from thermalign.images import read_counts

ALIKE = 0.99  # correlation of two thumbnails from which the pictures themselves are compared
SAME = 0.97
"""Correlation of two pictures of SIDE x SIDE without what is smooth, from which they are one:
docs/audit.md has what copies and other people reach."""

SIDE, SMOOTH = 64, 2.0  # px of a compared picture, standard deviation of what is smooth
DENSE = 6000  # pictures that are compared each with each
BLOCK = 500  # of them at once
BANDS = 4  # parts of a hash, one of which two copies must share
CROWD = 16  # pictures with one part in common, each of which is compared with its neighbours only
CHUNK = 4_000  # pairs of them
MOST = 2000  # pairs of thumbnails whose pictures are read, the most alike first
CLIPPED = 0.05  # share of a face's pixels at the least or the greatest value


def check_pictures(faces: Faces) -> Iterator[Finding]:
    """Yield copies and clipped faces; nothing where nobody looked at the pictures."""
    if faces.looks is None:
        return
    yield from _copies(faces)
    looks = faces.looks
    for at in np.flatnonzero(np.maximum(looks.dark, looks.bright) > CLIPPED):
        share, end = max((looks.bright[at], "greatest"), (looks.dark[at], "least"))
        reason = f"{100 * share:.0f} % of the face have the picture's {end} value"
        yield Finding("saturated", reason, int(at), value=float(share), limit=CLIPPED)


def _copies(faces: Faces) -> Iterator[Finding]:
    assert faces.looks is not None
    told = faces.images[["subject_id", "moment", "modality", "path"]]
    frames = pd.factorize(told["subject_id"] + "\n" + told["moment"])[0]
    kinds = pd.factorize(told["modality"])[0]
    for one, other in alike(faces.looks.thumbnails, frames * len(set(kinds)) + kinds):
        subject, moment, kind, path = told.iloc[one]
        whose, when, what, second = told.iloc[other]
        likeness = correlation(path, second)
        if likeness < SAME:
            continue
        check, said = "same_instant", f"moments {moment} and {when} of {subject}"
        if subject != whose:
            check, said = "duplicate_people", f"{subject} and {whose}"
        elif kind != what:
            check, said = "duplicate_modality", f"{kind} and {what} image of {subject}"
        reason = f"one picture: {said}; fine detail correlates by {likeness:.3f}"
        yield Finding(check, reason, one, other, value=likeness, limit=SAME)


def alike(
    thumbnails: npt.NDArray[np.int8], samples: npt.NDArray[np.integer[Any]]
) -> list[tuple[int, int]]:
    """Return the pairs of pictures whose thumbnails correlate by ALIKE or more.

    Up to DENSE pictures every pair is looked at; of more, those that share a part of a hash: the
    signs of horizontal differences, of which a copy changes few.

    Parameters
    ----------
    thumbnails : (N, S, S) int8
    samples : (N,) int
        Of one number are frames of one sample, which may be alike.

    Returns
    -------
    list of (one, other), the most alike first, MOST of them
    """
    every = _all_near if len(thumbnails) <= DENSE else _sharing
    found: dict[tuple[int, int], float] = {}
    for candidates in every(thumbnails):
        pairs = candidates[samples[candidates[:, 0]] != samples[candidates[:, 1]]]
        for some in np.array_split(pairs, len(pairs) // CHUNK + 1):
            one, other = (_standard(thumbnails[some[:, k]]) for k in (0, 1))
            likeness = np.einsum("ij,ij->i", one, other)
            best = np.argsort(-likeness, kind="stable")[:MOST]
            best = best[likeness[best] >= ALIKE]
            found |= {(int(some[k, 0]), int(some[k, 1])): float(likeness[k]) for k in best}
            if len(found) > 2 * MOST:
                found = dict(sorted(found.items(), key=lambda its: -its[1])[:MOST])
    return sorted(found, key=lambda pair: (-found[pair], pair))[:MOST]


def _standard(thumbnails: npt.NDArray[np.int8]) -> npt.NDArray[np.float32]:
    """Return thumbnails (N, S * S) of mean 0 and length 1."""
    n, height, width = thumbnails.shape
    flat = thumbnails.reshape(n, height * width).astype(np.float32)
    flat -= flat.mean(axis=1, keepdims=True)
    length = np.linalg.norm(flat, axis=1, keepdims=True)
    flat /= np.where(length > 0, length, 1)
    return flat


def _all_near(thumbnails: npt.NDArray[np.int8]) -> Iterator[npt.NDArray[np.intp]]:
    """Yield the pairs (K, 2) that correlate by ALIKE, each with each."""
    flat = _standard(thumbnails)
    for start in range(0, len(flat), BLOCK):
        near = np.argwhere(flat[start : start + BLOCK] @ flat.T >= ALIKE - 1e-6)
        near[:, 0] += start
        yield near[near[:, 0] < near[:, 1]]


def _sharing(thumbnails: npt.NDArray[np.int8]) -> Iterator[npt.NDArray[np.intp]]:
    """Yield pairs (K, 2) of pictures that share one of BANDS parts of their hash."""
    n, side = len(thumbnails), thumbnails.shape[1] // 2
    coarse = thumbnails.reshape(n, side, 2, side, 2).astype(np.int16).sum(axis=(2, 4))
    signs = np.diff(coarse, axis=2, append=coarse[:, :, :1]) > 0  # the first against the last
    parts = np.packbits(signs.reshape(n, side * side), axis=1).view(np.uint16)
    for band in range(BANDS):
        order = np.lexsort((*parts.T, parts[:, band]))
        key = parts[order, band]
        for step in range(1, CROWD):
            same = np.flatnonzero(key[step:] == key[:-step])
            if not len(same):
                break
            yield np.sort(np.stack([order[same], order[same + step]], axis=1), axis=1)


def correlation(one: str, other: str) -> float:
    """Return how the fine detail of two pictures correlates."""
    return float((_detail(one) * _detail(other)).sum())


@lru_cache(maxsize=256)
def _detail(path: str) -> Floats:
    """Return a picture (SIDE, SIDE) without what is smooth, of length one."""
    small = cv2.resize(
        read_counts(Path(path)).astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_AREA
    )
    detail = small - cv2.GaussianBlur(small, (0, 0), SMOOTH)
    length = float(np.linalg.norm(detail))
    return np.asarray(detail / length if length > 0 else detail)
