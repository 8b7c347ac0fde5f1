"""A finished report in the terminal: what it says first, its verdict, its main tables.

It prints what the report wrote down of itself, so that no figure is made twice. Neither pandas nor
PyTorch is loaded.
"""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.color import Color
from rich.console import Console, RenderableType
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

PAGE = Path("report", "tables", "page.json")
"""Where a study's results have it."""

MAIN = ("error", "verification")
"""Chapters whose first table of each protocol is shown where none is asked for."""

VERDICTS = {"holds": "green", "fails": "red", "undecided": "yellow"}

TONES = {"best": "bold", "muted": "dim", "missing": "dim"}

DARKEST = 0x40
"""Brightest channel up to which a model's colour is not seen on a dark ground; it goes without."""

UNBOUNDED = 10_000
"""Columns of what is no terminal: no line is broken."""

PLAIN = {
    "\N{MINUS SIGN}": "-",
    "\N{EN DASH}": "-",
    "\N{EM DASH}": "-",
    "\N{NO-BREAK SPACE}": " ",
    "\N{NARROW NO-BREAK SPACE}": " ",
    "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    "\N{LEFT DOUBLE QUOTATION MARK}": "'",
    "\N{RIGHT DOUBLE QUOTATION MARK}": "'",
    "\N{PRIME}": "'",
    "\N{MULTIPLICATION SIGN}": "x",
    "\N{PLUS-MINUS SIGN}": "+/-",
    "\N{BLACK CIRCLE}": "*",
}
"""What a terminal without Unicode shows instead; anything else is a question mark there."""

Told = Mapping[str, Any]


def show(
    results: Path, *, table: str = "", why: bool = False, console: Console | None = None
) -> None:
    """Print a finished study: its answer, the verdict on the paper and the main tables.

    Parameters
    ----------
    results : Path
        Folder of the results.
    table : str
        Print tables alone whose path as files holds this: ``error/protocol-1``, ``differences``.
    why : bool
        Say of each claim what its verdict rests on.
    console : rich.console.Console, optional
        Where to print; by default :func:`standard`.

    Raises
    ------
    ValueError
        If there is no finished report, or no such table.
    """
    console = console or standard()
    told = read(results)
    if not in_unicode(console):
        told = plain(told)
    every = told["tables"]
    chosen = [its for its in every if table in its["path"]] if table else main_tables(every)
    if table and not chosen:
        known = ", ".join(dict.fromkeys(its["chapter"] for its in every)) or "no tables"
        raise ValueError(
            f"{results / PAGE.parent}: no table's path holds {table!r}; there are {known}"
        )
    if not table:
        put(console, opening(told))
        put(console, verdict(told, why=why))
    said: set[str] = set()
    for its in chosen:
        put(console, [*tabled(its, console), *notes(its, said)])
    if len(every) > len(chosen) and not table:
        more = f"{len(every) - len(chosen)} more tables: thermalign show {results} --table WORD"
        put(console, [Text(f"{more}; as files: {results / PAGE.parent}", style="dim")])


