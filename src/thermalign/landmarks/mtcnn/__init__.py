"""MTCNN: a cascade of three networks that finds faces and their landmarks in whole images.

The study's paper tests its last network alone, inside the given face box: that is `predict`.
"""

import math
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from thermalign.landmarks import normalise
from thermalign.landmarks.contract import (
    Detections,
    Faces,
    chunks,
    from_box_units,
    point_error,
    unannotated,
)
from thermalign.landmarks.mtcnn import cascade, crops, losses, mining
from thermalign.landmarks.mtcnn.boxes import squared
from thermalign.landmarks.mtcnn.crops import Crops, Pools
from thermalign.landmarks.mtcnn.losses import Lesson, Weights
from thermalign.landmarks.mtcnn.networks import ONet, PNet, RNet, initialise
from thermalign.settings import check_choices, check_ranges
from thermalign.states import State
from thermalign.training import loop
from thermalign.training.loop import UNKEPT, Run
from thermalign.warp import ImageStack

WEIGHTS: dict[str, Weights] = {
    "pnet": (1.0, 0.5, 0.5),
    "rnet": (1.0, 0.5, 0.5),
    "onet": (1.0, 0.5, 1.0),
}
"""Of each network's face, box and landmark losses; MTCNN paper."""


@dataclass(frozen=True)
class Settings:
    """Hyper-parameters; defaults are the paper's, or those of ports that train MTCNN.

    The original authors published no training code; the port is AITTSMD/MTCNN-Tensorflow.
    """

    stages: str = "full"  # or onet: the last network alone, for images that are face crops
    losses: str = "alternating"  # paper; or weighted_sum (ports), or landmarks (onet alone)
    given_box: str = "squared"  # official detector; or as_is: resized with its own proportions
    width: float = 1.0  # of the channels and units of all networks; paper 1
    ratio: tuple[float, float, float, float] = (3.0, 1.0, 1.0, 2.0)  # negative, part, positive,
    # landmark faces of a batch; MTCNN paper
    hard_share: float = 0.7  # of a batch's face losses that count, the largest; MTCNN paper
    negative_iou: float = 0.3  # below; MTCNN paper, as the next two
    part_iou: float = 0.4  # from here to positive_iou
    positive_iou: float = 0.65  # above
    negative_crops: int = 50  # random ones per face, anywhere; port, as the next two
    near_crops: int = 5  # random ones per face, touching it
    face_crops: int = 20  # random ones per face, around it
    least_crops: int = 5  # per face, of mined parts and positives, thrice of negatives. ASSUME
    most_negatives: int = 60  # mined ones per face; port
    mined_faces: int = 5000  # that mining runs over at most. ASSUME
    mining_thresholds: tuple[float, float] = (0.3, 0.1)  # of P- and R-Net, in mining; port
    shift: float = 0.2  # of a landmark crop's centre, fraction of the box, at most; port
    scale: tuple[float, float] = (0.8, 1.25)  # of a landmark crop's side, range; port
    least_iou: float = 0.65  # of a landmark crop with the box; MTCNN paper
    rotation: float = 5.0  # degrees, at most; port (there exactly 5)
    widening: float = 0.7  # of the levels of P-Net's images, at most; port: colour jitter.
    # ASSUME, looked at on the default study's faces
    min_face: float = 20.0  # px, smallest face to find; official, as the next two
    pyramid_factor: float = 0.709  # size of each copy over the one before
    thresholds: tuple[float, float, float] = (0.6, 0.7, 0.7)  # of P-, R- and O-Net
    mirrored: bool = False  # O-Net's landmarks averaged with the mirrored crop's; official v1: true
    batch_size: int = 384  # port
    pnet_steps: int = 18_000  # ASSUME: the port's 30, 22 and 22 epochs of ten crops
    rnet_steps: int = 13_200  # of 23,040 images, as the paper has
    steps: int = 13_200  # of O-Net
    init: str = "xavier"  # uniform, biases 0; port. Or default: PyTorch's own
    l2: float = 5e-4  # of the kernels of convolutions, in the loss (not decoupled decay); port
    learning_rate: float = 1e-3  # port, there for SGD with momentum
    schedule: str = "cosine"  # ASSUME: falls as the port's, x .1 at epochs 6, 14 and 20
    validate_every: int = 100  # steps. ASSUME
    patience: int = 40  # validations of O-Net. ASSUME; 0 never stops
    precision: str = "float32"  # or bfloat16; see _precision
    compile: bool = False  # torch.compile; see _precision
    normalisation: str = "percentile"  # ports: (x - 127.5) / 128 of 8-bit images
    window: tuple[float, float] = (20.0, 40.0)  # degrees Celsius, of normalisation: window

    def __post_init__(self) -> None:
        check_choices(self, stages=("full", "onet"), given_box=("squared", "as_is"))
        check_choices(self, losses=("alternating", "weighted_sum", "landmarks"))
        check_choices(self, init=("xavier", "default"))
        if self.losses == "landmarks" and self.stages == "full":
            raise ValueError("losses is landmarks, which finds no faces; give stages: onet too")
        check_ranges(self, width=(0.01, 8), shift=(0, 1), scale=(0.1, 10), least_iou=(0, 1))
        check_ranges(self, ratio=(0.01, 1000), hard_share=(0.01, 1), rotation=(0, 180))
        check_ranges(self, widening=(0, 10), l2=(0, 1))
        check_ranges(self, negative_iou=(0, 1), part_iou=(0, 1), positive_iou=(0, 1))
        check_ranges(self, negative_crops=(1, 10**4), near_crops=(0, 10**4))
        check_ranges(self, face_crops=(1, 10**4), least_crops=(1, 10**4))
        check_ranges(self, most_negatives=(1, 10**4), mined_faces=(1, 10**8))
        check_ranges(self, mining_thresholds=(0, 1), thresholds=(0, 1), min_face=(12, 10**4))
        check_ranges(self, pyramid_factor=(0.1, 0.95))
        if not self.negative_iou <= self.part_iou <= self.positive_iou:
            raise ValueError(
                f"negative_iou, part_iou and positive_iou are {self.negative_iou:g}, "
                f"{self.part_iou:g} and {self.positive_iou:g}; let none be above the next"
            )
        check_ranges(self, pnet_steps=(1, 10**8), rnet_steps=(1, 10**8), steps=(1, 10**8))
        loop.check(self)
        normalise.check(self)


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

    Parameters
    ----------
    train, validation : Faces
        Without validation faces the last state is kept.
    settings : Settings
    seed : int
    run : Run
        Its progress and checkpoint.

    Returns
    -------
    State

    Raises
    ------
    ValueError
        If there are no training faces, no crop falls into a band of overlap, or a loss is not
        finite.

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
    return loop.keep(networks, session.curve, settings)


