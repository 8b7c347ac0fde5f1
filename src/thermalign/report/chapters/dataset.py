"""The data: subjects and images, the card of every dataset, real faces beside its own."""

from collections.abc import Callable
from typing import Any

import pandas as pd

from thermalign.images import DEGREES, FULL_SCALE
from thermalign.report.blocks import Block, Body, Cell, Chapter, Paragraph, Part, Row, Table
from thermalign.report.exhibits import DatasetCard, Statistic
from thermalign.report.layout import MEASURES, column_groups
from thermalign.report.study import Study
from thermalign.report.words import MINUS, MISSING, THIN, fraction, number, percent

IN_TENTHS = ("interocular_distance", "roll")
"""Measures printed with one digit after the point; the others with three."""

COUNTS = {
    "subjects": "Subjects",
    "images": "Images",
    "annotated": "Annotated images",
    "pairs": "Thermal and visible pairs",
}

FOUND, LEFT_OUT = "found_", "quarantined"
"""How the card names a kind of finding of the audit, and the kind of what was left out."""

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
UNANNOTATED = (
    "No image has annotated points: geometry, the mean shape’s error and the comparison with real "
    "faces are left out."
)
IN_PART = (
    "Not every image is annotated: geometry and the mean shape’s error are those of annotated ones."
)
PIXELS = (
    "Thermal images are in °C where their scale is known; images of 8 bits have none, those of 16 "
    "bits where it is stated. Where the images of a column have several units, what their pixels "
    "hold is left out."
)
FULL_SCALES = " Those of 8 bits are shown over their full scale, 0 to 1."

REGIONS = {
    "right_canthus_max": "Right inner corner of the eye, hottest",
    "left_canthus_max": "Left inner corner of the eye, hottest",
    "right_canthus": "Right inner corner, its point",
    "left_canthus": "Left inner corner, its point",
    "right_canthus_wide": "Right inner corner, 13 mm around",
    "left_canthus_wide": "Left inner corner, 13 mm around",
    "forehead_centre": "Forehead, centre",
    "forehead_right": "Forehead, right",
    "forehead_left": "Forehead, left",
    "forehead_bottom": "Forehead, bottom",
    "forehead_top": "Forehead, top",
    "forehead_max": "Forehead, hottest",
    "mouth_max": "Mouth, hottest",
    "face_max": "Face, hottest",
}
"""Regions whose temperatures a card compares, as the page spells them."""

WARMTH = (
    "Real people: 1,020 adults before two uncooled cameras at .6 to .8 m, a black body in view, in "
    "a room of 24.1 ± 1.3 °C (Wang et al. 2022, doi 10.13026/3bhc-9065); mean ± standard deviation "
    "(SD) over people of each one’s mean over images, as here. Regions are placed by the five "
    "landmarks, on faces that show all of them; a maximum is the mean of the four hottest pixels "
    "after a median of 3 × 3. Readings are compared as they are: neither for the room nor for "
    "emissivity and air is anything corrected."
)

VERDICTS = {
    "camera": "set by the camera",
    "box": "set by how boxes are drawn",
    "too few": "too few subjects",
}
"""Verdicts that the page spells otherwise than the table."""

NOT_JUDGED = ("camera", "box")
"""Words in place of a verdict where difference and ratio say nothing."""


def chapter(study: Study) -> Chapter:
    """Show what every dataset holds, a part per card.

    It reads the counts of IMAGES, CARD and LIKENESS.
    """
    counts = dataset_table(study.dataset)
    absent = Paragraph("No counts of the data were given.", tone="absent")
    parts = []
    for card in study.cards:
        beside = [table for table in (likeness_table(card), temperature_table(card)) if table]
        blocks: list[Block] = [card_table(card), *beside]
        parts.append(Part(card.name, blocks))
    return Chapter("data", "Data", parts, [*map(Paragraph, study.boxes), counts or absent])


def dataset_table(frame: pd.DataFrame) -> Table | None:
    """Lay out the counts of subjects and images, a block per dataset; None without rows.

    Parameters
    ----------
    frame : DataFrame
        dataset, volume, range, condition, modality, subjects, images.
    """
    if frame.empty:
        return None
    columns = ["dataset", "volume", "range", "condition", "modality", "subjects", "images"]
    records = frame[columns].itertuples(index=False, name=None)
    blocks: dict[str, list[Row]] = {}
    for dataset, volume, reach, condition, modality, subjects, images in records:
        cells = [Cell(str(reach)), Cell(str(condition), tone="words")]
        cells += [Cell(str(modality), tone="words"), Cell(number(subjects)), Cell(number(images))]
        blocks.setdefault(str(dataset), []).append(Row(f"Volume {volume}", cells))
    return Table(
        caption="Subjects and images",
        head="Volume",
        columns=["Range", "Condition", "Modality", "Subjects", "Images"],
        bodies=[Body(rows, title=name) for name, rows in blocks.items()],
    )


