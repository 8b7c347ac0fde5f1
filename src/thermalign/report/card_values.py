"""Look-ups in the CARD table of one dataset; nothing is computed here."""

import pandas as pd

from thermalign.report.names import Look, subset_parts

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

IN_TENTHS = ("interocular_distance", "roll")
"""Measures printed with one digit after the point; the others with three."""

_COLOURS = {"thermal": ("#d55e00", "#e69f00", "#8c6d31"), "visible": ("#0072b2", "#56b4e9", "#555")}
_DASHES: dict[str, tuple[tuple[float, ...], ...]] = {
    "thermal": ((), (7, 1.5, 1.5, 1.5), (1.5, 1)),
    "visible": ((4, 1.5), (2, 2.5), (6, 1, 1, 1, 1, 1)),
}

Figure = tuple[float, float, int, str]
"""Value, standard deviation, count, unit."""


class Card:
    """The CARD table of one dataset.

    Attributes
    ----------
    columns : list of str
        The subsets ``modality=m&range=k``, in the order of the table.
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        columns = ["subset", "statistic", "at", "value", "sd", "n", "unit"]
        self._cells: dict[tuple[str, str], dict[float, Figure]] = {}
        for subset, statistic, at, value, sd, n, unit in frame[columns].itertuples(
            index=False, name=None
        ):
            cells = self._cells.setdefault((str(subset), str(statistic)), {})
            cells[float(at)] = (float(value), float(sd), int(n), str(unit))
        parts = dict.fromkeys(subset for subset, _ in self._cells)
        self.columns = [s for s in parts if list(subset_parts(s)) == ["modality", "range"]]

    def get(self, subset: str, statistic: str) -> Figure | None:
        """Return a statistic, or None where the card does not have it."""
        return self._cells.get((subset, statistic), {}).get(0.0)

    def count(self, subset: str, statistic: str) -> float:
        """Return a count; 0 where the card does not have it."""
        found = self.get(subset, statistic)
        return found[0] if found else 0.0

    def histogram(self, subset: str, measure: str) -> list[tuple[float, float]]:
        """Return lower edge and share of every bin, rising."""
        bins = self._cells.get((subset, f"{measure}_histogram"), {})
        return [(edge, figure[0]) for edge, figure in sorted(bins.items())]

    def with_faces(self) -> list[str]:
        """Return the columns that have annotated faces."""
        return [s for s in self.columns if self.get(s, "interocular_distance")]


def look_of(subset: str) -> Look:
    """Return how a modality and range is drawn: warm colours are thermal, dashes visible.

    Ranges beyond the third repeat the colours with other dashes, up to the ninth.
    """
    parts = subset_parts(subset)
    modality, reach = parts["modality"], int(parts["range"])
    colours, dashes = _COLOURS[modality], _DASHES[modality]
    turn, place = divmod(reach - 1, len(colours))
    label = f"{modality.capitalize()}, Range {reach}"
    return Look(label, colours[place], dashes[turn % len(dashes)])
