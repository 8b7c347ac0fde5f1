"""Read a dataset into IMAGES, ANNOTATIONS, BOXES and ATTRIBUTES."""

import importlib
from pathlib import Path
from typing import Any

from thermalign import boxes as face_boxes
from thermalign import originals, tables
from thermalign.audit.examine import examine, faces_of, refuse
from thermalign.audit.findings import table_of
from thermalign.audit.page import page_of, write_page
from thermalign.provenance import stamp
from thermalign.schemas.dataset import ANNOTATIONS, ATTRIBUTES, BOXES, IMAGES
from thermalign.schemas.descriptions import FINDINGS
from thermalign.settings import parse


def run(
    *,
    settings: dict[str, Any],
    sources: list[Path],
    images: Path,
    annotations: Path,
    boxes: Path,
    attributes: Path,
    files: Path,
    findings: Path,
    audit: Path,
    fingerprint: str,
    code: str,
) -> None:
    """Check a dataset and write its tables, all or none.

    An adapter is a module of ``ingest`` with ``Settings``, its keys of the dataset's block, and
    ``read(settings, sources)``, which returns what it found.

    Parameters
    ----------
    settings : the dataset's block of the configuration, its folder resolved
    sources : list of Path
        Chunk folders of the simulator, or the manifest.
    images, annotations, boxes, attributes : Path
    files : Path
        Record of the files that were read, as :mod:`thermalign.originals` writes it.
    findings : Path
        Table of what is suspicious, and of what was left out.
    audit : Path
        The same as a page with pictures.
    fingerprint : str
        Of those files, as the job was planned.
    code : str

    Raises
    ------
    ValueError
        If the adapter refuses what it reads, an image has no face box, or something is found with
        which a study should not begin.
    """
    adapter = importlib.import_module(f"thermalign.ingest.{settings['adapter']}")
    others = ("adapter", "box", "accept")
    own = {key: value for key, value in settings.items() if key not in others}
    box = parse(face_boxes.Settings, settings["box"], "box")
    found = adapter.read(parse(adapter.Settings, own, "dataset"), sources)
    try:
        made = face_boxes.make_boxes(found.images, found.annotations, found.boxes, box)
    except ValueError as error:
        raise ValueError(f"{sources[0] if sources else 'dataset'}: {error}") from None
    faces = faces_of(found, made, found.lines)
    suspicious, accept = examine(faces), settings.get("accept", [])
    refuse(suspicious, accept, sources)
    rows = table_of(suspicious, found.quarantined, faces)
    page = page_of(findings.parent.name, faces, suspicious, found.quarantined, accept)
    outputs = {
        images: (found.images, IMAGES),
        annotations: (found.annotations, ANNOTATIONS),
        boxes: (made, BOXES),
        attributes: (found.attributes, ATTRIBUTES),
        findings: (rows, FINDINGS),
    }
    tables.write_together(outputs, stamp(code, settings))
    write_page(audit, page)
    digests = dict(zip(found.images["path"], found.images["sha256"], strict=True))
    read = [*sources, *(Path(own["folder"], own[key]) for key in ("quarantine",) if own.get(key))]
    originals.write_record(files, fingerprint, read, digests)
