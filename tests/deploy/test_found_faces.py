"""Faces of images in memory: found or given, and what cannot be trusted."""

import cv2
import numpy as np
import pytest
from bright import picture, save_mtcnn, shape_in

import thermalign
from thermalign.deploy import faces as module
from thermalign.deploy.faces import FaceDetector, to_values
from thermalign.geometry import interocular_distance

BOX = (30, 20, 60, 80)


def test_a_face_is_found_and_its_landmarks_are_placed_in_its_box(detector):
    (face,) = detector(picture(BOX))
    assert (face.status, face.note, round(face.score, 3)) == ("ok", "", 0.9)
    np.testing.assert_allclose(face.box, BOX, atol=1e-4)
    np.testing.assert_allclose(face.points, shape_in(BOX), atol=1e-3)
    assert np.isnan(face.expected_error).all()  # the state was never calibrated


def test_an_image_without_a_face_has_none(detector):
    assert detector(picture()) == []


def test_boxes_are_given_one_or_several_or_the_whole_image(detector):
    image = picture(BOX)
    for boxes in (BOX, [BOX], [BOX, (10, 10, 50, 60)]):
        found = detector(image, np.array(boxes, float))
        np.testing.assert_allclose(found[0].points, shape_in(BOX), atol=1e-3)
        assert len(found) == np.ndim(boxes) * len(np.atleast_2d(boxes)) // np.ndim(boxes)
        assert all(np.isnan(face.score) for face in found)
    (whole,) = detector(image, "whole")
    np.testing.assert_allclose(whole.points, shape_in((0, 0, 160, 120)), atol=1e-3)


def test_images_of_many_sizes_keep_their_order(detector):
    boxes = [(30, 20, 60, 80), None, (5, 5, 50, 70)]
    shapes = [(120, 160), (64, 64), (200, 90)]
    images = [
        picture(*([box] if box else []), shape=shape)
        for box, shape in zip(boxes, shapes, strict=True)
    ]
    found = detector.batch([to_values(image) for image in images])
    assert [len(each) for each in found] == [1, 0, 1]
    np.testing.assert_allclose(found[2][0].box, boxes[2], atol=1e-4)


def test_parts_of_images_are_held_a_few_at_a_time(detector, monkeypatch):
    image = to_values(picture(BOX))
    whole = detector.batch([image] * 5)
    monkeypatch.setattr(module, "_PIXELS", 1)
    for one, other in zip(whole, detector.batch([image] * 5), strict=True):
        np.testing.assert_allclose(one[0].points, other[0].points)


def test_many_images_are_taken_and_checked_as_one_is(detector, tmp_path):
    image, path = picture(BOX), tmp_path / "a.png"
    cv2.imwrite(str(path), image)
    grey = np.repeat(image[..., None], 3, axis=2)
    wanted = detector(image)[0].points
    for (face,) in detector.batch([image, path, grey, image.astype(np.uint16) * 200]):
        np.testing.assert_allclose(face.points, wanted, atol=1e-3)
    lost = np.where(np.eye(40), np.nan, 1.0)
    with pytest.raises(ValueError, match="image 1: 40 of 1600 samples are NaN or infinite"):
        detector.batch([image, lost])
    with pytest.raises(ValueError, match="image 0: is thermal and in colour"):
        detector.batch([image[..., None] * np.array([1, 0, 0], np.uint8), image])


def test_8_bits_are_scaled_in_many_images_as_in_one(detector, monkeypatch):
    seen = []
    monkeypatch.setattr(module, "_shrink", lambda image: seen.append(image) or image)
    detector(picture(BOX))
    detector.batch([picture(BOX)])
    np.testing.assert_array_equal(*seen)
    assert seen[0].max() <= 1