def predict(
    state: State, stack: ImageStack, boxes: Tensor, settings: Settings
) -> tuple[Tensor, Tensor]:
    """Find the landmarks of each face inside its box, by O-Net alone: the paper's test mode.

    Parameters
    ----------
    state : State
    stack : ImageStack of N images
    boxes : (N, 4) float, pixels, (x, y, width, height)
    settings : Settings

    Returns
    -------
    points : (N, L, 2) float32, pixels, (x, y)
    confidence : (N, L) float32
        O-Net's probability of a face, the same for every landmark; NaN where it was trained for
        landmarks alone, or is given boxes as they are: it learns faces in squares.

    Raises
    ------
    ValueError
        If the boxes do not fit the images, or the state does not fit the settings.
    """
    faces = unannotated(stack, boxes)
    networks = loop.restore(Mtcnn(settings), state, stack.device, settings)
    points, probability = _locate(networks.onet, faces, settings)
    if settings.losses == "landmarks" or settings.given_box == "as_is":
        probability = torch.full_like(probability, torch.nan)
    return points, probability[:, None].expand(points.shape[:2]).contiguous()


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
    if settings.stages != "full":
        raise ValueError("stages is onet, which finds no faces; train with stages: full")
    networks = loop.restore(Mtcnn(settings), state, stack.device, settings)
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

    pools = crops.random_pools(train, settings, mining.generator(train, seed, 0))
    crops.check(pools)
    levels = cascade.image_levels(train, settings)
    optimise(networks.pnet, "pnet", settings.pnet_steps, pools, levels)
    pools = mining.mine(train, settings, mining.generator(train, seed, 1), pnet=networks.pnet)
    optimise(networks.rnet, "rnet", settings.rnet_steps, pools, None)


def _pools_of_output(
    networks: Mtcnn, train: Faces, settings: Settings, *, seed: int
) -> Pools | None:
    """Return what O-Net's face and box losses are learnt from, if they are."""
    if settings.losses == "landmarks":
        return None
    draws = mining.generator(train, seed, 2)
    if settings.stages == "full":
        return mining.mine(train, settings, draws, pnet=networks.pnet, rnet=networks.rnet)
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
    points, _ = _locate(onet, faces, settings)
    return point_error(points, faces, torch.arange(len(faces), device=points.device))


@torch.no_grad()
def _locate(onet: ONet, faces: Faces, settings: Settings) -> tuple[Tensor, Tensor]:
    """Return landmarks (M, L, 2) in pixels and the probability (M,) of a face, in face boxes."""
    found = []
    for rows in chunks(faces):
        crops = Crops(rows, _given(faces.boxes[rows], settings))
        face, _, landmarks = cascade.look(onet, faces, crops, settings, mirrored=settings.mirrored)
        found.append((from_box_units(landmarks, crops.boxes), face))
    points, probability = (torch.cat(parts) for parts in zip(*found, strict=True))
    return points, probability
