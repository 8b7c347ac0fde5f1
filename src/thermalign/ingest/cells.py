"""One cell of a manifest: text as people see it, numbers, whole numbers, yes or no."""

import math
import re
import unicodedata

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
LARGEST_WHOLE = 9999
YES = frozenset({"", "true", "t", "yes", "y", "1", "1.0"})
NO = frozenset({"false", "f", "no", "n", "0", "0.0"})
MISSING = frozenset(
    {"nan", "-nan", "na", "n/a", "n.a.", "<na>", "nat", "null", "none", "nil"}
    | {"unknown", "undefined", "missing", "(blank)", "tbd", "1.#qnan", "1.#ind", "-1.#ind"}
    | {"#n/a", "#ref!", "#value!", "#name?", "#null!", "#div/0!", "#num!", "#spill!", "#calc!"}
)
"""What other programs and people write where nothing is known, beside marks alone."""
LOST = re.compile(r"[^\W\d_]\?[^\W\d_]")
ROUNDED = re.compile(r"\d([.,]\d+)?[eE]\+\d+")
"""How spreadsheets and data frames write long numbers, so that several become one."""


def clean(text: str) -> str:
    """Return text as people see it: composed (NFC), without invisible characters, stripped.

    Characters of the category Cf (byte-order marks, zero-width blanks, marks of direction) go;
    every run of white space, no-break blanks too, becomes one blank.
    """
    if text.isascii():
        return " ".join(text.split())
    seen = "".join(c for c in text if unicodedata.category(c) != "Cf")
    return unicodedata.normalize("NFC", " ".join(seen.split()))


def clean_path(text: str) -> str:
    """Return a path without white space and invisible characters at its ends alone."""
    if text.isascii():
        return text.strip()
    start, stop = 0, len(text)
    while start < stop and _invisible(text[start]):
        start += 1
    while stop > start and _invisible(text[stop - 1]):
        stop -= 1
    return text[start:stop]


def _invisible(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) == "Cf"


def is_missing(cell: str) -> bool:
    """Return whether a cell says, in words or by marks alone, that nothing is known."""
    if cell and not cell[0].isalnum() and all(unicodedata.category(c)[0] == "P" for c in cell):
        return True
    return cell.lower() in MISSING


def is_garbled(cell: str) -> bool:
    """Return whether letters were lost or exchanged as text was saved in another encoding.

    ``M\ufffdller`` and ``M?ller`` lack a letter; ``MÃ¼ller`` is UTF-8 that was read as cp1252.
    """
    if cell.isascii():
        return "?" in cell and bool(LOST.search(cell))
    if "\ufffd" in cell or LOST.search(cell):
        return True
    try:
        return cell.encode("cp1252").decode("utf-8") != cell
    except UnicodeError:
        return False


def is_rounded(cell: str) -> bool:
    """Return whether a name was a long number once, of which a program kept the first digits."""
    return "+" in cell and bool(ROUNDED.fullmatch(cell))


def number(cell: str, name: str, where: str) -> float:
    """Return a finite number as programs write it: ``12``, ``-0.5`` or ``1e-3``.

    Raises
    ------
    ValueError
        For anything else: NaN and infinity, a decimal comma, separated thousands, hexadecimal
        digits, underscores, digits of other scripts, units.
    """
    if not NUMBER.fullmatch(cell):
        if is_missing(cell) or cell.lower().lstrip("+-") in ("inf", "infinity"):
            cure = "give a finite number, or leave the cell empty where it may be"
        elif "," in cell:
            cure = "write 12.5, with a point and without separators of thousands"
        else:
            cure = "write a plain number such as 12 or 0.5, or leave it empty where it may be"
        raise ValueError(f"{where}: {name} is {cell!r}; {cure}")
    value = float(cell)
    if not math.isfinite(value):
        raise ValueError(f"{where}: {name} is {cell!r}, which is too large; give a finite number")
    return value


def whole(cell: str, name: str, where: str) -> int:
    """Return a whole number from 1 to 9999; ``1.0`` is one.

    Raises
    ------
    ValueError
        For anything else.
    """
    value = number(cell, name, where)
    if value != int(value) or not 1 <= value <= LARGEST_WHOLE:
        raise ValueError(
            f"{where}: {name} is {cell!r}; give a whole number from 1 to {LARGEST_WHOLE}"
        )
    return int(value)


def yes_or_no(cell: str, name: str, where: str) -> bool:
    """Return what a cell says; an empty one says yes.

    Raises
    ------
    ValueError
        If it says neither.
    """
    if cell.lower() in YES:
        return True
    if cell.lower() in NO:
        return False
    raise ValueError(f"{where}: {name} is {cell!r}; write true or false (yes, no, 1 and 0 do too)")
