"""Rows of cells in little room: one piece of text a row, where a cell of its own takes a row's."""

from array import array
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from typing import overload

BETWEEN = "\0"
"""What stands between two cells; none holds it, since it is refused in manifests, and no file's
name does."""

Line = tuple[int, list[str]]
"""Number of a line, from 1 with the header's, and its cells."""

Cells = dict[str, str]
"""Cells of a row by column."""


class Lines(Sequence[Line]):
    """Lines of a table: the number of each, and its cells, which are cut as they are asked for."""

    def __init__(self, lines: Iterable[tuple[int, Iterable[str]]] = ()) -> None:
        """Take lines in, one by one."""
        self.numbers = array("q")
        self._texts: list[str] = []
        for number, cells in lines:
            self.numbers.append(number)
            self._texts.append(BETWEEN.join(cells))

    def __len__(self) -> int:
        return len(self._texts)

    def __iter__(self) -> Iterator[Line]:
        for number, text in zip(self.numbers, self._texts, strict=True):
            yield number, text.split(BETWEEN)

    @overload
    def __getitem__(self, at: int) -> Line: ...

    @overload
    def __getitem__(self, at: slice) -> "Lines": ...

    def __getitem__(self, at: int | slice) -> "Line | Lines":
        if isinstance(at, int):
            return self.numbers[at], self._texts[at].split(BETWEEN)
        return _of(self.numbers[at], self._texts[at])

    def without(self, places: Container[int]) -> "Lines":
        """Return the lines but those at some places, which count from 0."""
        kept = [k for k in range(len(self)) if k not in places]
        return _of(array("q", (self.numbers[k] for k in kept)), [self._texts[k] for k in kept])

    def change(self, how: Callable[[int, list[str]], Iterable[str]]) -> None:
        """Put what ``how`` makes of a line's number and cells in their place, line by line."""
        for k, (number, text) in enumerate(zip(self.numbers, self._texts, strict=True)):
            self._texts[k] = BETWEEN.join(how(number, text.split(BETWEEN)))


def _of(numbers: "array[int]", texts: list[str]) -> Lines:
    lines = Lines()
    lines.numbers, lines._texts = numbers, texts
    return lines


class Records(Sequence[Cells]):
    """Rows that name their columns, which may differ from row to row."""

    def __init__(self, rows: Iterable[Mapping[str, str]] = ()) -> None:
        """Take rows in, one by one."""
        known: dict[tuple[str, ...], int] = {}
        self._lines = Lines(
            (known.setdefault(tuple(row), len(known)), row.values()) for row in rows
        )
        self._columns = [*known]

    def __len__(self) -> int:
        return len(self._lines)

    def __iter__(self) -> Iterator[Cells]:
        for kind, cells in self._lines:
            yield dict(zip(self._columns[kind], cells, strict=True))

    @overload
    def __getitem__(self, at: int) -> Cells: ...

    @overload
    def __getitem__(self, at: slice) -> list[Cells]: ...

    def __getitem__(self, at: int | slice) -> Cells | list[Cells]:
        if isinstance(at, slice):
            return [self[k] for k in range(*at.indices(len(self)))]
        kind, cells = self._lines[at]
        return dict(zip(self._columns[kind], cells, strict=True))

    @property
    def columns(self) -> list[str]:
        """Every column that a row has, in the order in which they came first."""
        return [*dict.fromkeys(name for names in self._columns for name in names)]
