"""The faces of the data: how annotated ones spread, and contact sheets."""

from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np
from matplotlib.ticker import FuncFormatter, MaxNLocator

from thermalign.report.blocks import Block, Chapter, Part
from thermalign.report.drawing import Panel, Panels, address, axes_of, dash, panel, style
from thermalign.report.exhibits import Column, DatasetCard
from thermalign.report.layout import MEASURES
from thermalign.report.looks import Look
from thermalign.report.study import Study
from thermalign.report.words import MINUS, THIN, number

FLAT = (4.3, 2.2)  # inches

_COLOURS = {"thermal": ("#d55e00", "#e69f00", "#8c6d31"), "visible": ("#0072b2", "#56b4e9", "#555")}
_DASHES: dict[str, tuple[tuple[float, ...], ...]] = {
    "thermal": ((), (7, 1.5, 1.5, 1.5), (1.5, 1)),
    "visible": ((4, 1.5), (2, 2.5), (6, 1, 1, 1, 1, 1)),
}

MOST_BYTES = 450_000
"""Of an embedded sheet; base64 makes a third more of them in the page."""
QUALITIES = (92, 85, 78, 70, 60, 50)  # of JPEG, the first that is small enough


@dataclass(frozen=True)
class Sheet:
    """A figure of one contact sheet, small enough to embed, sharp at its own size."""

    kind: ClassVar[str] = "sheet"
    title: str
    caption: str
    address: str
    width: int
    height: int


def chapter(study: Study) -> Chapter | None:
    """Show the faces of every dataset, a part per card; None without any.

    It reads CARD: the histograms of ``MEASURES``, the counts of what the sheets show; and the
    contact sheets.
    """
    parts = [Part(card.name, _blocks(card)) for card in study.cards]
    return Chapter("data-faces", "Faces of the data", parts) if parts else None


def _blocks(card: DatasetCard) -> list[Block]:
    panels = histogram_panels(card)
    caption = (
        f"Spread of the annotated faces of {card.name}: share of images per bin, by modality and "
        "range. What lies beyond the bins counts in the outermost ones."
    )
    legend = [look_of(column) for column in card.with_faces]
    contact, marked = f"Contact sheet of {card.name}.", f"Boxes and landmarks of {card.name}."
    return [
        *([Panels(panels, caption, legend)] if panels else []),
        sheet(card.contact, title=contact, caption=contact_caption(card)),
        sheet(card.marked, title=marked, caption=marked_caption(card)),
    ]


def sheet(png: bytes, *, title: str, caption: str) -> Sheet:
    """Return a PNG file as a figure, as JPEG at the best quality that is small enough.

    Raises
    ------
    ValueError
        If the bytes are no image.
    """
    pixels = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    if pixels is None:
        raise ValueError(
            f"{title}: the sheet does not open as an image; delete contact.png and marked.png "
            "of this dataset (results/data/NAME), and run the study again"
        )
    for quality in QUALITIES:
        _, encoded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
        if encoded.size <= MOST_BYTES:
            break
    height, width = pixels.shape[:2]
    return Sheet(title, caption, address(encoded.tobytes(), "image/jpeg"), width, height)


def look_of(column: Column) -> Look:
    """Return how a modality and range is drawn: warm colours are thermal, dashes visible.

    Ranges beyond the third repeat the colours with other dashes, up to the ninth.
    """
    modality, reach = column
    colours, dashes = _COLOURS[modality], _DASHES[modality]
    turn, place = divmod(int(reach) - 1, len(colours))
    label = f"{modality.capitalize()}, Range {reach}"
    return Look(label, colours[place], dashes[turn % len(dashes)])


def histogram_panels(card: DatasetCard) -> list[Panel]:
    """Draw a panel per measure that the card has bins of, a line per modality and range."""
    panels = []
    for measure, title in MEASURES.items():
        lines = {c: bins for c in card.with_faces if (bins := card.histogram(measure, c))}
        if not lines:
            continue
        with style():
            figure, axes = axes_of(FLAT)
            for column, bins in lines.items():
                look = look_of(column)
                lower, shares = zip(*bins, strict=True)
                edges = [*lower, 2 * lower[-1] - lower[-2]]  # bins are equally wide
                axes.stairs(shares, edges, color=look.colour, linestyle=dash(look), linewidth=1.4)
            axes.set(xlim=_limits(list(lines.values())), xlabel=title, ylabel="Images")
            axes.set_ylim(bottom=0)
            axes.xaxis.set_major_locator(MaxNLocator(6))
            axes.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
            axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{100 * v:.3g}{THIN}%"))
            panels.append(panel(figure, title="", alt=_spoken(card, measure)))
    return panels


def _limits(lines: list[list[tuple[float, float]]]) -> tuple[float, float]:
    """Return the ends of an axis that leaves out empty bins, but one, on either side."""
    width = lines[0][1][0] - lines[0][0][0]
    filled = [edge for bins in lines for edge, share in bins if share > 0]
    return min(filled) - width, max(filled) + 2 * width


def _spoken(card: DatasetCard, measure: str) -> str:
    means = [
        f"{look_of(column).label} {mean.value:.3g}"
        for column in card.with_faces
        if (mean := card.get(measure, column))
    ]
    return f"Histogram of {MEASURES[measure]} in {card.name}. Means: {', '.join(means)}."


def contact_caption(card: DatasetCard) -> str:
    """Say which images the contact sheet shows, and how."""
    return (
        f"The first image by name of {_share(card, 'contact_kinds', 'kinds')} kinds (modality, "
        f"range and condition), for {_share(card, 'contact_subjects', 'subjects')} subjects: those "
        "who have the most of these, spread evenly over the dataset. Crops are shown whole, frames "
        f"cut around the face box, all at one size, so that far faces are enlarged. {_scale(card)}"
    )


def marked_caption(card: DatasetCard) -> str:
    """Say which images the sheet of boxes and landmarks shows, and how."""
    points = " and, where there are any, the annotated points" if card.count("annotated") else ""
    return (
        f"Images shown: {number(card.count('marked_images'))}, of "
        f"{_share(card, 'marked_kinds', 'kinds')} kinds (modality, range and condition) and "
        f"{number(card.count('marked_subjects'))} subjects, with the face box that detectors are "
        f"given{points}. Light grey lies outside of an image. {_scale(card)}"
    )


def _share(card: DatasetCard, part: str, whole: str) -> str:
    return f"{number(card.count(part))} of {number(card.count(whole))}"


def _scale(card: DatasetCard) -> str:
    """Say how thermal images are coloured."""
    low, high = card.get("colour_low"), card.get("colour_high")
    if low and high:
        ends = f"{low.value:g} to {high.value:g}".replace("-", MINUS)
        return f"Thermal colours span {ends} °C and clip beyond."
    return "Thermal images without degrees are grey, each between its own percentiles 1 and 99."
