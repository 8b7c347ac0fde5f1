import dataclasses
import importlib
import re
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from thermalign import geometry
from thermalign.catalogue import detectors
from thermalign.geometry import interocular_distance, mirror_points, to_box_units
from thermalign.landmarks import dan, mean_shape
from thermalign.landmarks.augment import Augmentation, augmented
from thermalign.landmarks.augment.camera import (
    Camera,
    cells,
    draw_camera,
    gaussian,
    rising,
    to_eight_bit,
)
from thermalign.landmarks.augment.distortion import FARTHEST, WIDTH, bent, distorted
from thermalign.landmarks.contract import Faces, make_faces, point_error
from thermalign.landmarks.normalise import NormalisedFaces, prepare
from thermalign.settings import parse
from thermalign.training.loop import Run
from thermalign.warp import stack_images

POINTS = torch.tensor([[90.0, 90], [150, 92], [121, 122], [98, 152], [144, 151]])
BOX = torch.tensor([55.0, 40, 130, 160])
SIDE = 240
# The mean shape looks at no pixel, the finder learns from scenes that it composes itself.
TRAINED = [name for name in detectors() if name not in ("mean_shape", "finder")]
SHAPES = [
    {"aspect": 0.3},
    {"shear": 0.2},
    {"bend": 0.15},
    {"aspect": 0.3, "shear": 0.2, "bend": 0.15},
]
PLACED = ("occluders", "surround", "shading", "curve", "saturation", "eight_bit", "gain", "offset")
"""What depends on a pixel and its place on the face alone."""
LIGHT: dict[str, Any] = {
    "occluders": 1.0,
    "surround": 1.0,
    "blur": 0.1,
    "low_resolution": 0.1,
    "noise": 0.2,
    "fixed_pattern": 0.2,
    "shading": 0.3,
    "local_contrast": 2.0,
    "curve": 0.8,
    "saturation": 0.3,
    "eight_bit": 8.0,
    "gain": 0.2,
    "offset": 0.2,
}


def small(detector: str) -> Any:
    """Return the settings with which a detector learns four faces by heart."""
    module = importlib.import_module(f"thermalign.landmarks.{detector}")
    its = runpy.run_path(str(Path(__file__).with_name(f"test_{detector}.py")))
    return parse(module.Settings, its["SMALL"], detector)


