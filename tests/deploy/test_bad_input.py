"""What cannot be trusted: a line or a status, never a guess shown as sure."""

import json

import numpy as np
import pytest
import torch
from bright import SETTINGS, SHAPE, picture, save_mtcnn, state_of
from safetensors.torch import load_file, save_file

import thermalign
from thermalign.deploy import faces
from thermalign.deploy.faces import LARGEST_ERROR
from thermalign.landmarks import heatmap
from thermalign.states import State, save_state

BOX = np.array([30.0, 20, 60, 80])


def calibration(error):
    """Return a calibration by which every point is expected to err by ``error``, about."""
    told = {"gain": (5, 0.0), "floor": (5, error**2), "pixel": (1, 0.0), "shared": (1, 0.0)}
    told |= {"tail": (1, 50.0), "ratio": (1, 1.0)}
    return {n: torch.full((k,), value, dtype=torch.float64) for n, (k, value) in told.items()}


def stating(folder, error):
    """Return a detector of landmarks that states such an error."""
    path = folder / "stating.safetensors"
    save_state(path, state_of(calibration=calibration(error)), {"settings": json.dumps(SETTINGS)})
    return thermalign.load(path, check=False)


def only(faces):
    (face,) = faces
    assert np.isnan(face.points).all() == (face.status != "ok")
    assert np.isnan(face.expected_error).all() or face.status == "ok"
    return face


# --- images ---


def test_a_constant_image_is_refused_and_a_constant_box_holds_no_face(detector):
    with pytest.raises(ValueError, match="the image: is dead"):
        detector(np.full((120, 160), 30.0), BOX)
    image = picture((120, 0, 30, 30)).astype(float)
    image[20:100, 30:90] = 25
    face = only(detector(image, BOX))
    note = "its box is of one value, or outside the image"
    assert (face.status, face.note) == ("no face", note)


@pytest.mark.parametrize("box", [[900, 900, 60, 80], [-300, 20, 60, 80], [1e9, 1e9, 60, 80]])
def test_a_box_outside_the_image_holds_no_face(detector, box):
    assert only(detector(picture(), np.array(box, float))).status == "no face"


@pytest.mark.parametrize("side", [1e3, 1e6, 1e9])
def test_a_face_of_which_the_image_holds_next_to_nothing_is_none(detector, side):
    face = only(detector(picture(), np.array([-side / 2, -side / 2, side, side])))
    assert face.status == "no face"
    assert "outside the image" in face.note


def test_a_face_that_the_border_cuts_keeps_its_points(detector):
    image = picture((0, 20, 40, 80))
    face = only(detector(image, np.array([-20.0, 20, 60, 80])))
    assert face.status == "ok"


def test_a_box_beyond_what_can_be_computed_with_is_refused(detector):
    for box in ([0, 0, 1e300, 1e300], [-1e13, 0, 60, 80], [0, float("nan"), 60, 80]):
        with pytest.raises(ValueError, match=r"pixels, finite and at most 1e\+12"):
            detector(picture(), np.array(box))


def test_numbers_beyond_those_of_32_bits_are_refused_without_a_warning(detector, recwarn):
    with pytest.raises(ValueError, match="samples are NaN or infinite"):
        detector(picture(tuple(BOX.astype(int))) * 1e300, BOX)
    assert not recwarn


# --- what is stated of errors ---


def test_points_of_an_expected_error_above_the_largest_are_not_given(tmp_path):
    sure, unsure = (stating(tmp_path, error)(picture(), BOX) for error in (0.05, 1.0))
    assert only(sure).status == "ok"
    face = only(unsure)
    assert face.status == "unsure"
    assert f"at most {LARGEST_ERROR:g} is given out" in face.note


def test_how_unsure_is_too_unsure_can_be_said(tmp_path):
    stating(tmp_path, 0.2)
    path = tmp_path / "stating.safetensors"
    for most, status in ((0.05, "unsure"), (9.0, "ok"), (float("inf"), "ok")):
        detector = thermalign.load(path, check=False, largest_error=most)
        assert only(detector(picture(), BOX)).status == status
    for wrong in (0.0, -1.0, float("nan")):
        with pytest.raises(ValueError, match=r"largest_error is .*; give interocular distances"):
            thermalign.load(path, largest_error=wrong)


def test_it_is_the_mean_over_landmarks_that_counts(tmp_path):
    told = calibration(0.05)
    told["floor"][2] = (3 * LARGEST_ERROR) ** 2
    path = tmp_path / "one.safetensors"
    save_state(path, state_of(calibration=told), {"settings": json.dumps(SETTINGS)})
    face = only(thermalign.load(path, check=False)(picture(), BOX))
    assert face.expected_error.max() > LARGEST_ERROR > face.expected_error.mean()
    assert face.status == "ok"


