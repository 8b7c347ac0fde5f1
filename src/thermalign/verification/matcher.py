"""A matcher by its parts: a mapping between modalities, and classifiers of enrolled people."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from torch import Tensor

from thermalign.geometry import Floats, Integers
from thermalign.settings import parse
from thermalign.verification import descriptors
from thermalign.verification.contract import LEFT_OUT, Described, Examples, Gallery, Others
from thermalign.verification.enrolment import (
    NONE,
    WHOLE,
    Enrolment,
    Selection,
    probes_of,
)
from thermalign.verification.features import as_vectors
from thermalign.verification.parts import Part, classifier_of, load, mapping_of
from thermalign.verification.readings import KEEP
from thermalign.verification.stored import AT_ONCE
from thermalign.verification.trials import Trials, enrolled_of


@dataclass(frozen=True)
class Settings:
    """A protocol's matcher: the ``matcher:`` block, and who is compared with whom.

    Attributes
    ----------
    descriptors : descriptors.Settings
    mapping, classifier : Part
    gallery, probe : Selection
    same_moment : tuple of str
        Readings, the headline first: see :mod:`thermalign.verification.readings`.
    """

    descriptors: descriptors.Settings
    mapping: Part
    classifier: Part
    gallery: Selection
    probe: Selection
    same_moment: tuple[str, ...]

    @classmethod
    def of(cls, block: Mapping[str, Any]) -> "Settings":
        """Parse the ``matcher:`` block with a protocol's ``gallery``, ``probe``, ``same_moment``.

        Raises
        ------
        ValueError
            If a setting is unknown or wrong.
        """
        return cls(
            descriptors.Settings.of(block),
            mapping_of(block),
            classifier_of(block),
            parse(Selection, block["gallery"], "gallery"),
            parse(Selection, block["probe"], "probe"),
            tuple(block["same_moment"]),
        )

    @property
    def headline(self) -> str:
        """The reading that the protocol's figures follow."""
        return self.same_moment[0]

    def headline_only(self) -> "Settings":
        """Return the same without other readings."""
        return self.under(self.headline)

    def under(self, reading: str) -> "Settings":
        """Return the same with one reading alone."""
        return replace(self, same_moment=(reading,))


@dataclass(frozen=True)
class FittedMapping:
    """What brings the descriptors of both modalities together.

    Attributes
    ----------
    name : str
        Its module.
    tensors : dict of str to Tensor
        What was fitted.
    subjects : tuple of str
        Whose images it was fitted to or stopped by.
    """

    name: str
    tensors: dict[str, Tensor] = field(default_factory=dict)
    subjects: tuple[str, ...] = ()

    def apply(self, descriptors: Tensor, modality: str) -> Floats:
        """Return descriptors (N, rows, columns, D) of a modality as comparable vectors (N, D')."""
        return as_vectors(load(self.name).apply(self.tensors, descriptors, modality))

    def refuse(self, tested: Iterable[str], seen: Iterable[str], by: str) -> None:
        """Refuse to be tested by something on people whom it has seen.

        Raises
        ------
        ValueError
            If somebody is among both.
        """
        if shared := sorted({*tested} & {*seen}):
            raise ValueError(
                f"matcher: mapping: {self.name} was trained on {shared[0]}, whom {by} tests "
                f"({len(shared)} such people); train it on others"
            )


NO_MAPPING = FittedMapping("none")


@dataclass(frozen=True)
class Matcher:
    """Classifiers of enrolled subjects over mapped descriptors.

    Attributes
    ----------
    mapping : FittedMapping
    classifier : str
        Its module.
    galleries : mapping of int to the classifier's Model
        By gallery: see :class:`thermalign.verification.enrolment.Enrolment`.
    enrolment : Enrolment
    subjects : tuple of str
        Enrolled, S of them.
    other_subjects : tuple of str
        Not enrolled, but told from those who are.
    """

    mapping: FittedMapping
    classifier: str
    galleries: Mapping[int, Any]
    enrolment: Enrolment
    subjects: tuple[str, ...]
    other_subjects: tuple[str, ...] = ()

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
            those = met == gallery
            scores[those] = load(self.classifier).score(self.galleries[gallery], vectors[those])
        return scores

    def fitted_on(self) -> set[str]:
        """Return everybody whose images something was fitted to, but for the enrolled images."""
        return {*self.mapping.subjects, *self.other_subjects}


def fit_mapping(
    rows: pd.DataFrame, described: Described, mapping: Part, *, seed: int
) -> FittedMapping:
    """Fit a mapping to training subjects; validation subjects, if any, may stop it.

    Nothing else decides what it becomes.

    Parameters
    ----------
    rows : DataFrame
        The fold's images with ``role``.
    described : Described
    mapping : Part
    seed : int

    Raises
    ------
    ValueError
        If the images it needs are missing, or it was trained elsewhere on somebody whom the fold
        tests.
    """
    examples = Examples(rows, described)
    tensors = load(mapping.name).fit(examples, mapping.settings, seed=seed)
    fitted = FittedMapping(mapping.name, tensors, examples.subjects)
    fitted.refuse(rows.loc[rows["role"] == "test", "subject_id"], fitted.subjects, "this fold")
    return fitted