def standard() -> Console:
    """Return standard output: in colours if it is a terminal and NO_COLOR is not set."""
    console = Console(highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = UNBOUNDED
    return console


def read(results: Path) -> Told:
    """Return what a report wrote down of itself.

    Raises
    ------
    ValueError
        If there is no finished report, or its file is damaged.
    """
    path = results / PAGE
    cure = "run the study to its report: make run, or thermalign run"
    try:
        told: Told = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise ValueError(f"{path}: is not there; {cure}") from None
    except ValueError as error:
        raise ValueError(f"{path}: is damaged ({error}); remove it, and {cure}") from error
    return told


def in_unicode(console: Console) -> bool:
    """Return whether a terminal shows more than ASCII."""
    return console.encoding.lower().startswith("utf")


def plain(told: Any) -> Any:
    """Return the same in ASCII: a text, or whatever texts stand in."""
    if isinstance(told, str):
        text = "".join(PLAIN.get(character, character) for character in told)
        return text.encode("ascii", "replace").decode()
    if isinstance(told, Mapping):
        return {key: plain(value) for key, value in told.items()}
    return [plain(value) for value in told] if isinstance(told, list) else told


def put(console: Console, parts: Sequence[RenderableType]) -> None:
    """Print what belongs together, without blanks at the ends of lines, and an empty line."""
    if not parts:
        return
    with console.capture() as caught:
        console.print(*parts, "", sep="\n")
    text = caught.get() if in_unicode(console) else plain(caught.get())
    console.file.write("\n".join(line.rstrip(" ") for line in text.splitlines()) + "\n")
    console.file.flush()


def main_tables(every: Iterable[Told]) -> list[Told]:
    """Return the first table of each protocol in the main chapters, protocol by protocol."""
    found: dict[str, dict[str, Told]] = {}
    for its in every:
        if its["chapter"] in MAIN:
            found.setdefault(its["part"], {}).setdefault(its["chapter"], its)
    return [its for part in found.values() for its in part.values()]


def opening(told: Told) -> list[RenderableType]:
    """Return the title, what the data are, and by protocol the answer and its figures."""
    parts: list[RenderableType] = [Text(told["title"], style="bold"), Text(told["about"])]
    parts += [Text(told["warning"], style="yellow")] if told["warning"] else []
    headlines: dict[str, Told] = {}
    for its in told["first"]:  # the headline reading is the first of a protocol
        headlines.setdefault(its["label"], its)
    for label, its in headlines.items():
        where = ", ".join(filter(None, (label, its["reading"])))
        parts += [Text(), Text.assemble((f"{where}: ", "bold"), its["answer"])]
        grid = Table.grid(padding=(0, 2))
        for what, figure, note in its["numbers"]:
            grid.add_row(Text(f"  {what}"), Text(figure, style="bold"), Text(note, style="dim"))
        parts.append(grid)
    return parts


def verdict(told: Told, *, why: bool) -> list[RenderableType]:
    """Return the verdict on the paper in a line, and claim by claim; nothing without any claim."""
    if not told["claims"]:
        return []
    grid = Table.grid(padding=(0, 2))
    for claim in told["claims"]:
        what = Text(claim["text"])
        if why and claim["why"]:
            what.append(f"\n{claim['why']}", style="dim")
        word = Text(claim["verdict"], style=VERDICTS.get(claim["verdict"], ""))
        grid.add_row(Text(str(claim["number"]), justify="right"), word, what)
    return [Text(told["verdict"], style="bold"), grid]


def tabled(its: Told, console: Console) -> list[RenderableType]:
    """Return a table under its caption; where it is too wide, its columns one part below another.

    Intervals stand beside their figures where there is room, else below them.
    """
    unbounded = console.options.update(max_width=UNBOUNDED)

    def fitting(columns: Sequence[int]) -> list[RenderableType]:
        for between in (" ", "\n"):
            made = drawn(its, columns, between=between)
            if Measurement.get(console, unbounded, made[0]).maximum <= console.width:
                return made
        half = (len(columns) + 1) // 2
        return [*fitting(columns[:half]), *fitting(columns[half:])] if len(columns) > 1 else made

    return [Text(its["caption"], style="bold"), *fitting(range(len(its["columns"])))]


def notes(its: Told, said: set[str]) -> list[RenderableType]:
    """Return what the page says below a table, but for what ``said`` holds; add it to that."""
    new = [note for note in its["notes"] if note not in said]
    said.update(new)
    return [Text(note, style="dim") for note in new]


def drawn(its: Told, columns: Sequence[int], *, between: str) -> list[RenderableType]:
    """Return some columns of a table: its header, then rows under the titles that they have.

    Parameters
    ----------
    its : table
    columns : which, from 0
    between : what parts a figure from its interval, a blank or a line break
    """
    above = headers(its)
    titles = [Text(its["head"]), *(Text(above[k]) for k in columns)]
    bodies = [
        [
            [named(row), *(shown(*row["cells"][k], between=between) for k in columns)]
            for row in body["rows"]
        ]
        for body in its["bodies"]
    ]
    lines = [titles, *(row for body in bodies for row in body)]
    widths = [max(map(wide, column)) for column in zip(*lines, strict=True)]
    parts: list[RenderableType] = [ruled(widths, titles)]
    for body, rows in zip(its["bodies"], bodies, strict=True):
        parts += [Text(body["title"], style="italic")] if body["title"] else []
        made = ruled(widths)
        for row, cells in zip(body["rows"], rows, strict=True):
            made.add_row(*cells, style=TONES.get(row["tone"], ""))
        parts.append(made)
    return parts


def wide(text: Text) -> int:
    """Return the columns of a terminal that a text takes."""
    return max((line.cell_len for line in text.split("\n")), default=0)


def ruled(widths: Sequence[int], titles: Sequence[Text] = ()) -> Table:
    """Return a table without rows; with a line below the titles of its columns, if it has any."""
    made = Table(
        box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, show_header=bool(titles),
        header_style="",
    )  # fmt: skip
    for k, width in enumerate(widths):
        title = titles[k] if titles else ""
        made.add_column(title, justify="right" if k else "left", min_width=width, overflow="fold")
    return made


def headers(its: Told) -> list[str]:
    """Return what stands above each column: its group on a line of its own, then its title."""
    groups = [title for title, width in its["groups"] for _ in range(width)]
    return [f"{groups[k]}\n{t}" if groups else t for k, t in enumerate(its["columns"])]


def named(row: Told) -> Text:
    """Return the header of a row, a model's behind a mark of its colour on the page."""
    colour = row["colour"]
    if not colour:
        return Text(row["head"])
    dark = max(Color.parse(colour).get_truecolor()) <= DARKEST
    return Text.assemble(("\N{BLACK CIRCLE} ", "" if dark else colour), row["head"])


def shown(text: str, detail: str, tone: str, *, between: str) -> Text:
    """Return a figure with what the page prints below it."""
    made = Text(text, style=TONES.get(tone, ""))
    return made.append(f"{between}{detail}", style="not bold dim") if detail else made
