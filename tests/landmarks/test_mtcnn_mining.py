from collections.abc import Callable
from dataclasses import replace

import torch

from thermalign.geometry import box_iou
from thermalign.landmarks.contract import Faces
from thermalign.landmarks.mtcnn import Settings, cascade, crops
from thermalign.landmarks.mtcnn.crops import Pools
from thermalign.landmarks.mtcnn.networks import PNet, RNet

SETTINGS = Settings(width=0.2, min_face=40)


def mine(faces: Faces, settings: Settings, *, seed: int = 1, refined: bool = False) -> Pools:
    torch.manual_seed(0)
    pnet, rnet = PNet(0.2).eval(), RNet(0.2).eval()
    draws = crops.generator(faces, seed, 1)
    return cascade.mine(faces, settings, draws, pnet=pnet, rnet=rnet if refined else None)


def test_mining_depends_on_the_seed_and_not_on_earlier_draws(
    toy_faces: Callable[..., Faces],
) -> None:
    faces = toy_faces(4)
    first, again = (mine(faces, SETTINGS).positives.boxes for _ in range(2))
    assert torch.equal(first, again)
    assert not torch.equal(first, mine(faces, SETTINGS, seed=2).positives.boxes)


def test_stages_mine_with_draws_of_their_own(toy_faces: Callable[..., Faces]) -> None:
    faces = toy_faces(1)
    draws = [torch.rand(1, generator=crops.generator(faces, 5, stage)) for stage in range(3)]
    assert len({float(draw) for draw in draws}) == 3


def test_mining_runs_over_no_more_faces_than_allowed(toy_faces: Callable[..., Faces]) -> None:
    faces = toy_faces(8)
    rows = mine(faces, replace(SETTINGS, mined_faces=3), refined=True).negatives.rows
    assert len(rows.unique()) == 3
    assert int(rows.max()) < len(faces)


def test_mined_crops_are_sorted_by_the_face_of_their_own_image(
    toy_faces: Callable[..., Faces],
) -> None:
    # Untrained networks propose windows everywhere, so mirrored copies mine as well.
    faces = toy_faces(3, flips=True)
    sure = replace(SETTINGS, mining_thresholds=(0.0, 0.0))
    pools = mine(faces, sure, refined=True)
    found = pools.negatives
    assert float(box_iou(found.boxes, faces.boxes[found.rows]).max()) < 0.3
    assert set(found.rows.tolist()) == set(range(len(faces)))
    assert len(found) > 3 * SETTINGS.least_crops * len(faces) - 1
