"""Faces, and the cards of datasets."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import pandas as pd

from thermalign.geometry import Floats


@dataclass(frozen=True)
class Example:
    """One face as one model saw it.

    Attributes
    ----------
    protocol, model, subject_id, range : str; int
    pixels : (H, W) float, the face, already cropped, in any unit
    annotated, predicted : (L, 2) float, pixels of the crop, (x, y), or None
        NaN where no face was found.
    nmse : NaN without annotated or predicted points
    kind : "typical", "best" or "worst"
    """

    protocol: str
    model: str
    subject_id: str
    range: int
    pixels: Floats
    annotated: Floats | None
    predicted: Floats | None
    nmse: float
    kind: str


@dataclass(frozen=True)
class Picture:
    """A face under variants.

    Attributes
    ----------
    protocol : str
    title : what is done to the face or its box
    pixels : (H, W) float, the face, already cropped; degrees Celsius where thermal
    given : (4,) float, pixels of the crop, (x, y, width, height), box that detectors trained for
    boxes : (4,) float each, those of the variants
    """

    protocol: str
    title: str
    pixels: Floats
    given: Floats
    boxes: list[Floats] = field(default_factory=list)


Column = tuple[str, str]
"""Modality and range of a card's column; both empty for the whole dataset."""


WHOLE: Column = ("", "")


class Statistic(NamedTuple):
    """A row of CARD: a mean over images with its standard deviation, or a count, or a share."""

    value: float
    sd: float
    n: int
    unit: str


@dataclass(frozen=True)
class DatasetCard:
    """What the step ``describe`` found of one dataset: CARD, LIKENESS, two PNG files."""

    name: str
    card: pd.DataFrame
    likeness: pd.DataFrame
    contact: bytes
    marked: bytes

    @cached_property
    def _cells(self) -> dict[tuple[Column, str], dict[float, Statistic]]:
        cells: dict[tuple[Column, str], dict[float, Statistic]] = {}
        columns = ["modality", "range", "statistic", "at", *Statistic._fields]
        for row in self.card[columns].itertuples(index=False, name=None):
            modality, reach, statistic, at, *figures = row
            cells.setdefault(((modality, reach), statistic), {})[at] = Statistic(*figures)
        return cells

    @cached_property
    def columns(self) -> list[Column]:
        """Every modality at every range, in the order of the table."""
        return [c for c in dict.fromkeys(column for column, _ in self._cells) if all(c)]

    @property
    def with_faces(self) -> list[Column]:
        """The columns that have annotated faces."""
        return [column for column in self.columns if self.get("interocular_distance", column)]

    def get(self, statistic: str, column: Column = WHOLE) -> Statistic | None:
        """Return a statistic, or None where the card does not have it."""
        return self._cells.get((column, statistic), {}).get(0.0)

    def count(self, statistic: str, column: Column = WHOLE) -> float:
        """Return a count; 0 where the card does not have it."""
        found = self.get(statistic, column)
        return found.value if found else 0.0

    def histogram(self, measure: str, column: Column) -> list[tuple[float, float]]:
        """Return lower edge and share of every bin, rising."""
        bins = self._cells.get((column, f"{measure}_histogram"), {})
        return [(edge, statistic.value) for edge, statistic in sorted(bins.items())]
