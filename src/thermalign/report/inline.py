"""Drawings as a part of the page: its colours, its fonts, its switches."""

import re
from collections.abc import Iterable

from markupsafe import Markup

from thermalign.report.drawing import FAINT, GRID, INK
from thermalign.report.looks import Look

DARK = {
    INK: "#e6e4df",
    FAINT: "#a5a29b",
    GRID: "#3a3935",
    "#ffffff": "#1b1b1d",
    "#111111": "#f4f2ee",
    "#009e73": "#2fc79b",
    "#d55e00": "#ff8a3d",
    "#0072b2": "#5ab4ee",
    "#cc79a7": "#e79cc6",
    "#7b4fa3": "#b692dd",
    "#8a8a8a": "#9d9d9d",
    "#e69f00": "#f2b533",
    "#56b4e9": "#8accf2",
    "#6a9a2d": "#a3cf62",
    "#8c6d31": "#c9a660",
    "#b5123c": "#f2708f",
}
"""Colour on light ground to that on dark ground, each with a contrast of 3 at least to it."""


def inline(svg: str, number: int) -> Markup:
    """Return a drawing to stand in the page: what it refers to has names of its own.

    Colours are those of the page, whichever ground it has; text has the page's font; a group that
    was given a model's key is switched on and off with it.

    Parameters
    ----------
    svg : a whole SVG file of matplotlib
    number : of the drawing in the page
    """
    text = svg[svg.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    size = re.search(r'viewBox="([^"]*)"', text)
    if not size:
        raise ValueError(f"drawing {number} has no viewBox")
    head = f'<svg viewBox="{size[1]}" aria-hidden="true">'
    text = re.sub(r"^<svg[^>]*>", head, text)
    text = re.sub(r"<style.*?</style>", "", text, flags=re.DOTALL)
    text = re.sub(r'id="(look\d+)"', r'data-model="\1"', text)
    wanted = set(re.findall(r'(?:xlink:href="#|url\(#)([^")]+)', text))
    text = re.sub(
        r' ?id="([^"]*)"',
        lambda its: f' id="d{number}-{its[1]}"' if its[1] in wanted else "",
        text,
    )
    text = text.replace('xlink:href="#', f'href="#d{number}-')
    text = text.replace("url(#", f"url(#d{number}-")
    text = re.sub(r"#[0-9a-f]{6}\b", lambda its: _themed(its[0]), text)
    text = re.sub(r"'?DejaVu Sans'?", "var(--sans)", text)
    text = re.sub(r"(\d\.\d\d)\d+", r"\1", text)
    return Markup(re.sub(r"\s*\n\s*", "\n", text))


def _themed(colour: str) -> str:
    return f"var(--c{colour[1:]})" if colour in DARK else colour


def palettes() -> tuple[str, str]:
    """Return the colours of drawings as style sheet declarations, for light and for dark ground."""
    light = "".join(f"--c{its[1:]}:{its};" for its in DARK)
    dark = "".join(f"--c{its[1:]}:{other};" for its, other in DARK.items())
    return light, dark


def stroke(look: Look) -> str:
    """Return a look's colour as the page draws it."""
    return _themed(look.colour)


def switches(models: Iterable[Look], protocols: int, readings: Iterable[str]) -> Markup:
    """Return the style sheet rules that hide what is switched off; without a script, and on paper.

    Parameters
    ----------
    models : the look of every model
    protocols : how many there are
    readings : of ``same_moment``
    """
    rules = []
    for key in dict.fromkeys(look.key for look in models):
        off = f"html:has(#show-{key}:not(:checked))"
        rules.append(f'{off} [data-model~="{key}"]{{display:none}}')
    for number in range(protocols):
        on = f"html:has(#protocol-{number}:checked)"
        rules.append(f'{on} [data-protocol]:not([data-protocol="{number}"]){{display:none}}')
    for reading in readings:
        on = f"html:has(#reading-{reading}:checked)"
        rules.append(f'{on} [data-reading]:not([data-reading="{reading}"]){{display:none}}')
    return Markup("\n".join(rules))
