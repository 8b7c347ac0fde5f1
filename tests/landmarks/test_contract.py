"""What every model file of the package fulfils, whichever they are."""

import contextlib
import dataclasses
import importlib
import math
import runpy
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load, save
from torch import nn

from thermalign.catalogue import Setting, detectors, settings_of, takes_a_gpu
from thermalign.cut import Cut, cut_images
from thermalign.geometry import LANDMARKS, MIRRORED, interocular_distance, mirror_points
from thermalign.landmarks.contract import Faces, mirror_boxes, point_error
from thermalign.landmarks.models import calibrate_state, predict_cut
from thermalign.landmarks.uncertainty import room
from thermalign.metrics.reach import best_cells
from thermalign.settings import parse
from thermalign.states import State
from thermalign.training.loop import Run
from thermalign.warp import ImageStack, mirrored, stack_images

MODELS = detectors()
COARSE = {"finder"}  # places landmarks for the box alone: its bound is one of its own

QUIET = Run(progress=False)

Trained = tuple[ModuleType, Any, State, Faces]


@pytest.fixture(scope="module", params=MODELS)
def trained(request: pytest.FixtureRequest, toy_faces: Callable[..., Faces]) -> Trained:
    module, settings = small(request.param)
    faces = toy_faces(4, flips=True)
    state = module.fit(faces, toy_faces(4), settings, seed=3, run=QUIET)
    return module, settings, state, faces


def own(name: str, what: str) -> Any:
    """Return what the test file of a detector says of it.

    ``SMALL``: settings that are small enough for seconds and learn four faces by heart.
    ``SHARE_OF_MEAN_SHAPE``: of the mean shape's error, on those faces, at most; or else
    ``LARGEST_ERROR``, interocular distances, of what places landmarks no better than that.
    """
    path = Path(__file__).with_name(f"test_{name}.py")
    assert path.is_file(), f"give {name} a test file of its own, {path.name}"
    said = runpy.run_path(str(path))
    assert what in said, f"let {path.name} say {what}, so that the contract is tested"
    return said[what]


def small(name: str) -> tuple[ModuleType, Any]:
    module = importlib.import_module(f"thermalign.landmarks.{name}")
    if extra := getattr(module, "EXTRA", None):
        pytest.importorskip(extra, reason=f"{name} needs {extra}, an optional dependency")
    return module, parse(module.Settings, own(name, "SMALL"), name)


def brief(settings: Any) -> Any:
    """Shorten training to three steps where there is training."""
    steps = ("steps", "later_steps", "pnet_steps", "rnet_steps", "spread_steps")
    short = dict.fromkeys(steps, 3) | {"spread_faces": 64}
    names = {f.name for f in dataclasses.fields(settings)} & short.keys()
    return dataclasses.replace(settings, **{name: short[name] for name in names})


def as_stored(faces: Faces) -> tuple[torch.Tensor, torch.Tensor]:
    once = slice(0, len(faces.stack))
    return faces.boxes[once], faces.points[once]


def error(points: torch.Tensor, truth: torch.Tensor) -> float:
    distance = (points - truth).norm(dim=-1).mean(-1)
    return float((distance / interocular_distance(truth)).mean())


def test_the_package_holds_the_models_of_the_study() -> None:
    assert {"mean_shape", "dan", "pbc", "mtcnn", "ert"} <= set(MODELS)


def test_settings_are_frozen_and_have_defaults(trained: Trained) -> None:
    settings = trained[0].Settings()
    assert type(settings).__dataclass_params__.frozen


def test_a_network_is_a_module_whose_tensors_fit_the_state(trained: Trained) -> None:
    module, settings, state, _ = trained
    if not hasattr(module, "network"):
        return
    network = module.network(settings)
    assert isinstance(network, nn.Module)
    network.load_state_dict(state.tensors, strict=True)


