import dataclasses
import sys
from collections.abc import Callable

import numpy as np
import pytest
import torch

from thermalign.landmarks import ert, normalise
from thermalign.landmarks.contract import Faces, make_faces
from thermalign.landmarks.models import load_model
from thermalign.warp import stack_images

SMALL = {"cascade_depth": 4, "num_trees_per_cascade_level": 20, "tree_depth": 3}
SHARE_OF_MEAN_SHAPE = 0.6
FEW = ert.Settings(cascade_depth=2, num_trees_per_cascade_level=5)
POINTS = torch.tensor([[[20, 22], [51, 23], [34, 40], [25, 57], [46, 55]]], dtype=torch.float32)


def needs_dlib() -> None:
    pytest.importorskip("dlib", reason="ert needs dlib, an optional dependency")


def face_in(box: list[float], image: np.ndarray | None = None) -> Faces:
    """Return one face whose points are whole pixels."""
    plain = np.add.outer(np.arange(90.0), np.arange(80.0)) if image is None else image
    stack = stack_images([plain], torch.device("cpu"))
    once = torch.zeros(1, dtype=torch.int64)
    return make_faces(stack, once, once > 0, torch.tensor([box]), POINTS)


def test_grey_spans_the_range_of_normalised_values() -> None:
    values = torch.tensor([-1.4, -0.7, 0.0, 0.7, 1.4]).view(1, 1, 1, 5)
    assert ert.to_grey(values).flatten().tolist() == [0, 64, 128, 191, 255]


@pytest.mark.parametrize("times", [1, 3])
def test_one_face_comes_back_exactly(times: int) -> None:
    # Three crop pixels per pixel put pixel centre x on crop pixel 3 x + 1: nothing is rounded.
    needs_dlib()
    face = face_in([12.0, 10.0, 48.0, 60.0])
    settings = dataclasses.replace(FEW, width=48 * times, height=60 * times, margin=7)
    state = ert.fit(face, face, settings, seed=0)
    points, covariance = ert.predict(state, face.stack, face.boxes, settings)
    torch.testing.assert_close(points, POINTS, rtol=0, atol=1e-4)
    assert bool(covariance.isnan().all())
    assert state.curve[0].loss == pytest.approx(0, abs=1e-5)


def test_a_box_lies_behind_the_margin_of_its_crop() -> None:
    image = np.zeros((90, 80))
    image[10, 12] = image[69, 59] = 50.0  # the first and the last pixel of the box
    settings = dataclasses.replace(FEW, width=48, height=60, margin=7)
    data = normalise.prepare(face_in([12.0, 10.0, 48.0, 60.0], image), settings)
    crop = ert._crops(data, torch.tensor([0]), settings)[0]
    assert crop.shape == (60 + 14, 48 + 14)
    assert np.argwhere(crop == crop.max()).tolist() == [[7, 7], [66, 54]]


def test_another_seed_grows_other_trees(toy_faces: Callable[..., Faces]) -> None:
    needs_dlib()
    faces = toy_faces(4)
    grown = [ert.fit(faces, faces, FEW, seed=s).tensors["predictor"] for s in (0, 0, 1)]
    assert torch.equal(grown[0], grown[1])
    assert not torch.equal(grown[0], grown[2])


def test_every_setting_of_the_trees_reaches_dlib() -> None:
    needs_dlib()
    changed = ert.Settings(
        cascade_depth=3,
        num_trees_per_cascade_level=7,
        tree_depth=2,
        nu=0.3,
        oversampling_amount=4,
        oversampling_translation_jitter=0.05,
        feature_pool_size=90,
        feature_pool_region_padding=0.4,
        lambda_param=0.6,
        num_test_splits=11,
    )
    options = ert._options(changed, seed=5)
    names = [f.name for f in dataclasses.fields(ert.Settings) if hasattr(options, f.name)]
    assert len(names) == 10
    assert all(getattr(options, name) == getattr(changed, name) for name in names)
    assert (options.random_seed, options.num_threads) == ("5", torch.get_num_threads())


def test_without_dlib_the_job_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dlib", None)
    with pytest.raises(ValueError, match=r"^models: trees: dlib is not installed; pip install"):
        load_model("ert", {}, "trees")