def test_an_error_of_which_nothing_is_known_is_told_as_that(detector):
    face = only(detector(picture(), BOX))
    assert face.status == "ok"
    assert np.isnan(face.expected_error).all()


# --- states ---


@pytest.fixture
def small(tmp_path):
    """Write a heatmap state as a training does, of random weights."""
    settings = {"width": 0.25, "input_size": 32}
    torch.manual_seed(1)
    tensors = heatmap.network(heatmap.Settings(**settings)).state_dict()
    tensors["mean_shape"] = torch.tensor(SHAPE, dtype=torch.float32) - 0.5
    told = {"model": "mine", "detector": "heatmap", "seed": 1, **settings}
    save_state(tmp_path / "a.safetensors", State(tensors), {"settings": json.dumps(told)})
    return tmp_path / "a.safetensors"


def rewritten(path, *, tensors=None, **changes):
    """Write a state again with other settings or tensors."""
    from safetensors import safe_open  # noqa: PLC0415

    with safe_open(path, framework="pt") as file:
        told = json.loads(file.metadata()["thermalign"])
    told |= {"settings": json.dumps(json.loads(told["settings"]) | changes.pop("settings", {}))}
    kept = load_file(path) if tensors is None else tensors
    other = path.parent / "other" / path.name  # tensors are read from the first one when used
    other.parent.mkdir(exist_ok=True)
    save_file(kept, other, {"thermalign": json.dumps(told | changes)})
    return other


def refusal(path):
    with pytest.raises(ValueError, match=r"a\.safetensors: ") as caught:
        thermalign.load(path, check=False)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_state_of_this_version_is_taken(small):
    assert len(thermalign.load(small, check=False)(picture(), BOX)) == 1


def test_a_state_with_a_setting_that_this_version_lacks_is_refused(small):
    line = refusal(rewritten(small, settings={"sharpness": 3}))
    assert "unknown setting 'sharpness'" in line
    assert "if another version trained it, train again" in line


def test_a_state_whose_networks_are_of_an_older_version_is_refused(small):
    tensors = load_file(small)
    first = "stem.0.0.weight"
    for other in (
        {k: v for k, v in tensors.items() if k != first},
        {**tensors, "old": torch.zeros(3)},
        {**tensors, first: torch.zeros(7)},
    ):
        line = refusal(rewritten(small, tensors=other))
        assert "its tensors are not those of its settings in this version" in line


def test_a_calibration_of_another_version_is_refused(small):
    whole = {f"calibration.{name}": value for name, value in calibration(0.1).items()}
    good = load_file(small) | whole
    assert thermalign.load(rewritten(small, tensors=good), check=False)
    for wrong in (
        good | {"calibration.old": torch.zeros(5)},
        good | {"calibration.gain": torch.zeros(4)},
        {name: its for name, its in good.items() if name != "calibration.tail"},
    ):
        line = refusal(rewritten(small, tensors=wrong))
        assert "its tensors are not those of its settings in this version" in line


def test_a_state_is_taken_for_the_modality_that_it_was_trained_on_alone(small):
    trained = rewritten(small, modality="visible")
    assert thermalign.load(trained, modality="visible")
    assert "was trained on visible images, and modality is thermal" in refusal(trained)
    assert thermalign.load(small, modality="visible")  # it does not say


def test_the_weights_that_the_package_brings_are_for_thermal_images_alone(
    small, tmp_path, monkeypatch
):
    monkeypatch.setattr(faces, "WEIGHTS", tmp_path / "weights")
    small.replace(tmp_path / "landmarks.safetensors")
    (tmp_path / "weights").mkdir()
    own = (tmp_path / "landmarks.safetensors").rename(tmp_path / "weights/landmarks.safetensors")
    save_mtcnn(tmp_path / "weights/finder.safetensors", "full")
    assert thermalign.load().finder is not None
    with pytest.raises(ValueError, match="the package brings are of thermal faces; name a trained"):
        thermalign.load(modality="visible")
    assert thermalign.load(own, modality="visible").finder is None


def test_a_state_of_another_landmark_scheme_is_refused(small):
    assert "trained for landmarks ['nose']" in refusal(rewritten(small, landmarks=["nose"]))


def test_a_model_of_another_tool_is_refused(small):
    save_file({"backbone.weight": torch.zeros(3)}, small, {"format": "pt"})
    assert "is not a trained model of this package, or not whole" in refusal(small)


@pytest.mark.usefixtures("bare")
def test_a_model_of_landmarks_is_no_finder_but_a_finder_places_landmarks(small, tmp_path):
    with pytest.raises(ValueError, match=r"a\.safetensors: finds no faces; name a state that was"):
        thermalign.load(small, finder=small)
    path = save_mtcnn(tmp_path / "f.safetensors", "full")
    detector = thermalign.load(path, check=False)
    assert detector.finder is detector.landmarks
    assert len(detector(picture(), BOX)) == 1
