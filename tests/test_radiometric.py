"""Radiometric JPEG: a tiny file as FLIR's cameras write it, with what its physics must give."""

import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from thermalign import radiometric
from thermalign.images import read_counts
from thermalign.ingest.table import Settings, read

R1, R2, B, F, OFFSET = 14911.1846, 0.01083, 1396.6, 1.0, -7261
WIDTH, HEIGHT = 40, 48
CELSIUS = 20 + 16 * np.random.default_rng(0).random((HEIGHT, WIDTH))


def counts_of(celsius):
    """Return raw counts of temperatures (Planck's law as FLIR writes it; ExifTool, FLIR tags)."""
    return np.rint(R1 / (R2 * (np.exp(B / (celsius + 273.15)) - F)) - OFFSET).astype("<u2")


def camera_info():
    """Return the record of a camera close to a black body: nothing to correct."""
    record = bytearray(840)
    struct.pack_into("<6f", record, 32, 1.0, 0.0, 293.15, 293.15, 293.15, 1.0)
    struct.pack_into("<f", record, 60, 0.5)
    struct.pack_into("<3f", record, 88, R1, B, F)
    struct.pack_into("<5f", record, 112, 0.006569, 0.01262, -0.002276, -0.00667, 1.9)
    struct.pack_into("<if", record, 776, OFFSET, R2)
    return bytes(record)


def radiometric_jpeg(celsius=CELSIUS):
    """Return a JPEG whose APP1 segment holds an FFF file: raw counts and the camera's record."""
    raw = struct.pack("<HHH", 2, WIDTH, HEIGHT).ljust(32, b"\0") + counts_of(celsius).tobytes()
    camera, entries = camera_info(), 8
    start = 64 + 32 * entries
    fff = b"FFF\0" + b"CAMCTRL".ljust(16, b"\0") + struct.pack(">III", 100, 64, entries)
    fff = fff.ljust(64, b"\0")
    for kind, at, size in ((1, start, len(raw)), (32, start + len(raw), len(camera))):
        entry = struct.pack(">HHIIII", kind, 2 if kind == 1 else 1, 100, 1, at, size)
        fff += entry.ljust(32, b"\0")
    fff = fff.ljust(start, b"\0") + raw + camera
    preview = np.random.default_rng(1).integers(0, 255, (60, 80, 3), np.uint8)
    jpeg = cv2.imencode(".jpg", preview)[1].tobytes()
    head = b"FLIR\0\1" + bytes([0, 0])
    segment = b"\xff\xe1" + struct.pack(">H", 2 + len(head) + len(fff)) + head + fff
    return jpeg[:2] + segment + jpeg[2:]


def write(folder, data, modality="thermal"):
    (folder / "a.jpg").write_bytes(data)
    (folder / "m.csv").write_text(f"path,subject_id,modality\na.jpg,s1,{modality}\n")
    return Settings(folder, Path("m.csv"))


def test_a_plain_jpeg_is_none(tmp_path):
    jpeg = cv2.imencode(".jpg", np.zeros((20, 20), np.uint8))[1].tobytes()
    assert not radiometric.is_radiometric(jpeg)
    assert not radiometric.is_radiometric(jpeg[:3])
    assert radiometric.is_radiometric(radiometric_jpeg())


def test_without_the_extra_it_is_refused_by_name(tmp_path, monkeypatch):
    monkeypatch.setattr(radiometric, "READER", "no_such_reader")
    with pytest.raises(ValueError, match=r"a\.jpg: is a radiometric JPEG .*thermalign\[flir\]"):
        read(write(tmp_path, radiometric_jpeg()))


def test_under_a_visible_row_it_is_refused(tmp_path):
    with pytest.raises(ValueError, match="radiometric JPEG of FLIR, but its row says visible"):
        read(write(tmp_path, radiometric_jpeg(), "visible"))


def test_its_temperatures_are_read_and_not_its_preview(tmp_path):
    pytest.importorskip("flyr", reason="the extra flir is not installed")
    images = read(write(tmp_path, radiometric_jpeg())).images
    assert images[["width", "height", "bit_depth", "scale"]].to_numpy().tolist() == [
        [WIDTH, HEIGHT, 32, 1.0]
    ]
    read_back = read_counts(tmp_path / "a.jpg")
    assert read_back.dtype == np.float32
    assert np.abs(read_back - CELSIUS).max() < 0.05  # of a count


def test_a_damaged_one_is_refused_in_a_line(tmp_path):
    pytest.importorskip("flyr", reason="the extra flir is not installed")
    data = radiometric_jpeg()
    with pytest.raises(ValueError, match=r"a\.jpg: .* cannot be read \(.*\); replace the file"):
        read(write(tmp_path, data.replace(b"CAMCTRL", b"CAMCTRL")[:200] + data[4000:]))
