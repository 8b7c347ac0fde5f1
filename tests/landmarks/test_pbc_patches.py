from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from thermalign import geometry
from thermalign.landmarks import normalise, pbc
from thermalign.landmarks.contract import Faces
from thermalign.landmarks.pbc.patches import (
    BACKGROUND,
    NEITHER,
    PATCH,
    classes_of,
    draw_patches,
    native_crops,
    neighbour_classes,
    patch_iou,
    refuse_unmet,
    translations,
)
from thermalign.landmarks.pbc.settings import Settings

CHOSEN = Settings(batch_size=200)


def draw(faces: Faces, chosen: Settings) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    return draw_patches(faces, chosen, torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("dx", "dy", "expected"),
    [
        (0, 0, 1.0),
        (3, 3, 57 * 57 / (7200 - 57 * 57)),
        (6, 0, 54 * 60 / (7200 - 54 * 60)),
        (60, 0, 0.0),
        (30, 60, 0.0),
        (-200, 0, 0.0),
    ],
)
def test_overlaps_by_hand(dx: float, dy: float, expected: float) -> None:
    point = torch.tensor([[[29.5, 29.5]]])  # the centre of the patch that begins at (0, 0)
    found = patch_iou(torch.tensor([[float(dx), float(dy)]]), point)
    assert float(found) == pytest.approx(expected)


def test_positives_overlap_after_clamping_and_negatives_do_not(
    toy_faces: Callable[..., Faces],
) -> None:
    faces = toy_faces(4, flips=True)
    rows, corners, classes = draw(faces, replace(CHOSEN, negative_iou=0.6))
    iou = patch_iou(corners, faces.points[rows])
    positive = classes != BACKGROUND
    own = iou[positive].gather(1, classes[positive][:, None])
    assert int((~positive).sum()) == 100
    assert float(own.min()) > 0.8
    assert float(iou[~positive].max()) <= 0.6


def test_patches_begin_at_whole_pixels_inside_the_crop(toy_faces: Callable[..., Faces]) -> None:
    faces = toy_faces(4)
    rows, corners, _ = draw(faces, CHOSEN)
    low, sizes = native_crops(faces.boxes[rows])
    assert torch.equal(corners, corners.round())
    assert bool((corners >= low).all())
    assert bool((corners + PATCH <= low + sizes).all())


def test_a_landmark_out_of_a_small_crops_reach_gives_no_positive(
    toy_faces: Callable[..., Faces],
) -> None:
    faces = toy_faces(1)
    # The right eye is 12 pixels from the left edge: the nearest patch is 18 pixels off.
    left = (faces.points[0, 0, 0] - 12).round()
    faces = replace(faces, boxes=torch.tensor([[float(left), 10.0, 80.0, 95.0]]))
    _, _, classes = draw(faces, CHOSEN)
    assert 0 not in classes
    assert {2, BACKGROUND} <= set(classes.tolist())


def test_overlaps_that_nothing_meets_are_refused(toy_faces: Callable[..., Faces]) -> None:
    faces = toy_faces(1)
    faces = replace(faces, boxes=torch.tensor([[0.0, 0.0, 60.0, 60.0]]))
    with pytest.raises(ValueError, match="none of 1600 patches overlaps enough"):
        draw(faces, replace(CHOSEN, positive_iou=0.99, negative_iou=0.0))


def test_a_small_box_grows_around_its_centre_to_a_patch() -> None:
    boxes = torch.tensor([[100.0, 50.0, 40.0, 70.0], [10.2, 20.6, 81.4, 90.4]])
    corners, sizes = native_crops(boxes)
    assert sizes.tolist() == [[60, 70], [81, 90]]
    assert corners.tolist() == [[90, 50], [10, 21]]


def test_patches_are_the_images_own_pixels(toy_faces: Callable[..., Faces]) -> None:
    faces = toy_faces(1, flips=True)
    corners = torch.tensor([[7.0, 9.0], [13.0, 4.0]])
    patches = faces.crops(torch.tensor([0, 1]), translations(corners), width=PATCH, height=PATCH)
    image = faces.stack.image(0)
    torch.testing.assert_close(patches[0, 0], image[9:69, 7:67], rtol=0, atol=1e-4)
    torch.testing.assert_close(patches[1, 0], image.flip(1)[4:64, 13:73], rtol=0, atol=1e-4)


def test_patches_reach_out_of_the_crop_as_far_as_they_are_searched(
    toy_faces: Callable[..., Faces],
) -> None:
    faces = toy_faces(4)
    generator = torch.Generator().manual_seed(0)
    rows, corners, _ = draw_patches(faces, CHOSEN, generator, beyond=16)
    low, sizes = native_crops(faces.boxes[rows])
    high = low + sizes - PATCH
    assert bool((corners >= low - 16).all())
    assert bool((corners <= high + 16).all())
    assert bool((corners < low).any())
    assert bool((corners > high).any())


