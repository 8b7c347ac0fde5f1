"""Train the matcher of a fold and enrol its gallery; every landmark model shares it."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from thermalign import tables
from thermalign.folds import check_disjoint
from thermalign.landmarks._data import State
from thermalign.landmarks._settings import parse
from thermalign.provenance import stamp
from thermalign.schemas.dataset import FOLDS, IMAGES
from thermalign.schemas.matching import FACES
from thermalign.steps._inputs import read_fold, select
from thermalign.steps._matcher import descriptors
from thermalign.steps._model import save_state
from thermalign.verification import dpm, pls


def run(
    *,
    images: Path,
    folds: Path,
    faces: Path,
    fold: int,
    settings: dict[str, Any],
    seed: int,
    matcher: Path,
    code: str,
) -> None:
    """Fit the mapping on training subjects, then one PLS classifier per test subject.

    Parameters
    ----------
    images, folds : Path of the tables
    faces : Path of FACES aligned by annotated points
    fold : wildcard
    settings : the ``matcher:`` block with the protocol's ``gallery`` and ``probe``
    seed : int
    matcher : Path of the safetensors file: weights (S, D), intercepts (S,)
    code : str
    """
    check_disjoint(tables.read(folds, FOLDS), tables.read(images, IMAGES))
    aligned = tables.read(faces, FACES)
    rows = read_fold(images, folds)
    rows = rows[rows["image_id"].isin(aligned["image_id"])]
    gallery = select(rows[rows["role"] == "test"], settings["gallery"])
    if gallery.empty:
        raise ValueError(
            f"the gallery {settings['gallery']} selects no annotated image of a test subject; "
            "change gallery: conditions: or modality: of the protocol"
        )
    enrolled = descriptors(aligned, list(gallery["image_id"]), settings)
    if settings["mapping"] == "dpm":
        enrolled = dpm.apply(_fit_mapping(rows, aligned, settings, seed=seed), enrolled)
    cross = _cross_examples(rows, settings, seed=[seed, fold])
    subjects = sorted(gallery["subject_id"].unique())
    label = gallery["subject_id"].map({s: n for n, s in enumerate(subjects)}).to_numpy()
    matrices = [dpm.as_vectors(enrolled)]
    if len(cross):
        matrices.append(dpm.as_vectors(descriptors(aligned, list(cross["image_id"]), settings)))
    model = pls.fit_one_vs_all(
        np.concatenate(matrices),
        np.concatenate([label, np.full(len(cross), pls.CROSS_EXAMPLE)]),
        n_components=settings["components"],
        negatives=settings["negatives"],
    )
    tensors = {
        "weights": torch.as_tensor(model.weights),
        "intercepts": torch.as_tensor(model.intercepts),
    }
    save_state(matcher, State(tensors), stamp(code, {**settings, "subjects": subjects}))


def _fit_mapping(
    rows: pd.DataFrame, aligned: pd.DataFrame, settings: dict[str, Any], *, seed: int
) -> dpm.State:
    """Fit the DPM on the pairs of training subjects; validation subjects, if any, stop it."""
    paired = rows[rows["pair_id"] != ""].pivot(
        index=["role", "pair_id"], columns="modality", values="image_id"
    )
    if not {"visible", "thermal"} <= set(paired.columns):
        raise ValueError(
            "mapping: dpm needs visible and thermal images joined by pair_id; "
            "set matcher: mapping: none for one modality"
        )
    sides: dict[str, tuple[Tensor, Tensor]] = {}
    for role in sorted(set(rows["role"]) - {"test"}):
        pairs = paired[paired.index.get_level_values("role") == role].dropna()
        if pairs.empty:
            raise ValueError(f"mapping: dpm finds no visible-thermal pair with role {role}")
        visible, thermal = (
            descriptors(aligned, list(pairs[side]), settings) for side in ("visible", "thermal")
        )
        sides[role] = visible, thermal
    parsed = parse(dpm.Settings, settings["dpm"], "matcher.dpm")
    return dpm.fit(*sides["train"], sides.get("validation"), parsed, seed=seed)


def _cross_examples(
    rows: pd.DataFrame, settings: dict[str, Any], *, seed: list[int]
) -> pd.DataFrame:
    """Draw probe-modality images of training and validation subjects."""
    theirs = rows[(rows["role"] != "test") & (rows["modality"] == settings["probe"]["modality"])]
    shuffled = theirs.sort_values("image_id").sample(
        frac=1, random_state=np.random.default_rng(seed)
    )
    return shuffled.groupby("subject_id").head(settings["cross_examples"]).sort_values("image_id")
