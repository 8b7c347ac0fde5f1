"""Tables of the page as LaTeX with booktabs, to be taken into a paper as they are."""

import re
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from thermalign.report.blocks import Cell, Table

ESCAPED = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": "$<$",
    ">": "$>$",
    "\N{MINUS SIGN}": "$-$",
    "\N{EN DASH}": "--",
    "\N{EM DASH}": "---",
    "\N{NO-BREAK SPACE}": "~",
    "\N{NARROW NO-BREAK SPACE}": r"\,",
    "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    "\N{LEFT DOUBLE QUOTATION MARK}": "``",
    "\N{RIGHT DOUBLE QUOTATION MARK}": "''",
    "\N{PRIME}": "$'$",
    "\N{DEGREE SIGN}": "$^\\circ$",
    "\N{MULTIPLICATION SIGN}": r"$\times$",
    "\N{PLUS-MINUS SIGN}": r"$\pm$",
    "\N{MIDDLE DOT}": r"$\cdot$",
    "\N{SUPERSCRIPT TWO}": "$^2$",
    "\N{GREEK SMALL LETTER MU}": r"$\mu$",
    "\N{GREEK SMALL LETTER SIGMA}": r"$\sigma$",
    "\N{LESS-THAN OR EQUAL TO}": r"$\leq$",
    "\N{GREATER-THAN OR EQUAL TO}": r"$\geq$",
    "\N{HORIZONTAL ELLIPSIS}": r"\dots{}",
}
"""Character to what LaTeX prints it by; letters with accents it reads by itself."""

TONES = {"best": r"\textbf{%s}", "muted": r"\emph{%s}"}
"""How a figure is set that the page sets off."""


def latex(table: Table, label: str) -> str:
    r"""Return a table of the page as a ``table`` of LaTeX, which wants ``\usepackage{booktabs}``.

    Parameters
    ----------
    table : Table
        Intervals stand behind their figures, the notes below.
    label : str
        What ``\ref`` calls it, behind ``tab:``.
    """
    return template().render(table=table, label=label, rules=spanned(table.groups))


@cache
def template() -> Template:
    """Return the template of a table, with signs that LaTeX has no use for."""
    environment = Environment(
        loader=PackageLoader("thermalign.report", ""),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        block_start_string="<%",
        block_end_string="%>",
        variable_start_string="<<",
        variable_end_string=">>",
        comment_start_string="<#",
        comment_end_string="#>",
    )
    environment.filters |= {"escape": escape, "cell": cell}
    return environment.get_template("table.tex.j2")


def escape(text: str) -> str:
    """Return text as LaTeX prints it."""
    return "".join(ESCAPED.get(character, character) for character in text)


def cell(shown: Cell) -> str:
    """Return a figure with its interval behind it, in smaller letters."""
    text = TONES.get(shown.tone, "%s") % escape(shown.text)
    detail = re.sub(r"\s+", " ", escape(shown.detail))
    return f"{text} {{\\scriptsize {detail}}}" if detail else text


def spanned(groups: list[tuple[str, int]]) -> list[str]:
    """Return the columns below each titled group, as ``cmidrule`` counts them: 2-4."""
    found, first = [], 2  # the first column has the rows' headers
    for title, width in groups:
        if title:
            found.append(f"{first}-{first + width - 1}")
        first += width
    return found
