"""The card of a dataset as a table: counts, geometry, pixels, and the floor of the mean shape."""

from collections.abc import Callable

from thermalign.images import DEGREES, FULL_SCALE
from thermalign.report.card_values import IN_TENTHS, MEASURES, Card, Figure
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
from thermalign.report.names import subset_parts

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


def _row(card: Card, title: str, statistics: list[str], show: Callable[[Figure], str]) -> Row:
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


def _tenths(figure: Figure) -> str:
    return _plus_minus(figure, 1)


def _thousandths(figure: Figure) -> str:
    return _plus_minus(figure, 3)


def _error(figure: Figure) -> str:
    return f"{fraction(figure[0])} ± {fraction(figure[1])}"


def _share(figure: Figure) -> str:
    if 0 < figure[0] < 1e-4:
        return f"< 0.01{THIN}%"
    return percent(figure[0], digits=2) if figure[0] else f"0{THIN}%"


def _size(figure: Figure) -> str:
    return f"{figure[0] / 1000:.1f} ± {figure[1] / 1000:.1f} kB"


def _pixel(figure: Figure) -> str:
    if figure[3] == DEGREES:
        return f"{_plus_minus(figure, 1)}{THIN}°C"
    return _plus_minus(figure, _digits(figure))


def _pixel_value(figure: Figure) -> str:
    return _signed(figure[0], _digits(figure))


def _digits(figure: Figure) -> int:
    return 3 if figure[3] == FULL_SCALE else 1


def _plus_minus(figure: Figure, digits: int) -> str:
    return f"{_signed(figure[0], digits)} ± {figure[1]:.{digits}f}"


def _signed(value: float, digits: int) -> str:
    rounded = round(value, digits) + 0.0  # the sign of a rounded zero says nothing
    return f"{rounded:.{digits}f}".replace("-", MINUS)
