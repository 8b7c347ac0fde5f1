"""The built-in dataset of paired thermal and visible faces, written in chunks."""

import os
import shutil
import sys
import time
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import cv2
import pandas as pd

from thermalign import tables
from thermalign.geometry import LANDMARKS
from thermalign.schemas.dataset import ANNOTATIONS, ATTRIBUTES, IMAGES
from thermalign.simulator.physics.sensor import OFFSET, SCALE
from thermalign.simulator.recording import Sample, render_subject
from thermalign.simulator.settings import Settings, Volume, settings_from

__all__ = [
    "Sample",
    "Settings",
    "Volume",
    "render_subject",
    "settings_from",
    "subjects",
    "write_chunk",
]

COUNTS = {"uint16": (16, SCALE, OFFSET), "uint8": (8, 1 / 255, 0.0)}
"""Type of pixels: bit depth, and scale and offset from counts to degrees Celsius or 0..1."""

PNG_OPTIONS = [  # noise hardly repeats: Huffman codes alone are quicker and smaller than matches
    *(cv2.IMWRITE_PNG_COMPRESSION, 1),
    *(cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_HUFFMAN_ONLY),
    *(cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP),
]
REPORT_EVERY = 10.0  # s


def subjects(settings: Settings) -> list[tuple[int, int]]:
    """Return every subject as (volume from 1, number from 0)."""
    return [
        (volume, number)
        for volume, plan in enumerate(settings.volumes, 1)
        for number in range(plan.subjects)
    ]


def write_chunk(
    folder: Path,
    settings: Settings,
    *,
    seed: int,
    chunk: int,
    chunks: int,
    progress: bool,
    metadata: tables.Metadata | None = None,
) -> None:
    """Render a share of the subjects into a folder.

    Writes one PNG file per image, and images, annotations and attributes (Parquet), into a hidden
    folder beside ``folder`` and renames it when all is there; on failure nothing is left.

    Parameters
    ----------
    folder : Path
        Must not exist, or be empty.
    settings : Settings
    seed : int
        Of the dataset, not negative.
    chunk, chunks : int
        Every ``chunks``-th subject from number ``chunk`` (from 0) on.
    progress : bool
        Report to standard error about every 10 s.
    metadata : mapping of str to str, optional
        Kept in both tables.

    Raises
    ------
    ValueError
        If the chunk does not exist, the seed is negative, or ``folder`` holds something.
    """
    if not 0 <= chunk < chunks:
        raise ValueError(f"chunk is {chunk} of {chunks}; give one from 0 to chunks - 1")
    if seed < 0:
        raise ValueError(f"seed is {seed}; give a whole number from 0")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"{folder}: is not an empty folder; remove it first")
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    unfinished.mkdir()
    try:
        chosen = subjects(settings)[chunk::chunks]
        samples = _render(settings, chosen, seed=seed, progress=progress)
        _fill(unfinished, folder, samples, metadata=metadata)
        unfinished.replace(folder)
    except OSError as error:
        error.add_note(f"while writing {folder}")
        raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _render(
    settings: Settings, chosen: list[tuple[int, int]], *, seed: int, progress: bool
) -> Iterator[Sample]:
    """Render subjects one after the other and report how far it is."""
    reported, images = time.monotonic(), 0
    for done, (volume, number) in enumerate(chosen):
        for sample in render_subject(settings, seed=seed, volume=volume, number=number):
            yield sample
            images += 1
            if progress and time.monotonic() - reported > REPORT_EVERY:
                reported = time.monotonic()
                print(f"{done} of {len(chosen)} subjects, {images} images", file=sys.stderr)


def _fill(
    place: Path, folder: Path, samples: Iterable[Sample], *, metadata: tables.Metadata | None
) -> None:
    """Write a chunk's files into ``place``; the paths in its tables are below ``folder``."""
    images: list[dict[str, Any]] = []
    points: list[dict[str, Any]] = []
    known: list[dict[str, Any]] = []
    for sample in samples:
        name = f"{sample.image_id}.png"
        images.append(_image_row(sample, folder / name, _write_png(place / name, sample)))
        points.extend(_point_rows(sample))
        known += [
            {"image_id": sample.image_id, "name": n, "value": v}
            for n, v in sample.attributes.items()
        ]
    rows = _frame(images, IMAGES)
    tables.write(place / "images.parquet", rows, IMAGES, metadata)
    annotations = _frame(points, ANNOTATIONS)
    tables.write(place / "annotations.parquet", annotations, ANNOTATIONS, metadata)
    attributes = _frame(known, ATTRIBUTES)
    tables.write(place / "attributes.parquet", attributes, ATTRIBUTES, metadata)


def _frame(rows: list[dict[str, Any]], schema: Any) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=schema.names)


def _write_png(path: Path, sample: Sample) -> str:
    """Write an image and return the SHA-256 of its file."""
    _, encoded = cv2.imencode(".png", sample.pixels, PNG_OPTIONS)
    content = encoded.tobytes()
    path.write_bytes(content)
    return sha256(content).hexdigest()


def _image_row(sample: Sample, path: Path, digest: str) -> dict[str, Any]:
    bit_depth, scale, offset = COUNTS[sample.pixels.dtype.name]
    height, width = sample.pixels.shape[:2]
    return {
        "image_id": sample.image_id,
        "subject_id": sample.subject_id,
        "session": sample.session,
        "volume": sample.volume,
        "range": sample.range,
        "condition": sample.condition,
        "modality": sample.modality,
        "pair_id": sample.pair_id,
        "moment": sample.moment,
        "path": str(path),
        "width": width,
        "height": height,
        "bit_depth": bit_depth,
        "scale": scale,
        "offset": offset,
        "sha256": digest,
    }


def _point_rows(sample: Sample) -> list[dict[str, Any]]:
    return [
        {"image_id": sample.image_id, "landmark": name, "x": x, "y": y, "visible": seen}
        for name, (x, y), seen in zip(
            LANDMARKS, sample.points.tolist(), sample.visible.tolist(), strict=True
        )
    ]
