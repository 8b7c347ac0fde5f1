"""Drawings that the report leaves beside its page, as SVG with their legend."""

import os
import re
import shutil
from collections.abc import Container, Iterable, Mapping, Sequence
from html import escape
from pathlib import Path

from thermalign.report.blocks import Chapter
from thermalign.report.drawing import INK, Panel, Panels
from thermalign.report.looks import Look

LINE = 15.0
"""Height of a line of a legend, in points."""


BOLD = 0.72
"""Mean width of a bold letter, in font sizes: a longer title is set smaller."""


def figures(chapters: Iterable[Chapter]) -> dict[str, str]:
    """Return every drawing of the page as an SVG file that stands alone.

    Returns
    -------
    dict of str to str
        Chapter, part and figure as a path, ``curves/protocol-1/receiver-....svg``, to its text.
    """
    found: dict[str, str] = {}
    for chapter in chapters:
        parts = [("all", chapter.blocks), *((part.title, part.blocks) for part in chapter.parts)]
        for part, blocks in parts:
            for block in blocks:
                if isinstance(block, Panels):
                    for panel in block.panels:
                        name = f"{slug(subject(block.caption))}-{slug(panel.title)}".strip("-")
                        folder = f"{slug(chapter.id)}/{slug(part)}"
                        path = free(f"{folder}/{name}.svg", found)
                        found[path] = alone(panel, block, "" if part == "all" else part)
    return found


def write_folder(folder: Path, files: Mapping[str, str | bytes]) -> None:
    """Put files into a new folder and that in the place of ``folder``, so that none is missing."""
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    try:
        for name, content in files.items():
            path = temporary / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        temporary.mkdir(parents=True, exist_ok=True)
        if folder.exists():
            shutil.rmtree(folder)
        temporary.replace(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def alone(panel: Panel, figure: Panels, part: str) -> str:
    """Return a panel with what the page says around it: its title above, its legend below."""
    drawn = panel.svg[panel.svg.index("<svg") :]
    size = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', drawn)
    if not size:
        raise ValueError(f"the drawing of {panel.title or figure.caption} has no viewBox")
    width, height = map(float, size.groups())
    drawn = re.sub(r'^<svg([^>]*?) width="[^"]*"', r"<svg\1", drawn)
    drawn = re.sub(
        r'^<svg([^>]*?) height="[^"]*"', rf'<svg\1 y="{2.6 * LINE:.1f}" height="{height}"', drawn
    )
    drawn = re.sub(r"^<svg", f'<svg width="{width}"', drawn)
    legend = list(panel.legend) or [(look, "") for look in figure.legend]
    top = 2.6 * LINE + height
    tall = top + LINE * (len(legend) + 0.6)
    where = ", ".join(words for words in (part, panel.title) if words)
    title = subject(figure.caption)
    letters = min(9.0, (width - 16) / (BOLD * max(len(title), 1)))
    return "\n".join(
        [
            '<?xml version="1.0" encoding="utf-8"?>',
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}pt" height="{tall:.1f}pt" '
            f'viewBox="0 0 {width} {tall:.1f}" font-family="DejaVu Sans, sans-serif" '
            f'font-size="9" fill="{INK}">',
            f"<title>{escape(panel.alt)}</title>",
            '<rect width="100%" height="100%" fill="#ffffff"/>',
            f'<text x="8" y="15" font-weight="bold" font-size="{letters:.1f}">'
            f"{escape(title)}</text>",
            f'<text x="8" y="28">{escape(where)}</text>',
            drawn.strip(),
            *_legend(legend, top),
            "</svg>\n",
        ]
    )


def _legend(entries: Sequence[tuple[Look, str]], top: float) -> list[str]:
    lines = []
    for row, (look, words) in enumerate(entries):
        y = top + LINE * (row + 0.6)
        dash = f' stroke-dasharray="{" ".join(f"{1.7 * d:g}" for d in look.dash)}"'
        lines += [
            f'<line x1="12" x2="42" y1="{y:.1f}" y2="{y:.1f}" stroke="{look.colour}" '
            f'stroke-width="1.7"{dash if look.dash else ""}/>',
            f'<text x="50" y="{y + 3:.1f}">{escape(look.label)}</text>',
            f'<text x="180" y="{y + 3:.1f}">{escape(words)}</text>',
        ]
    return lines


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