@pytest.mark.parametrize("name", [name for name in MODELS if takes_a_gpu(name)])
def test_a_setting_that_shapes_the_network_says_that_it_costs(name: str) -> None:
    module = importlib.import_module(f"thermalign.landmarks.{name}")

    def weights(settings: Any) -> int:
        with torch.device("meta"):
            return sum(its.numel() for its in module.network(settings).parameters())

    declared = settings_of(f"thermalign.landmarks.{name}").settings
    shaping, usual = set(), weights(module.Settings())
    for its in declared:
        for other in others(its):
            with contextlib.suppress(ValueError):  # does not fit another setting
                if weights(module.Settings(**{its.name: other})) != usual:
                    shaping.add(its.name)
    assert shaping
    assert shaping <= {its.name for its in declared if its.costs}


def others(its: Setting) -> list[Any]:
    """Return values beside the default of a setting."""
    if its.choices:
        return [choice for choice in its.choices if choice != its.default]
    if isinstance(its.default, bool):
        return [not its.default]
    if isinstance(its.default, int | float):
        return [its.default * 2, its.default + its.multiple_of]
    return []


def test_predictions_have_one_point_and_covariance_per_landmark(trained: Trained) -> None:
    module, settings, state, faces = trained
    boxes, _ = as_stored(faces)
    points, covariance = module.predict(state, faces.stack, boxes, settings)
    assert points.shape == (4, len(LANDMARKS), 2)
    assert covariance.shape == (4, len(LANDMARKS), 2, 2)
    assert points.dtype == covariance.dtype == torch.float32
    assert bool(points.isfinite().all())
    known = covariance[~covariance.isnan().flatten(2).any(2)]
    torch.testing.assert_close(known, known.mT, rtol=1e-3, atol=1e-3)
    assert bool((torch.linalg.eigvalsh(known) > -1e-3).all())
    assert not points.requires_grad


def test_points_lie_on_the_grid_that_a_detector_states(trained: Trained) -> None:
    module, settings, state, faces = trained
    if not hasattr(module, "grid"):
        return
    boxes, _ = as_stored(faces)
    points, _ = module.predict(state, faces.stack, boxes, settings)
    cells = best_cells(points.double().numpy(), boxes.double().numpy(), **module.grid(settings))
    np.testing.assert_array_equal(cells, points.double().numpy())


def test_a_few_faces_are_learnt_by_heart(trained: Trained) -> None:
    module, settings, state, faces = trained
    boxes, truth = as_stored(faces)
    points, _ = module.predict(state, faces.stack, boxes, settings)
    name = module.__name__.rsplit(".", 1)[1]
    if name in COARSE:
        assert error(points, truth) <= own(name, "LARGEST_ERROR")
        return
    floor = importlib.import_module("thermalign.landmarks.mean_shape")
    none = floor.Settings()
    flat, _ = floor.predict(floor.fit(faces, faces, none, seed=0), faces.stack, boxes, none)
    assert error(points, truth) <= own(name, "SHARE_OF_MEAN_SHAPE") * error(flat, truth)


def test_a_mirrored_image_gives_mirrored_points_within_the_models_error(trained: Trained) -> None:
    module, settings, state, faces = trained
    boxes, truth = as_stored(faces)
    width = faces.stack.widths
    seen = mirror_boxes(boxes, width)
    points, _ = module.predict(state, faces.stack, boxes, settings)
    other, _ = module.predict(state, mirrored(faces.stack), seen, settings)
    back = mirror_points(other, width)
    assert error(back, points) <= 2 * error(points, truth) + 0.01


def test_points_do_not_depend_on_the_other_images_of_a_batch(trained: Trained) -> None:
    module, settings, state, faces = trained
    boxes, _ = as_stored(faces)
    together, _ = module.predict(state, faces.stack, boxes, settings)
    one = stack_images([faces.stack.image(2).numpy()], faces.stack.device)
    alone, _ = module.predict(state, one, boxes[2:3], settings)
    torch.testing.assert_close(alone[0], together[2], rtol=0, atol=1e-3)


