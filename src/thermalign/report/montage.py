"""Contact sheets: many small pictures on one canvas, labelled, with a temperature bar."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from thermalign.geometry import Floats
from thermalign.report.svg import FAINT, style

Colours = npt.NDArray[np.uint8]
"""(H, W, 3) uint8, red, green, blue."""

COLOUR_MAP = "inferno"
"""For degrees: perceptually uniform, so that equal steps of temperature look equal."""

DPI = 100
FONT = 8.0  # points, 11 px
GAP, BOX_GAP, BLOCK_GAP = 4, 8, 16  # px between faces, whole images, blocks of faces
LINE, FOOT = 16, 44  # px of a line of titles, and of the temperature bar
PAPER = 238  # grey of what no picture covers
BAR_WIDTH, BAR_HEIGHT = 220, 10  # px
MARK = "#00e5ff"
ARMS = (1.5, 3.5)  # px, from the middle of a landmark's cross to its ends
ARM = 0.04  # of the width of the box, within those limits


@dataclass(frozen=True)
class Window:
    """The values that the ends of a colour map stand for, and their unit."""

    low: float
    high: float
    unit: str


@dataclass(frozen=True)
class Tile:
    """One picture of a sheet.

    Attributes
    ----------
    pixels : (H, W, 3) uint8
    lines : list of str
        Words over the picture.
    box : (4,) float, pixels of the picture, (x, y, width, height), or None
    points : (L, 2) float, pixels of the picture, (x, y), or None
    """

    pixels: Colours
    lines: list[str] = field(default_factory=list)
    box: Floats | None = None
    points: Floats | None = None


def paint(values: Floats, window: Window) -> Colours:
    """Turn an image (H, W) into colours: the colour map's where the window has a unit, else grey.

    Pixels that are NaN, outside of the image, take the colour of the paper.
    """
    span = max(window.high - window.low, 1e-9)
    share = np.clip((np.asarray(values, np.float32) - window.low) / span, 0, 1)
    grey = np.rint(np.nan_to_num(share) * 255).astype(np.uint8)
    painted = np.repeat(grey[..., None], 3, axis=-1)
    if window.unit:
        painted = np.array(mpl.colormaps[COLOUR_MAP](grey, bytes=True)[..., :3])
    painted[np.isnan(share)] = PAPER
    return painted


@dataclass(frozen=True)
class Grid:
    """Where the pictures of a contact sheet stand: blocks of rows side by side.

    Attributes
    ----------
    left, top : int, px
        Room for the names of rows and the titles of columns in every block.
    size : (width, height), px
        Of a picture.
    columns, rows : int
        Of a block.
    """

    left: int
    top: int
    size: tuple[int, int]
    columns: int
    rows: int

    @property
    def step(self) -> int:
        """Return how far one block lies from the next, in px."""
        return self.left + self.columns * (self.size[0] + GAP) + BLOCK_GAP

    def corner(self, row: int, column: int) -> tuple[int, int]:
        """Return (x, y) of a picture's corner."""
        block, line = divmod(row, self.rows)
        x = block * self.step + self.left + column * (self.size[0] + GAP)
        return x, self.top + line * (self.size[1] + GAP)


