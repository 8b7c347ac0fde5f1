"""What a chapter is made of: tables, paragraphs, parts."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from thermalign.report.looks import Look
from thermalign.report.views import Value


@dataclass(frozen=True)
class Bar:
    """A value and its interval around zero, in units of the longest of its table; see ``bar``.

    ``apart`` draws it dark: zero lies outside.
    """

    value: float
    low: float
    high: float
    apart: bool = False

    @property
    def known(self) -> bool:
        """Whether there is a value to draw."""
        return math.isfinite(self.value)

    @property
    def bounded(self) -> bool:
        """Whether there is an interval to draw."""
        return math.isfinite(self.low) and math.isfinite(self.high)


@dataclass(frozen=True)
class Cell:
    """One figure: text, a small second line, tone (best, muted, missing or none), a bar.

    ``hint`` is shown under the pointer, for what few ask about; ``value`` is what the text spells,
    where it is a row of a table.
    """

    text: str
    detail: str = ""
    tone: str = ""
    bar: Bar | None = None
    hint: str = ""
    value: Value | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Row:
    """A header and its cells; ``look`` puts the model's mark before the header.

    ``about`` are the keys of other models that the row tells of.
    """

    head: str
    cells: list[Cell]
    tone: str = ""
    look: Look | None = None
    about: tuple[str, ...] = ()


@dataclass(frozen=True)
class Body:
    """Rows that belong together, under a title where there is more than one such body.

    ``look`` is of the model that all of them tell of.
    """

    rows: list[Row]
    title: str = ""
    look: Look | None = None


@dataclass(frozen=True)
class Table:
    """A table with its caption, header and notes.

    Attributes
    ----------
    caption : str
    head : str
        Title of the column of row headers.
    columns : list of str
        Titles of the other columns.
    bodies : list of Body
    groups : list of (str, int)
        Titles over that many columns each; empty for a header of one row.
    notes : list of str
        Lines under the table.
    folded : str
        Where not empty, the table is folded away behind this line.
    compact : bool
        Whether intervals stand beside their figures instead of under them.
    reading : str
        Where not empty, the table is shown where this reading of ``same_moment`` is chosen.
    """

    kind: ClassVar[str] = "table"
    caption: str
    head: str
    columns: list[str]
    bodies: list[Body]
    groups: list[tuple[str, int]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    folded: str = ""
    compact: bool = False
    reading: str = ""

    def wordy(self, column: int) -> bool:
        """Say whether a column holds words, as the first row has it."""
        rows = [row for body in self.bodies for row in body.rows][:1]
        return any("words" in cell.tone for row in rows for cell in row.cells[column : column + 1])


class Block(Protocol):
    """Anything that a chapter shows; ``kind`` names the macro of the page that shows it."""

    kind: ClassVar[str]


@dataclass(frozen=True)
class Paragraph:
    """A paragraph; its tone is none, absent (what there is not) or warning."""

    kind: ClassVar[str] = "paragraph"
    text: str
    tone: str = ""


@dataclass(frozen=True)
class Bullets:
    """A list of sentences."""

    kind: ClassVar[str] = "bullets"
    items: Sequence[str]


@dataclass(frozen=True)
class Part:
    """Blocks under a title of their own within a chapter; ``protocol`` where they are of one."""

    title: str
    blocks: Sequence[Block]
    protocol: str = ""


@dataclass(frozen=True)
class Chapter:
    """A chapter of the page.

    Attributes
    ----------
    id, title : str
        Target of links; heading.
    parts : sequence of Part
    blocks : sequence of Block
        Before the first part.
    contents : str
        Words in the table of contents, if other than the title.
    """

    id: str
    title: str
    parts: Sequence[Part] = ()
    blocks: Sequence[Block] = ()
    contents: str = ""
