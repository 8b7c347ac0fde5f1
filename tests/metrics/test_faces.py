import numpy as np
import pytest
import torch

from thermalign.geometry import apply_matrix, from_box_units, mirror_points, to_box_units
from thermalign.metrics.faces import UNITS, face_measures, mean_shape_errors

# Eyes 40 px apart on one row; nose 4 px to the left ear's side and 24 down; mouth 40 down.
FACE = np.array([[30.0, 50], [70, 50], [54, 74], [34, 90], [66, 90]])
BOX = np.array([10.0, 20, 92, 115])


def measures_of(points, box=BOX):
    found = face_measures(points[None], box[None])
    return {name: float(values[0]) for name, values in found.items()}


def turned(points, degrees, scale=1.0):
    c, s = scale * np.cos(np.radians(degrees)), scale * np.sin(np.radians(degrees))
    return apply_matrix(np.array([[c, -s, 5.0], [s, c, -3.0]]), points)


def random_faces(count, seed=0):
    random = np.random.default_rng(seed)
    points = FACE + random.normal(0, 2, (count, 5, 2))
    boxes = BOX + random.normal(0, 3, (count, 4))
    return points, boxes


def test_a_face_measured_by_hand():
    assert measures_of(FACE) == pytest.approx(
        {
            "interocular_distance": 40,
            "roll": 0,
            "yaw_proxy": 0.1,
            "pitch_proxy": 0.6,
            "mouth_line": 1,
            "mouth_width": 0.8,
            "box_width": 2.3,
            "box_height": 2.875,
        }
    )


def test_every_measure_has_its_unit():
    assert measures_of(FACE).keys() == UNITS.keys()


@pytest.mark.parametrize("degrees", [-40.0, 15.0, 90.0])
def test_a_leaning_head_changes_its_roll_alone(degrees):
    upright, leaning = measures_of(FACE), measures_of(turned(FACE, degrees))
    assert leaning.pop("roll") == pytest.approx(degrees)
    upright.pop("roll")
    assert leaning == pytest.approx(upright)


def test_a_larger_image_changes_pixels_alone():
    small, large = measures_of(FACE), measures_of(turned(FACE, 0, scale=3), 3 * BOX)
    assert large.pop("interocular_distance") == pytest.approx(3 * small.pop("interocular_distance"))
    assert large == pytest.approx(small)


def test_a_mirrored_face_looks_the_other_way():
    leaning = turned(FACE, 10)
    seen, mirrored = measures_of(leaning), measures_of(mirror_points(leaning, 120))
    for name in ("yaw_proxy", "roll"):
        assert mirrored.pop(name) == pytest.approx(-seen.pop(name))
    assert mirrored == pytest.approx(seen)


def test_a_face_without_interocular_distance_is_refused():
    with pytest.raises(ValueError, match=r"not positive in rows \[0\]"):
        measures_of(np.zeros((5, 2)))


def test_faces_that_fill_their_boxes_alike_have_no_mean_shape_error():
    points = np.stack([turned(FACE, 0, scale=s) for s in (0.5, 1.0, 2.0, 3.0)])
    corner = BOX[:2] - 0.5
    boxes = [[*(corner * s + (5, -3) + 0.5), *(BOX[2:] * s)] for s in (0.5, 1.0, 2.0, 3.0)]
    errors = mean_shape_errors(points, np.array(boxes), list("abcd"))
    np.testing.assert_allclose(errors, 0, atol=1e-12)


def test_the_mean_shape_comes_from_the_other_half_of_the_subjects():
    points, boxes = random_faces(6)
    subjects = ["a", "b", "a", "c", "d", "b"]
    errors = mean_shape_errors(points, boxes, subjects)
    p, b = torch.tensor(points), torch.tensor(boxes)
    first = torch.tensor([s in ("a", "c") for s in subjects])
    for half in (first, ~first):
        shape = to_box_units(p[~half], b[~half]).mean(0)
        placed = from_box_units(shape, b[half])
        unit = (p[half, 1] - p[half, 0]).norm(dim=-1)
        expected = ((placed - p[half]).norm(dim=-1) / unit[:, None]).mean(1)
        np.testing.assert_allclose(errors[half.numpy()], expected.numpy())


def test_one_subject_has_no_mean_shape_of_others():
    points, boxes = random_faces(3)
    with pytest.raises(ValueError, match="1 subjects cannot be halved"):
        mean_shape_errors(points, boxes, ["a", "a", "a"])
