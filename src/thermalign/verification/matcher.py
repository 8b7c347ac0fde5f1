"""A matcher by its parts: a mapping between modalities, and one classifier per enrolled subject."""

from collections.abc import Callable, Iterable, Sequence
from collections.abc import Mapping as Map
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from thermalign.geometry import Floats, Integers
from thermalign.metrics.verification import Booleans
from thermalign.settings import parse
from thermalign.states import State, read_metadata, read_state, save_state
from thermalign.verification import centring, cosine, dpm, pls
from thermalign.verification.descriptors import Descriptors
from thermalign.verification.enrolment import (
    NONE,
    WHOLE,
    Enrolment,
    gallery_of,
    probes_of,
    selected,
)
from thermalign.verification.features import as_vectors
from thermalign.verification.readings import KEEP

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
    galleries : mapping of int to OneVsAll
        Classifiers (S, D) float64 and (S,) float64 by gallery: see :class:`Enrolment`.
    enrolment : Enrolment
    subjects : tuple of str
        Enrolled, S of them.
    cross_subjects : tuple of str
        Whose images are cross-examples.
    """

    mapping: Mapping
    classifier: str
    galleries: Map[int, pls.OneVsAll]
    enrolment: Enrolment
    subjects: tuple[str, ...]
    cross_subjects: tuple[str, ...] = ()

    def score(self, descriptors: Tensor, modality: str, met: Integers) -> Floats:
        """Return the scores of probes for every enrolled subject, (N, S).

        Parameters
        ----------
        descriptors : (N, rows, columns, D)
        modality : str
        met : (N,) int
            The gallery that each probe meets; NaN where it is ``NONE``.
        """
        vectors = self.mapping.apply(descriptors, modality)
        scores = np.full((len(vectors), len(self.subjects)), np.nan)
        for gallery in set(met.tolist()) - {NONE}:
            those, model = met == gallery, self.galleries[gallery]
            if self.classifier == "cosine":
                scores[those] = cosine.score(model.weights, vectors[those])
            else:
                scores[those] = pls.score(model, vectors[those])
        return scores

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
    probes: pd.DataFrame | None = None,
    permutation: int = 0,
) -> Matcher:
    """Enrol the gallery: one classifier per test subject and gallery that a probe meets.

    Parameters
    ----------
    rows : DataFrame
        The fold's images with ``role``, whether they have an aligned face or not.
    described : Descriptors
    mapping : Mapping
    settings : the ``matcher:`` block with the protocol's ``gallery``, ``probe`` and ``same_moment``
    seed : list of int
        Draws cross-examples, and the permutation.
    probes : DataFrame of IMAGES, optional
        Whose moments decide whether there are partial galleries; the protocol's where not given.
    permutation : int
        Which shuffle of who is on the gallery's images, from 1: the control that must verify
        nobody; 0 for none.

    Raises
    ------
    ValueError
        If there is no gallery or no probe.
    """
    seen = rows[described.have(rows["image_id"])]
    gallery = _gallery(rows, seen, settings)
    if probes is None:
        probes = probes_of(rows, settings, gallery["image_id"])
    enrolment = Enrolment.of(gallery, probes, settings["same_moment"])
    subjects, label = np.unique(gallery["subject_id"].to_numpy(object), return_inverse=True)
    wanted = [WHOLE] if KEEP in settings["same_moment"] else []
    wanted = sorted({*wanted, *enrolment.galleries})
    labels = [np.where(enrolment.holds(k), label, pls.LEFT_OUT) for k in wanted]
    if permutation:
        labels = [_permuted(each, [*seed, permutation]) for each in labels]
    vectors = mapping.apply(_of(described, gallery["image_id"]), settings["gallery"]["modality"])
    if settings["classifier"] == "cosine":
        models = [_templates(vectors, each) for each in labels]
        cross = rows[:0]
    else:
        cross = _cross_examples(seen, settings, seed=seed)
        modality = settings["probe"]["modality"]
        theirs = [mapping.apply(_of(described, cross["image_id"]), modality)] if len(cross) else []
        models = _classifiers(np.concatenate([vectors, *theirs]), labels, settings)
    galleries = dict(zip(wanted, models, strict=True))
    names = tuple(subjects), _people(cross)
    return Matcher(mapping, settings["classifier"], galleries, enrolment, *names)


def _gallery(rows: pd.DataFrame, seen: pd.DataFrame, settings: dict[str, Any]) -> pd.DataFrame:
    """Return the enrolled images, of those that have an aligned face."""
    if not selected(rows, settings, "gallery")["image_id"].isin(seen["image_id"]).any():
        raise ValueError(
            f"gallery: {settings['gallery']} selects no annotated image of a test subject; "
            "change conditions: or modality: of the protocol's gallery, or annotate such images"
        )
    return gallery_of(seen, settings)


def _permuted(labels: Integers, seed: list[int]) -> Integers:
    """Return labels with those of the rows that take part shuffled."""
    made, taking = labels.copy(), labels != pls.LEFT_OUT
    made[taking] = np.random.default_rng(seed).permutation(labels[taking])
    return made


def _templates(vectors: Floats, labels: Integers) -> pls.OneVsAll:
    """Return the templates of a cosine as classifiers without intercept."""
    taking = labels != pls.LEFT_OUT
    templates = cosine.enrol(vectors[taking], labels[taking])
    return pls.OneVsAll(templates, np.zeros(len(templates)))


def _classifiers(
    vectors: Floats, labels: list[Integers], settings: dict[str, Any]
) -> list[pls.OneVsAll]:
    """Return the PLS classifiers of vectors, the cross-examples last, under every labelling."""
    return pls.fit_each(
        vectors,
        [
            np.pad(each, (0, len(vectors) - len(each)), constant_values=pls.CROSS_EXAMPLE)
            for each in labels
        ],
        n_components=settings["components"],
        negatives=settings["negatives"],
    )


def save_matcher(path: Path, matcher: Matcher, metadata: Map[str, Any]) -> None:
    """Write a matcher as safetensors; ``metadata`` is kept beside what describes it."""
    tensors = {f"mapping.{name}": tensor for name, tensor in matcher.mapping.tensors.items()}
    for gallery, model in matcher.galleries.items():
        tensors[f"weights.{gallery}"] = torch.as_tensor(model.weights)
        tensors[f"intercepts.{gallery}"] = torch.as_tensor(model.intercepts)
    described = {
        "mapping": matcher.mapping.kind,
        "mapping_subjects": matcher.mapping.subjects,
        "classifier": matcher.classifier,
        "subjects": matcher.subjects,
        "cross_subjects": matcher.cross_subjects,
        "enrolled": matcher.enrolment.rows.to_dict("list"),
        "partial": matcher.enrolment.partial,
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
    numbers = [int(name.split(".")[1]) for name in tensors if name.startswith("weights.")]
    return Matcher(
        Mapping(described["mapping"], fitted, tuple(described["mapping_subjects"])),
        described["classifier"],
        {
            k: pls.OneVsAll(tensors[f"weights.{k}"].numpy(), tensors[f"intercepts.{k}"].numpy())
            for k in sorted(numbers)
        },
        Enrolment(pd.DataFrame(described["enrolled"]), described["partial"]),
        tuple(described["subjects"]),
        tuple(described["cross_subjects"]),
    )


def read_thresholds(path: Path) -> dict[str, float]:
    """Read the thresholds that were written with a matcher: score by false match rate."""
    return {name: float(value) for name, value in read_metadata(path)["thresholds"].items()}


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


def score_probes(
    matcher: Matcher,
    probes: pd.DataFrame,
    usable: Booleans,
    describe: Callable[[], Tensor],
    *,
    readings: Sequence[str],
) -> pd.DataFrame:
    """Return SCORES without protocol, fold and model, of every probe and enrolled subject.

    Under ``exclude`` a probe that may meet no gallery is no probe. Where no probe's moment is
    enrolled all readings are the same, and only the first is returned.

    Parameters
    ----------
    matcher : Matcher
    probes : DataFrame of IMAGES, P rows of one modality
    usable : (P,) bool
        Whose face could be aligned; the others score -inf.
    describe : function
        Returns the descriptors of the usable probes in their order, (U, rows, columns, D); asked
        once, if there are any.
    readings : of ``same_moment``, the headline first
    """
    tables, descriptors = [], describe() if usable.any() else None
    for reading in readings if matcher.enrolment.partial else readings[:1]:
        met = matcher.enrolment.met_by(probes, reading)
        values = np.full((len(probes), len(matcher.subjects)), -np.inf)
        if descriptors is not None:
            modality = str(probes["modality"].iloc[0])
            values[usable] = matcher.score(descriptors, modality, met[usable])
        takes_part = met != NONE
        table = table_of(probes[takes_part], matcher.subjects, values[takes_part])
        tables.append(table.assign(same_moment=reading))
    return pd.concat(tables, ignore_index=True)


def table_of(probes: pd.DataFrame, subjects: tuple[str, ...], values: Floats) -> pd.DataFrame:
    """Return SCORES without protocol, fold, model and reading.

    Parameters
    ----------
    probes : DataFrame of IMAGES, P rows
    subjects : S enrolled subjects
    values : (P, S) float, -inf where no face was aligned
    """
    gallery = np.tile(np.asarray(subjects, object), len(probes))
    own = np.repeat(probes["subject_id"].to_numpy(object), len(subjects))
    return pd.DataFrame(
        {
            "probe_id": np.repeat(probes["image_id"].to_numpy(object), len(subjects)),
            "gallery_id": gallery,
            "genuine": gallery == own,
            "score": values.ravel(),
        }
    )