def test_a_state_survives_safetensors(trained: Trained) -> None:
    module, settings, state, faces = trained
    boxes, _ = as_stored(faces)
    copy = State(load(save(state.tensors)))
    before, told = module.predict(state, faces.stack, boxes, settings)
    after, again = module.predict(copy, faces.stack, boxes, settings)
    assert torch.equal(before, after)
    assert torch.equal(told.nan_to_num(), again.nan_to_num())


@pytest.fixture(scope="module")
def sure(trained: Trained, toy_faces: Callable[..., Faces]) -> Callable[..., np.ndarray]:
    """Return what gives the expected errors (N, L) of faces, calibrated on faces like them."""
    module, settings, state, _ = trained
    ready = calibrate_state(
        module, state, toy_faces(12, seed=8), settings, people=list("abcdefghijkl")
    )

    def expected(stack: ImageStack, boxes: torch.Tensor) -> np.ndarray:
        cut = Cut(stack, boxes, torch.zeros(len(stack), 2))
        return predict_cut(module, ready, cut, settings).expected_error

    return expected


def test_every_detector_says_how_far_it_errs(
    sure: Callable[..., np.ndarray], trained: Trained, toy_faces: Callable[..., Faces]
) -> None:
    module, settings, state, _ = trained
    fresh = toy_faces(12, seed=9)
    expected = sure(fresh.stack, fresh.boxes)
    points, _ = module.predict(state, fresh.stack, fresh.boxes, settings)
    assert expected.shape == (12, len(LANDMARKS))
    assert np.isfinite(expected).all()
    assert 0.5 < expected.mean() / error(points, fresh.points) < 2


def test_a_face_that_is_noise_or_not_in_its_box_is_less_sure(
    sure: Callable[..., np.ndarray], trained: Trained, toy_faces: Callable[..., Faces]
) -> None:
    fresh = toy_faces(12, seed=9)
    usual = sure(fresh.stack, fresh.boxes).mean()
    noise = np.random.default_rng(0).normal(30, 3, (12, 120, 110))
    other = sure(stack_images(list(noise), torch.device("cpu")), fresh.boxes).mean()
    away = sure(fresh.stack, fresh.boxes + torch.tensor([60.0, 0, 0, 0])).mean()
    if trained[0].__name__.endswith(".mean_shape"):  # looks at no pixel
        assert [other, away] == pytest.approx([usual, usual], rel=1e-4)
    else:
        assert other > usual
        assert away > usual


def test_a_mirrored_face_is_as_sure(
    sure: Callable[..., np.ndarray], trained: Trained, toy_faces: Callable[..., Faces]
) -> None:
    fresh = toy_faces(12, seed=9)
    plain = sure(fresh.stack, fresh.boxes)
    seen = sure(mirrored(fresh.stack), mirror_boxes(fresh.boxes, fresh.stack.widths))
    near = 0.1 if trained[0].__name__.endswith(".heatmap") else 0.4
    assert seen[:, list(MIRRORED)].mean(0) == pytest.approx(plain.mean(0), rel=near)


def test_points_do_not_depend_on_how_much_of_an_image_is_kept(
    trained: Trained, toy_faces: Callable[..., Faces]
) -> None:
    module, settings, state, _ = trained
    fresh = toy_faces(4, seed=9)
    images = [np.pad(fresh.stack.image(n).numpy(), 150, mode="linear_ramp") for n in range(4)]
    boxes = fresh.boxes.double().numpy() + np.array([150, 150, 0, 0])
    reach = module.reach(settings)
    narrow, wide = (
        cut_images(images, boxes, reach, further)
        for further in (0.0, room(boxes, reach, calibrating=True))
    )
    found, again = (
        module.predict(state, cut.stack, cut.boxes, settings)[0] + cut.origins[:, None]
        for cut in (narrow, wide)
    )
    assert math.isinf(reach) or len(wide.stack.pixels) > len(narrow.stack.pixels)
    torch.testing.assert_close(again, found, rtol=0, atol=1e-2)


