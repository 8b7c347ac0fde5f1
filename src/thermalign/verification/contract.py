"""What a mapping and a classifier are, and what they are given: one module of this package each.

A mapping brings the descriptors of two modalities together. It is a module with

- ``Settings``: a frozen dataclass, the block of the module's name in ``matcher:``;
- ``fit(examples, settings, *, seed) -> State``: tensors by name;
- ``apply(state, descriptors, modality) -> Tensor``: (N, rows, columns, D) to (N, ...);
- ``WITHIN = True``, if it brings together images of one modality as it does those of two: the
  control of one modality then passes it, too, and else no mapping.

A classifier compares vectors with enrolled people. It is a module with

- ``Settings``: as above; the keys of ``pls`` stand in ``matcher:`` itself;
- ``Model``: a NamedTuple of arrays;
- ``enrol(gallery, settings) -> list[Model]``: one for each of the gallery's labellings;
- ``score(model, vectors) -> (N, S)``: higher is more alike.

``matcher: {mapping: NAME, classifier: NAME}`` names the modules, which
:mod:`thermalign.verification.parts` loads. Nothing else lists them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor

from thermalign.geometry import Floats, Integers

State = dict[str, Tensor]
"""What a mapping was fitted to be."""

VISIBLE, THERMAL = "visible", "thermal"

LEFT_OUT = -2
"""Label of an enrolled image that takes no part in a gallery."""


class Described(Protocol):
    """Descriptors of images that have an aligned face."""

    def have(self, image_ids: pd.Series) -> npt.NDArray[np.bool_]:
        """Return which images have an aligned face, (N,)."""

    def of(self, image_ids: Sequence[str]) -> Tensor:
        """Return the descriptors of images, (N, rows, columns, D) float32, N at least 1."""


class Examples:
    """Images of a fold's training and validation subjects, for a mapping to be fitted to.

    Whose images were asked for is kept, so that a mapping need not say whom it has seen.

    Parameters
    ----------
    rows : DataFrame
        Images of the fold with ``role``; those of test subjects are never given.
    described : Described
    """

    def __init__(self, rows: pd.DataFrame, described: Described) -> None:
        seen = (rows["role"] != "test") & described.have(rows["image_id"])
        self._rows, self._described = rows[seen], described
        self._asked: set[str] = set()

    @property
    def roles(self) -> list[str]:
        """``train``, and ``validation`` where somebody is held out."""
        return sorted(set(self._rows["role"]))

    @property
    def subjects(self) -> tuple[str, ...]:
        """Everybody whose images were asked for."""
        return tuple(sorted(self._asked))

    def of(self, role: str, modality: str) -> Tensor:
        """Return the descriptors of a role's images of a modality, (N, rows, columns, D)."""
        chosen = (self._rows["role"] == role) & (self._rows["modality"] == modality)
        return self._describe(self._rows.loc[chosen, "image_id"])

    def add_strangers(self, people: Sequence[str]) -> None:
        """Count people of elsewhere among those that something was fitted to."""
        self._asked |= set(people)

    def known(self, role: str, modality: str, *, most: int) -> tuple[Tensor, list[str]]:
        """Return what :meth:`Examples.of` does, at most so many images a person, and whose each is.

        Of more, as many are taken at even steps in the order of their names.
        """
        chosen = (self._rows["role"] == role) & (self._rows["modality"] == modality)
        ordered = self._rows[chosen].sort_values("image_id")
        grouped = ordered.groupby("subject_id")["image_id"]
        place, count = grouped.cumcount(), grouped.transform("size")
        ordered = ordered[(place + 1) * most // count > place * most // count]
        return self._describe(ordered["image_id"]), list(ordered["subject_id"])

    def pairs(self, role: str) -> tuple[Tensor, Tensor]:
        """Return visible and thermal descriptors of a role's moments that have both.

        Raises
        ------
        ValueError
            If there is no such moment.
        """
        joined = self._rows[(self._rows["role"] == role) & (self._rows["pair_id"] != "")]
        paired = joined.pivot(index="pair_id", columns="modality", values="image_id")
        paired = paired.reindex(columns=[VISIBLE, THERMAL]).dropna()
        if paired.empty:
            raise ValueError(
                f"matcher: mapping: no visible and thermal image of a {role} subject are joined by "
                "pair_id; give such pairs, or set mapping: none, as for one modality"
            )
        return self._describe(paired[VISIBLE]), self._describe(paired[THERMAL])

    def _describe(self, image_ids: pd.Series) -> Tensor:
        names = list(image_ids)
        if not names:
            return torch.empty(0)
        self._asked |= set(self._rows.loc[self._rows["image_id"].isin(names), "subject_id"])
        return self._described.of(names)


class Others:
    """Probe-modality images of training and validation subjects, for a classifier to learn from.

    Parameters
    ----------
    rows : DataFrame of IMAGES of theirs
    vectors_of : function from image names to mapped vectors (N, D)
    seed : list of int
        Of the draw.
    """

    def __init__(
        self, rows: pd.DataFrame, vectors_of: Callable[[list[str]], Floats], *, seed: list[int]
    ) -> None:
        self._rows, self._vectors_of, self._seed = rows, vectors_of, seed
        self.subjects: tuple[str, ...] = ()

    def draw(self, count: int) -> Floats:
        """Return the vectors of so many images of everybody, or all where there are fewer, (N, D).

        Whose they are is kept in ``subjects``.
        """
        shuffled = self._rows.sort_values("image_id").sample(
            frac=1, random_state=np.random.default_rng(self._seed)
        )
        drawn = shuffled.groupby("subject_id").head(count).sort_values("image_id")
        self.subjects = tuple(sorted(drawn["subject_id"].unique()))
        return self._vectors_of(list(drawn["image_id"]))


@dataclass(frozen=True)
class Gallery:
    """What people are enrolled with.

    Attributes
    ----------
    vectors : (n, D) float64
        Of the enrolled images.
    labellings : sequence of (n,) int
        Who is on each image, 0..S-1, or ``LEFT_OUT``; one labelling for each gallery that some
        probe meets. Everybody is in each of them.
    others : Others
        People who are not enrolled.
    """

    vectors: Floats
    labellings: Sequence[Integers]
    others: Others
