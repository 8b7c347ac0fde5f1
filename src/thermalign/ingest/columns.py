"""Which column of a manifest is which of ours, and what stands in for a column that is absent."""

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

from thermalign.geometry import LANDMARKS
from thermalign.ingest.cells import clean, clean_path
from thermalign.ingest.lines import Cells, Lines
from thermalign.ingest.manifest import Manifest

REQUIRED = ("path", "subject_id")
DEFAULTS = {
    "session": "1",
    "volume": "1",
    "range": "1",
    "condition": "unspecified",
    "pair_id": "",
    "scale": "",
    "offset": "",
}
FILLED = ("modality", "session", "volume", "range", "condition")
"""Columns that a manifest fills in every row or in none."""
BOX = ("box_x", "box_y", "box_width", "box_height")
POINTS = (*(f"{name}_{axis}" for name in LANDMARKS for axis in "xy"),)
VISIBLE = (*(f"{name}_visible" for name in LANDMARKS),)
OURS = (*REQUIRED, "image_id", "modality", *DEFAULTS, "moment", *BOX, *POINTS, *VISIBLE)
MAY_DEFAULT = (*FILLED, "scale", "offset", *BOX, *VISIBLE)
ATTRIBUTE = re.compile(r"[a-z][a-z0-9_]*")
WORDS = {
    **dict.fromkeys(("thermal", "lwir", "mwir", "ir", "infrared", "tir"), "thermal"),
    **dict.fromkeys(("visible", "vis", "rgb", "visual"), "visible"),
}
"""Words by which people call a modality."""
SECOND = re.compile(r"(.+)\.\d+")
UNIT = re.compile(r"\s*[(\[].*[)\]]$|[ ._](m|cm|k|px|pixels?|met(er|re)s?)$")
JOINED = re.compile(r"[._](x|y|left|right)$")
NEAR = 5  # letters from which one edit makes another word of a column's name


@dataclass(frozen=True)
class Rows:
    """The rows of a manifest by our names; each is put together as it is asked for.

    Attributes
    ----------
    cells : Lines
    place : mapping of our column name to the number of its cell
    fill : mapping of our column name to text
        Of what no cell says.
    """

    cells: Lines
    place: Mapping[str, int]
    fill: Mapping[str, str]

    def __len__(self) -> int:
        return len(self.cells)

    def __iter__(self) -> Iterator[tuple[int, Cells]]:
        for line, cells in self.cells:
            yield line, {**self.fill, **{n: _cell(n, cells[k]) for n, k in self.place.items()}}

    def __getitem__(self, some: slice) -> "Rows":
        return replace(self, cells=self.cells[some])

    @property
    def lines(self) -> list[int]:
        """Line of every row."""
        return self.cells.numbers.tolist()

    def column(self, name: str) -> list[str]:
        """Return one of our columns; ``""`` where nothing is said."""
        if name not in self.place:
            return [self.fill.get(name, "")] * len(self)
        k = self.place[name]
        return [_cell(name, cells[k]) for _, cells in self.cells]

    def without(self, places: Container[int]) -> "Rows":
        """Return the rows but those at some places, which count from 0."""
        return replace(self, cells=self.cells.without(places))


def rows_of(
    manifest: Manifest,
    columns: Mapping[str, str],
    defaults: Mapping[str, Any],
    attributes: Sequence[str],
) -> Rows:
    """Return the rows by our names; ``""`` where nothing is said.

    Parameters
    ----------
    manifest : Manifest
    columns : mapping of our column name to the manifest's
    defaults : mapping of our column name to text or number
        Of columns that the manifest lacks, or leaves empty in every row.
    attributes : names of further columns

    Raises
    ------
    ValueError
        If a name is unknown, ambiguous or nearly one of ours, or a column that must be there or
        be filled is not.
    """
    file, header = manifest.file, manifest.header
    check_attributes(attributes, str(file))
    _check_columns(columns, header, attributes, str(file))
    fill = {**DEFAULTS, **_check_defaults(defaults, attributes, str(file))}
    theirs = {name: name for name in (*OURS, *attributes) if name in header}
    theirs |= {ours: clean(name) for ours, name in columns.items()}
    used = set(theirs.values())
    for name in header:
        if name not in used:
            _check_ignored(name, [n for n in (*OURS, *attributes) if n not in theirs], str(file))
    place = {ours: header.index(name) for ours, name in theirs.items()}
    empty = _empty(manifest, place)
    _check_present({*place, *fill}, attributes, str(file))
    if "modality" not in place or "modality" in empty:
        _check_modality(manifest, used, fill["modality"])
    told = {n: k for n, k in place.items() if n not in empty}
    rows = Rows(manifest.rows, told, fill)
    _check_filled(rows, str(file))
    return rows


def _empty(manifest: Manifest, place: Mapping[str, int]) -> set[str]:
    """Return the columns that no row fills."""
    empty = {*place}
    for _, cells in manifest.rows:
        empty -= {name for name in empty if clean(cells[place[name]])}
        if not empty:
            break
    return empty


def _check_present(known: set[str], attributes: Sequence[str], file: str) -> None:
    for name in (*REQUIRED, "modality"):
        if name not in known:
            raise ValueError(
                f"{file}: no column {name!r}; add it, or name it under columns: or defaults:"
            )
    for name in attributes:
        if name not in known:
            raise ValueError(
                f"{file}: no column {name!r}, which attributes: names; add it, name it under "
                "columns:, or drop it"
            )