def test_a_state_without_calibration_says_nothing_of_errors(trained: Trained) -> None:
    module, settings, state, faces = trained
    boxes, _ = as_stored(faces)
    located = predict_cut(module, state, Cut(faces.stack, boxes, torch.zeros(4, 2)), settings)
    points, _ = module.predict(state, faces.stack, boxes, settings)
    np.testing.assert_array_equal(located.points, points.double().numpy())
    assert np.isnan(located.expected_error).all()
    nobody = calibrate_state(module, state, faces.first(0), settings, people=[])
    assert nobody.calibration == {}
    assert str(nobody.notes["calibration"]).startswith("none")


def test_the_same_seed_gives_the_same_state_and_another_seed_another(
    trained: Trained, toy_faces: Callable[..., Faces]
) -> None:
    module, settings, _, faces = trained
    short = brief(settings)

    @cache
    def fit(seed: int, run: int) -> dict[str, torch.Tensor]:
        torch.manual_seed(run)  # the caller's random state must not matter
        state: State = module.fit(faces, toy_faces(2), short, seed=seed, run=QUIET)
        return state.tensors

    assert fit(0, 0).keys() == fit(0, 1).keys()
    assert all(torch.equal(fit(0, 0)[k], fit(0, 1)[k]) for k in fit(0, 0))
    if hasattr(module, "network"):
        assert any(not torch.equal(fit(0, 0)[k], fit(1, 0)[k]) for k in fit(0, 0))


def test_training_leaves_the_callers_random_state_alone(trained: Trained) -> None:
    module, settings, _, faces = trained
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    module.fit(faces, faces, brief(settings), seed=0, run=QUIET)
    assert torch.equal(torch.rand(3), expected)


def test_gradients_stay_finite(trained: Trained) -> None:
    # One gradient that is not finite makes Adam's weight, and so the state, not finite.
    _, _, state, _ = trained
    assert all(bool(torch.isfinite(t.float()).all()) for t in state.tensors.values())


def test_training_works_without_validation_faces(trained: Trained) -> None:
    module, settings, _, faces = trained
    empty = dataclasses.replace(
        faces,
        index=faces.index[:0],
        frame=faces.frame[:0],
        boxes=faces.boxes[:0],
        points=faces.points[:0],
    )
    state = module.fit(faces, empty, brief(settings), seed=0, run=QUIET)
    assert all(row.validation_nmse != row.validation_nmse for row in state.curve)  # NaN
    with pytest.raises(ValueError, match="no training faces"):
        module.fit(empty, faces, brief(settings), seed=0, run=QUIET)


def test_the_curve_has_finite_losses_that_fall(trained: Trained) -> None:
    curve = trained[2].curve
    for stage in dict.fromkeys(row.stage for row in curve):
        rows = [row for row in curve if row.stage == stage]
        assert all(math.isfinite(row.loss) for row in rows)
        assert [r.step for r in rows] == sorted({r.step for r in rows})
        assert rows[-1].loss <= rows[0].loss
    # A stage before may have no error in interocular distances, the last one always has.
    assert all(math.isfinite(row.validation_nmse) for row in curve if row.stage == curve[-1].stage)


def test_a_state_notes_the_precision_that_it_was_trained_in(trained: Trained) -> None:
    assert trained[2].notes["precision"] == "float32"


def test_boxes_that_do_not_fit_the_images_are_refused(trained: Trained) -> None:
    module, settings, state, faces = trained
    boxes, _ = as_stored(faces)
    with pytest.raises(ValueError, match="4 images came with boxes of shape"):
        module.predict(state, faces.stack, boxes[:3], settings)
    flat = boxes.clone()
    flat[1, 2] = 0
    with pytest.raises(ValueError, match="face box of image 1"):
        module.predict(state, faces.stack, flat, settings)


def test_the_error_watched_is_in_interocular_distances(toy_faces: Callable[..., Faces]) -> None:
    faces = toy_faces(3)
    rows = torch.tensor([2])
    eyes = faces.points[2, 1] - faces.points[2, 0]
    moved = faces.points[rows] + 0.1 * eyes
    torch.testing.assert_close(point_error(moved, faces, rows), torch.tensor(0.1))
