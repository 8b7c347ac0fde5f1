"""Look-ups in the card of a dataset."""

from functools import cached_property
from typing import NamedTuple

from thermalign.report.study import DatasetCard

MEASURES = {
    "interocular_distance": "Interocular distance (IOD), px",
    "roll": "Roll, degrees",
    "yaw_proxy": "Yaw proxy, IOD",
    "pitch_proxy": "Pitch proxy",
    "mouth_line": "Mouth line below eye line, IOD",
    "mouth_width": "Mouth width, IOD",
    "box_width": "Face box width, IOD",
    "box_height": "Face box height, IOD",
}
"""What a face measures, as the page spells it."""

Column = tuple[str, str]
"""Modality and range of a card's column; both empty for the whole dataset."""

WHOLE: Column = ("", "")


class Statistic(NamedTuple):
    """A row of CARD: a mean over images with its standard deviation, or a count, or a share."""

    value: float
    sd: float
    n: int
    unit: str


class Card:
    """The CARD table of one dataset.

    Attributes
    ----------
    name : str
        Of the dataset.
    """

    def __init__(self, dataset: DatasetCard) -> None:
        self.name = dataset.name
        self._cells: dict[tuple[Column, str], dict[float, Statistic]] = {}
        columns = ["modality", "range", "statistic", "at", *Statistic._fields]
        for row in dataset.card[columns].itertuples(index=False, name=None):
            modality, reach, statistic, at, *figures = row
            self._cells.setdefault(((modality, reach), statistic), {})[at] = Statistic(*figures)

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
