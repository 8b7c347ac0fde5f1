"""The weights that the package brings, once they lie there."""

import json
import re

import numpy as np
import pytest

import thermalign
from thermalign.deploy.faces import WEIGHTS
from thermalign.geometry import interocular_distance
from thermalign.simulator.dataset import Settings, Volume, render_subject
from thermalign.states import read_metadata

NAMES = ("landmarks.safetensors", "finder.safetensors")
ABSOLUTE = re.compile(r"(?<![\w.)/])/\w+/")
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
def test_they_find_the_one_face_of_a_simulated_frame_and_place_its_landmarks():
    volume = Volume(1, ranges=(1,), baseline=1, expression=0)
    settings = Settings((volume,), frames=True)
    every = render_subject(settings, seed=8, volume=1, number=0)
    sample = next(its for its in every if its.modality == "thermal")
    (face,) = thermalign.load()(sample.pixels)
    assert (face.status, face.note) == ("ok", "")
    away = np.linalg.norm(face.points - sample.points, axis=1)
    assert away.mean() / interocular_distance(sample.points) < 0.1
    assert np.isfinite(face.expected_error).all()  # they were calibrated


@brought
def test_they_and_their_card_name_no_folder_of_those_who_trained_them():
    for name in NAMES:
        assert not ABSOLUTE.search(json.dumps(read_metadata(WEIGHTS / name)))
    card = (WEIGHTS / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert not ABSOLUTE.search(card)
    for name in NAMES:
        assert f"{(WEIGHTS / name).stat().st_size:,}" in card


@pytest.mark.parametrize(
    ("text", "found"),
    [("in /home/me/a.csv", True), ('"/data/a"', True), ("a/b.md and 1 / 2, or/and", False)],
)
def test_a_place_on_a_disk_is_known_when_seen(text, found):
    assert bool(ABSOLUTE.search(text)) is found
