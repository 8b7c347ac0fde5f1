"""What `benchmarks/recorded.py` says of recorded faces: its means, parts and intervals."""

import argparse
import importlib.util
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from thermalign.records import Located

FILE = Path(__file__).parents[1] / "benchmarks" / "recorded.py"
SHAPE = np.array([[0.0, 0], [100, 0], [50, 50], [20, 90], [80, 90]])


@pytest.fixture(scope="module")
def recorded():
    spec = importlib.util.spec_from_file_location("recorded", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def made_faces(recorded, sources):
    images = pd.DataFrame({"source": sources, "subject_id": [f"s{n}" for n in range(len(sources))]})
    boxes = np.tile([-10.0, -10, 120, 120], (len(sources), 1))
    return recorded.Faces(images, np.tile(SHAPE, (len(sources), 1, 1)), boxes)


def located(faces, ways, landmarks=(0, 1, 2, 3, 4)):
    """Return points moved to the right by ``ways`` (N,) interocular distances, sure to .01."""
    points = faces.points.copy()
    for landmark in landmarks:
        points[:, landmark, 0] += 100 * np.asarray(ways)
    shape = points.shape[:2]
    scale = np.broadcast_to(np.eye(2), (*shape, 2, 2))
    return Located(points, scale, np.full(shape, 8.0), np.repeat([ways], 5, 0).T)


def by_part(recorded, faces, trainings, **others):
    found = {name: recorded.measure(faces, its) for name, its in trainings.items()}
    made = recorded.lines(faces, found, others.get("against"), others.get("without", []))
    return {(line["name"], line["part"]): line for line in made}


def test_a_mean_is_over_the_faces_of_its_source(recorded):
    faces = made_faces(recorded, ["a", "a", "b"])
    told = by_part(recorded, faces, {"m": [located(faces, [0.1, 0.3, 0.8])]}, without=["a"])
    its = {part: (line["nmse"], line["images"]) for (_, part), line in told.items()}
    assert its["all"] == (pytest.approx(0.4), 3)
    assert its["source a"] == (pytest.approx(0.2), 2)
    assert its["source b"] == its["without a"] == (pytest.approx(0.8), 1)


def test_a_group_of_landmarks_has_its_own_mean(recorded):
    faces = made_faces(recorded, ["a"])
    told = by_part(recorded, faces, {"m": [located(faces, [0.6], landmarks=[2, 3])]})
    its = [told["m", part]["nmse"] for part in ("eyes", "nose", "mouth corners", "all")]
    assert its == pytest.approx([0.0, 0.6, 0.3, 0.24])


def test_trainings_of_one_name_are_averaged_and_the_median_is_of_faces(recorded):
    faces = made_faces(recorded, ["a"] * 3)
    pair = [located(faces, [0.1, 0.2, 0.9]), located(faces, [0.3, 0.2, 0.1])]
    line = by_part(recorded, faces, {"m": pair})["m", "all"]
    assert (line["states"], line["nmse"], line["median"]) == (2, pytest.approx(0.3), 0.2)


def test_a_lost_face_is_counted_and_in_no_mean(recorded):
    faces = made_faces(recorded, ["a"] * 2)
    lost = located(faces, [0.1, np.nan])
    line = by_part(recorded, faces, {"m": [lost]})["m", "all"]
    assert (line["nmse"], line["not_found"]) == (pytest.approx(0.1), 1)


@pytest.mark.parametrize(("people", "there"), [(7, False), (8, True)])
def test_an_interval_needs_eight_people(recorded, people, there):
    faces = made_faces(recorded, ["a"] * people)
    ways = np.linspace(0.1, 0.3, people)
    line = by_part(recorded, faces, {"m": [located(faces, ways)]})["m", "all"]
    assert (line["interval"] is not None) == there
    assert not there or line["interval"][0] < 0.2 < line["interval"][1]


def test_a_difference_is_taken_face_by_face(recorded):
    faces = made_faces(recorded, ["a"] * 8)
    ways = np.linspace(0.1, 0.8, 8)
    apart = 0.02 + 0.001 * np.arange(8)  # far less than faces differ
    pair = {"m": [located(faces, ways + apart)], "floor": [located(faces, ways)]}
    line = by_part(recorded, faces, pair, against="floor")["m", "all"]
    assert line["difference"] == pytest.approx(apart.mean())
    low, high = line["difference_interval"]
    assert 0.02 < low < apart.mean() < high < 0.027


def test_what_is_stated_is_held_against_what_is_true(recorded):
    faces = made_faces(recorded, ["a"] * 4)
    line = by_part(recorded, faces, {"m": [located(faces, [0.01, 0.02, 0.3, 0.4])]})["m", "all"]
    assert line["coverage_95"] == 0.5  # stated: within about three hundredths
    assert line["rank_correlation"] == 1.0
    assert line["expected_error"] == pytest.approx(0.1825)


def test_a_sheet_has_a_tile_for_every_face(recorded, monkeypatch):
    faces = made_faces(recorded, ["a"] * 6)
    faces.images["image_id"] = list("abcdef")
    pictures = SimpleNamespace(values=lambda: [np.eye(120, dtype=np.float32)] * 6)
    monkeypatch.setattr(recorded, "pictures_of", lambda rows: pictures)
    drawn = recorded.sheet(faces, located(faces, [0.1] * 6))
    assert drawn.shape == (2 * (recorded.TILE + recorded.BAND), 5 * recorded.TILE, 3)


def test_a_box_outside_the_image_is_clipped_and_one_beyond_it_is_the_whole(recorded):
    image = np.arange(20.0).reshape(4, 5)
    part = recorded.inside_of(image, np.array([-2.0, 1, 4, 30]))
    np.testing.assert_array_equal(part, image[1:, :2])
    for beyond in ([-9.0, 0, 5, 4], [7.0, 0, 2, 2], [0.0, -9, 2, 3]):
        np.testing.assert_array_equal(recorded.inside_of(image, np.array(beyond)), image)


def arguments(**changed):
    given = {"states": [("m", "m.safetensors")], "against": None, "fold": None, "dataset": None}
    return argparse.Namespace(**{**given, "without": None, **changed})


@pytest.mark.parametrize(
    ("changed", "sources", "wrong"),
    [
        ({}, {"a", "b"}, ""),
        ({"without": ["a"], "against": "m"}, {"a", "b"}, ""),
        ({"against": "n"}, {"a"}, "--against n: is none of m"),
        ({"fold": "f"}, {"a"}, "--fold and --dataset belong together; give both or neither"),
        ({"dataset": "d"}, {"a"}, "--fold and --dataset belong together; give both or neither"),
        ({"without": ["c"]}, {"a", "b"}, "--without c: is none of a, b"),
        ({"without": ["a"]}, {"a"}, "--without a: is the only one"),
    ],
)
def test_arguments_that_do_not_fit_are_named(recorded, changed, sources, wrong):
    assert recorded.fault(arguments(**changed), sources) == wrong


def test_a_line_without_any_face_is_json_and_one_without_a_difference_is_told(recorded):
    faces = made_faces(recorded, ["a"] * 8)
    ways = np.linspace(0.1, 0.8, 8)
    lost = located(faces, [np.nan] * 8)
    told = by_part(recorded, faces, {"m": [located(faces, ways)], "lost": [lost]}, against="lost")
    for line in told.values():
        json.dumps(line, allow_nan=False)
    assert told["lost", "all"]["nmse"] is None
    assert told["m", "all"]["difference"] is None
    assert recorded.with_interval(told["m", "all"]).startswith("m, all: 0.4500 [0.")
