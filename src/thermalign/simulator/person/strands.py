"""Strands of hair: which way they run, and the texture that follows them."""

from typing import Any

import cv2
import numpy as np

from thermalign.simulator.person.hairstyles import Flow, Style
from thermalign.simulator.physics.fields import (
    Map,
    X,
    Y,
    channels,
    fine_noise,
    random_field,
    sample,
)

# ASSUME every length (mm) and share below: tuned by eye on contact sheets.
COLUMN, ROW = 0.5, 7.0  # mm across and along a strand per pixel of the texture

SHAPE = (48, 1024)  # px of the texture

STRAND = 0.7  # px, standard deviation of the width of a single strand

EYE_LINE = -8.0  # mm, y where the arches of parted hair turn into vertical lines


def run_strands(
    style: Style, outline: Map, *, crown: float, parting: float, rng: np.random.Generator
) -> tuple[Map, Map]:
    """Return where each place lies across and along its strand.

    Parameters
    ----------
    style : Style
    outline : (H, 1) mm
        Half width of the hair.
    crown : float, mm
        The y that rays start from.
    parting : float, mm
        The x of the parting.
    rng : Generator

    Returns
    -------
    across, along : (H, W) mm
    """
    if style.flow is Flow.RAYS:
        down = Y - crown
        # the seam at half a turn lies above the crown, where next to nothing is seen
        across, along = 70 * np.arctan2(X, down), np.hypot(X, down)
    elif style.flow is Flow.PARTED:
        out = X - parting
        above = np.minimum(Y - EYE_LINE, 0)
        across = np.copysign(np.hypot(out, 0.72 * above), out)  # nested arches, then lines
        along = Y + 0.8 * np.abs(out)
    else:
        across = 85 * X / np.maximum(outline, 12)
        along = Y + 0.15 * np.abs(X)
    sway = 0.8 * random_field(rng, 9) + 0.35 * style.lock * random_field(rng, 26)
    across = across + sway
    return across.astype(np.float32), np.asarray(along, np.float32)


def weave(style: Style, across: Map, along: Map, rng: np.random.Generator) -> tuple[Map, Map]:
    """Draw the texture of hair.

    Parameters
    ----------
    style : Style
    across, along : (H, W) mm
    rng : Generator

    Returns
    -------
    strand : (H, W)
        Single strands and tufts, of about unit variance.
    lock : (H, W)
        Tufts alone, of about unit variance.
    """
    if style.flow is Flow.CURLS:
        lock = random_field(rng, style.lock)
        loops = np.sin(4 * lock + 2.5 * random_field(rng, 0.5 * style.lock))
        strand = 0.75 * loops + 0.5 * lock + 0.35 * random_field(rng, 1.2)
        return np.asarray(strand, np.float32), lock
    if style.flow is Flow.STUBBLE:
        return 0.6 * fine_noise(rng, 0.8), random_field(rng, style.lock)
    white = rng.standard_normal(SHAPE, dtype=np.float32)
    single, tuft, wide = (
        _normal(cv2.GaussianBlur(white, (0, 0), width, sigmaY=long))
        for width, long in ((STRAND, 1.5), (0.22 * style.lock / COLUMN, 2), (1.6 * style.lock, 3))
    )
    texture = np.dstack([0.7 * single + 0.55 * tuft + 0.4 * wide, 0.75 * tuft + 0.65 * wide])
    columns, rows = across * (1 / COLUMN) + SHAPE[1] / 2, (along + 150) * (1 / ROW)
    strand, lock = channels(sample(texture, columns, rows))
    return strand, lock


def stray(depth: Map, style: Style, rng: np.random.Generator) -> Map:
    """Draw single hairs that leave the outline: level lines of a smooth field, (H, W), 0..1.

    Parameters
    ----------
    depth : (H, W) mm
        Inside the outline; negative outside.
    style : Style
    rng : Generator
    """
    near = cv2.pow(np.clip(1 + depth * (1 / 6), 0, 1), 2)  # gone 6 mm outside
    field = random_field(rng, 7) + 0.2 * random_field(rng, 2)
    thin = np.maximum(0, 1 - np.abs(field) * 8)
    amount = 0.55 if style.spikes > 0.6 else 0.0  # none leave a shaven or a tied head
    return np.asarray(amount * near * thin, np.float32)


def _normal(texture: Any) -> Map:
    return np.asarray(texture / np.float32(texture.std()), np.float32)
