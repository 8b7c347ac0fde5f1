"""MTCNN: a cascade of three networks that finds faces and their landmarks in whole images.

The study's paper tests its last network alone, inside the given face box: that is `predict`.
"""

import math
from functools import partial

import torch
from torch import Tensor, nn

from thermalign.geometry import from_box_units
from thermalign.landmarks.contract import (
    Detections,
    Faces,
    chunks,
    point_error,
    unannotated,
    untold,
)
from thermalign.landmarks.mtcnn import cascade, crops, losses
from thermalign.landmarks.mtcnn.boxes import squared
from thermalign.landmarks.mtcnn.crops import Crops, Pools
from thermalign.landmarks.mtcnn.losses import Lesson, Weights
from thermalign.landmarks.mtcnn.networks import ONet, PNet, RNet, initialise
from thermalign.landmarks.mtcnn.settings import Settings
from thermalign.states import State
from thermalign.training import loop
from thermalign.training.loop import UNKEPT, Run, keep, restore
from thermalign.warp import ImageStack

PAPER = True  # it prints how many parameters this detector has

FINDS = {"stages": "full"}
"""Settings of a training that finds faces in whole images; more than O-Net is trained then."""

WEIGHTS: dict[str, Weights] = {
    "pnet": (1.0, 0.5, 0.5),
    "rnet": (1.0, 0.5, 0.5),
    "onet": (1.0, 0.5, 1.0),
}
"""Of each network's face, box and landmark losses; MTCNN paper."""


