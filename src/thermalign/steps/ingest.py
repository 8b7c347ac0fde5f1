"""Read a dataset into IMAGES, ANNOTATIONS, BOXES and ATTRIBUTES."""

import importlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from thermalign import boxes as face_boxes
from thermalign import originals, tables
from thermalign.provenance import stamp
from thermalign.schemas.dataset import ANNOTATIONS, ATTRIBUTES, BOXES, IMAGES


def run(
    *,
    settings: dict[str, Any],
    sources: list[Path],
    images: Path,
    annotations: Path,
    boxes: Path,
    attributes: Path,
    files: Path,
    fingerprint: str,
    code: str,
) -> None:
    """Check a dataset and write its tables, all or none.

    Parameters
    ----------
    settings : the dataset's block of the configuration, its folder resolved
    sources : list of Path
        Chunk folders of the simulator, or the manifest.
    images, annotations, boxes, attributes : Path
    files : Path
        Record of the files that were read, as :mod:`thermalign.originals` writes it.
    fingerprint : str
        Of those files, as the job was planned.
    code : str
    """
    adapter = importlib.import_module(f"thermalign.ingest.{settings['adapter']}")
    box = face_boxes.Settings(**settings["box"])
    face_boxes.check_settings(box)
    found = adapter.read(_settings(adapter, settings, sources))
    digests = dict(zip(found.images["path"], found.images["sha256"], strict=True))
    if settings["adapter"] == "simulator":
        originals.check_images(digests)
    try:
        made = face_boxes.make_boxes(found.images, found.annotations, found.boxes, box)
    except ValueError as error:
        raise ValueError(f"{sources[0] if sources else 'dataset'}: {error}") from None
    outputs = {
        images: (found.images, IMAGES),
        annotations: (found.annotations, ANNOTATIONS),
        boxes: (made, BOXES),
        attributes: (found.attributes, ATTRIBUTES),
    }
    write_together(outputs, stamp(code, settings))
    originals.write_record(files, fingerprint, sources, digests)


def write_together(
    outputs: Mapping[Path, tuple[pd.DataFrame, Any]], metadata: tables.Metadata
) -> None:
    """Write tables beside their places, and put them there when all are written.

    Raises
    ------
    ValueError
        As :func:`thermalign.tables.write` does, or where a folder is in a table's place; nothing
        is changed then.
    """
    for path in outputs:
        if path.is_dir():
            raise ValueError(f"{path}: is a folder where a table goes; remove it")
    beside = {path: path.with_name(f".{path.name}.{os.getpid()}.new") for path in outputs}
    try:
        for path, (frame, schema) in outputs.items():
            tables.write(beside[path], frame, schema, metadata)
        for path, temporary in beside.items():
            temporary.replace(path)
    finally:
        for temporary in beside.values():
            temporary.unlink(missing_ok=True)


def _settings(adapter: Any, dataset: dict[str, Any], sources: list[Path]) -> Any:
    if dataset["adapter"] == "simulator":
        return adapter.Settings(chunks=sources)
    return adapter.Settings(
        folder=Path(dataset["folder"]),
        manifest=Path(dataset["manifest"]),
        columns=dataset.get("columns", {}),
        defaults=dataset.get("defaults", {}),
        attributes=dataset.get("attributes", []),
        thermal_colour=dataset.get("thermal_colour", "refuse"),
    )
