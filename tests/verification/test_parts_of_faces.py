"""Mappings and classifiers by contract: every file of the package, and files dropped into it."""

import numpy as np
import pandas as pd
import pytest
import torch

from thermalign import verification
from thermalign.catalogue import classifiers, mappings
from thermalign.states import State, read_state, save_state
from thermalign.verification.contract import LEFT_OUT, Examples, Gallery, Others
from thermalign.verification.enrolment import WHOLE
from thermalign.verification.matcher import Settings, enrol, fit_mapping, score_probes
from thermalign.verification.matcher_state import read_matcher, save_matcher
from thermalign.verification.parts import load
from thermalign.verification.two_branch import TwoBranch

ROLES = {"t1": "train", "t2": "train", "v": "validation", "s1": "test", "s2": "test", "s3": "test"}
SETTINGS = {
    "dog": {},
    "features": {},
    "dpm": {"epochs": 1, "hidden": 4, "components": 3},
    "components": 2,
    "gallery": {"modality": "visible"},
    "probe": {"modality": "thermal"},
    "same_moment": ["keep"],
}
PLACES, WIDTH = (3, 2), 4


class Vectors:
    """Descriptors of made-up images; an image without any has no face."""

    def __init__(self, made):
        self.made = made

    def have(self, image_ids):
        return np.asarray(image_ids.isin(self.made))

    def of(self, image_ids):
        return torch.stack([self.made[name] for name in image_ids])


@pytest.fixture
def fold():
    """Return the rows of a fold of six people in both modalities, and their descriptors."""
    rows, made = [], {}
    for n, (subject, role) in enumerate(ROLES.items()):
        own = torch.randn((*PLACES, WIDTH), generator=torch.Generator().manual_seed(n))
        for k in range(3):
            for modality, sign in (("visible", 1.0), ("thermal", -1.0)):
                name, moment = f"{subject}{k}{modality[0]}", f"{subject}{k}"
                noise = torch.Generator().manual_seed(100 * n + 10 * k + int(sign > 0))
                made[name] = sign * own + 0.1 * torch.randn(own.shape, generator=noise)
                rows.append((name, subject, role, modality, moment, moment))
    columns = ["image_id", "subject_id", "role", "modality", "pair_id", "moment"]
    fixed = {"condition": "baseline", "range": 1, "session": "1"}
    return pd.DataFrame(rows, columns=columns).assign(**fixed), Vectors(made)


def matched(fold, block):
    """Return the matcher of a block, and the share of probes whose own person is the most alike."""
    rows, described = fold
    settings = Settings.of({**SETTINGS, **block})
    mapping = fit_mapping(rows, described, settings.mapping, seed=1)
    matcher = enrol(rows, described, mapping, settings, seed=[1, 0])
    probes = rows.query("role == 'test' and modality == 'thermal'")
    scores = score_probes(matcher, probes, described, readings=settings.same_moment)
    best = scores.loc[scores.groupby("probe_id")["score"].idxmax()]
    return matcher, scores, best["genuine"].mean()


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """Write the state of an untrained network of a matcher, of people of elsewhere."""
    path = tmp_path_factory.mktemp("network") / "state.safetensors"
    made = TwoBranch(PLACES[0] * PLACES[1] * WIDTH, 8, 4)
    save_state(path, State(made.state_dict()), {"settings": "{}", "people": ["far"]})
    return {"network": str(path)}


@pytest.mark.parametrize("name", mappings())
def test_a_mapping_keeps_faces_apart_and_sees_no_test_subject(fold, network, name):
    rows, described = fold
    block = {"mapping": name, "classifier": "cosine", "two_branch": network}
    part = Settings.of({**SETTINGS, **block}).mapping
    fitted, again = (fit_mapping(rows, described, part, seed=1) for _ in range(2))
    assert set(fitted.subjects) <= {"t1", "t2", "v", "far"}
    assert all(torch.equal(fitted.tensors[k], again.tensors[k]) for k in fitted.tensors)
    given = described.of(["s10v", "s20v", "s30v"])
    for modality in ("visible", "thermal"):
        whole, first = fitted.apply(given, modality), fitted.apply(given[:1], modality)
        assert len(whole) == 3
        np.testing.assert_allclose(first, whole[:1], atol=1e-6)


@pytest.mark.parametrize("name", classifiers())
def test_a_classifier_scores_the_enrolled_images_of_everybody_highest(fold, name):
    module, rng = load(name), np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], 4)
    vectors = 4 * rng.normal(size=(3, 20))[labels] + rng.normal(size=(12, 20))
    part = labels.copy()
    part[::4] = LEFT_OUT
    others = Others(
        fold[0].query("role != 'test'"), lambda n: rng.normal(size=(len(n), 20)), seed=[1]
    )
    settings = Settings.of({**SETTINGS, "mapping": "none", "classifier": name}).classifier.settings
    models = module.enrol(Gallery(vectors, [labels, part], others), settings)
    assert [isinstance(model, module.Model) for model in models] == [True, True]
    for model in models:
        scores = np.asarray(module.score(model, vectors))
        assert scores.shape == (12, 3)
        assert (scores.argmax(axis=1) == labels).all()
    assert set(others.subjects) <= {"t1", "t2", "v"}


