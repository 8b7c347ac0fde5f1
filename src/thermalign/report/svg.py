"""From a matplotlib figure to SVG that can stand inside a page, the same bytes every time."""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

INK, FAINT, GRID = "#222222", "#6b6b6b", "#e4e2de"

_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "thermalign",
    "text.parse_math": False,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9.5,
    "axes.labelsize": 9.5,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": FAINT,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "lines.linewidth": 1.7,
}


@contextmanager
def style() -> Iterator[None]:
    """Draw in the report's style, whatever the user's own matplotlib settings say."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        yield


def to_svg(figure: Figure, *, key: str, alt: str) -> str:
    """Return a figure as inline SVG.

    Namespaces, comments, metadata and style sheet are left out, since the page has its own;
    identifiers get ``key`` before them, so that figures of one page never share one.

    Parameters
    ----------
    figure : Figure
        Drawn within :func:`style`.
    key : str
        Unique in the page; letters, digits and underscores.
    alt : str
        What the figure shows, for those who do not see it.
    """
    buffer = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(buffer, format="svg", metadata=nothing)
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    for part in (r"<!--.*?-->", r"<metadata>.*?</metadata>", r"<style.*?</style>"):
        text = re.sub(part, "", text, flags=re.DOTALL)
    _, _, text = text.partition(">")
    text = _own_identifiers(text, key)
    text = re.sub(r"\s*\n\s*", "\n", text)
    width, height = (72 * side for side in figure.get_size_inches())
    opening = (
        f'<svg class="plot" role="img" aria-label="{escape(alt)}" '
        f'viewBox="0 0 {width:g} {height:g}">'
    )
    return opening + text.strip()


def _own_identifiers(text: str, key: str) -> str:
    used = set(re.findall(r'(?:href="#|url\(#)([\w-]+)', text))

    def rename(match: re.Match[str]) -> str:
        return f' id="{key}-{match[1]}"' if match[1] in used else ""

    text = re.sub(r' id="([^"]+)"', rename, text)
    text = re.sub(r'xlink:href="#', f'href="#{key}-', text)
    return text.replace("url(#", f"url(#{key}-")