def test_boxes_found_in_a_smaller_image_are_exact_on_its_grid(detector, monkeypatch):
    monkeypatch.setattr(module, "_SEARCHED", 120 * 160 // 4)
    (face,) = detector(picture(BOX))  # all its edges are edges of the smaller image's pixels too
    np.testing.assert_allclose(face.box, BOX, atol=1e-4)
    np.testing.assert_allclose(face.points, shape_in(BOX), atol=1e-3)


def test_a_huge_image_is_searched_smaller_and_its_boxes_are_its_own(detector, monkeypatch):
    monkeypatch.setattr(module, "_SEARCHED", 3000)
    (face,) = detector(picture(BOX))
    np.testing.assert_allclose(face.box, BOX, atol=6)  # a pixel of the smaller one has 2.5


def test_a_face_with_eyes_too_near_has_no_landmarks(detector):
    apart = interocular_distance(shape_in((30, 20, 18, 26)))
    assert apart < module.SMALLEST
    (face,) = detector(picture((30, 20, 18, 26)))
    assert face.status == "too small"
    assert f"{apart:.1f} px between the eyes; at least 8 are needed" in face.note
    assert np.isnan(face.points).all()
    closer = FaceDetector(detector.landmarks, detector.finder, smallest=0, check=False)
    assert closer(picture((30, 20, 18, 26)))[0].status == "ok"


def test_a_face_that_does_not_look_thermal_has_no_landmarks(detector, monkeypatch):
    asked = []
    monkeypatch.setattr(
        module,
        "is_thermal",
        lambda cut, points, surer: asked.append(points) or np.zeros(len(points), bool),
    )
    checked = FaceDetector(detector.landmarks, detector.finder)
    (face,) = checked(picture(BOX))
    assert face.status == "not thermal"
    assert "--no-check" in face.note
    assert np.isnan(face.points).all()
    assert face.score > 0.8
    np.testing.assert_allclose(asked[0][0], shape_in(BOX), atol=1e-3)
    visible = FaceDetector(detector.landmarks, detector.finder, modality="visible")
    assert visible(picture(BOX))[0].status == "ok"
    assert len(asked) == 1


def test_grey_is_grey_however_it_is_stored(detector):
    image = picture(BOX)
    asked = detector(image)[0].points
    rgb = np.repeat(image[..., None], 3, axis=2)
    sixteen = image.astype(np.uint16) * 37 + 20_000
    for other in (rgb, image[..., None], image.astype(float), image.astype(np.int32), sixteen):
        np.testing.assert_allclose(detector(other)[0].points, asked, atol=1e-3)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((40, 40), complex), "is an array .* of complex128; give"),
        (np.zeros((2, 40, 40, 3)), r"is an array \(2, 40, 40, 3\)"),
        (np.zeros((8, 8)), "has 8 x 8 pixels, too few for a face"),
        (np.zeros((40, 40), np.uint8), "the image: is dead"),
        (np.where(np.eye(40), np.nan, 1.0), "40 of 1600 samples are NaN or infinite"),
        (picture(BOX)[..., None] * np.array([1, 0, 0], np.uint8), "is thermal and in colour"),
    ],
)
def test_what_is_no_thermal_image_is_refused(detector, image, message):
    with pytest.raises(ValueError, match=message):
        detector(image)


@pytest.mark.parametrize("boxes", ["half", np.ones(3), np.array([1, 2, np.nan, 4]), [0, 0, 0, 9]])
def test_what_is_no_box_is_refused(detector, boxes):
    with pytest.raises(ValueError, match=r"boxes (is|are) .*; give"):
        detector(picture(BOX), boxes)


def test_without_a_finder_boxes_must_be_given(detector):
    bare = FaceDetector(detector.landmarks, check=False)
    with pytest.raises(ValueError, match=r"no state that finds faces: name one \(--finder"):
        bare(picture(BOX))
    assert len(bare(picture(BOX), "whole")) == 1


# --- loading ---


def test_a_state_is_loaded_from_the_package_itself(landmarks):
    detector = thermalign.load(landmarks, check=False)
    assert isinstance(detector, thermalign.FaceDetector)
    (face,) = detector(picture(BOX), np.array(BOX))
    assert isinstance(face, thermalign.Face)
    assert not hasattr(thermalign, "nothing")


def test_without_weights_of_its_own_a_state_is_asked_for(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "WEIGHTS", tmp_path)
    with pytest.raises(ValueError, match=r"brings no weights of its own; name a trained landmark"):
        thermalign.load()


def test_the_weights_of_an_installation_are_used_where_none_are_named(
    landmarks, monkeypatch, tmp_path
):
    monkeypatch.setattr(module, "WEIGHTS", landmarks.parent)
    detector = thermalign.load()
    assert detector.landmarks.path == landmarks
    assert detector.finder is None


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"modality": "sonar"}, "modality is 'sonar'; use one of"),
        ({"smallest": -1.0}, "smallest is -1.0; give pixels"),
        ({"smallest": float("nan")}, "smallest is nan; give pixels"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(landmarks, wrong, message):
    with pytest.raises(ValueError, match=message):
        thermalign.load(landmarks, **wrong)


def test_a_finder_that_finds_no_faces_is_refused(landmarks):
    with pytest.raises(ValueError, match=r"landmarks\.safetensors: finds no faces; name a state"):
        thermalign.load(landmarks, finder=landmarks)


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize("stages", ["onet", "full"])
def test_a_cascade_of_which_only_the_last_network_was_trained_is_no_finder(
    landmarks, tmp_path, stages
):
    path = save_mtcnn(tmp_path / "mtcnn.safetensors", stages)
    if stages == "full":
        assert thermalign.load(landmarks, finder=path).finder.path == path
        assert thermalign.load(path).finder.path == path
        return
    with pytest.raises(ValueError, match=r"mtcnn\.safetensors: finds no faces; name a state"):
        thermalign.load(landmarks, finder=path)
    assert thermalign.load(path).finder is None
