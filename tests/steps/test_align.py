"""Aligned faces of images whose every pixel tells where it is."""

import cv2
import numpy as np
import pandas as pd
import pytest
import torch

from thermalign import tables
from thermalign.geometry import LANDMARKS
from thermalign.schemas.dataset import IMAGES
from thermalign.schemas.matching import FACES
from thermalign.schemas.predictions import PREDICTIONS, UNCERTAINTY
from thermalign.settings import parse
from thermalign.steps import align
from thermalign.verification import alignment
from thermalign.verification.stored import faces_of
from thermalign.warp import stack_images as stack

CANONICAL = np.array([[33.0, 42], [79, 42], [56, 75.5], [37.5, 94], [74.5, 94]])
SETTINGS = {
    "width": 112,
    "height": 128,
    "method": "similarity",
    "points": dict(zip(LANDMARKS, CANONICAL.tolist(), strict=True)),
}
KEY = {"protocol": "p", "fold": 0, "model": "m"}
SCALE, OFFSET = 0.01, 20.0


def ramp(n):
    """Return counts (160, 140) that rise by 1 a column and 3 a row, from 100 n."""
    return np.add.outer(3 * np.arange(160), np.arange(140)).astype(np.uint16) + 100 * n


@pytest.fixture
def rows(tmp_path):
    made = []
    for n in range(5):
        path = str(tmp_path / f"i{n}.png")
        cv2.imwrite(path, ramp(n))
        made.append({"image_id": f"i{n}", "subject_id": f"s{n}", "path": path})
    fixed = {
        "session": "1",
        "volume": 1,
        "range": 1,
        "condition": "baseline",
        "pair_id": "",
        "moment": "",
    }
    fixed |= {"modality": "thermal", "width": 140, "height": 160, "bit_depth": 16, "sha256": "0"}
    return pd.DataFrame(made).assign(**fixed, scale=SCALE, offset=OFFSET)


def shifted(count):
    """Return landmarks (count, 5, 2) whose alignment is a shift by 10 columns and 20 rows."""
    return np.tile(CANONICAL + np.array([10.0, 20]), (count, 1, 1))


def align_images(rows, points, **changes):
    settings = parse(alignment.Settings, {**SETTINGS, **changes}, "alignment")
    return alignment.align_images(rows, points, settings)


def expected(n):
    return SCALE * ramp(n)[20:148, 10:122].astype(np.float64) + OFFSET


def test_images_are_aligned_in_order_whatever_the_batch(rows, monkeypatch):
    monkeypatch.setattr(alignment, "BATCH", 2)
    faces = align_images(rows, shifted(5))
    assert faces.shape == (5, 128, 112)
    for n in range(5):
        np.testing.assert_allclose(faces[n].numpy(), expected(n), atol=1e-4)


def test_large_images_are_fewer_at_once_and_their_faces_the_same(rows, monkeypatch):
    whole = align_images(rows, shifted(5))
    read = []
    monkeypatch.setattr(alignment, "stack_images", lambda i, d: read.append(len(i)) or stack(i, d))
    for pixels, batches in ((2 * 140 * 160, [2, 2, 1]), (1, [1] * 5), (2**25, [5])):
        read.clear()
        monkeypatch.setattr(alignment, "PIXELS", pixels)
        assert torch.equal(align_images(rows, shifted(5)), whole)
        assert read == batches


def test_no_images_give_no_faces(rows):
    assert align_images(rows[:0], shifted(0)).shape == (0, 128, 112)


def test_the_method_is_that_of_the_settings(rows):
    points = shifted(5)
    points[:, 2:] += 30  # what lies below the eyes
    two = align_images(rows, points, method="two_point")
    np.testing.assert_allclose(two[0].numpy(), expected(0), atol=1e-4)
    least_squares = align_images(rows, points)
    assert abs(least_squares[0].numpy() - expected(0)).max() > 0.1


def test_the_step_writes_who_can_be_aligned_and_logs_how_many_cannot(rows, tmp_path, capsys):
    points = shifted(4)
    points[1] = np.nan  # not found
    points[2] = 50.0  # all in one place
    flat = points.reshape(-1, 2)
    predictions = pd.DataFrame(
        {"image_id": np.repeat(rows["image_id"][:4], 5), "landmark": LANDMARKS * 4}
    ).assign(x=flat[:, 0], y=flat[:, 1], **dict.fromkeys(UNCERTAINTY, np.nan), **KEY)
    tables.write(tmp_path / "images.parquet", rows, IMAGES)
    tables.write(tmp_path / "predictions.parquet", predictions, PREDICTIONS)
    align.run(
        images=tmp_path / "images.parquet",
        predictions=tmp_path / "predictions.parquet",
        faces=tmp_path / "faces.parquet",
        settings=SETTINGS,
        code="abc",
        **KEY,
    )
    table = tables.read(tmp_path / "faces.parquet", FACES)
    assert list(table["image_id"]) == ["i0", "i3"]
    assert set(table["model"]) == {"m"}
    for n, face in zip((0, 3), faces_of(table, ["i0", "i3"]), strict=True):
        np.testing.assert_allclose(face, expected(n), atol=1e-3)
    assert "2 of 4 images could not be aligned by m" in capsys.readouterr().err