def draw(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def dots(landmark: int, *, flipped: bool = False, radius: float = 2.0) -> Faces:
    """Return one face twice, a dot at one landmark and nothing else."""
    y, x = np.mgrid[:SIDE, :SIDE]
    px, py = POINTS[landmark].tolist()
    image = np.exp(-((x - px) ** 2 + (y - py) ** 2) / (2 * radius**2))
    index = torch.zeros(2, dtype=torch.int64)
    flips = torch.tensor([False, flipped])
    boxes, points = BOX.expand(2, 4), POINTS.expand(2, 5, 2)
    return make_faces(stack_images([image], torch.device("cpu")), index, flips, boxes, points)


def whole(count: int, *, x: float = 0.0, y: float = 0.0) -> torch.Tensor:
    return torch.tensor([[1.0, 0, -x], [0, 1, -y]]).expand(count, 2, 3)


def centroid(image: torch.Tensor) -> torch.Tensor:
    at = torch.arange(SIDE, dtype=torch.float32)
    mass = image.sum()
    return torch.stack([(image.sum(0) * at).sum() / mass, (image.sum(1) * at).sum() / mass])


def camera_of(count: int = 64, **settings: float) -> Camera:
    """Return cameras of one face each, the effects always on."""
    faces = dots(0).subset(torch.zeros(count, dtype=torch.int64))
    given: dict[str, Any] = {"share": 1.0, **settings}
    camera = draw_camera(faces, Augmentation(**given), draw())
    assert camera is not None
    return camera


def recorded(camera: Camera, values: torch.Tensor) -> torch.Tensor:
    """Record images (K, H, W) whose pixels are the face's, from its box's corner on."""
    rows = torch.arange(len(values))
    matrices = whole(len(values), x=float(BOX[0]), y=float(BOX[1]))
    return camera.record(values[:, None], rows, matrices)[:, 0]


# --- off ---------------------------------------------------------------------------------------


def test_everything_is_off_by_default_and_then_nothing_changes(
    toy_faces: Callable[..., Faces],
) -> None:
    data = prepare(toy_faces(5, flips=True), dan.Settings())
    rows, generator = torch.tensor([7, 2, 2, 9]), draw()
    before = generator.get_state()
    found = augmented(data, rows, Augmentation(), generator)
    assert type(found) is NormalisedFaces
    assert torch.equal(generator.get_state(), before)
    assert torch.equal(found.faces.points, data.faces.points[rows])
    assert torch.equal(found.faces.boxes, data.faces.boxes[rows])
    matrices = whole(4, x=11.5, y=20.25)
    one = found.crops(torch.arange(4), matrices, width=50, height=60)
    assert torch.equal(one, data.crops(rows, matrices, width=50, height=60))


@pytest.mark.parametrize(
    "settings", [{"share": 1.0}, *({name: 0.0, "share": 1.0} for name in LIGHT)]
)
def test_a_strength_of_zero_is_off(settings: dict[str, float]) -> None:
    assert not Augmentation(**settings).changes


@pytest.mark.parametrize("name", ["aspect", "shear", "bend", *LIGHT])
def test_every_strength_alone_is_on(name: str) -> None:
    assert Augmentation(**{name: 1.0 if name == "eight_bit" else 0.1}).changes


# --- shape -------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", SHAPES)
@pytest.mark.parametrize("landmark", range(5))
def test_a_dot_at_a_landmark_is_found_at_the_distorted_landmark(
    landmark: int, settings: dict[str, float]
) -> None:
    faces = dots(landmark, flipped=True, radius=1.0)  # small: a wide one is bent itself
    rows = torch.tensor([0, 1] * 10)
    found = distorted(faces, rows, Augmentation(**settings), draw(landmark))
    images = found.crops(torch.arange(20), whole(20), width=SIDE, height=SIDE)[:, 0]
    seen = [1, 0, 2, 4, 3][landmark]  # of a mirrored face
    for n in range(20):
        point = found.points[n, seen if n % 2 else landmark]
        assert float((centroid(images[n]) - point).norm()) < 0.15
    moved = (found.points - faces.points[rows]).norm(dim=-1)
    assert float(moved.max()) > 2


def test_aspect_stretches_around_the_centre_of_the_box_and_keeps_the_area() -> None:
    rows = torch.zeros(200, dtype=torch.int64)
    found = distorted(dots(0), rows, Augmentation(aspect=0.2), draw())
    centre = torch.tensor([119.5, 119.5])
    wider, higher = ((found.points - centre) / (POINTS - centre)).unbind(-1)
    for stretch in (wider, higher):
        torch.testing.assert_close(stretch, stretch[:, :1].expand(200, 5), rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(wider[:, 0] * higher[:, 0], torch.ones(200))
    change = (higher / wider)[:, 0].log()
    assert float(change.std()) == pytest.approx(0.2, rel=0.15)
    assert float(change.abs().max()) <= 2.5 * 0.2 + 1e-5


def test_shear_moves_what_is_lower_to_the_side() -> None:
    found = distorted(dots(0), torch.tensor([0]), Augmentation(shear=0.1), draw())
    down = POINTS[:, 1] - 119.5  # from the centre of the box
    slope = (found.points[0, 3, 0] - POINTS[3, 0]) / down[3]
    assert float(slope.abs()) > 0.01
    torch.testing.assert_close(found.points[0, :, 0], POINTS[:, 0] + slope * down)
    torch.testing.assert_close(found.points[0, :, 1], POINTS[:, 1])


@pytest.mark.parametrize("settings", SHAPES)
def test_boxes_stay_so_that_a_crop_of_one_shows_the_distortion(settings: dict[str, float]) -> None:
    faces = dots(2, flipped=True)
    found = distorted(faces, torch.tensor([0, 1]), Augmentation(**settings), draw())
    assert torch.equal(found.boxes, faces.boxes)
    moved = to_box_units(found.points, found.boxes) - to_box_units(faces.points, faces.boxes)
    assert float(moved.abs().amax((1, 2)).min()) > 0.005


def test_a_bend_pushes_the_middle_of_the_face_and_fades_as_a_bell() -> None:
    faces = dots(0).subset(torch.tensor([0]))
    unit = float(interocular_distance(POINTS))
    found = bent(faces, torch.tensor([[0.1, -0.2]]))
    push = torch.tensor([0.1, -0.2]) * unit
    shares = ((found.points - POINTS) / push)[0]
    torch.testing.assert_close(shares[:, 0], shares[:, 1])
    centre = POINTS.mean(0)
    far = (found.points[0] - centre).norm(dim=-1) / (WIDTH * unit)
    torch.testing.assert_close(shares[:, 0], torch.exp(-(far**2) / 2))
    assert float(shares[2].min()) > 0.8


def test_a_bend_can_be_inverted_however_strong_it_was_drawn() -> None:
    angle = torch.linspace(0, 6.28, 40)
    push = 5 * FARTHEST * torch.stack([angle.cos(), angle.sin()], dim=1)
    faces = dots(0).subset(torch.zeros(40, dtype=torch.int64))
    found = bent(faces, push)
    unit = float(interocular_distance(POINTS))
    lengths = found.push.norm(dim=1) / unit
    torch.testing.assert_close(lengths, torch.full((40,), FARTHEST))
    # What an image is sampled by, at the points that were solved for, gives the points before.
    from_centre = (found.points - found.centre[:, None]) / (WIDTH * unit)
    bell = torch.exp(-(from_centre**2).sum(-1) / 2)
    back = found.points - found.push[:, None] * bell[..., None]
    torch.testing.assert_close(back, POINTS.expand(40, 5, 2), rtol=0, atol=1e-3)
    assert float(FARTHEST / WIDTH * np.exp(-0.5)) < 0.6  # the steepest slope of the bell


def test_bent_faces_keep_their_bend_in_a_subset() -> None:
    faces = bent(dots(2), torch.tensor([[0.2, 0.0], [0.0, 0.3]]))
    rows = torch.tensor([1])
    both = faces.crops(torch.arange(2), whole(2), width=SIDE, height=SIDE)
    one = faces.subset(rows).crops(torch.tensor([0]), whole(1), width=SIDE, height=SIDE)
    assert torch.equal(one[0], both[1])


def test_a_mirrored_face_bent_the_mirrored_way_is_the_mirrored_bent_face() -> None:
    faces = dots(3, flipped=True)
    found = bent(faces, torch.tensor([[0.2, 0.1], [-0.2, 0.1]]))
    torch.testing.assert_close(mirror_points(found.points[0], SIDE), found.points[1])
    images = found.crops(torch.arange(2), whole(2), width=SIDE, height=SIDE)[:, 0]
    torch.testing.assert_close(images[0].flip(1), images[1], rtol=0, atol=1e-4)


# --- light -------------------------------------------------------------------------------------


def test_gain_and_offset_by_hand() -> None:
    camera = camera_of(2000, gain=0.1, offset=0.2)
    flat = torch.tensor([0.5, -0.25]).view(1, 1, 2).expand(2000, 1, 2)
    found = recorded(camera, flat)[:, 0]
    gain = (found[:, 0] - found[:, 1]) / 0.75
    offset = found[:, 0] - 0.5 * gain
    kept = found.abs().amax(1) < 1.4
    assert float(gain[kept].log().std()) == pytest.approx(0.1, rel=0.1)
    assert float(offset[kept].std()) == pytest.approx(0.2, rel=0.1)


def test_values_stay_where_normalised_values_do() -> None:
    camera = camera_of(**LIGHT)
    images = 3 * torch.randn((64, 60, 50), generator=draw())
    assert float(recorded(camera, images).abs().max()) == pytest.approx(1.4)


def test_a_rising_curve_by_hand() -> None:
    values = torch.tensor([[-2.0, -1, -0.5, 0, 0.5, 1, 1.5]])
    found = rising(values, torch.tensor([[1.0, 3.0]]))  # slopes .5 and 1.5
    assert found.flatten().tolist() == pytest.approx([-1.5, -1, -0.75, -0.5, 0.25, 1, 1.75])


def test_grey_levels_never_fall_where_values_rise_and_keep_the_levels_of_the_face() -> None:
    values = torch.linspace(-1.4, 1.4, 301).view(1, 1, -1).expand(64, 1, -1)
    found = recorded(camera_of(curve=1.0, saturation=0.4, eight_bit=8.0), values)[:, 0]
    assert bool((found.diff(dim=1) >= -1e-6).all())
    found = recorded(camera_of(curve=1.0), values)[:, 0]
    within = found.abs() < 1.39  # below where values are cut off
    assert bool((found.diff(dim=1)[within[:, 1:] & within[:, :-1]] > 0).all())
    at = values[0, 0].sub(torch.tensor([[-1.0], [1.0]])).abs().argmin(1)
    torch.testing.assert_close(
        found[:, at], torch.tensor([[-1.0, 1]]).expand(64, 2), atol=0.02, rtol=0
    )
    assert float(found[:, 150].std()) > 0.2  # what lies between moves


def test_saturation_cuts_off_and_the_levels_are_measured_anew() -> None:
    values = torch.linspace(-1, 1, 201).view(1, 1, -1).expand(64, 1, -1)
    camera = camera_of(saturation=0.3)
    found = recorded(camera, values)[:, 0]
    low, high = camera.place["saturation"].unbind(1)
    for n in range(64):
        cut = values[0, 0].clamp(float(2 * 0.3 * low[n] - 1), float(1 - 2 * 0.3 * high[n]))
        expected = 2 * (cut - cut.min()) / (cut.max() - cut.min()) - 1
        torch.testing.assert_close(found[n], expected)


def test_eight_bits_have_256_levels_and_round_to_the_nearest() -> None:
    values = torch.linspace(-3, 3, 5001)
    found = to_eight_bit(values, torch.tensor(-1.0), torch.tensor(1.0))
    assert len(torch.unique(found)) == 256
    inside = values.abs() <= 1
    assert float((found - values)[inside].abs().max()) <= 1 / 255 + 1e-6
    assert float(found.max()) == pytest.approx(1)
    assert float(found.min()) == pytest.approx(-1)


def test_a_face_keeps_fewer_levels_the_wider_the_range_of_the_export() -> None:
    values = torch.linspace(-1, 1, 5001).view(1, 1, -1).expand(64, 1, -1)
    camera = camera_of(eight_bit=8.0)
    found = recorded(camera, values)[:, 0]
    levels = torch.tensor([len(torch.unique(found[n])) for n in range(64)])
    expected = 256 / 8 ** camera.amount["eight_bit"]
    assert bool(((levels - expected).abs() <= 2).all())
    assert 32 <= int(levels.min()) < 64
    assert 200 < int(levels.max()) <= 256


def test_a_gaussian_keeps_sums_and_has_its_width() -> None:
    matrices = gaussian(101, torch.tensor([0.0, 4.0, 9.0]))
    torch.testing.assert_close(matrices.sum(2), torch.ones(3, 101))
    assert torch.equal(matrices[0], torch.eye(101))
    at = torch.arange(101.0) - 50
    width = (matrices[1:, 50] * at**2).sum(1).sqrt()
    torch.testing.assert_close(width, torch.tensor([4.0, 9.0]), rtol=0.01, atol=0)


def test_blur_is_that_of_the_face_at_every_size_of_crop() -> None:
    camera = camera_of(blur=0.2)
    dot = dots(2)
    rows = torch.arange(64)
    sharp = dot.subset(rows * 0)
    sizes = []
    for zoom in (1.0, 0.5):
        matrices = whole(64) * zoom
        side = int(SIDE * zoom)
        crops = sharp.crops(rows, matrices, width=side, height=side)
        seen = camera.record(crops, rows, matrices)[:, 0]
        x = torch.arange(side, dtype=torch.float32)
        across = seen.sum(1) / seen.sum((1, 2))[:, None]
        mean = (across * x).sum(1, keepdim=True)
        sizes.append((across * (x - mean) ** 2).sum(1).sqrt() / zoom)
    strength = 0.2 * camera.amount["blur"] * interocular_distance(POINTS)
    expected = (strength**2 + 4).sqrt()  # the dot itself has 2 pixels
    torch.testing.assert_close(sizes[0], expected, rtol=0.03, atol=0.1)
    torch.testing.assert_close(sizes[1], expected, rtol=0.03, atol=0.3)


def test_larger_pixels_by_hand() -> None:
    line = torch.tensor([0.0, 2, 4, 6])
    down, up = cells(4, torch.tensor([1.0, 2.0, 2.0]), torch.tensor([0.0, 0.0, 0.5]))
    torch.testing.assert_close(up[0] @ down[0], torch.eye(4))
    assert (down[1] @ line).tolist() == pytest.approx([1, 5, 0, 0, 0])
    assert (up[1] @ down[1] @ line).tolist() == pytest.approx([1, 2, 4, 5])
    # Half of the first pixel lies before the line: 0 alone, the mean of 2 and 4, and 6 alone.
    assert (down[2] @ line).tolist() == pytest.approx([0, 3, 6, 0, 0])
    assert (up[2] @ down[2] @ line)[[0, 3]].tolist() == pytest.approx([0.75, 5.25])


def test_low_resolution_leaves_a_flat_image_and_averages_a_fine_one() -> None:
    camera = camera_of(low_resolution=0.2)
    flat = torch.full((64, 50, 60), 0.3)
    torch.testing.assert_close(recorded(camera, flat), flat)
    fine = torch.tensor([-1.0, 1.0]).repeat(30).expand(64, 50, 60)
    contrast = recorded(camera, fine).std((1, 2))
    pixel = 0.2 * camera.amount["low_resolution"] * interocular_distance(POINTS)
    torch.testing.assert_close(
        contrast[pixel < 1], torch.full_like(contrast[pixel < 1], 1.0), rtol=0.05, atol=0
    )
    assert float(contrast[pixel > 5].max()) < 0.35


def test_noise_and_pattern_have_their_strengths() -> None:
    flat = torch.zeros((64, 80, 100))
    camera = camera_of(noise=0.2)
    found = recorded(camera, flat).flatten(1).std(1)
    torch.testing.assert_close(found, 0.2 * camera.amount["noise"], rtol=0.06, atol=1e-3)
    camera = camera_of(fixed_pattern=0.2)
    seen = recorded(camera, flat)
    strength = 0.2 * camera.amount["fixed_pattern"]
    torch.testing.assert_close(seen.mean(1).std(1) / strength, torch.ones(64), rtol=0.3, atol=0)
    torch.testing.assert_close(
        seen.mean(2).std(1) / strength, torch.full((64,), 0.5), rtol=0.4, atol=0
    )
    alike = (
        seen
        - seen.mean(1, keepdim=True)
        - seen.mean(2, keepdim=True)
        + seen.mean((1, 2), keepdim=True)
    )
    assert float(alike.abs().max()) < 1e-5


def test_local_contrast_amplifies_what_is_small_over_what_is_large() -> None:
    camera = camera_of(local_contrast=3.0)
    unit = float(interocular_distance(POINTS))
    x = torch.arange(240.0)
    slow = 0.2 * torch.sin(2 * torch.pi * x / (4 * unit))
    fine = 0.1 * torch.sin(2 * torch.pi * x / (unit / 6))
    ratio = []
    for wave in (slow, fine):
        images = wave.expand(64, 30, 240)
        ratio.append(recorded(camera, images)[:, 0, 60:180].std(1) / wave[60:180].std())
    found = ratio[1] / ratio[0]
    # The slow wave loses exp(-(2 pi .3 / 4)^2 / 2) to details.
    kept = float(np.exp(-((2 * np.pi * 0.3 / 4) ** 2) / 2))
    factor = 4 ** camera.amount["local_contrast"]
    torch.testing.assert_close(found, factor / (kept + factor * (1 - kept)), rtol=0.1, atol=0)


def test_shading_is_one_wave_of_its_strength() -> None:
    camera = camera_of(shading=0.4)
    seen = recorded(camera, torch.zeros((64, 300, 300)))
    torch.testing.assert_close(
        seen.abs().amax((1, 2)), 0.4 * camera.amount["shading"], rtol=0.02, atol=0.01
    )
    assert float(seen.diff(dim=2).abs().max()) < 0.4 * 2 * np.pi / (2 * 60) + 1e-3


def test_what_surrounds_a_face_leaves_its_landmarks() -> None:
    camera = camera_of(surround=1.0)
    image = 0.5 * torch.randn((64, SIDE, SIDE), generator=draw())
    seen = camera.record(image[:, None], torch.arange(64), whole(64))[:, 0]
    x, y = POINTS.long().T
    torch.testing.assert_close(seen[:, y, x], image.clamp(-1.4, 1.4)[:, y, x], rtol=0, atol=0.02)
    corner = seen[:, :20, :20].flatten(1)
    assert float(corner.std(1).max()) < 1e-3
    assert float(corner.mean(1).max()) <= 0.21


def test_occluders_hide_part_of_a_face_under_one_level() -> None:
    camera = camera_of(400, occluders=1.0)
    image = 0.5 * torch.randn((400, 160, 130), generator=draw())
    seen = recorded(camera, image)
    hidden = ((seen - image.clamp(-1.4, 1.4)).abs() > 1e-3).float().mean((1, 2))
    assert float((hidden > 0.005).float().mean()) > 0.9
    assert float(hidden.max()) < 0.75
    lenses = camera.place["occluders"][:, 0] >= 0.7
    eye = (POINTS[0] - BOX[:2]).long().tolist()
    at = seen[lenses][:, eye[1] - 3 : eye[1] + 4, eye[0] - 3 : eye[0] + 4].flatten(1)
    assert float(at.std(1).max()) < 0.02
    assert float(at.mean(1).max()) <= 0


@pytest.mark.parametrize("effect", ["curve", "noise"])
def test_a_share_of_the_faces_has_an_effect(effect: str) -> None:
    camera = camera_of(4000, share=0.3, **{effect: 0.5})
    assert float(camera.on[effect].float().mean()) == pytest.approx(0.3, abs=0.03)
    image = torch.linspace(-1, 1, 64).view(1, 8, 8).expand(4000, 8, 8)
    changed = (recorded(camera, image) - image).abs().amax((1, 2)) > 1e-5
    assert torch.equal(changed, camera.on[effect])


def some_values() -> torch.Tensor:
    return torch.rand((64, 60, 50), generator=draw(3)) * 2 - 1


@pytest.mark.parametrize("effects", [PLACED, ("blur", "low_resolution", "local_contrast")])
def test_what_is_not_on_the_host_is_changed_as_there(
    effects: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of the images have each effect: elsewhere all are changed, and half of them kept."""
    half = dict.fromkeys(("share", "occluders", "surround"), 0.5)
    strengths = {name: LIGHT[name] for name in effects} | half
    strengths |= {} if effects == PLACED else {"occluders": 0.0, "surround": 0.0}
    here = recorded(camera_of(**strengths), some_values())
    monkeypatch.setattr(geometry, "on_host", lambda values: False)
    there = recorded(camera_of(**strengths), some_values())
    torch.testing.assert_close(there, here)
    assert not torch.equal(here, some_values())


def test_noise_elsewhere_is_of_those_that_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    everywhere = {"noise": 0.2, "fixed_pattern": 0.2}
    here = recorded(camera_of(**everywhere), some_values() / 2)
    monkeypatch.setattr(geometry, "on_host", lambda values: False)
    torch.testing.assert_close(recorded(camera_of(**everywhere), some_values() / 2), here)
    camera, flat = camera_of(share=0.5, **everywhere), torch.zeros(64, 60, 50)
    spread = recorded(camera, flat).flatten(1).std(1)
    noisy = camera.on["noise"] | camera.on["fixed_pattern"]
    assert 0 < int(noisy.sum()) < 64
    assert not spread[~noisy].any()
    assert bool((spread[noisy] > 0).all())


# --- a batch -----------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [*({n: LIGHT[n]} for n in LIGHT), {"bend": 0.1, **LIGHT}])
def test_every_call_of_a_batch_sees_the_same_and_so_does_the_same_seed(
    settings: dict[str, float], toy_faces: Callable[..., Faces]
) -> None:
    data = prepare(toy_faces(4), dan.Settings())
    rows, its = torch.tensor([3, 0, 1]), Augmentation(share=1.0, **settings)

    def crops(seed: int, calls: int = 1) -> torch.Tensor:
        batch = augmented(data, rows, its, draw(seed))
        for _ in range(calls):
            found = batch.crops(torch.arange(3), whole(3), width=110, height=120)
        return found

    assert torch.equal(crops(5), crops(5))
    assert torch.equal(crops(5), crops(5, calls=2))
    assert not torch.equal(crops(5), crops(6))
    some = augmented(data, rows, its, draw(5))
    last = some.crops(torch.tensor([2]), whole(1), width=110, height=120)
    torch.testing.assert_close(last[0], crops(5)[2], rtol=0, atol=1e-5)


@pytest.mark.parametrize("effect", PLACED)
def test_another_crop_of_a_batch_shows_the_same_camera(
    effect: str, toy_faces: Callable[..., Faces]
) -> None:
    data = prepare(toy_faces(4), dan.Settings())
    its = Augmentation(**{"share": 1.0, effect: LIGHT[effect]})
    batch = augmented(data, torch.arange(4), its, draw())
    one = batch.crops(torch.arange(4), whole(4), width=110, height=120)
    other = batch.crops(torch.arange(4), whole(4, x=20, y=30), width=60, height=70)
    torch.testing.assert_close(other, one[:, :, 30:100, 20:80], rtol=0, atol=0.02)


def test_the_draws_of_an_effect_do_not_depend_on_the_others() -> None:
    alone = camera_of(curve=0.5)
    with_others = camera_of(curve=0.5, noise=0.3, blur=0.2)
    assert torch.equal(alone.normal, with_others.normal)
    assert torch.equal(alone.amount["curve"], with_others.amount["curve"])


# --- settings and detectors --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"blur": -0.1}, "blur is -0.1; give 0 to 0.5"),
        ({"share": 1.5}, "share is 1.5; give 0 to 1"),
        ({"bend": 0.6}, "bend is 0.6; give 0 to 0.3"),
        ({"zoom": 0.1}, "unknown setting 'zoom'; allowed: aspect"),
        ({"eight_bit": 0.5}, "eight_bit is 0.5; give 0 for none, or 1 or more spans of the face"),
        ({"noise": "high"}, "noise is 'high'; give a value of type float"),
    ],
)
@pytest.mark.parametrize("detector", TRAINED)
def test_bad_values_are_refused_by_name(
    detector: str, mapping: dict[str, object], message: str
) -> None:
    settings = importlib.import_module(f"thermalign.landmarks.{detector}").Settings
    with pytest.raises(ValueError, match=re.escape(message)) as refused:
        parse(settings, {"augment": mapping}, "models.x")
    assert str(refused.value).startswith("models.x.augment")


@pytest.mark.parametrize("detector", TRAINED)
def test_a_detector_reads_its_augmentation(detector: str, toy_faces: Callable[..., Faces]) -> None:
    module = importlib.import_module(f"thermalign.landmarks.{detector}")
    if extra := getattr(module, "EXTRA", None):
        pytest.importorskip(extra, reason=f"{detector} needs {extra}, an optional dependency")
    few = {"steps": 2, "later_steps": 2, "pnet_steps": 2, "rnet_steps": 2}
    few |= {"cascade_depth": 1, "num_trees_per_cascade_level": 3}
    few |= {"spread_steps": 2, "spread_faces": 64}
    names = {its.name for its in dataclasses.fields(module.Settings)}
    brief = dataclasses.replace(small(detector), **{k: v for k, v in few.items() if k in names})
    faces, states = toy_faces(4), []
    for settings in (Augmentation(), Augmentation(aspect=0.2), Augmentation(noise=2.0)):
        chosen = dataclasses.replace(brief, augment=settings)
        states.append(module.fit(faces, faces, chosen, seed=0, run=Run(progress=False)).tensors)
    for other in states[1:]:
        assert any(not torch.equal(other[name], states[0][name]) for name in other)


@pytest.mark.parametrize("detector", TRAINED)
def test_detectors_learn_from_augmented_faces(
    detector: str, toy_faces: Callable[..., Faces]
) -> None:
    module = importlib.import_module(f"thermalign.landmarks.{detector}")
    if extra := getattr(module, "EXTRA", None):
        pytest.importorskip(extra, reason=f"{detector} needs {extra}, an optional dependency")
    mild = Augmentation(aspect=0.05, bend=0.03, noise=0.1, gain=0.1, curve=0.2, occluders=0.1)
    varied = dataclasses.replace(small(detector), augment=mild)
    faces, none = toy_faces(4, flips=True), mean_shape.Settings()
    state = module.fit(faces, toy_faces(4), varied, seed=0, run=Run(progress=False))
    stack, boxes = faces.stack, faces.boxes[:4]
    once = faces.first(4)
    found, _ = module.predict(state, stack, boxes, varied)
    floor = mean_shape.predict(mean_shape.fit(faces, faces, none, seed=0), stack, boxes, none)[0]
    rows = torch.arange(4)
    assert float(point_error(found, once, rows)) < 0.8 * float(point_error(floor, once, rows))
