"""Which images a protocol selects, who is enrolled with what, and which gallery a probe meets."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from typing import Any

import numpy as np
import pandas as pd

from thermalign.geometry import Integers
from thermalign.settings import check, setting
from thermalign.verification.readings import EXCLUDE

PARTS = 4
"""Partial galleries. ASSUME: each lacks a quarter of everyone's moments, or one of fewer; more of
them would leave more of every gallery, and cost as much more."""

WHOLE, NONE = 0, -1
"""The gallery of everything enrolled, beside the partial ones from 1; and no gallery at all."""

SHOWN = 8  # values of a column that an error lists


@dataclass(frozen=True)
class Selection:
    """Test images that enrol, or that are probes; an empty tuple stands for every value.

    Attributes
    ----------
    modality : str
    conditions, sessions : tuple of str
    ranges : tuple of int
    images : int or None
        How many of each person enrol, drawn; None for all.
    seed : int
        Of that draw.
    """

    modality: str = setting(choices=("visible", "thermal"))
    conditions: tuple[str, ...] = setting(())
    ranges: tuple[int, ...] = setting((), low=1)
    sessions: tuple[str, ...] = setting(())
    images: int | None = setting(None, low=1)
    seed: int = setting(0, low=0)

    def __post_init__(self) -> None:
        """Refuse what is out of range."""
        check(self)

    def __str__(self) -> str:
        """Write what is selected as the configuration does."""
        chosen = [f"{key}: {list(getattr(self, key))}" for key in self.asked]
        return ", ".join([f"modality: {self.modality}", *chosen])

    @property
    def asked(self) -> list[str]:
        """The keys of ``SELECTED_BY`` that leave something out."""
        return [key for key in SELECTED_BY if getattr(self, key)]


@dataclass(frozen=True)
class Enrolment:
    """Who is enrolled with which images.

    Partial gallery p, of 1..PARTS, lacks a share of everybody's moments: a person's n enrolled
    moments, in the order of their names, are in turn of min(n, PARTS) groups, and group (p - 1) mod
    min(n, PARTS) is left out. So every gallery has all people, about equally many images of each,
    and none of its images, whoever they show, is of a moment left out. A single moment stays.

    Attributes
    ----------
    rows : DataFrame
        ``image_id``, ``subject_id`` and ``moment`` of the enrolled images.
    partial : bool
        Whether there are partial galleries: some probe's own moment is enrolled, and a reading
        leaves it out.
    """

    rows: pd.DataFrame
    partial: bool

    @classmethod
    def of(
        cls, gallery: pd.DataFrame, probes: pd.DataFrame, readings: Sequence[str]
    ) -> "Enrolment":
        """Enrol a gallery that probes will meet under ``readings``, both rows of IMAGES.

        Raises
        ------
        ValueError
            If no probe may meet any gallery.
        """
        rows = gallery[["image_id", "subject_id", "moment"]].reset_index(drop=True)
        group, _ = cls(rows, False).groups_of(probes)
        made = cls(rows, EXCLUDE in readings and bool((group >= 0).any()))
        if made.partial and (made.met_by(probes, EXCLUDE) == NONE).all():
            raise ValueError(
                "same_moment: exclude leaves no probe, since the moment of each is the only one "
                "its person is enrolled with; enrol more images or set same_moment: [keep]"
            )
        return made

    @property
    def images(self) -> list[str]:
        """The enrolled images."""
        return list(self.rows["image_id"])

    @property
    def galleries(self) -> list[int]:
        """The galleries that probes meet under ``exclude``."""
        return list(range(1, PARTS + 1)) if self.partial else [WHOLE]

    def holds(self, gallery: int) -> Any:
        """Return which of ``rows`` are in a gallery, (n,) bool."""
        if gallery == WHOLE:
            return np.ones(len(self.rows), bool)
        group, groups = self.groups_of(self.rows)
        return (groups == 1) | (group != (gallery - 1) % groups)

    def met_by(self, probes: pd.DataFrame, reading: str) -> Integers:
        """Return the gallery that each probe (rows of IMAGES) meets under a reading, (N,) int.

        Under ``exclude`` a probe whose moment is enrolled meets a gallery without it, or ``NONE``
        where it is all that its person has; any other probe meets one of the same sizes. Which one
        depends on the probe's moment alone.
        """
        if reading != EXCLUDE or not self.partial:
            return np.full(len(probes), WHOLE)
        group, groups = self.groups_of(probes)
        choices = np.where(group < 0, PARTS, -(-(PARTS - group) // np.maximum(groups, 1)))
        drawn = np.array([number_of(m) for m in probes["moment"]], np.uint64)
        drawn %= choices.astype(np.uint64)
        met = 1 + np.maximum(group, 0) + drawn.astype(int) * np.maximum(groups, 1)
        return np.where(groups == 1, NONE, met)

    def groups_of(self, images: pd.DataFrame) -> tuple[Integers, Integers]:
        """Return the group of each image's moment, and of how many groups its person has, (N,) int.

        -1 and 0 where the moment is not enrolled.
        """
        keys = zip(images["subject_id"], images["moment"], strict=True)
        found = [self._groups.get(key, (-1, 0)) for key in keys]
        both = np.array(found, int).reshape(-1, 2)
        return both[:, 0], both[:, 1]

    def told(self, probes: pd.DataFrame, readings: Sequence[str]) -> list[str]:
        """Say how many probes have their own moment enrolled, and how many meet no gallery without.

        Parameters
        ----------
        probes : DataFrame of IMAGES
        readings : of ``same_moment``

        Returns
        -------
        list of str
            Lines for the log.
        """
        own = int((self.groups_of(probes)[0] >= 0).sum())
        lost = int((self.met_by(probes, EXCLUDE) == NONE).sum())
        lines = [f"{own} of {len(probes)} probes have their own moment enrolled"]
        if lost and EXCLUDE in readings:
            alone = "it is all their person is enrolled with"
            lines.append(f"{lost} of them are no probes under exclude: {alone}")
        return lines

    @cached_property
    def _groups(self) -> dict[tuple[str, str], tuple[int, int]]:
        groups = {}
        for subject, moments in self.rows.groupby("subject_id")["moment"]:
            names = sorted(set(moments))
            count = min(len(names), PARTS)
            groups.update({(str(subject), m): (k % count, count) for k, m in enumerate(names)})
        return groups


def gallery_of(rows: pd.DataFrame, gallery: Selection) -> pd.DataFrame:
    """Return the test images that enrol: those selected, or ``images`` of each person.

    Those are drawn by the gallery's seed and their names: fewer are among more.

    Parameters
    ----------
    rows : DataFrame of IMAGES with ``role``, those that can be enrolled
    gallery : Selection

    Raises
    ------
    ValueError
        If there is none.
    """
    chosen = selected(rows, gallery, role="gallery")
    if gallery.images is None:
        return chosen
    drawn = [number_of(f"{gallery.seed}/{name}") for name in chosen["image_id"]]
    first = chosen.assign(drawn=drawn).sort_values("drawn").groupby("subject_id")
    kept = first.head(gallery.images)["image_id"]
    return chosen[chosen["image_id"].isin(kept)].reset_index(drop=True)


def probes_of(rows: pd.DataFrame, probe: Selection, enrolled: Collection[str]) -> pd.DataFrame:
    """Return the test images that are probes; an enrolled image never is.

    Parameters
    ----------
    rows : DataFrame of IMAGES with ``role``
    probe : Selection
    enrolled : collection of image_id

    Raises
    ------
    ValueError
        If there is none.
    """
    chosen = selected(rows, probe, role="probe")
    left = chosen[~chosen["image_id"].isin(enrolled)].reset_index(drop=True)
    if left.empty:
        raise ValueError(
            f"probe: all {len(chosen)} images that {{{probe}}} selects are enrolled, so that no "
            "probe is left; change probe: or gallery: of the protocol"
        )
    return left


def selected(rows: pd.DataFrame, wanted: Selection, *, role: str) -> pd.DataFrame:
    """Return the test images that ``probe`` or ``gallery`` of a protocol, the role, selects.

    Raises
    ------
    ValueError
        If there is none.
    """
    test = rows[rows["role"] == "test"]
    chosen = select(test, wanted)
    if not chosen.empty:
        return chosen
    modality = Selection(wanted.modality)
    of_modality = select(test, modality)
    if of_modality.empty:
        raise ValueError(
            f"{role}: modality: no test image is {wanted.modality}; they are "
            f"{_values(test['modality'])}"
        )
    asked = {key: getattr(wanted, key) for key in wanted.asked}
    alone = [k for k, v in asked.items() if select(test, replace(modality, **{k: v})).empty]
    named = " and ".join(f"{key}: {list(asked[key])}" for key in alone[:1] or asked)
    has = "; ".join(f"{key}: {_values(of_modality[SELECTED_BY[key]])}" for key in asked)
    raise ValueError(
        f"{role}: {named} selects no {wanted.modality} image of a test subject; they have {has}"
    )


def number_of(name: str) -> int:
    """Return a number below 2**64 that depends on a name alone."""
    return int.from_bytes(sha256(name.encode()).digest()[:8], "little")


def _values(column: pd.Series) -> list[Any]:
    values = sorted(column.unique().tolist())
    return values if len(values) <= SHOWN else [*values[:SHOWN], "..."]


SELECTED_BY = {"conditions": "condition", "ranges": "range", "sessions": "session"}
"""Keys of a protocol's probe and gallery, and the columns of IMAGES that they choose by."""


def select(images: pd.DataFrame, wanted: Selection) -> pd.DataFrame:
    """Return the images, of whatever role, that a selection allows."""
    chosen = images["modality"] == wanted.modality
    for key in wanted.asked:
        chosen &= images[SELECTED_BY[key]].isin(getattr(wanted, key))
    return images[chosen].reset_index(drop=True)