def test_a_network_of_people_whom_the_fold_tests_is_refused(fold, network, tmp_path):
    path = tmp_path / "state.safetensors"
    its = read_state(network["network"])
    save_state(path, its, {"settings": "{}", "people": ["far", "s2"]})
    block = {"mapping": "two_branch", "classifier": "cosine", "two_branch": {"network": str(path)}}
    message = r"two_branch was trained on s2, whom this fold tests \(1 such people\); train it on"
    with pytest.raises(ValueError, match=message):
        matched(fold, block)


def test_whose_images_a_mapping_asked_for_is_kept(fold):
    examples = Examples(*fold)
    assert examples.roles == ["train", "validation"]
    assert examples.subjects == ()
    assert examples.of("validation", "thermal").shape == (3, *PLACES, WIDTH)
    assert examples.subjects == ("v",)
    visible, thermal = examples.pairs("train")
    assert visible.shape == thermal.shape == (6, *PLACES, WIDTH)
    assert examples.subjects == ("t1", "t2", "v")


def test_test_subjects_and_faces_not_aligned_are_no_examples(fold):
    rows, described = fold
    del described.made["t10v"]
    examples = Examples(rows, described)
    assert len(examples.of("test", "visible")) == 0
    assert len(examples.of("train", "visible")) == 5
    assert len(examples.pairs("train")[0]) == 5


OPPOSITE = '''
"""A mapping that turns thermal descriptors over."""

from dataclasses import dataclass

from thermalign.settings import setting


@dataclass(frozen=True)
class Settings:
    factor: float = setting(-1.0, low=-10, high=10)


def fit(examples, settings, *, seed):
    return {"mean": examples.of("train", "thermal").mean(0) * 0 + settings.factor}


def apply(state, descriptors, modality):
    return descriptors * state["mean"] if modality == "thermal" else descriptors
'''

NEAREST = '''
"""A classifier by the nearest enrolled image, which is no linear one."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from thermalign.settings import setting
from thermalign.verification.contract import LEFT_OUT


@dataclass(frozen=True)
class Settings:
    power: float = setting(2.0, low=1, high=4)


class Model(NamedTuple):
    images: np.ndarray
    people: np.ndarray
    power: np.ndarray


def enrol(gallery, settings):
    power = np.array([settings.power])
    return [
        Model(gallery.vectors[labels != LEFT_OUT], labels[labels != LEFT_OUT], power)
        for labels in gallery.labellings
    ]


def score(model, vectors):
    away = (np.abs(vectors[:, None] - model.images) ** model.power[0]).sum(axis=-1)
    people = np.arange(model.people.max() + 1)
    return -np.stack([away[:, model.people == p].min(axis=1) for p in people], axis=1)
'''


@pytest.fixture
def dropped(tmp_path, monkeypatch):
    """Put a file of each kind beside those of the package."""
    (tmp_path / "opposite.py").write_text(OPPOSITE)
    (tmp_path / "nearest.py").write_text(NEAREST)
    monkeypatch.setattr(verification, "__path__", [*verification.__path__, str(tmp_path)])


@pytest.mark.usefixtures("dropped")
def test_a_new_mapping_and_a_new_classifier_are_a_file_and_a_line_each(fold, tmp_path):
    block = {"mapping": "opposite", "classifier": "nearest"}
    matcher, scores, share = matched(fold, block)
    assert share == 1
    assert matcher.fitted_on() == {"t1", "t2"}
    assert matched(fold, {**block, "opposite": {"factor": 1}})[2] < 1
    save_matcher(tmp_path / "matcher.safetensors", matcher, {"settings": "{}"})
    again = read_matcher(tmp_path / "matcher.safetensors")
    assert again.galleries[WHOLE].power == 2
    probes = fold[0].query("role == 'test' and modality == 'thermal'")
    pd.testing.assert_frame_equal(score_probes(again, probes, fold[1], readings=["keep"]), scores)


@pytest.mark.usefixtures("dropped")
@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (
            {"opposite": {"factr": 1}},
            r"matcher\.opposite: unknown setting 'factr'; allowed: factor",
        ),
        ({"nearest": {"power": 9}}, r"matcher.*power is 9.*1 to 4"),
    ],
)
def test_settings_of_a_new_part_are_checked_as_those_of_any_other(wrong, words):
    with pytest.raises(ValueError, match=words):
        Settings.of({**SETTINGS, "mapping": "opposite", "classifier": "nearest", **wrong})
