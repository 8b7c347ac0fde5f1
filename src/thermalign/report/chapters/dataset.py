"""A dataset's card on the page: what it holds, how it spreads, how it looks."""

from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from thermalign.images import DEGREES
from thermalign.report.cells import MINUS, THIN, Body, Cell, Row, Table, number
from thermalign.report.chapters.dataset_table import (
    MEASURES,
    Card,
    card_table,
    likeness_table,
    look_of,
)
from thermalign.report.figures import Panel
from thermalign.report.names import Look, slug, subset_parts
from thermalign.report.sheet import Sheet, sheet
from thermalign.report.svg import style, to_svg


@dataclass(frozen=True)
class DatasetCard:
    """What the step ``describe`` found of one dataset.

    Attributes
    ----------
    name : str
    card, likeness : DataFrame
        CARD and LIKENESS.
    contact, marked : bytes
        PNG files.
    """

    name: str
    card: pd.DataFrame
    likeness: pd.DataFrame
    contact: bytes
    marked: bytes


@dataclass(frozen=True)
class CardChapter:
    """What the page shows of one dataset."""

    name: str
    absent: list[str]
    table: Table
    panels: list[Panel]
    legend: list[Look]
    likeness: Table | None
    sheets: list[Sheet]


def card_chapter(dataset: DatasetCard) -> CardChapter:
    """Arrange the card of a dataset for the page."""
    card = Card(dataset.card)
    name = dataset.name
    return CardChapter(
        name=name,
        absent=absent(card),
        table=card_table(card, name),
        panels=histogram_panels(card, name),
        legend=[look_of(subset) for subset in card.with_faces()],
        likeness=likeness_table(dataset.likeness, name),
        sheets=[
            sheet(
                dataset.contact, title=f"Contact sheet of {name}.", caption=contact_caption(card)
            ),
            sheet(
                dataset.marked,
                title=f"Boxes and landmarks of {name}.",
                caption=marked_caption(card),
            ),
        ],
    )


def absent(card: Card) -> list[str]:
    """Say which parts of a card are missing, and why."""
    sentences = []
    annotated, images = card.count("all", "annotated"), card.count("all", "images")
    if not annotated:
        sentences.append(
            "No image has annotated points: geometry, the mean shape’s error and the comparison "
            "with real faces are left out."
        )
    elif annotated < images:
        sentences.append(
            f"{number(annotated)} of {number(images)} images have annotated points: geometry and "
            "the mean shape’s error are theirs."
        )
    return [*sentences, *_absent_degrees(card)]


def _absent_degrees(card: Card) -> list[str]:
    sentences = []
    units = {s: f[3] for s in card.columns if (f := card.get(s, "image_mean"))}
    thermal = [s for s in card.columns if subset_parts(s)["modality"] == "thermal"]
    bare = [look_of(s).label for s in thermal if units.get(s, DEGREES) != DEGREES]
    mixed = [look_of(s).label for s in card.columns if s not in units]
    if not thermal:
        sentences.append("There are no thermal images, so there are no temperatures.")
    if bare:
        sentences.append(
            f"{'; '.join(bare)}: no scale to degrees Celsius is known (8-bit images have none, "
            "16-bit ones where it is stated), so there are no temperatures."
        )
    if mixed:
        sentences.append(
            f"{'; '.join(mixed)}: images of several units, so what their pixels hold is left out."
        )
    return sentences


def contact_caption(card: Card) -> str:
    """Say which images the contact sheet shows, and how."""
    shown, subjects = card.count("all", "contact_subjects"), card.count("all", "subjects")
    whose = "every subject"
    if shown < subjects:
        whose = (
            f"{number(shown)} of {number(subjects)} subjects: those who have the most of these, "
            "spread evenly over the dataset"
        )
    return (
        f"The first image by name of {_kinds(card, 'contact_kinds')}, for {whose}. Crops are shown "
        "whole, frames cut around the face box, all at one size, so that far faces are enlarged. "
        f"{_colours(card)}"
    ).rstrip()


def marked_caption(card: Card) -> str:
    """Say which images the sheet of boxes and landmarks shows, and how."""
    count, subjects = card.count("all", "marked_images"), card.count("all", "marked_subjects")
    images = f"{number(count)} images" if count > 1 else "An image"
    apart = ", each of another subject," if 1 < count == subjects else ""
    annotated = card.count("all", "annotated")
    points = " and the annotated points" if annotated else ""
    some = " where there are any" if 0 < annotated < card.count("all", "images") else ""
    return (
        f"{images} of {_kinds(card, 'marked_kinds')}{apart} with the face box that detectors are "
        f"given{points}{some}. Light grey lies outside of an image. {_colours(card)}"
    ).rstrip()


def _kinds(card: Card, statistic: str) -> str:
    shown, kinds = card.count("all", statistic), card.count("all", "kinds")
    if shown == kinds:
        return "every modality, range and condition"
    return f"{number(shown)} of {number(kinds)} kinds (modality, range and condition)"


def _colours(card: Card) -> str:
    low, high = card.get("all", "colour_low"), card.get("all", "colour_high")
    if low and high:
        ends = f"{low[0]:g} to {high[0]:g}".replace("-", MINUS)
        return f"Thermal colours span {ends} °C and clip beyond."
    if any(subset_parts(s)["modality"] == "thermal" for s in card.columns):
        return "Thermal images are grey, each between its own percentiles 1 and 99."
    return ""


SIZE = (4.3, 2.2)  # inches


def histogram_panels(card: Card, name: str) -> list[Panel]:
    """Draw a panel per measure that the card has bins of, a line per modality and range."""
    panels = []
    for measure, title in MEASURES.items():
        lines = {s: bins for s in card.with_faces() if (bins := card.histogram(s, measure))}
        if not lines:
            continue
        with style():
            figure = Figure(figsize=SIZE, layout="constrained")
            axes = figure.subplots()
            for subset, bins in lines.items():
                look = look_of(subset)
                dash = (0, look.dash) if look.dash else "-"
                lower, shares = zip(*bins, strict=True)
                edges = [*lower, 2 * lower[-1] - lower[-2]]  # bins are equally wide
                axes.stairs(shares, edges, color=look.colour, linestyle=dash, linewidth=1.4)
            axes.set(xlim=_limits(list(lines.values())), xlabel=title, ylabel="Images")
            axes.set_ylim(bottom=0)
            axes.xaxis.set_major_locator(MaxNLocator(6))
            axes.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
            axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{100 * v:.3g}{THIN}%"))
            key = f"card-{slug(name)}-{measure}"
            panels.append(Panel("", to_svg(figure, key=key, alt=_spoken(card, name, measure))))
    return panels


def _limits(lines: list[list[tuple[float, float]]]) -> tuple[float, float]:
    """Return the ends of an axis that leaves out empty bins, but one, on either side."""
    width = lines[0][1][0] - lines[0][0][0]
    filled = [edge for bins in lines for edge, share in bins if share > 0]
    return min(filled) - width, max(filled) + 2 * width


def _spoken(card: Card, name: str, measure: str) -> str:
    means = [
        f"{look_of(s).label} {figure[0]:.3g}"
        for s in card.with_faces()
        if (figure := card.get(s, measure))
    ]
    return f"Histogram of {MEASURES[measure]} in {name}. Means: {', '.join(means)}."


def dataset_table(frame: pd.DataFrame) -> Table | None:
    """Lay out the counts of subjects and images, a block per dataset; None without rows."""
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
