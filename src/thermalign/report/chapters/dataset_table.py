"""The card of a dataset as a table: counts, geometry, pixels, and the floor of the mean shape."""

from collections.abc import Callable
from typing import Any

import pandas as pd

from thermalign.images import DEGREES, FULL_SCALE
from thermalign.report.cells import (
    MINUS,
    MISSING,
    THIN,
    Body,
    Cell,
    Row,
    Table,
    fraction,
    number,
    percent,
)
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


Statistic = tuple[float, float, int, str]
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
        self._cells: dict[tuple[str, str], dict[float, Statistic]] = {}
        for subset, statistic, at, value, sd, n, unit in frame[columns].itertuples(
            index=False, name=None
        ):
            cells = self._cells.setdefault((str(subset), str(statistic)), {})
            cells[float(at)] = (float(value), float(sd), int(n), str(unit))
        parts = dict.fromkeys(subset for subset, _ in self._cells)
        self.columns = [s for s in parts if list(subset_parts(s)) == ["modality", "range"]]

    def get(self, subset: str, statistic: str) -> Statistic | None:
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


FORMULAE = (
    "Faces are measured in their own frame, c the middle of the eyes. Roll: angle of the eye line "
    "to the rows of the image. Yaw proxy: how far the nose base lies from c along the eye line, "
    "over the interocular distance (IOD). Pitch proxy: the nose base’s share of the way from the "
    "eye line down to the mouth line. The proxies hold the shape of noses too: their spread says "
    "more than their mean."
)


FLOOR = (
    "Mean shape: NMSE of the mean landmarks of one half of the subjects, placed in the face boxes "
    "of the other half, both ways; what a detector reaches that looks at no pixel."
)


def card_table(card: Card, name: str) -> Table:
    """Lay out a card, a column per modality and range."""
    groups: dict[str, int] = {}
    for subset in card.columns:
        modality = subset_parts(subset)["modality"].capitalize()
        groups[modality] = groups.get(modality, 0) + 1
    faces = _face_rows(card) if card.with_faces() else []
    bodies = [Body(_image_rows(card), title="Images"), Body(_pixel_rows(card), title="Pixels")]
    if faces:
        bodies.insert(1, Body(faces, title="Annotated faces"))
    notes = [_image_note(card), *([FORMULAE, FLOOR] if faces else []), _pixel_note(card)]
    return Table(
        caption=f"Dataset card, {name}",
        head="Statistic",
        columns=[f"Range {subset_parts(s)['range']}" for s in card.columns],
        bodies=bodies,
        groups=list(groups.items()),
        notes=[note for note in notes if note],
    )


def _image_rows(card: Card) -> list[Row]:
    titles = {
        "subjects": "Subjects",
        "images": "Images",
        "annotated": "Annotated images",
        "pairs": "Thermal and visible pairs",
    }
    rows = [
        Row(title, [Cell(number(card.count(s, statistic))) for s in card.columns])
        for statistic, title in titles.items()
    ]
    return [*rows, _row(card, "File size", ["bytes_per_image"], _size)]


def _face_rows(card: Card) -> list[Row]:
    rows = [
        _row(card, title, [measure], _tenths if measure in IN_TENTHS else _thousandths)
        for measure, title in MEASURES.items()
    ]
    rows.append(_row(card, "Landmarks not visible", ["not_visible"], _share))
    return [*rows, _row(card, "Mean shape, NMSE", ["mean_shape_nmse"], _error)]


def _pixel_rows(card: Card) -> list[Row]:
    rows = []
    for part, title in (("image", "Whole image"), ("box", "Face box")):
        rows.append(_row(card, f"{title}, mean", [f"{part}_mean"], _pixel))
        ends = [f"{part}_p01", f"{part}_p50", f"{part}_p99"]
        rows.append(_row(card, f"{title}, 1 / 50 / 99 %", ends, _pixel_value))
    rows.append(_row(card, "Counts at 0", ["low_saturated"], _share))
    return [*rows, _row(card, "Counts at the greatest", ["high_saturated"], _share)]


def _row(card: Card, title: str, statistics: list[str], show: Callable[[Statistic], str]) -> Row:
    cells = []
    for subset in card.columns:
        found = [figure for s in statistics if (figure := card.get(subset, s))]
        text = " / ".join(show(figure) for figure in found)
        cells.append(Cell(text) if found else Cell(MISSING, tone="missing"))
    return Row(title, cells)


def _image_note(card: Card) -> str:
    pair = card.get("all", "bytes_per_pair")
    size = f" A pair takes {_size(pair)}." if pair else ""
    return f"± is the standard deviation over images.{size}"