def contact_sheet(
    rows: Sequence[tuple[str, Sequence[Tile | None]]],
    columns: Sequence[tuple[str, ...]],
    *,
    width: int,
    window: Window | None,
) -> bytes:
    """Lay pictures of one size out in rows and columns, in as many blocks as fit side by side.

    Parameters
    ----------
    rows : sequence of (name, pictures), None where there is no such picture
    columns : sequence of tuple of str
        Titles of each column, the general ones first; equal neighbours share one title.
    width : int, px
        That blocks may fill.
    window : Window, optional
        Draws a bar of what the colours stand for.

    Returns
    -------
    bytes of a PNG file

    Raises
    ------
    ValueError
        If there is no picture.
    """
    shapes = [tile.pixels.shape[:2] for _, tiles in rows for tile in tiles if tile]
    if not shapes:
        raise ValueError("no picture for a contact sheet; give at least one")
    height, across = shapes[0]
    left, top = 14 + 7 * max(len(name) for name, _ in rows), 8 + LINE * len(columns[0])
    whole = left + len(columns) * (across + GAP) + BLOCK_GAP
    blocks = min(len(rows), max(1, (width + BLOCK_GAP) // whole))
    lines = -(-len(rows) // blocks)
    grid = Grid(left, top, (across, height), len(columns), lines)
    foot = grid.corner(lines - 1, 0)[1] + height + GAP
    canvas = _canvas(blocks * grid.step - BLOCK_GAP, foot + (FOOT if window else 0))
    for row, (_, tiles) in enumerate(rows):
        for column, tile in enumerate(tiles):
            blank = np.full((height, across, 3), PAPER)
            _paste(canvas, tile.pixels if tile else blank, grid.corner(row, column))
    with style():
        figure, axes = _page(canvas)
        for row, (name, _) in enumerate(rows):
            x, y = grid.corner(row, 0)
            axes.text(x - 8, y + height / 2, name, ha="right", va="center", fontsize=FONT)
        for block in range(-(-len(rows) // lines)):
            _draw_titles(axes, columns, grid, block)
        if window:
            _draw_bar(axes, window, (left, foot + 8))
        return _png(figure)


def _draw_titles(axes: Axes, columns: Sequence[tuple[str, ...]], grid: Grid, block: int) -> None:
    """Write the titles over a block, a thin line under those that several columns share."""
    for level in range(len(columns[0])):
        for first, last in _spans([titles[: level + 1] for titles in columns]):
            begin, _ = grid.corner(block * grid.rows, first)
            end = grid.corner(block * grid.rows, last)[0] + grid.size[0]
            words, y = columns[first][level], 4 + LINE * level
            axes.text((begin + end) / 2, y, words, ha="center", va="top", fontsize=FONT)
            if level < len(columns[0]) - 1:
                axes.plot([begin, end], [y + 14] * 2, color=FAINT, linewidth=0.6)


def marked_sheet(tiles: Sequence[Tile], *, across: int, window: Window | None) -> bytes:
    """Lay whole images out side by side, with their boxes and landmarks.

    Parameters
    ----------
    tiles : sequence of Tile
        Of one width; a row is as tall as its tallest.
    across : int
        Pictures in a row.
    window : Window, optional

    Returns
    -------
    bytes of a PNG file
    """
    width = max(tile.pixels.shape[1] for tile in tiles)
    head = 4 + 14 * max(len(tile.lines) for tile in tiles)
    chunks = [tiles[k : k + across] for k in range(0, len(tiles), across)]
    tall = [head + max(t.pixels.shape[0] for t in chunk) + BOX_GAP for chunk in chunks]
    tops = np.cumsum([0, *tall])
    columns = min(across, len(tiles))
    canvas = _canvas(columns * (width + BOX_GAP), int(tops[-1]) + (FOOT if window else 0))
    corners = [
        (x * (width + BOX_GAP) + GAP, int(top) + head)
        for chunk, top in zip(chunks, tops, strict=False)
        for x in range(len(chunk))
    ]
    for tile, corner in zip(tiles, corners, strict=True):
        _paste(canvas, tile.pixels, corner)
    with style():
        figure, axes = _page(canvas)
        for tile, corner in zip(tiles, corners, strict=True):
            _draw_marks(axes, tile, corner)
            for k, line in enumerate(reversed(tile.lines)):
                axes.text(corner[0], corner[1] - 4 - 14 * k, line, va="bottom", fontsize=FONT)
        if window:
            _draw_bar(axes, window, (GAP, canvas.shape[0] - 36))
        return _png(figure)


def _canvas(width: int, height: int) -> Colours:
    return np.full((height, width, 3), 255, np.uint8)


def _paste(canvas: Colours, pixels: Any, place: tuple[int, int]) -> None:
    x, y = place
    canvas[y : y + pixels.shape[0], x : x + pixels.shape[1]] = pixels


def _page(canvas: Colours) -> tuple[Figure, Axes]:
    """Return a figure of exactly the canvas's pixels, its axes counting them."""
    height, width = canvas.shape[:2]
    figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI, facecolor="white")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.imshow(canvas, extent=(0, width, height, 0), interpolation="nearest", aspect="auto")
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.autoscale(False)
    return figure, axes


def _spans(titles: list[tuple[str, ...]]) -> list[tuple[int, int]]:
    """Return first and last column of every run of equal titles."""
    starts = [k for k, title in enumerate(titles) if k == 0 or title != titles[k - 1]]
    return list(zip(starts, [k - 1 for k in [*starts[1:], len(titles)]], strict=True))


def _draw_marks(axes: Axes, tile: Tile, corner: tuple[int, int]) -> None:
    """Draw box and landmarks twice, dark and wide below bright and thin, to show on any face."""
    arm = ARMS[1] if tile.box is None else float(np.clip(ARM * tile.box[2], *ARMS))
    for colour, wider in (("black", 0.3 * arm), (MARK, 0.0)):
        if tile.box is not None:
            x, y, width, height = (float(v) for v in tile.box)
            place = (corner[0] + x, corner[1] + y)  # edges of pixels, as the axes count
            edge = Rectangle(
                *(place, width, height), fill=False, edgecolor=colour, linewidth=0.8 + wider
            )
            axes.add_patch(edge)
        if tile.points is not None:
            x, y = (np.asarray(tile.points) + 0.5 + np.asarray(corner)).T
            # Lines, because matplotlib moves markers to whole pixels.
            for dx, dy in ((arm, 0.0), (0.0, arm)):
                axes.plot(
                    *([x - dx, x + dx], [y - dy, y + dy]),
                    color=colour,
                    linewidth=0.9 + wider,
                    snap=False,
                )


def _draw_bar(axes: Axes, window: Window, place: tuple[int, int]) -> None:
    x, y = place
    ramp = np.linspace(0, 1, BAR_WIDTH)[None]
    extent = (x, x + BAR_WIDTH, y + BAR_HEIGHT, y)
    axes.imshow(ramp, extent=extent, cmap=COLOUR_MAP, aspect="auto", vmin=0, vmax=1)
    for share, align in ((0.0, "left"), (0.5, "center"), (1.0, "right")):
        value = window.low + share * (window.high - window.low)
        words = f"{value:g} {window.unit}"
        axes.text(
            x + share * BAR_WIDTH, y + BAR_HEIGHT + 3, words, ha=align, va="top", fontsize=FONT
        )
    width, height = axes.get_figure().get_size_inches() * DPI  # type: ignore[union-attr]
    axes.set(xlim=(0, width), ylim=(height, 0))


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
    return buffer.getvalue()


def resize(pixels: Any, size: tuple[int, int]) -> Any:
    """Resize a picture to (width, height): averaged where smaller, interpolated where larger."""
    smaller = size[0] < pixels.shape[1]
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)