def _check_modality(manifest: Manifest, used: set[str], filled: str) -> None:
    """Refuse an ignored column that tells the modality otherwise than defaults: does."""
    for number, name in enumerate(manifest.header):
        said = {clean(cells[number]).lower() for _, cells in manifest.rows}
        if name not in used and said <= {*WORDS} and {WORDS[w] for w in said} != {filled.lower()}:
            raise ValueError(
                f"{manifest.file}: column {name!r} says {', '.join(sorted(said))}, but every row "
                f"is {filled} by defaults: (or --modality); write thermal and visible, and read it "
                f"by columns: {{modality: {name}}}, or delete it"
            )


def check_attributes(attributes: Sequence[str], file: str) -> None:
    """Refuse names of attributes that cannot be names of columns or rows of ATTRIBUTES.

    Raises
    ------
    ValueError
        Naming the attribute that is misspelt, a column of its own or there twice.
    """
    for number, name in enumerate(attributes):
        if not (isinstance(name, str) and ATTRIBUTE.fullmatch(name)):
            raise ValueError(
                f"{file}: attributes: names {name!r}; write small letters, digits and _, a letter "
                "first (columns: may read it from a column of another name)"
            )
        if name in OURS or name in attributes[:number]:
            raise ValueError(
                f"{file}: attributes: names {name!r}, which is a column of its own or there "
                "twice; drop it"
            )


def _check_columns(
    columns: Mapping[str, str], header: list[str], attributes: Sequence[str], file: str
) -> None:
    taken: dict[str, str] = {}
    for ours, named in columns.items():
        if ours not in (*OURS, *attributes):
            raise ValueError(f"{file}: columns: has an unknown key {ours!r}{_nearest(ours, OURS)}")
        theirs = clean(str(named))
        if theirs not in header:
            raise ValueError(
                f"{file}: no column {theirs!r}, which columns: names for {ours!r}"
                f"{_nearest(theirs, header)}"
            )
        if theirs in taken:
            raise ValueError(
                f"{file}: columns: reads {taken[theirs]!r} and {ours!r} from {theirs!r}; name a "
                "column of its own for each"
            )
        if ours in header and ours != theirs:
            raise ValueError(
                f"{file}: columns: reads {ours!r} from {theirs!r}, but there is a column {ours!r} "
                "too; rename or delete it, or drop the key"
            )
        if theirs in OURS and theirs != ours:
            raise ValueError(
                f"{file}: columns: reads {ours!r} from {theirs!r}, which has a meaning of its "
                f"own; give {ours!r} a column of its own"
            )
        taken[theirs] = ours


def _check_defaults(
    defaults: Mapping[str, Any], attributes: Sequence[str], file: str
) -> dict[str, str]:
    allowed = (*MAY_DEFAULT, *attributes)
    for name, value in defaults.items():
        if name not in allowed:
            raise ValueError(f"{file}: defaults: cannot have {name!r}{_nearest(name, allowed)}")
        if (isinstance(value, bool) and name not in VISIBLE) or not isinstance(
            value, str | int | float
        ):
            raise ValueError(f"{file}: defaults: {name} is {value!r}; give text or a number")
    told = {name: clean(str(value)) for name, value in defaults.items()}
    for name, value in told.items():
        if name in FILLED and not value:
            raise ValueError(f"{file}: defaults: {name} is empty; give a value or drop the key")
    return told


def _cell(name: str, text: str) -> str:
    return clean_path(text) if name == "path" else clean(text)


def _check_filled(rows: Rows, file: str) -> None:
    """Refuse the first row that leaves empty what must be told."""
    needed = [n for n in (*REQUIRED, *FILLED) if n in rows.place or not rows.fill.get(n)]
    for line, cells in rows.cells:
        for name in needed:
            if name not in rows.place or not _cell(name, cells[rows.place[name]]):
                cure = "" if name in REQUIRED else " in every row, or delete the column"
                raise ValueError(f"{file} row {line}: {name} is empty; fill it{cure}")


def _check_ignored(name: str, absent: Iterable[str], file: str) -> None:
    """Refuse a column that is nearly, but not quite, one of ours that is absent.

    A unit (``range (m)``) and what joined data frames add (``range_x``) are taken off.
    A second column of one name (``range.1``) is refused in any case.
    """
    second = SECOND.fullmatch(name)
    if second and second[1] in OURS:
        raise ValueError(
            f"{file}: column {name!r} is a second {second[1]!r}, as data frames name it; delete or "
            "rename one"
        )
    whole = UNIT.sub("", name.lower())
    plain = {re.sub(r"[\W_]+", "_", n).strip("_") for n in (whole, JOINED.sub("", whole))}
    for ours in absent:
        if any(_near(said, ours) for said in plain):
            raise ValueError(
                f"{file}: column {name!r} is nearly {ours!r}; write {ours!r}, read it by columns: "
                f"{{{ours}: {name}}}, or rename it if it is something else"
            )


def _near(name: str, ours: str) -> bool:
    same = name.replace("_", "") == ours.replace("_", "")
    return same or (name, ours) == ("pair", "pair_id") or _one_edit(name, ours)


def _one_edit(a: str, b: str) -> bool:
    """Return whether one letter more, less, other, or two in the other order makes a word b."""
    if abs(len(a) - len(b)) > 1 or len(b) < NEAR:
        return False
    shorter = min(len(a), len(b))
    head = next((k for k in range(shorter) if a[k] != b[k]), shorter)
    one, other = a[head:], b[head:]
    swapped = one[:2] == other[:2][::-1] and one[2:] == other[2:]
    return swapped or one[1:] == other[1:] or one == other[1:] or one[1:] == other


def _nearest(name: str, allowed: Iterable[str]) -> str:
    near = get_close_matches(str(name), list(allowed), n=1, cutoff=0.5)
    if near:
        return f"; is it {near[0]!r}?"
    return f"; choose one of {', '.join(allowed)}"
