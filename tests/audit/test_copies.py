"""Copies are found among few pictures and among many, frames of one sample are not."""

import numpy as np
import pytest

from thermalign.audit import pictures
from thermalign.audit.pictures import alike


@pytest.fixture(params=[6000, 0], ids=["each with each", "by parts of a hash"])
def many(request, monkeypatch):
    monkeypatch.setattr(pictures, "DENSE", request.param)


def thumbnails(n, seed=0):
    return np.random.default_rng(seed).integers(-60, 60, (n, 16, 16)).astype(np.int8)


def test_a_copy_with_a_little_noise_is_found(many):
    pile = thumbnails(300)
    pile[290] = pile[7] + np.random.default_rng(1).integers(-1, 2, (16, 16)).astype(np.int8)
    assert alike(pile, np.arange(300)) == [(7, 290)]


def test_frames_of_one_sample_may_be_alike(many):
    pile = thumbnails(50)
    pile[20] = pile[10]
    samples = np.arange(50)
    samples[20] = 10
    assert alike(pile, samples) == []


def test_of_many_copies_as_many_are_followed_up_as_are_asked_for(many, monkeypatch):
    monkeypatch.setattr(pictures, "MOST", 5)
    pile = np.repeat(thumbnails(1), 40, axis=0)
    assert len(alike(pile, np.arange(40))) == 5


def test_flat_pictures_are_like_nothing(many):
    assert alike(np.zeros((10, 16, 16), np.int8), np.arange(10)) == []
