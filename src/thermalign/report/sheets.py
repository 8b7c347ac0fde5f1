"""Contact sheets of a dataset: which images they show, how they are drawn."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.patheffects import AbstractPathEffect, withStroke

from thermalign.geometry import Floats
from thermalign.records import boxes_of, points_of
from thermalign.report.drawing import FAINT, style
from thermalign.report.samples import (
    KINDS,
    Kind,
    Window,
    are_frames,
    first_of_kinds,
    grown,
    inner_part,
    kind_of,
    kinds_of,
    picture_of,
    varied_images,
    whole,
    window_of,
)

MARGIN = 0.2  # of a frame's box, shown around it on each side
ROOM = 0.1  # of a crop, left around it on each side for a box that reaches beyond

DPI, FONT = 100, 8.0  # points: 11 px
WIDTH = 900  # px, that the pictures of a row share
NARROWEST, WIDEST = 52, 88  # px, of a picture of the contact sheet
GAP, BOX_GAP, EDGE = 4, 8, 16  # px between faces, between whole images, around a block of faces
LINE, FOOT = 16, 40  # px of a line of titles, and of the temperature bar
BAR = (220, 10)  # px
PAPER = "#eeeeee"  # where no picture is

COLOUR_MAP = "inferno"
"""For degrees: perceptually uniform, so that equal steps of temperature look equal."""
MARK = "#00e5ff"
ARM = 0.04  # of the width of the box, from the middle of a landmark's cross to its ends
ARMS = (1.5, 3.5)  # px, its limits


@dataclass(frozen=True)
class Sheets:
    """Two PNG files, and what they show.

    Attributes
    ----------
    contact, marked : bytes
    shown : count by name
        Kinds of images, subjects and images of the sheets.
    window : (float, float), degrees Celsius, or None
        What the ends of their colours stand for; None where there are no degrees.
    """

    contact: bytes
    marked: bytes
    shown: dict[str, int]
    window: Window | None


def sheets(images: pd.DataFrame, annotations: pd.DataFrame, boxes: pd.DataFrame) -> Sheets:
    """Draw the contact sheet of a dataset, and whole images with their boxes and landmarks.

    The contact sheet shows one face of every modality, range and condition, or of as many as it has
    columns, for up to :data:`thermalign.report.samples.SUBJECTS` subjects. Those with the most of
    these come first; among equals they are spread evenly over the dataset.
    A face is the first of its kind by name: none is picked by how it looks. Both sheets share one
    colour map.

    Parameters
    ----------
    images, annotations, boxes : DataFrame of the tables

    Raises
    ------
    ValueError
        If there is no image.
    """
    if images.empty:
        raise ValueError("no picture for a contact sheet; give at least one")
    first, varied = first_of_kinds(images), varied_images(images)
    placed = boxes_of(first, boxes)
    areas = grown(placed, MARGIN) if are_frames(first, placed) else whole(first)
    window = window_of(images, first, areas)
    shown = {
        "kinds": len(kinds_of(images)),
        "contact_kinds": len(kinds_of(first)),
        "contact_subjects": first["subject_id"].nunique(),
        "marked_kinds": len(kinds_of(varied)),
        "marked_subjects": varied["subject_id"].nunique(),
        "marked_images": len(varied),
    }
    points = points_of(annotations, list(varied["image_id"]))
    marked = marked_sheet(varied, boxes_of(varied, boxes), points, window=window)
    return Sheets(contact_sheet(first, areas, window=window), marked, shown, window)


def contact_sheet(images: pd.DataFrame, areas: Floats, *, window: Window | None) -> bytes:
    """Draw a row per subject and a column per kind, in as many blocks as fit side by side.

    Parameters
    ----------
    images : DataFrame of IMAGES, N rows
    areas : (N, 4) float, pixels, (x, y, width, height)
        What is shown of each, all at one size.
    window : Window or None
        Draws a bar of what the colours stand for.

    Returns
    -------
    bytes of a PNG file
    """
    kinds, subjects = kinds_of(images), sorted(set(images["subject_id"]))
    width = int(np.clip(WIDTH // len(kinds) - GAP, NARROWEST, WIDEST))
    size = (width, _height(areas, width))
    records = images.to_dict("records")
    tiles = {(row["subject_id"], kind_of(row)): n for n, row in enumerate(records)}
    left, top = EDGE + 7 * max(map(len, subjects)), 8 + LINE * len(KINDS)
    across = left + len(kinds) * (width + GAP)
    blocks = min(len(subjects), max(1, WIDTH // across))
    lines = -(-len(subjects) // blocks)
    room = (blocks * across, top + lines * (size[1] + GAP))
    with style(grid=False):
        figure = _figure(room, window, left)
        for k, part in enumerate(figure.subfigures(1, blocks, wspace=0, squeeze=False)[0]):
            grid = _grid(part, (lines, len(kinds)), size, (left, top), (GAP, GAP))
            _draw_titles(part, grid[0], kinds)
            shown = subjects[k * lines : (k + 1) * lines]
            for row, subject in zip(grid, shown, strict=False):
                row[0].set_ylabel(subject, rotation=0, ha="right", va="center", fontsize=FONT)
                for axes, kind in zip(row, kinds, strict=True):
                    n = tiles.get((subject, kind))
                    if n is not None:
                        _show(axes, records[n], areas[n], size, window)
            for axes in grid[len(shown) :].flat:
                axes.set_visible(False)
        return _png(figure)


def marked_sheet(
    images: pd.DataFrame, boxes: Floats, points: Floats, *, window: Window | None
) -> bytes:
    """Draw whole images side by side, with their boxes and landmarks.

    Parameters
    ----------
    images : DataFrame of IMAGES, N rows
    boxes : (N, 4) float, pixels, (x, y, width, height)
    points : (N, L, 2) float, pixels, (x, y)
        NaN where an image is not annotated.
    window : Window or None

    Returns
    -------
    bytes of a PNG file
    """
    frames = are_frames(images, boxes)
    areas = whole(images) if frames else grown(whole(images), ROOM)
    most = 3 if frames else 6
    across = min(len(images), most)
    width = WIDTH // most - BOX_GAP
    size = (width, _height(areas, width))
    lines, head = -(-len(images) // across), BOX_GAP + LINE * len(KINDS)
    room = (across * (width + BOX_GAP), lines * (size[1] + head) + GAP)
    with style(grid=False):
        figure = _figure(room, window, GAP)
        grid = _grid(figure, (lines, across), size, (GAP, head), (BOX_GAP, head)).ravel()
        for axes, row, area, box, its in zip(
            grid, images.to_dict("records"), areas, boxes, points, strict=False
        ):
            _show(axes, row, area, size, window)
            _mark(axes, box, its, pixel=area[2] / width)
            words = [row["subject_id"], f"{row['modality']}, Range {row['range']}"]
            axes.set_title("\n".join([*words, row["condition"]]), loc="left", fontsize=FONT, pad=3)
        for axes in grid[len(images) :]:
            axes.set_visible(False)
        return _png(figure)


def _figure(room: tuple[int, int], window: Window | None, left: int) -> Figure:
    """Return a figure with room for pictures in px, and below it what their colours stand for."""
    width, height = room[0], room[1] + (FOOT if window else 0)
    figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI, facecolor="white")
    if window:
        place = (left / width, (FOOT - 2 * BAR[1]) / height, BAR[0] / width, BAR[1] / height)
        colours = ScalarMappable(Normalize(*window), COLOUR_MAP)
        ticks = [window[0], sum(window) / 2, window[1]]
        bar = figure.colorbar(
            colours,
            cax=figure.add_axes(place),
            orientation="horizontal",
            ticks=ticks,
            format="{x:g} °C",
        )
        bar.ax.tick_params(length=0, labelsize=FONT)
        bar.outline.set_visible(False)
        first, _, last = bar.ax.get_xticklabels()
        first.set_horizontalalignment("left")
        last.set_horizontalalignment("right")
    return figure


def _grid(
    part: Figure | SubFigure,
    shape: tuple[int, int],
    size: tuple[int, int],
    corner: tuple[int, int],
    gaps: tuple[int, int],
) -> Any:
    """Return bare axes of a size in px, from a corner at the top left, with gaps between."""
    room = part.bbox.size
    spans = [n * side + (n - 1) * gap for n, side, gap in zip(shape[::-1], size, gaps, strict=True)]
    grid = part.subplots(
        *shape,
        squeeze=False,
        gridspec_kw={
            "left": corner[0] / room[0],
            "right": (corner[0] + spans[0]) / room[0],
            "top": 1 - corner[1] / room[1],
            "bottom": 1 - (corner[1] + spans[1]) / room[1],
            "wspace": gaps[0] / size[0],
            "hspace": gaps[1] / size[1],
        },
    )
    for axes in grid.flat:
        axes.set(xticks=[], yticks=[], facecolor=PAPER)
        axes.spines[:].set_visible(False)
    return grid


def _draw_titles(part: SubFigure, axes: Sequence[Axes], kinds: list[Kind]) -> None:
    """Write the titles over columns, a thin line under those that several share."""
    height = part.bbox.height
    titles = [(modality.capitalize(), f"Range {reach}", word) for modality, reach, word in kinds]
    for level in range(len(KINDS)):
        for first, last in _runs([title[: level + 1] for title in titles]):
            ends = [axes[first].get_position().x0, axes[last].get_position().x1]
            y = 1 - (4 + LINE * level) / height
            part.text(sum(ends) / 2, y, titles[first][level], ha="center", va="top", fontsize=FONT)
            if level < len(KINDS) - 1:
                under = [y - 14 / height] * 2
                part.add_artist(Line2D(ends, under, color=FAINT, linewidth=0.6))


def _runs(titles: list[tuple[str, ...]]) -> list[tuple[int, int]]:
    """Return first and last column of every run of equal titles."""
    starts = [k for k, title in enumerate(titles) if k == 0 or title != titles[k - 1]]
    return list(zip(starts, [k - 1 for k in [*starts[1:], len(titles)]], strict=True))


def _show(
    axes: Axes, row: Mapping[Any, Any], area: Floats, size: tuple[int, int], window: Window | None
) -> None:
    """Draw a part of an image, in proportion; the paper shows where the image ends.

    A thermal image has the colours of the window, or is grey between its own percentiles.
    """
    image = picture_of(row)
    width = max(area[2], area[3] * size[0] / size[1])
    height = width * size[1] / size[0]
    x, y = area[:2] + (area[2:] - [width, height]) / 2 - 0.5  # edges of pixels, as axes count
    low, high = window or np.percentile(inner_part(image, area, 0.0), (1, 99))
    coloured = row["modality"] == "thermal" and window
    axes.imshow(
        image,
        cmap=COLOUR_MAP if coloured else "gray",
        vmin=low,
        vmax=high,
        interpolation="hanning" if width > size[0] else "bicubic",
    )
    axes.set(xlim=(x, x + width), ylim=(y + height, y), aspect="auto")


def _mark(axes: Axes, box: Floats, points: Floats, *, pixel: float) -> None:
    """Draw box and landmarks, bright and thin on dark and wide, to show on any face.

    ``pixel`` is the size of a pixel of the sheet, in pixels of the image.
    """
    arm = float(np.clip(ARM * box[2] / pixel, *ARMS))
    under: list[AbstractPathEffect] = [withStroke(linewidth=0.8 + 0.3 * arm, foreground="black")]
    x, y, width, height = (float(v) for v in box)
    edge = Rectangle((x - 0.5, y - 0.5), width, height, fill=False, edgecolor=MARK, linewidth=0.8)
    edge.set_path_effects(under)
    axes.add_patch(edge)
    dx, dy = arm * pixel * np.array([[-1, 1, np.nan, 0, 0, np.nan], [0, 0, np.nan, -1, 1, np.nan]])
    crosses = np.concatenate([point[:, None] + [dx, dy] for point in points], axis=1)
    # Lines, because matplotlib moves markers to whole pixels.
    axes.plot(*crosses, color=MARK, linewidth=0.9, snap=False, path_effects=under)


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
    return buffer.getvalue()


def _height(areas: Floats, width: int) -> int:
    """Return the height of pictures of a width that have the shape of the middle area."""
    return round(width * float(np.median(areas[:, 3] / areas[:, 2])))
