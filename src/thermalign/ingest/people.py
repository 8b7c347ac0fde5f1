"""What must hold across the rows of a manifest: who is who, and what belongs together."""

import re
import unicodedata
from collections.abc import Sequence

import pandas as pd

KEYS = ("subject_id", "session", "condition", "pair_id", "moment")
"""Columns in which two spellings of one name would make two of one person, pair or group."""
OF_PAIR = ("subject_id", "session", "volume", "moment", "range", "condition")
PEOPLE = ("subject_id", "pair_id", "moment")  # names in which a sign before a number tells nothing
LOOKALIKES = str.maketrans("аеорсухѕіј", "aeopcyxsij")
"""Cyrillic small letters that nobody can tell from Latin ones."""

DOUBLED = "is there twice; make it unique"

WHOLE = re.compile(r"^(\d+)[.,]0+$")
BETWEEN = re.compile(r"(?<=\d)[\s_-]+(?=\d)")
ZEROS = re.compile(r"(?<![\d.])0+(?=\d)")
MARKS = r"[!-#%-*,./:;?@\[-\]_{} "
"""Where a set of ASCII's marks and blanks begins; all but the minus sign."""
SPARE = re.compile(rf"{MARKS}-](?!\d)|(?<!\d){MARKS}-]", re.ASCII)
SPARE_SIGNED = re.compile(rf"{MARKS}-](?!\d)|(?<!\d){MARKS}]", re.ASCII)
"""Marks and blanks that tell no two names apart: not between digits, no sign before a number."""


def check_rows(
    images: pd.DataFrame, lines: Sequence[int], pixels: Sequence[str], file: str
) -> None:
    """Refuse rows that contradict each other.

    Parameters
    ----------
    images : DataFrame of IMAGES
    lines : N int
        Rows of the manifest.
    pixels : N str
        Digests of the pictures' counts.
    file : str
        The manifest, for the message.

    Raises
    ------
    ValueError
        If an image_id or a picture is there twice; two names differ only in how they are written;
        a pair has several people, sessions, volumes, moments, ranges or conditions, or two images
        of one modality; a moment has several people, sessions or volumes.
    """
    table = images.assign(line=list(lines), pixels=list(pixels))
    _check_images(table, file)
    for name in KEYS:
        told = table[table["moment"] != table["image_id"]] if name == "moment" else table
        check_spelling(told[name], told["line"], name, file)
    paired = table[table["pair_id"] != ""]
    _check_one(paired, "pair_id", OF_PAIR, file)
    double = paired[paired.duplicated(["pair_id", "modality"])]
    if len(double):
        row = double.iloc[0]
        raise ValueError(
            f"{file} row {row['line']} (image {row['image_id']}): pair_id {row['pair_id']} has two "
            f"{row['modality']} images; a pair has one thermal and one visible image, and moment: "
            "joins further frames"
        )
    _check_one(table, "moment", ("subject_id", "session", "volume"), file)


def _check_images(table: pd.DataFrame, file: str) -> None:
    for name, cure in (
        ("image_id", DOUBLED),
        ("path", "is there twice; one file is one image of one person: drop a row"),
    ):
        double = table[table[name].duplicated()]
        if len(double):
            row = double.iloc[0]
            raise ValueError(f"{file} row {row['line']}: {name} {row[name]} {cure}")
    double = table[table["pixels"].duplicated()]
    if len(double):
        row = double.iloc[0]
        first = table[table["pixels"] == row["pixels"]].iloc[0]
        people = first["subject_id"], row["subject_id"]
        whose = f"{people[0]} and {people[1]}" if people[0] != people[1] else f"{people[0]}, twice"
        raise ValueError(
            f"{file} row {row['line']}: {row['path']} is the picture {first['path']} of row "
            f"{first['line']} (subject {whose}); drop one"
        )


def check_spelling(values: "pd.Series[str]", lines: "pd.Series[int]", name: str, file: str) -> None:
    """Refuse two names that differ only in case, blanks, marks, zeros in front or forms of letters.

    The sign of a number tells conditions apart (``yaw -30`` and ``yaw 30``), but not people.

    Raises
    ------
    ValueError
        Naming both and the row of the second.
    """
    seen: dict[str, str] = {}
    each = values.drop_duplicates()
    for value, line in zip(each, lines.loc[each.index], strict=True):
        first = seen.setdefault(_spelling(value, signed=name not in PEOPLE), value)
        if first != value:
            raise ValueError(
                f"{file} row {line}: {name} {value!r} and {first!r} differ only in how they are "
                "written; write one name in one way, and name two things further apart"
            )


def _spelling(name: str, *, signed: bool) -> str:
    """Return what two spellings of a name share: ``S 01``, ``s.1`` and ``"s01"`` are one.

    Marks between digits stay (``1-1`` is not ``11``), but ``1_1`` and ``1-1`` are one.
    """
    if name.isascii():
        plain = _between(name.lower())
        return ZEROS.sub("", (SPARE_SIGNED if signed else SPARE).sub("", plain))
    plain = unicodedata.normalize("NFKC", name).casefold().translate(LOOKALIKES)
    plain = "".join(str(unicodedata.decimal(c, c)) for c in plain)
    plain = _between(plain)
    kept = "+-" if signed else ""
    plain = "".join(
        c
        for c, before, after in zip(plain, f" {plain}", f"{plain[1:]} ", strict=False)
        if unicodedata.category(c)[0] not in "PZ"
        or (after.isdigit() and (before.isdigit() or c in kept))
    )
    return ZEROS.sub("", plain)


def _between(plain: str) -> str:
    """Return a name without .0 at its end, and with one mark between two numbers."""
    return BETWEEN.sub("_", WHOLE.sub(r"\1", plain))


def _check_one(table: pd.DataFrame, key: str, columns: Sequence[str], file: str) -> None:
    """Refuse a pair or moment whose images differ in a column."""
    for name in columns:
        told = table.assign(first=table.groupby(key)[name].transform("first"))
        other = told[told[name] != told["first"]]
        if len(other):
            row = other.iloc[0]
            raise ValueError(
                f"{file} row {row['line']} (image {row['image_id']}): {key} {row[key]} has two of "
                f"{name}: {row['first']} and {row[name]}; a {key.removesuffix('_id')} is of one"
            )