def card_table(card: DatasetCard) -> Table:
    """Lay out a card, a column per modality and range.

    Statistics of CARD: the counts, bytes_per_image, ``MEASURES``, not_visible, mean_shape_nmse,
    and mean and percentiles of images and boxes.
    """
    faces = _face_rows(card) if card.with_faces else []
    return Table(
        caption=f"Dataset card, {card.name}",
        head="Statistic",
        columns=[f"Range {reach}" for _, reach in card.columns],
        bodies=[
            Body(_image_rows(card), title="Images"),
            *([Body(faces, title="Annotated faces")] if faces else []),
            Body(_pixel_rows(card), title="Pixels"),
        ],
        groups=column_groups((modality.capitalize(), "", "") for modality, _ in card.columns),
        notes=_notes(card),
    )


def _notes(card: DatasetCard) -> list[str]:
    pair = card.get("bytes_per_pair")
    size = f" A pair takes {_size(pair)}." if pair else ""
    annotated, images = card.count("annotated"), card.count("images")
    means = [found for column in card.columns if (found := card.get("image_mean", column))]
    lead = ""
    if means:
        scale = FULL_SCALES if FULL_SCALE in {mean.unit for mean in means} else ""
        lead = (
            f"Pixels: a seeded sample of at most {max(mean.n for mean in means)} images per "
            f"column; colour as luma.{scale} Each figure is the mean over images of an image’s own "
            "mean or percentile. Counts at 0 and at the greatest of their type: share of the "
            "stored values of all channels, a sign of saturation. "
        )
    return [
        f"± is the standard deviation over images.{size}{_suspicious(card)}",
        *([UNANNOTATED] if not annotated else [IN_PART] if annotated < images else []),
        *([FORMULAE, FLOOR] if card.with_faces else []),
        f"{lead}{PIXELS}",
    ]


def _suspicious(card: DatasetCard) -> str:
    """Return what was left out of a dataset and what its audit found; nothing where nothing was."""
    counts = {
        name.removeprefix(FOUND): int(card.count(name))
        for name in card.card["statistic"].unique()
        if name.startswith(FOUND)
    }
    left = counts.pop(LEFT_OUT, 0)
    records = "record was" if left == 1 else "records were"
    words = f" {number(left)} {records} left out, each with a reason." if left else ""
    if counts:
        kinds = ", ".join(f"{number(count)} {kind}" for kind, count in counts.items())
        words += f" The audit found: {kinds}."
    return f"{words} data/{card.name}/audit.html shows them." if words else ""


def _image_rows(card: DatasetCard) -> list[Row]:
    rows = [
        Row(title, [Cell(number(card.count(statistic, column))) for column in card.columns])
        for statistic, title in COUNTS.items()
    ]
    return [*rows, _row(card, "File size", ["bytes_per_image"], _size)]


def _face_rows(card: DatasetCard) -> list[Row]:
    rows = [
        _row(card, title, [measure], _tenths if measure in IN_TENTHS else _thousandths)
        for measure, title in MEASURES.items()
    ]
    rows.append(_row(card, "Landmarks not visible", ["not_visible"], _share))
    return [*rows, _row(card, "Mean shape, NMSE", ["mean_shape_nmse"], _error)]


def _pixel_rows(card: DatasetCard) -> list[Row]:
    rows = []
    for part, title in (("image", "Whole image"), ("box", "Face box")):
        rows.append(_row(card, f"{title}, mean", [f"{part}_mean"], _pixel))
        ends = [f"{part}_p01", f"{part}_p50", f"{part}_p99"]
        rows.append(_row(card, f"{title}, 1 / 50 / 99 %", ends, _pixel_value))
    rows.append(_row(card, "Counts at 0", ["low_saturated"], _share))
    return [*rows, _row(card, "Counts at the greatest", ["high_saturated"], _share)]


def _row(
    card: DatasetCard, title: str, statistics: list[str], show: Callable[[Statistic], str]
) -> Row:
    cells = []
    for column in card.columns:
        found = [figure for s in statistics if (figure := card.get(s, column))]
        text = " / ".join(show(figure) for figure in found)
        cells.append(Cell(text) if found else Cell(MISSING, tone="missing"))
    return Row(title, cells)


