"""The weights that the package brings, once they lie there."""

import numpy as np
import pytest

import thermalign
from thermalign.deploy.faces import WEIGHTS
from thermalign.states import read_metadata

NAMES = ("landmarks.safetensors", "finder.safetensors")
MOST = 8_000_000  # bytes, of everything in the folder

brought = pytest.mark.skipif(
    not any(WEIGHTS.glob("*.safetensors")),
    reason="the package brings no weights yet: make detector writes them",
)


def test_they_are_small_enough_to_be_kept_in_the_repository():
    assert sum(path.stat().st_size for path in WEIGHTS.iterdir()) <= MOST


@brought
def test_there_are_both_and_their_card_and_nothing_else():
    assert {path.name for path in WEIGHTS.iterdir()} == {*NAMES, "MODEL_CARD.md", "README.md"}


@brought
def test_they_find_and_place_and_were_calibrated():
    detector = thermalign.load()
    assert detector.finder is not None
    assert detector.landmarks.state.calibration
    image = np.random.default_rng(1).normal(25, 1, (120, 160)).astype(np.float32)
    faces = detector(image, np.array([40.0, 20, 70, 88]))
    assert len(faces) == 1
    assert isinstance(detector(image), list)


@brought
def test_they_and_their_card_name_no_folder_of_those_who_trained_them():
    for name in NAMES:
        assert "/" not in str(read_metadata(WEIGHTS / name)["settings"])
    card = (WEIGHTS / "MODEL_CARD.md").read_text(encoding="utf-8")
    for name in NAMES:
        assert f"{(WEIGHTS / name).stat().st_size:,}" in card