def _pixel_note(card: Card) -> str:
    figures = [f for s in card.columns if (f := card.get(s, "image_mean"))]
    if not figures:
        return ""
    sampled, units = max(f[2] for f in figures), {f[3] for f in figures}
    scale = (
        " Those of 8 bits are shown over their full scale, 0 to 1." if FULL_SCALE in units else ""
    )
    return (
        f"Pixels: a seeded sample of at most {sampled} images per column; colour as luma.{scale} "
        "Each figure is the mean over images of an image’s own mean or percentile. Counts at 0 and "
        "at the greatest of their type: share of the stored values of all channels, a sign of "
        "saturation."
    )


def _tenths(figure: Statistic) -> str:
    return _plus_minus(figure, 1)


def _thousandths(figure: Statistic) -> str:
    return _plus_minus(figure, 3)


def _error(figure: Statistic) -> str:
    return f"{fraction(figure[0])} ± {fraction(figure[1])}"


def _share(figure: Statistic) -> str:
    if 0 < figure[0] < 1e-4:
        return f"< 0.01{THIN}%"
    return percent(figure[0], digits=2) if figure[0] else f"0{THIN}%"


def _size(figure: Statistic) -> str:
    return f"{figure[0] / 1000:.1f} ± {figure[1] / 1000:.1f} kB"


def _pixel(figure: Statistic) -> str:
    if figure[3] == DEGREES:
        return f"{_plus_minus(figure, 1)}{THIN}°C"
    return _plus_minus(figure, _digits(figure))


def _pixel_value(figure: Statistic) -> str:
    return _signed(figure[0], _digits(figure))


def _digits(figure: Statistic) -> int:
    return 3 if figure[3] == FULL_SCALE else 1


def _plus_minus(figure: Statistic, digits: int) -> str:
    return f"{_signed(figure[0], digits)} ± {figure[1]:.{digits}f}"


def _signed(value: float, digits: int) -> str:
    rounded = round(value, digits) + 0.0  # the sign of a rounded zero says nothing
    return f"{rounded:.{digits}f}".replace("-", MINUS)


VERDICTS = {
    "camera": "set by the camera",
    "box": "set by how boxes are drawn",
    "too few": "too few subjects",
}
"""Verdicts that the page spells otherwise than the table."""


NOT_JUDGED = ("camera", "box")
"""Words in place of a verdict where difference and ratio say nothing."""


def likeness_table(frame: pd.DataFrame, name: str) -> Table | None:
    """Lay out a dataset's LIKENESS, a block per modality and collection; None without rows."""
    if frame.empty:
        return None
    bodies = []
    for (subset, source), rows in frame.groupby(["subset", "source"], sort=False):
        modality = subset_parts(str(subset))["modality"].capitalize()
        records = rows.to_dict("records")
        title = f"{modality}, {source} ({number(records[0]['real_n'])} images)"
        bodies.append(Body([_likeness_row(record) for record in records], title=title))
    return Table(
        caption=f"Real annotated faces beside those of {name}",
        head="Measure",
        columns=["Real faces", "This dataset", "Difference, real SD", "Ratio of SD", "Verdict"],
        bodies=bodies,
        notes=[_note(frame.iloc[0])],
    )


def _note(limits: Any) -> str:
    mean, spread = f"{limits['near_mean']:g}", f"{limits['near_spread']:g}"
    return (
        f"Mean ± standard deviation (SD) over images. “Agrees”: the means lie within {mean} real "
        f"SD of each other and the SDs within a factor of {spread}; fewer than "
        f"{limits['least_subjects']} subjects are not judged. The spread of real annotations holds "
        "pose, expression and the annotators’ error together, so that even real faces, in set "
        "poses, can fail it. The annotators of CARL (Espinosa-Duró et al. 2013) and EURECOM "
        "VIS-TH (Mallat and Dugelay 2018) marked inner and outer eye corners, whose middle stands "
        "for the eye here, and the mouth corners, but no nose. Boxes are a habit of annotators "
        "there and the box setting here, jitter included."
    )


def _likeness_row(record: dict[Any, Any]) -> Row:
    measure, verdict = str(record["statistic"]), str(record["verdict"])
    digits = 1 if measure in IN_TENTHS else 3
    judged = verdict not in NOT_JUDGED
    differs = judged and verdict not in ("agrees", "too few")
    difference = round(float(record["difference"]), 2) + 0.0  # a rounded zero has no minus
    return Row(
        MEASURES[measure],
        [
            Cell(f"{record['real_mean']:.{digits}f} ± {record['real_sd']:.{digits}f}"),
            Cell(f"{record['mean']:.{digits}f} ± {record['sd']:.{digits}f}"),
            Cell(f"{difference:+.2f}".replace("-", MINUS) if judged else ""),
            Cell(f"{record['ratio']:.2f}" if judged else ""),
            Cell(VERDICTS.get(verdict, verdict), tone="words best" if differs else "words"),
        ],
    )
