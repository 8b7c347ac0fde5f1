"""What is audited: a manifest, a dataset of a configuration, or one that was ingested."""

import csv
import importlib
import io
import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from thermalign import boxes as face_boxes
from thermalign import tables
from thermalign.audit.examine import examine, faces_of, that_stop
from thermalign.audit.findings import QUARANTINED, Faces, Finding, table_of
from thermalign.audit.page import page_of, write_page
from thermalign.config.checks import dataset_block, manifest_of
from thermalign.geometry import Floats
from thermalign.images import read_counts
from thermalign.ingest import table, tree
from thermalign.ingest.corners import Corners, around, middle_of
from thermalign.ingest.found import Found
from thermalign.ingest.layout import dense
from thermalign.ingest.looks import Looks, look_of, looks_of
from thermalign.ingest.quarantine import Quarantined
from thermalign.ingest.read_rows import GIVEN, AllRead
from thermalign.schemas.dataset import ANNOTATIONS, ATTRIBUTES, BOXES, IMAGES
from thermalign.schemas.descriptions import FINDINGS
from thermalign.settings import parse

PAGE, TABLE, LINES, SUSPECTS = "index.html", "findings.parquet", "findings.csv", "suspects.csv"
CODE = "audit"
"""In the metadata of a table of findings that the command wrote, where a rule's has its code."""


class Audited(NamedTuple):
    """What an audit of a dataset found."""

    name: str
    faces: Faces
    findings: list[Finding]
    left_out: tuple[Quarantined, ...]
    accept: tuple[str, ...]

    @property
    def stops(self) -> list[Finding]:
        """Return the findings with which a study should not begin."""
        return that_stop(self.findings, self.accept)


def audit_of(
    data: Path, study: Mapping[str, Any] | None, *, dataset: str = "", modality: str = ""
) -> Audited:
    """Audit whatever is named.

    Parameters
    ----------
    data : Path
        A manifest, the file of the study, or a folder of an ingested dataset's tables.
    study : mapping, or None
        The checked configuration, where ``data`` is one.
    dataset : str
        Which of its datasets; needed where several are read from files.
    modality : str
        Of a manifest's images, where it has no such column.

    Raises
    ------
    ValueError
        If nothing that could be audited is there.
    """
    if study is None:
        if data.is_dir():
            return audit_tables(data)
        return audit_manifest(data, modality)
    read = [name for name in study["datasets"] if manifest_of(study, name)]
    name = dataset or (read[0] if len(read) == 1 else "")
    if name not in study["datasets"]:
        what = f"no dataset {name!r}" if name else f"{len(read)} datasets are read from files"
        known = ", ".join(study["datasets"])
        raise ValueError(f"{data}: {what}; give --dataset, one of {known}")
    manifest = manifest_of(study, name)
    if manifest is not None:
        return audit_block(name, dataset_block(study, name), manifest)
    folder = Path(study["results"], "data", name)
    if not (folder / "images.parquet").is_file():
        raise ValueError(f"datasets.{name}: is not rendered yet; run the study first")
    return audit_tables(folder)


def check_folder(out: Path, data: Path) -> None:
    """Refuse a folder whose files are not those of an earlier audit.

    Raises
    ------
    ValueError
        If ``out`` is a file, holds what is audited, or a file of that name that nobody wrote here.
    """
    if out.exists() and not out.is_dir():
        raise ValueError(f"{out}: is a file; name a folder for the page")
    ours = (out / TABLE).is_file() and tables.read_metadata(out / TABLE).get("code") == CODE
    for name in (PAGE, TABLE, LINES, SUSPECTS):
        place = out / name
        if place.exists() and (not ours or place.resolve() == data.resolve()):
            raise ValueError(f"{place}: is there and is no earlier audit's; name another folder")


def audit_manifest(file: Path, modality: str = "") -> Audited:
    """Audit a manifest with our column names.

    Parameters
    ----------
    file : Path
    modality : str
        Of its images, where it has no such column.

    Raises
    ------
    ValueError
        If it is no manifest, or the modality is none.
    """
    if modality and modality not in table.MODALITIES:
        raise ValueError(f"--modality {modality}: is none; use one of {list(table.MODALITIES)}")
    defaults = {"modality": modality} if modality else {}
    settings = table.Settings(file.parent, Path(file.name), defaults=defaults)
    return _audited(file.stem, table.read_all(settings, go_on=True))


def audit_block(name: str, block: Mapping[str, Any], manifest: Path) -> Audited:
    """Audit a dataset of a configuration.

    Parameters
    ----------
    name : str
    block : mapping
        The dataset's, its folder resolved.
    manifest : Path
        That of a tree need not have been made.

    Raises
    ------
    ValueError
        If there is no manifest, or it is none.
    """
    own = {key: its for key, its in block.items() if key not in ("adapter", "box", "accept")}
    adapter = importlib.import_module(f"thermalign.ingest.{block['adapter']}")
    settings = parse(adapter.Settings, own, f"datasets.{name}")
    if isinstance(settings, table.Settings):
        read = table.read_all(settings, go_on=True)
    elif isinstance(settings, tree.Settings):
        read = _read_tree(adapter, settings, manifest)
    else:
        read = _read_by(adapter, settings, manifest)
    box = parse(face_boxes.Settings, block["box"], "box")
    return _audited(name, read, box, tuple(block.get("accept", ())))


