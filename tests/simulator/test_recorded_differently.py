"""Datasets that differ in what the camera and the room do to pixels show the same moments."""

from dataclasses import replace

import numpy as np
import pytest

from thermalign.simulator.dataset import Settings, Volume, render_subject
from thermalign.simulator.settings import Variety

PLAN = Volume(1, ranges=(1, 3), baseline=1, expression=1, visible_ranges=())
NOMINAL = Settings((PLAN,))
NAMED = (
    "image_id",
    "subject_id",
    "session",
    "volume",
    "range",
    "condition",
    "modality",
    "pair_id",
    "moment",
)


@pytest.fixture(scope="module")
def nominal():
    return list(render_subject(NOMINAL, seed=5, volume=1, number=0))


@pytest.mark.parametrize(
    "changed",
    [
        {"ambient_mean": 12.5},
        {"ambient_mean": 30.5},
        {"netd": 0.225},
        {"defocus": 0.5},
        {"sensor": "uncooled"},
        {"drift": 0.0},
        {"variety": Variety(coarser=4)},
        {"variety": Variety(exports=1.0, exports_white=(20.0, 20.0))},
    ],
)
@pytest.mark.parametrize("frames", [False, True])
def test_only_pixels_differ(nominal, changed, frames):
    if frames:
        nominal = list(render_subject(replace(NOMINAL, frames=True), seed=5, volume=1, number=0))
    settings = replace(NOMINAL, frames=frames, **changed)
    others = list(render_subject(settings, seed=5, volume=1, number=0))
    assert len(others) == len(nominal) == 4
    for first, second in zip(nominal, others, strict=True):
        assert all(getattr(first, name) == getattr(second, name) for name in NAMED)
        np.testing.assert_array_equal(first.points, second.points)
        np.testing.assert_array_equal(first.visible, second.visible)
        assert first.pixels.shape == second.pixels.shape
        assert not np.array_equal(first.pixels, second.pixels)
