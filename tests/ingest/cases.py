"""What a case of the corpus is, how it is run, and what its pictures and manifests are made of."""

import csv
import io
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from thermalign import tables
from thermalign.schemas import dataset as schemas
from thermalign.steps import ingest

POINTS = {
    "right_eye_x": 12, "right_eye_y": 16, "left_eye_x": 27, "left_eye_y": 16,
    "nose_base_x": 19.5, "nose_base_y": 24, "right_mouth_corner_x": 14,
    "right_mouth_corner_y": 31, "left_mouth_corner_x": 25, "left_mouth_corner_y": 31,
}  # fmt: skip
WIDTH, HEIGHT = 40, 48
TABLES = ("images", "annotations", "boxes", "attributes")


@dataclass(frozen=True)
class Case:
    """Input, and what must come of it.

    Attributes
    ----------
    name : str
    refused : str
        Fragments of the message, joined by " ... ": the culprit first, the cure last.
    right : mapping of "table.column" to list
        Values expected of an accepted input.
    manifest : list of rows, text or bytes
    files : mapping of name to bytes, array, or function of the folder
        Beside ``a.png`` and ``b.png`` (16-bit), ``v.png`` and ``w.png`` (8-bit).
    block : mapping
        Keys of the dataset's block that differ.
    """

    name: str
    refused: str = ""
    right: Mapping[str, list[Any]] = field(default_factory=dict)
    manifest: Any = None
    files: Mapping[str, Any] = field(default_factory=dict)
    block: Mapping[str, Any] = field(default_factory=dict)


def row(path: str = "a.png", subject: str = "s1", **changes: Any) -> dict[str, Any]:
    return {"path": path, "subject_id": subject, **POINTS, **changes}


def bare(path: str = "a.png", subject: str = "s1", **changes: Any) -> dict[str, Any]:
    return {"path": path, "subject_id": subject, **changes}


def pair(**changes: Any) -> list[dict[str, Any]]:
    """Return two rows of which the first differs."""
    return [row(**changes), row("b.png", "s2")]


def both(**changes: Any) -> list[dict[str, Any]]:
    """Return two rows of which each has the same extra cells."""
    return [row(**changes), row("b.png", "s2", **changes)]


def write_rows(rows: list[dict[str, Any]], separator: str = ",") -> str:
    names = list(dict.fromkeys(key for r in rows for key in r))
    file = io.StringIO()
    writer = csv.DictWriter(file, names, restval="", delimiter=separator, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def texture(seed: int, kind: Any = np.uint16, channels: int = 0) -> Any:
    """Return a picture without two alike: counts about 8000 of 16 bits, or 40 to 220 of 8."""
    shape = (HEIGHT, WIDTH, channels) if channels else (HEIGHT, WIDTH)
    noise = np.random.default_rng(seed).random(shape)
    return (40 + 180 * noise if kind == np.uint8 else 7000 + 2000 * noise).astype(kind)


def encode(picture: Any, suffix: str = ".png", options: tuple[int, ...] = ()) -> bytes:
    return cv2.imencode(suffix, picture, options)[1].tobytes()


def make(case: Case, folder: Path) -> dict[str, Any]:
    """Write the case's files; return its dataset block."""
    folder.mkdir(parents=True)
    standard = {
        "a.png": texture(1), "b.png": texture(2),
        "v.png": texture(3, np.uint8), "w.png": texture(4, np.uint8, 3),
    }  # fmt: skip
    manifest = pair() if case.manifest is None else case.manifest
    text = write_rows(manifest) if isinstance(manifest, list) else manifest
    for name, content in {**standard, "faces.csv": text, **case.files}.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Callable):
            content(place)
        elif isinstance(content, str):
            place.write_bytes(content.encode())
        else:
            suffix = place.suffix or ".png"
            place.write_bytes(content if isinstance(content, bytes) else encode(content, suffix))
    standard_block = {
        "adapter": "table", "folder": str(folder), "manifest": "faces.csv",
        "defaults": {"modality": "thermal"}, "box": {"source": "derived", "shift": 0, "scale": 0},
    }  # fmt: skip
    return {**standard_block, **case.block}


def verdict(case: Case, folder: Path) -> str:
    """Run the step; return ``right``, or what went wrong."""
    shutil.rmtree(folder, ignore_errors=True)
    block, out = make(case, folder / "in"), folder / "out"
    outputs = {name: out / f"{name}.parquet" for name in TABLES}
    written = {**outputs, "files": out / "files.json", "findings": out / "findings.parquet"}
    written["audit"] = out / "audit.html"
    manifest = folder / "in" / "faces.csv"
    try:
        ingest.run(settings=block, sources=[manifest], code="test", fingerprint="now", **written)
    except ValueError as error:
        return _judge(case, error, sorted(out.iterdir()) if out.exists() else [])
    except Exception as error:  # whatever else a user would see as a traceback
        return f"traceback: {type(error).__name__}: {error}"
    if case.refused:
        return "accepted without a word"
    if sorted(p.name for p in out.iterdir()) != sorted(p.name for p in written.values()):
        return "half-written"
    return _compare(case, outputs)


def _judge(case: Case, error: ValueError, left: list[Path]) -> str:
    message = str(error)
    if type(error) is not ValueError:  # a subclass is a program's mistake
        return f"traceback: {type(error).__name__}: {error}"
    if left:
        return f"half-written: {left}"
    if not case.refused:
        return f"refused, though it is right: {message}"
    if "\n" in message:
        return f"several lines: {message}"
    lost = [part for part in case.refused.split(" ... ") if part not in message]
    return f"unclear: {message} (lacks {lost})" if lost else "right"


def _compare(case: Case, outputs: Mapping[str, Path]) -> str:
    for key, wanted in case.right.items():
        name, column = key.split(".")
        if name not in outputs:
            return f"wrong value: no {name}"
        table = tables.read(outputs[name], getattr(schemas, name.upper()))
        found = table[column].tolist()
        if found != wanted:
            return f"wrong value: {key} is {found}, not {wanted}"
    return "right"