def _tenths(figure: Statistic) -> str:
    return _plus_minus(figure, 1)


def _thousandths(figure: Statistic) -> str:
    return _plus_minus(figure, 3)


def _error(figure: Statistic) -> str:
    return f"{fraction(figure.value)} ± {fraction(figure.sd)}"


def _share(figure: Statistic) -> str:
    if 0 < figure.value < 1e-4:
        return f"< 0.01{THIN}%"
    return percent(figure.value, digits=2) if figure.value else f"0{THIN}%"


def _size(figure: Statistic) -> str:
    return f"{figure.value / 1000:.1f} ± {figure.sd / 1000:.1f} kB"


def _pixel(figure: Statistic) -> str:
    degrees = f"{THIN}°C" if figure.unit == DEGREES else ""
    return f"{_plus_minus(figure, _digits(figure))}{degrees}"


def _pixel_value(figure: Statistic) -> str:
    return _signed(figure.value, _digits(figure))


def _digits(figure: Statistic) -> int:
    return 3 if figure.unit == FULL_SCALE else 1


def _plus_minus(figure: Statistic, digits: int) -> str:
    return f"{_signed(figure.value, digits)} ± {figure.sd:.{digits}f}"


def _signed(value: float, digits: int) -> str:
    rounded = round(value, digits) + 0.0  # the sign of a rounded zero says nothing
    return f"{rounded:.{digits}f}".replace("-", MINUS)


def likeness_table(card: DatasetCard) -> Table | None:
    """Lay out the proportions of LIKENESS, a block per modality and collection; None without."""
    proportions = card.likeness[card.likeness["unit"] != DEGREES]
    if proportions.empty:
        return None
    bodies = []
    for (modality, source), rows in proportions.groupby(["modality", "source"], sort=False):
        records = rows.to_dict("records")
        title = f"{str(modality).capitalize()}, {source} ({number(records[0]['real_n'])} images)"
        bodies.append(Body([_likeness_row(record) for record in records], title=title))
    return Table(
        caption=f"Real annotated faces beside those of {card.name}",
        head="Measure",
        columns=["Real faces", "This dataset", "Difference, real SD", "Ratio of SD", "Verdict"],
        bodies=bodies,
        notes=[_limits(proportions.iloc[0])],
    )


def _limits(limits: Any) -> str:
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


def temperature_table(card: DatasetCard) -> Table | None:
    """Lay out the temperatures of LIKENESS, a row per region, a column per camera; None without."""
    warm = card.likeness[card.likeness["unit"] == DEGREES]
    if warm.empty:
        return None
    first = warm.iloc[0]
    rows = [
        _temperature_row(str(region), its.to_dict("records"))
        for region, its in warm.groupby("statistic", sort=False)
    ]
    return Table(
        caption=f"Real people’s temperatures beside those of {card.name}, °C",
        head="Region",
        columns=[
            *warm["source"].unique(),
            f"Range {first['range']} ({number(warm['n'].max())} people)",
            "Difference, K",
            "Ratio of SD",
            "Verdict",
        ],
        bodies=[Body(rows)],
        notes=[WARMTH, _warm_limits(first)],
    )


def _warm_limits(first: Any) -> str:
    kelvin, spread = first["near_mean"] * first["real_sd"], first["near_spread"]
    return (
        f"“Agrees”: the means lie within {kelvin:.1f} K of each other and the SDs within a factor "
        f"of {spread:g}, camera by camera; fewer than {first['least_subjects']} people are not "
        "judged."
    )


def _temperature_row(region: str, records: list[dict[Any, Any]]) -> Row:
    """Lay out a region: what each camera read of real people, then this dataset beside each."""
    own, words = records[0], [str(record["verdict"]) for record in records]
    kelvin = [round(record["difference"] * record["real_sd"], 2) + 0.0 for record in records]
    spelt = list(dict.fromkeys(VERDICTS.get(word, word) for word in words))
    differs = bool(set(words) - {"agrees", "too few"})
    return Row(
        REGIONS[region],
        [
            *(Cell(f"{r['real_mean']:.2f} ± {r['real_sd']:.2f}") for r in records),
            Cell(f"{own['mean']:.2f} ± {own['sd']:.2f}"),
            Cell(" / ".join(f"{k:+.2f}".replace("-", MINUS) for k in kelvin)),
            Cell(" / ".join(f"{r['ratio']:.2f}" for r in records)),
            Cell(" / ".join(spelt), tone="words best" if differs else "words"),
        ],
    )