def test_a_patch_shows_what_it_overlaps_most() -> None:
    # Patches that begin at x = 0, 3, 6, 10, 14; landmarks centred on those at 0 and 20.
    point = torch.tensor([[29.5, 29.5], [49.5, 29.5]] + [[500.0, 500.0]] * 3)
    corners = torch.tensor([[0.0, 0], [3, 0], [6, 0], [10, 0], [14, 0]])
    # Overlaps with the nearest: 1, .90, .82, .71 (with either), .82
    classes = classes_of(corners, point.expand(5, 5, 2), replace(CHOSEN, negative_iou=0.6))
    assert classes.tolist() == [0, 0, 0, NEITHER, 1]
    assert classes_of(corners, point.expand(5, 5, 2), CHOSEN).tolist() == [0, 0, 0, BACKGROUND, 1]


def test_neighbours_have_classes_of_their_own_where_they_are_searched(
    toy_faces: Callable[..., Faces],
) -> None:
    faces = replace(
        toy_faces(1),
        boxes=torch.tensor([[0.0, 0.0, 84.0, 76.0]]),
        points=torch.tensor([[[37.5, 29.5], [45.5, 37.5], *[[400.0, 400.0]] * 3]]),
    )
    chosen = replace(CHOSEN, negative_iou=0.7, neighbours=2)
    rows, corner = torch.tensor([0]), torch.tensor([[16.0, 8.0]])
    classes = neighbour_classes(faces, rows, corner, chosen)
    none, other = NEITHER, BACKGROUND
    # Patches begin at x = 0, ..., 32 and y = -8, ..., 24; the crop ends them at 24 and 16.
    # Landmarks are shown at (8, 0) and (16, 8); 8 px to a side of one is an overlap of .76.
    assert classes[0].tolist() == [
        [none, none, none, none, none],
        [none, 0, none, other, none],
        [other, none, 1, none, none],
        [other, other, none, other, none],
        [none, none, none, none, none],
    ]
    wider = neighbour_classes(faces, rows, corner, chosen, beyond=16)
    assert torch.equal(wider[0, 1:4, 1:4], classes[0, 1:4, 1:4])
    assert wider[0, 0].tolist() == [other, none, other, other, other]


def test_boxes_round_alike_wherever_the_image_was_cut() -> None:
    # Halves: 90 + (55 - 60) / 2 = 87.5 and, 3 pixels less, 84.5.
    boxes = torch.tensor([[90.0, 10.5, 55.0, 62.5], [87.0, 7.5, 55.0, 62.5]])
    corners, sizes = native_crops(boxes)
    assert sizes.tolist() == [[60, 63], [60, 63]]
    assert corners.tolist() == [[88, 10], [85, 7]]


FEW = replace(CHOSEN, positive_iou=0.99, negative_share=0.25)
"""Overlaps that less than a batch of 1,600 draws meets."""


def test_elsewhere_a_batch_is_the_hosts_and_what_it_lacks_has_no_class(
    toy_faces: Callable[..., Faces], monkeypatch: pytest.MonkeyPatch
) -> None:
    faces = toy_faces(12, flips=True)
    here = {chosen: draw(faces, chosen) for chosen in (CHOSEN, FEW)}
    monkeypatch.setattr(geometry, "on_host", lambda values: False)
    for chosen, expected in here.items():
        found = draw(faces, chosen)
        met = found[2] != NEITHER
        for mine, its in zip(found, expected, strict=True):
            assert len(mine) == 200
            assert torch.equal(mine[met], its)
    assert len(here[CHOSEN][0]) == 200
    assert len(here[FEW][0]) < 200


def test_elsewhere_the_loss_of_a_batch_that_lacks_patches_is_the_hosts(
    toy_faces: Callable[..., Faces], monkeypatch: pytest.MonkeyPatch
) -> None:
    few = replace(FEW, width=0.25, neighbours=1, batch_size=24)
    torch.manual_seed(0)
    model, data = pbc.Network(few).eval(), normalise.prepare(toy_faces(12), few)
    with torch.no_grad():
        model.classes.weight *= 1000  # untrained, it tells patches hardly apart

    def loss() -> torch.Tensor:
        return pbc._loss(model, data, few, torch.Generator().manual_seed(2))

    here = loss()
    monkeypatch.setattr(geometry, "on_host", lambda values: False)
    torch.testing.assert_close(loss(), here)


def test_elsewhere_overlaps_that_nothing_meets_have_no_class_and_are_refused_before_training(
    toy_faces: Callable[..., Faces], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(geometry, "on_host", lambda values: False)
    faces = replace(toy_faces(1), boxes=torch.tensor([[0.0, 0.0, 60.0, 60.0]]))
    unmet = replace(CHOSEN, positive_iou=0.99, negative_iou=0.0)
    assert set(draw(faces, unmet)[2].tolist()) == {NEITHER}
    with pytest.raises(ValueError, match="none of 1600 patches overlaps enough"):
        refuse_unmet(faces, unmet, torch.Generator().manual_seed(0))
    with pytest.raises(ValueError, match="none of 1600 patches overlaps enough"):
        pbc.fit(faces, faces.first(0), unmet, seed=1)
