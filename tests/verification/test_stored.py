import numpy as np
import pandas as pd
import pytest
import torch

from thermalign import room, tables
from thermalign.schemas.matching import FACES
from thermalign.verification import stored
from thermalign.verification.stored import AlignedFaces, dequantise, faces_of, quantise


def test_quantising_loses_less_than_half_a_count():
    image = np.random.default_rng(0).normal(30, 3, (7, 5)).astype(np.float32)
    pixels, scale, offset = quantise(image)
    row = {"pixels": pixels, "scale": scale, "offset": offset, "width": 5, "height": 7}
    assert np.abs(dequantise(row) - image).max() < 0.51 * scale + 1e-5


def test_a_constant_image_survives_quantising():
    pixels, scale, offset = quantise(np.full((2, 3), 4.5))
    row = {"pixels": pixels, "scale": scale, "offset": offset, "width": 3, "height": 2}
    np.testing.assert_array_equal(dequantise(row), np.full((2, 3), 4.5))


def some_faces(count):
    """Return FACES of noise."""
    draws = np.random.default_rng(1)
    rows = [quantise(draws.normal(30, n + 1, (7, 5)).astype(np.float32)) for n in range(count)]
    faces = pd.DataFrame(rows, columns=["pixels", "scale", "offset"])
    names = [f"i{n}" for n in range(count)]
    return faces.assign(image_id=names, width=5, height=7, protocol="p", fold=0, model="m")


@pytest.mark.parametrize("in_memory", [0, 1 << 20])
@pytest.mark.parametrize("parts", [1, 4])
def test_faces_are_the_tables_wherever_they_lie_and_however_they_came(
    tmp_path, monkeypatch, in_memory, parts
):
    monkeypatch.setattr(stored, "IN_MEMORY", in_memory)
    table, path = some_faces(8), tmp_path / "faces.parquet"
    each = [table.iloc[some] for some in np.array_split(np.arange(8), parts)]
    tables.write_parts(path, each, FACES)
    faces, asked = AlignedFaces.read(path), ["i7", "i0", "i3", "i3"]
    assert faces.image_ids == list(table["image_id"])
    for its in (faces, AlignedFaces.of_table(table)):
        found = its.of(asked)
        assert found.dtype == torch.float32
        np.testing.assert_array_equal(found.numpy(), faces_of(table, asked))


def test_no_room_for_faces_is_told_as_such(monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(stored, "IN_MEMORY", 0)
    monkeypatch.setattr(room.os, "posix_fallocate", full)
    with pytest.raises(OSError, match="no room for 1 MiB of aligned faces; let TMPDIR name"):
        AlignedFaces.of_table(some_faces(2))


def test_a_table_of_no_face_has_none(tmp_path):
    tables.write_parts(tmp_path / "faces.parquet", [], FACES)
    assert AlignedFaces.read(tmp_path / "faces.parquet").image_ids == []
