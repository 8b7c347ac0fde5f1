"""A matcher by its parts: a mapping between modalities, and one classifier per enrolled subject."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from thermalign.geometry import Floats
from thermalign.landmarks._data import State
from thermalign.landmarks._settings import parse
from thermalign.steps._descriptors import Descriptors
from thermalign.steps._inputs import select
from thermalign.steps._model import read_metadata, read_state, save_state
from thermalign.tables import Metadata
from thermalign.verification import centring, cosine, dpm, pls
from thermalign.verification.features import as_vectors

SIDES = ["visible", "thermal"]


@dataclass(frozen=True)
class Mapping:
    """What brings the descriptors of both modalities together.

    Attributes
    ----------
    kind : dpm, centring or none
    tensors : dict of str to Tensor
        What was fitted.
    subjects : tuple of str
        Whose images it was fitted to or stopped by.
    """

    kind: str
    tensors: dict[str, Tensor]
    subjects: tuple[str, ...] = ()

    def apply(self, descriptors: Tensor, modality: str) -> Floats:
        """Return descriptors (N, rows, columns, D) of a modality as comparable vectors (N, D').

        Visible ones are predicted as thermal ones by ``dpm``; both sides then stand off the
        training subjects' mean thermal face, as the papers' PCA centres them. PLS does not see
        such a shift; a cosine does.
        """
        if self.kind == "centring":
            descriptors = centring.apply(self.tensors, descriptors, modality)
        if self.kind == "dpm":
            if modality == "visible":
                descriptors = dpm.apply(self.tensors, descriptors)
            descriptors = descriptors - self.tensors["mean"].to(descriptors)
        return as_vectors(descriptors)


@dataclass(frozen=True)
class Matcher:
    """Classifiers of enrolled subjects over mapped descriptors.

    Attributes
    ----------
    mapping : Mapping
    classifier : pls or cosine
    weights : (S, D) float64
    intercepts : (S,) float64
    subjects : tuple of str
        Enrolled, S of them.
    cross_subjects : tuple of str
        Whose images are cross-examples.
    """

    mapping: Mapping
    classifier: str
    weights: Floats
    intercepts: Floats
    subjects: tuple[str, ...]
    cross_subjects: tuple[str, ...] = ()

    def score(self, descriptors: Tensor, modality: str) -> Floats:
        """Return the scores of probes (N, rows, columns, D) for every enrolled subject, (N, S)."""
        vectors = self.mapping.apply(descriptors, modality)
        if self.classifier == "cosine":
            return cosine.score(self.weights, vectors)
        return pls.score(pls.OneVsAll(self.weights, self.intercepts), vectors)

    def fitted_on(self) -> set[str]:
        """Return everybody whose images something was fitted to, but for the enrolled images."""
        return {*self.mapping.subjects, *self.cross_subjects}


def fit_mapping(
    rows: pd.DataFrame, described: Descriptors, settings: dict[str, Any], *, seed: int
) -> Mapping:
    """Fit a mapping to training subjects; validation subjects, if any, stop the DPM.

    Parameters
    ----------
    rows : DataFrame
        The fold's images with ``role``, those with an aligned face.
    described : Descriptors
    settings : the ``matcher:`` block
    seed : int

    Raises
    ------
    ValueError
        If the images it needs are missing.
    """
    kind = settings["mapping"]
    if kind == "none":
        return Mapping(kind, {})
    if kind == "centring":
        train = rows[rows["role"] == "train"]
        sides = [train[train["modality"] == side] for side in SIDES]
        given = [_of(described, side["image_id"]) for side in sides]
        return Mapping(kind, centring.fit(*given), _people(train))
    pairs = _pairs(rows)
    by_role = {
        str(role): (_of(described, its["visible"]), _of(described, its["thermal"]))
        for role, its in pairs.groupby("role", sort=True)
    }
    parsed = parse(dpm.Settings, settings["dpm"], "matcher.dpm")
    state = dpm.fit(*by_role["train"], by_role.get("validation"), parsed, seed=seed)
    used = rows[rows["image_id"].isin(pairs[SIDES].to_numpy().ravel())]
    return Mapping(kind, state, _people(used))


def enrol(
    rows: pd.DataFrame,
    described: Descriptors,
    mapping: Mapping,
    settings: dict[str, Any],
    *,
    seed: list[int],
    permutation: int = 0,
) -> Matcher:
    """Enrol the gallery: one classifier per test subject.

    Parameters
    ----------
    rows, described : as for :func:`fit_mapping`
    mapping : Mapping
    settings : the ``matcher:`` block with the protocol's ``gallery`` and ``probe``
    seed : list of int
        Draws cross-examples, and the permutation.
    permutation : int
        Which shuffle of who is on the gallery's images, from 1: the control that must verify
        nobody; 0 for none.

    Raises
    ------
    ValueError
        If the gallery is empty.
    """
    gallery = select(rows[rows["role"] == "test"], settings["gallery"])
    if gallery.empty:
        raise ValueError(
            f"the gallery {settings['gallery']} selects no annotated image of a test subject; "
            "change gallery: conditions: or modality: of the protocol"
        )
    subjects, label = np.unique(gallery["subject_id"].to_numpy(object), return_inverse=True)
    if permutation:
        label = np.random.default_rng([*seed, permutation]).permutation(label)
    vectors = mapping.apply(_of(described, gallery["image_id"]), settings["gallery"]["modality"])
    if settings["classifier"] == "cosine":
        templates = cosine.enrol(vectors, label)
        return Matcher(mapping, "cosine", templates, np.zeros(len(subjects)), tuple(subjects))
    cross = _cross_examples(rows, settings, seed=seed)
    rows_of = [vectors]
    if len(cross):
        theirs = described.of(list(cross["image_id"]))
        rows_of.append(mapping.apply(theirs, settings["probe"]["modality"]))
    model = pls.fit_one_vs_all(
        np.concatenate(rows_of),
        np.concatenate([label, np.full(len(cross), pls.CROSS_EXAMPLE)]),
        n_components=settings["components"],
        negatives=settings["negatives"],
    )
    return Matcher(mapping, "pls", model.weights, model.intercepts, tuple(subjects), _people(cross))


def save_matcher(path: Path, matcher: Matcher, metadata: Metadata) -> None:
    """Write a matcher as safetensors; ``metadata`` is kept beside what describes it."""
    tensors = {f"mapping.{name}": tensor for name, tensor in matcher.mapping.tensors.items()}
    tensors["weights"] = torch.as_tensor(matcher.weights)
    tensors["intercepts"] = torch.as_tensor(matcher.intercepts)
    described = {
        "mapping": matcher.mapping.kind,
        "mapping_subjects": matcher.mapping.subjects,
        "classifier": matcher.classifier,
        "subjects": matcher.subjects,
        "cross_subjects": matcher.cross_subjects,
    }
    save_state(path, State(tensors), {**metadata, "matcher": described})


def read_matcher(path: Path) -> Matcher:
    """Read what :func:`save_matcher` wrote."""
    tensors = read_state(path).tensors
    described = read_metadata(path)["matcher"]
    fitted = {
        name.removeprefix("mapping."): tensor
        for name, tensor in tensors.items()
        if name.startswith("mapping.")
    }
    return Matcher(
        Mapping(described["mapping"], fitted, tuple(described["mapping_subjects"])),
        described["classifier"],
        tensors["weights"].numpy(),
        tensors["intercepts"].numpy(),
        tuple(described["subjects"]),
        tuple(described["cross_subjects"]),
    )


def _pairs(rows: pd.DataFrame) -> pd.DataFrame:
    """Return role and image of both modalities of every moment of training and validation."""
    taken = rows[(rows["pair_id"] != "") & (rows["role"] != "test")]
    paired = taken.pivot(index=["role", "pair_id"], columns="modality", values="image_id")
    if not set(SIDES) <= set(paired.columns):
        raise ValueError(
            "mapping: dpm needs visible and thermal images joined by pair_id; "
            "set matcher: mapping: none for one modality"
        )
    pairs = paired.dropna().reset_index()
    for role in sorted(set(rows["role"]) - {"test"}):
        if role not in set(pairs["role"]):
            raise ValueError(f"mapping: dpm finds no visible-thermal pair with role {role}")
    return pairs


def _cross_examples(
    rows: pd.DataFrame, settings: dict[str, Any], *, seed: list[int]
) -> pd.DataFrame:
    """Draw probe-modality images of training and validation subjects."""
    theirs = rows[(rows["role"] != "test") & (rows["modality"] == settings["probe"]["modality"])]
    shuffled = theirs.sort_values("image_id").sample(
        frac=1, random_state=np.random.default_rng(seed)
    )
    return shuffled.groupby("subject_id").head(settings["cross_examples"]).sort_values("image_id")


def _of(described: Descriptors, image_ids: Iterable[str]) -> Tensor:
    names = list(image_ids)
    return described.of(names) if names else torch.empty(0)


def _people(rows: pd.DataFrame) -> tuple[str, ...]:
    return tuple(sorted(rows["subject_id"].unique()))