def enrol(
    rows: pd.DataFrame,
    described: Described,
    mapping: FittedMapping,
    settings: Settings,
    *,
    seed: list[int],
    probes: pd.DataFrame | None = None,
    permutation: int = 0,
) -> Matcher:
    """Enrol the gallery: everybody in it, in each gallery that a probe meets.

    Parameters
    ----------
    rows : DataFrame
        The fold's images with ``role``, whether they have an aligned face or not.
    described : Described
    mapping : FittedMapping
        Used instead of the settings' own.
    settings : Settings
    seed : list of int
        Draws images of others, and the permutation.
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
    gallery = enrolled_of(rows, seen, settings.gallery)
    if probes is None:
        probes = probes_of(rows, settings.probe, gallery["image_id"])
    enrolment = Enrolment.of(gallery, probes, settings.same_moment)
    subjects, label = np.unique(gallery["subject_id"].to_numpy(object), return_inverse=True)
    wanted = [WHOLE] if KEEP in settings.same_moment else []
    wanted = sorted({*wanted, *enrolment.galleries})
    labels = [np.where(enrolment.holds(k), label, LEFT_OUT) for k in wanted]
    if permutation:
        labels = [_permuted(each, [*seed, permutation]) for each in labels]
    distinct = {each.tobytes(): each for each in labels}  # of two moments each, two of the four

    def vectors_of(image_ids: Sequence[str], modality: str) -> Floats:
        parts = [image_ids[k : k + AT_ONCE] for k in range(0, len(image_ids), AT_ONCE)]
        made = [mapping.apply(described.of(part), modality) for part in parts]
        return np.concatenate(made) if made else np.empty((0, 0))

    modality = settings.probe.modality
    strangers = seen[(seen["role"] != "test") & (seen["modality"] == modality)]
    others = Others(strangers, lambda names: vectors_of(names, modality), seed=seed)
    vectors = vectors_of(list(gallery["image_id"]), settings.gallery.modality)
    name, its = settings.classifier
    models = load(name).enrol(Gallery(vectors, list(distinct.values()), others), its)
    of = dict(zip(distinct, models, strict=True))
    galleries = {k: of[each.tobytes()] for k, each in zip(wanted, labels, strict=True)}
    return Matcher(mapping, name, galleries, enrolment, tuple(subjects), others.subjects)


def _permuted(labels: Integers, seed: list[int]) -> Integers:
    """Return labels with those of the rows that take part shuffled."""
    made, taking = labels.copy(), labels != LEFT_OUT
    made[taking] = np.random.default_rng(seed).permutation(labels[taking])
    return made


def score_probes(
    matcher: Matcher, probes: pd.DataFrame, described: Described, *, readings: Sequence[str]
) -> pd.DataFrame:
    """Return SCORES without protocol, fold and model, of every probe and enrolled subject.

    Vectors of AT_ONCE probes are in memory at once.

    A probe without an aligned face scores -inf. Under ``exclude`` a probe that may meet no gallery
    is no probe. Where no probe's moment is enrolled all readings are the same, and only the first
    is returned.

    Parameters
    ----------
    matcher : Matcher
    probes : DataFrame of IMAGES, P rows of one modality
    described : Described
        Of those probes whose face could be aligned.
    readings : of ``same_moment``, the headline first
    """
    trials = Trials(probes, matcher.subjects, matcher.enrolment, tuple(readings))
    met = dict(trials.by_reading())
    values = {its: np.full((len(probes), len(matcher.subjects)), -np.inf) for its in met}
    usable = np.flatnonzero(described.have(probes["image_id"]))
    for start in range(0, len(usable), AT_ONCE):
        some = usable[start : start + AT_ONCE]
        given = described.of(list(probes["image_id"].iloc[some]))
        modality = str(probes["modality"].iloc[0])
        for reading, its in values.items():
            its[some] = matcher.score(given, modality, met[reading][some])
    tables = [trials.table(reading, met[reading], its) for reading, its in values.items()]
    return pd.concat(tables, ignore_index=True)


def verify(
    rows: pd.DataFrame,
    described: Described,
    mapping: FittedMapping,
    settings: Settings,
    *,
    seed: list[int],
    permutation: int = 0,
) -> tuple[Matcher, pd.DataFrame]:
    """Return a matcher, and its SCORES of the annotated probes.

    Parameters
    ----------
    rows, described, mapping, settings, seed, permutation
        As for :func:`thermalign.verification.matcher.enrol`.

    Raises
    ------
    ValueError
        If nobody is enrolled, or no probe is annotated.
    """
    matcher = enrol(rows, described, mapping, settings, seed=seed, permutation=permutation)
    probes = probes_of(rows, settings.probe, matcher.enrolment.images)
    probes = probes[described.have(probes["image_id"])]
    if probes.empty:
        raise ValueError(
            f"no annotated image is a probe ({settings.probe}), so that matchers cannot be "
            "compared on annotated points: take ablation: and sweep: out, or annotate probes"
        )
    return matcher, score_probes(matcher, probes, described, readings=settings.same_moment)
