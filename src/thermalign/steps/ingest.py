"""Read a dataset into IMAGES, ANNOTATIONS and BOXES."""

import importlib
from pathlib import Path
from typing import Any

from thermalign import boxes as face_boxes
from thermalign import originals, tables
from thermalign.provenance import stamp
from thermalign.schemas.dataset import ANNOTATIONS, BOXES, IMAGES


def run(
    *,
    dataset: dict[str, Any],
    sources: list[Path],
    images: Path,
    annotations: Path,
    boxes: Path,
    files: Path,
    fingerprint: str,
    code: str,
) -> None:
    """Check a dataset and write its three tables.

    Parameters
    ----------
    dataset : the dataset's block of the configuration, its folder resolved
    sources : list of Path
        Chunk folders of the simulator, or the manifest.
    images, annotations, boxes : Path
    files : Path
        Record of the files that were read, as :mod:`thermalign.originals` writes it.
    fingerprint : str
        Of those files, as the job was planned.
    code : str
    """
    adapter = importlib.import_module(f"thermalign.ingest.{dataset['adapter']}")
    found, points, given = adapter.read(_settings(adapter, dataset, sources))
    digests = dict(zip(found["path"], found["sha256"], strict=True))
    if dataset["adapter"] == "simulator":
        originals.check_images(digests)
    settings = face_boxes.Settings(**dataset["box"])
    made = face_boxes.make_boxes(found, points, given, settings)
    metadata = stamp(code, dataset)
    tables.write(images, found, IMAGES, metadata)
    tables.write(annotations, points, ANNOTATIONS, metadata)
    tables.write(boxes, made, BOXES, metadata)
    originals.write_record(files, fingerprint, sources, digests)


def _settings(adapter: Any, dataset: dict[str, Any], sources: list[Path]) -> Any:
    if dataset["adapter"] == "simulator":
        return adapter.Settings(chunks=sources)
    return adapter.Settings(
        folder=Path(dataset["folder"]),
        manifest=Path(dataset["manifest"]),
        columns=dataset.get("columns", {}),
        defaults=dataset.get("defaults", {}),
    )
