"""Refuse results of which Snakemake's records do not say how they were made.

Snakemake takes such a result as it is: no changed setting and no changed code ever makes it due.
Standard library only.
"""

import base64
import contextlib
import json
from collections.abc import Iterable
from pathlib import Path

METADATA = Path(".snakemake", "metadata")
"""Where Snakemake keeps a record of how each output was made."""

INCOMPLETE = Path(".snakemake", "incomplete")
"""Where it marks outputs whose jobs were begun and did not end."""


def check_records(folders: Iterable[Path]) -> None:
    """Refuse a damaged record of a result, and tables of which there is no record.

    Parameters
    ----------
    folders : of Path
        In which jobs alone write tables, as the configuration spells them; records are looked for
        in the working directory.

    Raises
    ------
    ValueError
        Naming the first.
    """
    begun, records = outputs_in(INCOMPLETE), outputs_in(METADATA)
    for output, file in records.items():
        # A job that was killed as its record was written is marked as begun, and runs again.
        if output not in begun and Path(output).exists() and not is_whole(file):
            raise ValueError(
                f"{file}: this record of how {output} was made is damaged; "
                f"delete {output} and run again, which makes it anew"
            )
    known = begun.keys() | records.keys()
    unknown = [
        table
        for folder in folders
        for table in sorted(folder.rglob("*.parquet"))
        if known.isdisjoint(map(str, (table, *table.parents)))  # a folder may be an output
    ]
    if unknown:
        more = f" and {len(unknown) - 1} more tables" if len(unknown) > 1 else ""
        raise ValueError(
            f"{unknown[0]}{more}: no record in {METADATA} says how they were made; bring the "
            "results and the .snakemake that they were made with together again, or delete such "
            "tables and run again, or name another folder (results: of the configuration)"
        )


def outputs_in(folder: Path) -> dict[str, Path]:
    """Return the outputs that one of Snakemake's own folders keeps files about, with the files."""
    found = {}
    for path in folder.rglob("*"):
        # A long name is cut: its first parts are folders that begin with @.
        name = path.relative_to(folder).as_posix().replace("@", "").replace("/", "")
        with contextlib.suppress(ValueError):  # no record of Snakemake's
            if path.is_file():
                found[base64.urlsafe_b64decode(name).decode()] = path
    return found


def is_whole(file: Path) -> bool:
    """Say whether a record can be read."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:  # no JSON, or no text
        return False
    return isinstance(found, dict) and bool(found)