def audit_tables(folder: Path) -> Audited:
    """Audit a dataset that was ingested: a folder with its tables.

    Raises
    ------
    ValueError
        If a table is missing, or every image.
    """
    images, annotations, boxes = (
        tables.read(folder / f"{name}.parquet", schema)
        for name, schema in (("images", IMAGES), ("annotations", ANNOTATIONS), ("boxes", BOXES))
    )
    if not any(Path(path).exists() for path in images["path"]):
        raise ValueError(
            f"{folder}: none of its images is there, {images['path'].iloc[0]} first; call this "
            "in the folder that the study ran in"
        )
    nothing = ATTRIBUTES.empty_table().to_pandas()
    found = Found(images, annotations, boxes[boxes["source"] == "given"][[*GIVEN]], nothing)
    seen, looks, refused = _looked_at(found, boxes)
    found = Found(_of(images, seen), _of(annotations, seen), _of(found.boxes, seen), nothing)
    found = found._replace(looks=looks)
    faces = faces_of(found, _of(boxes, seen))
    accept = json.loads(tables.read_metadata(folder / "images.parquet")["settings"]).get("accept")
    return Audited(
        folder.name, faces, examine(faces, refused), _left_out(folder), tuple(accept or ())
    )


def _left_out(folder: Path) -> tuple[Quarantined, ...]:
    """Return what was left out as a dataset was ingested."""
    found = tables.read(folder / TABLE, FINDINGS)
    rows = found[found["severity"] == QUARANTINED][["row", "image_id", "reason"]]
    return tuple(Quarantined(folder.name, *its) for its in rows.itertuples(index=False, name=None))


def write_audit(audited: Audited, folder: Path, metadata: tables.Metadata) -> None:
    """Write the page, the findings as Parquet and CSV, and what could be quarantined.

    Parameters
    ----------
    audited : Audited
    folder : Path
    metadata : of the Parquet file
    """
    rows = table_of(audited.findings, audited.left_out, audited.faces)
    page = page_of(audited.name, audited.faces, audited.findings, audited.left_out, audited.accept)
    tables.write(folder / TABLE, rows, FINDINGS, metadata)
    write_page(folder / LINES, rows.to_csv(index=False))
    write_page(folder / SUSPECTS, _suspects(audited))
    write_page(folder / PAGE, page)


def _suspects(audited: Audited) -> str:
    """Return a table that may be named as quarantine, once somebody looked at it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("image", "row", "reason"))
    seen: set[str] = set()
    for its in audited.findings:
        known = its.at >= 0
        image = str(audited.faces.images["image_id"].iloc[its.at]) if known else its.image
        if not image or image in seen:
            continue
        seen.add(image)
        row = audited.faces.lines[its.at] if known and audited.faces.lines else its.row
        writer.writerow((image, row or "", f"{its.check}: {its.reason}"))
    return text.getvalue()


def _read_tree(adapter: Any, settings: tree.Settings, manifest: Path) -> AllRead:
    """Read a tree; one that is refused for what does not fit is read without that."""
    refused = []
    try:
        made = adapter.rows(settings)
    except ValueError as error:
        refused.append(Quarantined(str(settings.folder), 0, "", str(error)))
        try:
            made = adapter.rows(replace(settings, misfits="leave_out"))
        except ValueError:
            return AllRead(_nothing(), [], refused)
    read = tree.read_all(settings, made, manifest)
    return read._replace(refused=[*refused, *read.refused])


def _read_by(adapter: Any, settings: Any, manifest: Path) -> AllRead:
    """Read a dataset by an adapter that tells the first thing alone that is wrong."""
    try:
        found = adapter.read(settings, [manifest])
    except ValueError as error:
        return AllRead(_nothing(), [], [Quarantined(str(manifest), 0, "", str(error))])
    return AllRead(found, [], [])


def _nothing() -> Found:
    """Return a dataset without images."""
    images, annotations, boxes, attributes = (
        schema.empty_table().to_pandas() for schema in (IMAGES, ANNOTATIONS, BOXES, ATTRIBUTES)
    )
    return Found(images, annotations, boxes, attributes)


def _audited(
    name: str,
    read: AllRead,
    box: face_boxes.Settings | None = None,
    accept: Collection[str] = (),
) -> Audited:
    found, refused = read.found, [*read.refused]
    if not len(found.images):
        found = _nothing()._replace(quarantined=found.quarantined)
    boxes = found.boxes[[*GIVEN]].assign(source="given")
    if box is not None and len(found.images):
        try:
            boxes = face_boxes.make_boxes(found.images, found.annotations, found.boxes, box)
        except ValueError as error:
            refused.append(Quarantined(name, 0, "", str(error)))
    faces = faces_of(found, boxes, read.lines)
    return Audited(name, faces, examine(faces, refused), found.quarantined, tuple(accept))


def _looked_at(found: Found, boxes: pd.DataFrame) -> tuple[set[str], Looks, list[Quarantined]]:
    """Read the pictures of a dataset; return which could be read, how they look, and the rest."""
    points, _ = dense(found)
    _, placed = dense(found._replace(boxes=boxes))
    looks, seen, refused = [], set(), []
    for k, (image, path) in enumerate(
        zip(found.images["image_id"], found.images["path"], strict=True)
    ):
        try:
            looks.append(look_of(read_counts(Path(path)), _face(points[k], placed[k])))
            seen.add(image)
        except (OSError, ValueError) as error:
            refused.append(Quarantined(path, 0, image, str(error)))
    return seen, looks_of(looks), refused


def _face(points: Floats, box: Floats) -> Corners | None:
    """Return where a face is, by its landmarks (L, 2) or else its box (4,), NaN where none is."""
    if np.isfinite(points).all():
        return around(points.tolist())
    return middle_of(*box.tolist()) if np.isfinite(box).all() else None


def _of(frame: pd.DataFrame, images: Collection[str]) -> pd.DataFrame:
    return frame[frame["image_id"].isin(images)].reset_index(drop=True)
