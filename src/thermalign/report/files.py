"""Drawings that the report leaves beside its page, for print, with their legend."""

import io
import os
import re
import shutil
from collections.abc import Container, Iterable, Mapping
from pathlib import Path
from typing import Any, cast

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from thermalign.report.blocks import Chapter
from thermalign.report.drawing import Panel, Panels, dash, style

LINE = 0.17
"""Height of a line of a legend or a title, in inches."""

BOLD = 0.72
"""Mean width of a bold letter, in font sizes: a longer title is set smaller."""

FORMATS: dict[str, dict[str, Any]] = {
    "svg": {"metadata": dict.fromkeys(("Date", "Creator", "Format", "Type"))},
    "pdf": {"metadata": dict.fromkeys(("Creator", "Producer", "CreationDate"))},
    "png": {"metadata": {"Software": None}, "dpi": 200},
}
"""Format to what a drawing is saved with: nothing that differs from one run to the next."""


def figures(chapters: Iterable[Chapter]) -> dict[str, bytes]:
    """Return every drawing of the page as files for print: SVG, PDF and PNG.

    Returns
    -------
    dict of str to bytes
        Chapter, part and figure as a path, ``curves/protocol-1/receiver-....svg``, to its content.
    """
    found: dict[str, bytes] = {}
    for chapter in chapters:
        parts = [("all", chapter.blocks), *((part.title, part.blocks) for part in chapter.parts)]
        for part, blocks in parts:
            for block in blocks:
                if isinstance(block, Panels):
                    for panel in block.panels:
                        name = f"{slug(subject(block.caption))}-{slug(panel.title)}".strip("-")
                        path = free(f"{slug(chapter.id)}/{slug(part)}/{name}.svg", found)
                        made = alone(panel, block, "" if part == "all" else part)
                        stem = path.removesuffix(".svg")
                        found |= {f"{stem}.{kind}": content for kind, content in made.items()}
    return found


def write_folder(folder: Path, files: Mapping[str, str | bytes]) -> None:
    """Put files into a new folder and that in the place of ``folder``, so that none is missing."""
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    try:
        for name, content in files.items():
            path = temporary / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        temporary.mkdir(parents=True, exist_ok=True)
        if folder.exists():
            shutil.rmtree(folder)
        temporary.replace(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def alone(panel: Panel, figure: Panels, part: str) -> dict[str, bytes]:
    """Return a panel with what the page says around it, in every format of ``FORMATS``.

    Its title stands above, its legend below. The drawing is the page's own, saved once more.

    Raises
    ------
    ValueError
        If the panel has no drawing.
    """
    drawing = panel.drawing
    if drawing is None:
        raise ValueError(f"the panel {panel.title or figure.caption} has no drawing")
    legend = list(panel.legend) or [(look, "") for look in figure.legend]
    where = ", ".join(words for words in (part, panel.title) if words)
    made = {}
    with style():
        below = LINE * (len(legend) + 1.4) if legend else 0.0
        _make_room(drawing, above=2.4 * LINE, below=below)
        _head(drawing, subject(figure.caption), where)
        if legend:
            lines = [Line2D([], [], color=its.colour) for its, _ in legend]
            for line, (its, _) in zip(lines, legend, strict=True):
                line.set_linestyle(cast("Any", dash(its)))
            words = [f"{its.label}  {said}".strip() for its, said in legend]
            drawing.legend(lines, words, loc="lower left", frameon=False, fontsize=9)
        for kind, how in FORMATS.items():
            buffer = io.BytesIO()
            drawing.savefig(buffer, format=kind, facecolor="white", **how)
            made[kind] = buffer.getvalue()
    text = made["svg"].decode()
    made["svg"] = re.sub(r' id="look\d+"', "", text).encode()
    return made


def _make_room(drawing: Figure, *, above: float, below: float) -> None:
    """Enlarge a drawing that was laid out by inches above and below; its axes keep their size."""
    width, height = drawing.get_size_inches()
    drawing.set_layout_engine("none")
    tall = height + above + below
    for axes in drawing.axes:
        x, y, across, up = axes.get_position().bounds
        axes.set_position((x, (y * height + below) / tall, across, up * height / tall))
    drawing.set_size_inches(width, tall)


def _head(drawing: Figure, title: str, where: str) -> None:
    """Write a title over a drawing, as large as it fits, and where its figures are from."""
    width, tall = drawing.get_size_inches()
    letters = min(9.0, (72 * width - 16) / (BOLD * max(len(title), 1)))
    drawing.text(0.02, 1 - 0.9 * LINE / tall, title, size=letters, weight="bold", va="center")
    drawing.text(0.02, 1 - 1.9 * LINE / tall, where, size=9, va="center")


def subject(caption: str) -> str:
    """Return what a caption is about: what stands before its first stop."""
    return re.split(r"[,.:;(]", caption, maxsplit=1)[0].strip()


def slug(words: str) -> str:
    """Spell words as a part of a file's name."""
    plain = words.lower().replace("′", " prime").encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def free(path: str, taken: Container[str]) -> str:
    """Return the path of a file that no other has, numbered where need be."""
    stem, dot, end = path.partition(".")
    number, name = 1, path
    while name in taken:
        number += 1
        name = f"{stem}-{number}{dot}{end}"
    return name
