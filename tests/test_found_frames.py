"""What `benchmarks/finder.py` counts in whole images: faces, false alarms, misses."""

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

FILE = Path(__file__).parents[1] / "benchmarks" / "finder.py"
SHAPE = np.array([[0.0, 0], [100, 0], [50, 50], [20, 90], [80, 90]])
FACES = np.array([[0.0, 0, 100, 120], [300, 0, 100, 120], [600, 0, 100, 120]])


@pytest.fixture(scope="module")
def finder():
    spec = importlib.util.spec_from_file_location("finder_frames", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Placer:
    """Places every landmark where the first face has it."""

    def predict(self, images, boxes):
        return type("Located", (), {"points": np.repeat(SHAPE[None], len(list(images)), 0)})


@pytest.fixture
def shown(finder):
    """One image with three faces, the last of them counted apart; the first is annotated."""
    aside = np.array([False, False, True])
    points = finder.no_points(3)
    points[0] = SHAPE
    return finder.Shown([np.zeros((200, 800), np.float32)], np.zeros(3, int), FACES, aside, points)


def found_at(finder, boxes, scores):
    points = np.repeat(np.add(SHAPE[None], [10, 0]), len(boxes), 0)
    return finder.Found(np.zeros(len(boxes), int), np.array(boxes, float), np.array(scores), points)


def test_a_face_is_found_near_its_middle_and_of_its_size_alone(finder):
    face = FACES[0]

    def moved(x, y):
        return face + np.array([x, y, 0, 0])

    assert finder.fits(moved(30, 40), face)
    assert not finder.fits(moved(40, 0), face)
    assert not finder.fits(moved(0, 50), face)
    assert not finder.fits(moved(-50, -60) * [1, 1, 2, 2], face)


def test_a_face_is_found_once_and_one_aside_is_neither_missed_nor_a_false_alarm(finder, shown):
    boxes = [FACES[0], np.add(FACES[0], [5, 0, 0, 0]), FACES[2], [150, 0, 100, 120]]
    told = finder.figures(found_at(finder, boxes, [0.9, 0.8, 0.7, 0.6]), 0.65, shown, Placer())
    assert (told["faces"], told["found"], told["aside"], told["aside_found"]) == (2, 1, 1, 1)
    assert told["false_alarms"] == told["false_alarms_an_image"] == 1
    assert (told["surest_false_alarm"], told["least_sure_face"]) == (0.8, 0.0)


def test_a_missed_face_counts_as_wrong_by_a_stated_distance(finder, shown):
    both = np.repeat(SHAPE[None], 3, 0)
    annotated = finder.Shown(shown.images, shown.index, FACES, shown.aside, both)
    told = finder.figures(found_at(finder, [FACES[0]], [0.9]), 0.5, annotated, Placer())
    assert told["nmse"] == pytest.approx(0.1)
    assert told["nmse_with_misses"] == pytest.approx((0.1 + finder.MISSED) / 2)
    assert told["placed_with_misses"] == pytest.approx(finder.MISSED / 2)


def test_heads_are_wiped_out_and_nothing_else_is(finder):
    draws = np.random.default_rng(1)
    image, points = draws.normal(size=(600, 700)), np.add(SHAPE, [300, 250])
    (wiped,) = finder.headless(finder.faces_of([image], points[None])).images
    assert np.ptp(wiped[250:340, 300:400]) == 0
    assert np.array_equal(wiped[:, :100], image[:, :100])
    assert np.array_equal(wiped[550:], image[550:])


def test_boxes_drawn_in_recorded_frames_are_boxes(finder):
    drawn = pd.read_csv(finder.DRAWN, keep_default_na=False)
    assert (drawn[["box_width", "box_height"]] > 0).all(axis=None)
    assert drawn["seen"].str.startswith("aside").sum() == 3 < len(drawn)
