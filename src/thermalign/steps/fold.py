"""Draw one subject-disjoint fold of a protocol."""

from pathlib import Path
from typing import Any

from thermalign import tables
from thermalign.folds import Settings, check_disjoint, split
from thermalign.provenance import stamp
from thermalign.schemas.dataset import FOLDS, IMAGES
from thermalign.settings import parse


def run(
    *, images: Path, protocol: str, fold: int, settings: dict[str, Any], folds: Path, code: str
) -> None:
    """Write the FOLDS of one random split.

    Parameters
    ----------
    images : Path of IMAGES
    protocol, fold : wildcards
    settings : keywords of :class:`thermalign.folds.Settings`
    folds : Path
    code : str
    """
    table = tables.read(images, IMAGES)
    how = parse(Settings, settings, f"protocols.{protocol}")
    drawn = split(table, how, protocol=protocol, fold=fold)
    check_disjoint(drawn, table)
    tables.write(folds, drawn, FOLDS, stamp(code, settings))