class Mtcnn(nn.Module):
    """The networks of the cascade by name; inside a given box the last one is enough."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        if settings.stages == "full":
            self.pnet = PNet(settings.width)
            self.rnet = RNet(settings.width)
        self.onet = ONet(settings.width)
        if settings.init == "xavier":
            initialise(self)


def reach(settings: Settings) -> float:
    """Return how far beyond a face box MTCNN looks, in sides of the box."""
    if settings.stages == "full":
        return math.inf
    beyond = settings.shift + (settings.scale[1] - 1) / 2 + 0.1
    # ASSUME: half a side holds the square of a box up to about 1.6 times as high as wide; beyond
    # what is cut off the border repeats.
    return beyond + 0.5 * (settings.given_box == "squared")


def network(settings: Settings) -> nn.Module:
    """Return untrained networks."""
    return Mtcnn(settings)


def fit(
    train: Faces, validation: Faces, settings: Settings, *, seed: int, run: Run = UNKEPT
) -> State:
    """Train the networks in their order, each on what those before it get wrong.

    P-Net is trained on random crops; R-Net on what P-Net finds in the training images, O-Net on
    what P- and R-Net find, both topped up with random crops. P- and R-Net are kept as their last
    step leaves them, O-Net in the state with the lowest error inside given boxes.

    Raises
    ------
    ValueError
        As every detector, and if no crop falls into a band of overlap.

    Source
    ------
    Zhang et al., IEEE Signal Processing Letters 23(10), 2016; widths, sizes and alternating losses
    from Poster et al. 2019, Tables 1 to 3. Differs from it in: one channel; Adam; dense layers with
    bias; the sampling and its numbers are the port's where the paper is silent.
    """
    if len(train) == 0:
        raise ValueError("mtcnn: there are no training faces")
    with loop.session("mtcnn", seed, train.stack.device, run) as session:
        networks = Mtcnn(settings).to(train.stack.device)
        if settings.stages == "full":
            _fit_proposing(session, networks, train, settings, seed=seed)
        pools = _pools_of_output(networks, train, settings, seed=seed)
        onet, boxes = networks.onet, _landmark_boxes(train, settings)
        lesson = Lesson(train, pools, boxes, None, WEIGHTS["onet"])
        session.optimise(
            onet,
            "onet",
            settings.steps,
            settings,
            loss=partial(losses.loss, onet, lesson, settings, session.generator),
            validate=partial(_error, onet, validation, settings) if len(validation) else None,
            l2=settings.l2,
        )
    return keep(networks, session.curve, settings)


def predict(
    state: State, stack: ImageStack, boxes: Tensor, settings: Settings
) -> tuple[Tensor, Tensor]:
    """Find the landmarks of each face inside its box, by O-Net alone: the paper's test mode.

    It tells no covariance: O-Net's probability is of a face, not of where a landmark is.
    """
    faces = unannotated(stack, boxes)
    networks = restore(Mtcnn(settings), state, stack.device, settings)
    points = _locate(networks.onet, faces, settings)
    return points, untold(points)


def detect(state: State, stack: ImageStack, settings: Settings) -> Detections:
    """Find faces in whole images, with boxes, scores and landmarks.

    Parameters
    ----------
    state : State
    stack : ImageStack of N images, of any sizes
    settings : Settings

    Returns
    -------
    Detections
        Faces smaller than ``min_face`` or not wholly inside the image are not looked for.

    Raises
    ------
    ValueError
        If only O-Net was trained, or the state does not fit the settings.
    """
    if settings.stages != FINDS["stages"]:
        raise ValueError("stages is onet, which finds no faces; train with stages: full")
    networks = restore(Mtcnn(settings), state, stack.device, settings)
    # Whole images stand for the boxes that are not known yet.
    whole = torch.cat([torch.zeros_like(stack.sizes[:, 0]), stack.sizes[:, 0]], dim=1)
    faces = unannotated(stack, whole)
    first, second, third = settings.thresholds
    proposed = cascade.propose(networks.pnet, faces, settings, threshold=first)
    refined = cascade.refine(networks.rnet, faces, proposed, settings, threshold=second)
    return cascade.output(networks.onet, faces, refined, settings, threshold=third)


def _fit_proposing(
    session: loop.Session, networks: Mtcnn, train: Faces, settings: Settings, *, seed: int
) -> None:
    """Train P-Net on random crops, then R-Net on what P-Net finds.

    ASSUME: neither stops early, since an error of landmarks is not what they are for.
    """
    squares = _whole_set(train, squared(train.boxes))

    def optimise(
        net: PNet | RNet, name: str, steps: int, pools: Pools, levels: Tensor | None
    ) -> None:
        lesson = Lesson(train, pools, squares, levels, WEIGHTS[name])
        loss = partial(losses.loss, net, lesson, settings, session.generator)
        session.optimise(net, name, steps, settings, loss=loss, validate=None, l2=settings.l2)

    pools = crops.random_pools(train, settings, crops.generator(train, seed, 0))
    crops.check(pools)
    levels = cascade.image_levels(train, settings)
    optimise(networks.pnet, "pnet", settings.pnet_steps, pools, levels)
    pools = cascade.mine(train, settings, crops.generator(train, seed, 1), pnet=networks.pnet)
    optimise(networks.rnet, "rnet", settings.rnet_steps, pools, None)


def _pools_of_output(
    networks: Mtcnn, train: Faces, settings: Settings, *, seed: int
) -> Pools | None:
    """Return what O-Net's face and box losses are learnt from, if they are."""
    if settings.losses == "landmarks":
        return None
    draws = crops.generator(train, seed, 2)
    if settings.stages == "full":
        return cascade.mine(train, settings, draws, pnet=networks.pnet, rnet=networks.rnet)
    pools = crops.random_pools(train, settings, draws)
    crops.check(pools)
    return pools


def _whole_set(faces: Faces, boxes: Tensor) -> Crops:
    return Crops(torch.arange(len(faces), device=boxes.device), boxes)


def _landmark_boxes(faces: Faces, settings: Settings) -> Crops:
    """Return what O-Net's landmark crops are disturbed from: the boxes it will be given.

    With ``as_is`` a full cascade gives it squares as well, so half of the crops are squares.
    """
    given = _whole_set(faces, _given(faces.boxes, settings))
    if settings.given_box == "as_is" and settings.stages == "full":
        return crops.join([given, _whole_set(faces, squared(faces.boxes))])
    return given


def _given(boxes: Tensor, settings: Settings) -> Tensor:
    return squared(boxes) if settings.given_box == "squared" else boxes


def _error(onet: ONet, faces: Faces, settings: Settings) -> Tensor:
    points = _locate(onet, faces, settings)
    return point_error(points, faces, torch.arange(len(faces), device=points.device))


@torch.no_grad()
def _locate(onet: ONet, faces: Faces, settings: Settings) -> Tensor:
    """Return the landmarks (M, L, 2) in face boxes, pixels."""
    found = []
    for rows in chunks(faces):
        crops = Crops(rows, _given(faces.boxes[rows], settings))
        _, _, landmarks = cascade.look(onet, faces, crops, settings, mirrored=settings.mirrored)
        found.append(from_box_units(landmarks, crops.boxes))
    return torch.cat(found)
