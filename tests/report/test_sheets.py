from itertools import product

import cv2
import numpy as np
import pandas as pd
import pytest

from thermalign.report.sheets import (
    contact_sheet,
    marked_sheet,
    sheets,
)

RED, GREEN = (200, 10, 20), (10, 200, 20)
PAPER = (238, 238, 238)
BRIGHT = (0, 229, 255)


def painted(folder, faces, size=(71, 60)):
    """Return IMAGES of flat colours: one per (subject, range, colour)."""
    rows = []
    for subject, reach, colour in faces:
        name = f"{subject}-{reach}"
        path = folder / f"{name}.png"
        cv2.imwrite(str(path), np.full((*size, 3), colour[::-1], np.uint8))
        rows.append({"image_id": name, "subject_id": subject, "range": reach, "path": str(path)})
    return pd.DataFrame(rows).assign(
        modality="visible", condition="baseline", bit_depth=8, width=size[1], height=size[0]
    )


def thermal(folder, values):
    """Return IMAGES of one thermal picture in degrees."""
    path = folder / "thermal.png"
    cv2.imwrite(str(path), np.rint((np.asarray(values) + 10) * 100).astype(np.uint16))
    row = {"image_id": "t", "subject_id": "s", "range": 1, "path": str(path), "bit_depth": 16}
    size = {"width": np.shape(values)[1], "height": np.shape(values)[0]}
    row |= size | {"modality": "thermal", "condition": "baseline", "scale": 0.01, "offset": -10.0}
    return pd.DataFrame([row])


def whole(images):
    return np.array([[0.0, 0, w, h] for w, h in images[["width", "height"]].to_numpy()])


def decoded(png):
    return cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)


def where(png, colour):
    """Return (y, x) of the pixels of a colour given as red, green, blue."""
    return np.argwhere((decoded(png) == colour[::-1]).all(axis=-1))


def test_every_picture_stands_in_its_row_and_column_in_its_own_colours(tmp_path):
    images = painted(tmp_path, [("a", 1, RED), ("b", 2, GREEN)])
    png = contact_sheet(images, whole(images), window=None)
    sides = []
    for colour in (RED, GREEN):
        at = where(png, colour)
        sides.append(at.max(0) - at.min(0) + 1)
        np.testing.assert_allclose(sides[-1], [104, 88], atol=2)  # 88 px wide, in proportion
    assert len(where(png, PAPER)) > 1.9 * 88 * 104  # the two that are not there
    assert where(png, RED)[:, 1].max() < where(png, GREEN)[:, 1].min()


def test_a_sheet_without_any_picture_is_refused(tmp_path):
    images = painted(tmp_path, [("a", 1, RED)])
    with pytest.raises(ValueError, match="no picture for a contact sheet"):
        sheets(images[:0], pd.DataFrame(), pd.DataFrame())


def test_rows_go_into_as_many_blocks_as_fit(tmp_path):
    few = painted(tmp_path, [(f"s{k}", 1, RED) for k in range(8)])
    many = painted(tmp_path, [(f"s{k}", r, RED) for k, r in product(range(8), range(1, 9))])
    few_size, many_size = (
        decoded(contact_sheet(images, whole(images), window=None)).shape for images in (few, many)
    )
    assert few_size[0] < many_size[0] / 1.5
    assert max(few_size[1], many_size[1]) <= 900


def test_a_bar_says_what_the_colours_stand_for(tmp_path):
    images = painted(tmp_path, [("a", 1, (9, 9, 9))])
    plain, barred = (
        decoded(contact_sheet(images, whole(images), window=w)) for w in (None, (20.0, 36.0))
    )
    assert barred.shape[0] > plain.shape[0]
    assert len(np.unique(barred[plain.shape[0] :].reshape(-1, 3), axis=0)) > 100


def test_a_landmark_is_marked_at_its_own_pixel_and_the_box_along_the_edges_of_its_pixels(tmp_path):
    images = painted(tmp_path, [("a", 1, (0, 0, 0))])
    box, points = np.array([[15.0, 20, 36, 40]]), np.array([[[25.0, 30], [40, 45]]])
    far = np.full((1, 2, 2), np.nan)
    bare = where(marked_sheet(images, box, far, window=None), BRIGHT)
    top, left = bare.min(0)
    bottom, right = bare.max(0)
    scale = 292 / 60  # px of the sheet over those of the image, which is a whole frame
    np.testing.assert_allclose([right - left, bottom - top], [36 * scale, 40 * scale], atol=2)
    both = where(marked_sheet(images, box, points, window=None), BRIGHT)
    inner = both[(both > [top + 3, left + 3]).all(1) & (both < [bottom - 3, right - 3]).all(1)]
    for x, y in points[0]:
        # The left edge of the box is that of pixel 15, half a pixel before its middle.
        middle = np.array([top + (y - 20 + 0.5) * scale, left + (x - 15 + 0.5) * scale])
        near = inner[(np.abs(inner - middle) < 8).all(axis=1)]
        np.testing.assert_allclose(near.mean(0), middle, atol=1)


def test_degrees_are_coloured_from_cold_to_hot_and_clipped(tmp_path):
    values = np.repeat(np.repeat([[10.0, 20, 28, 36, 50]], 20, axis=1), 100, axis=0)
    images = thermal(tmp_path, values)
    picture = decoded(contact_sheet(images, whole(images), window=(20.0, 36.0))).astype(int)
    across = picture[90]  # a row of pixels through the face
    inside = np.flatnonzero((across != 255).any(axis=1))
    face = across[inside[-1] - 80 : inside[-1] - 3]  # but for its edges
    cold, cool, warm, hot = (face[len(face) * k // 20] for k in (1, 6, 10, 19))
    np.testing.assert_array_equal(cold, cool)
    assert cool.sum() < warm.sum() < hot.sum()
    np.testing.assert_array_equal(face[len(face) * 14 // 20], hot)


def test_what_lies_outside_of_an_image_is_paper(tmp_path):
    images = painted(tmp_path, [("a", 1, RED)])
    png = contact_sheet(images, np.array([[-60.0, 0, 120, 142]]), window=None)
    red, paper = where(png, RED), where(png, PAPER)
    assert 0.9 < len(paper) / (3 * len(red)) < 1.1
