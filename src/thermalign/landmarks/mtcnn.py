"""MTCNN as the paper tests it: O-Net alone regresses the landmarks inside the given face box."""

import math
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from thermalign.geometry import LANDMARKS, apply_matrix, box_to_crop, compose_matrices
from thermalign.landmarks import _loop, _normalise
from thermalign.landmarks._data import Faces, State
from thermalign.landmarks._faces import (
    channels_last,
    chunks,
    draw_rows,
    from_box_units,
    point_error,
    unannotated,
)
from thermalign.landmarks._loop import UNKEPT, Run
from thermalign.landmarks._normalise import NormalisedFaces
from thermalign.landmarks._precision import Mixed
from thermalign.landmarks._settings import check_ranges
from thermalign.warp import ImageStack

INPUT_SIZE = 48
"""Side of O-Net's input, pixels."""

_TRIES = 8  # draws of a box before the undisturbed one is taken


@dataclass(frozen=True)
class Settings:
    """Hyper-parameters; defaults are the paper's, or those of ports that train MTCNN.

    The original authors published no training code; the port is AITTSMD/MTCNN-Tensorflow.
    """

    width: float = 1.0  # of 32, 64, 64, 128 channels and 256 units; paper 1
    shift: float = 0.2  # of a crop's centre, fraction of the box, at most; port
    scale: tuple[float, float] = (0.8, 1.25)  # of a crop's side, range; port
    least_iou: float = 0.65  # of a crop with the box; MTCNN paper
    rotation: float = 5.0  # degrees, at most; port (there exactly 5)
    batch_size: int = 384  # port
    steps: int = 13_200  # ASSUME: the port's 22 epochs of ten crops of 23,040 images
    learning_rate: float = 1e-3  # port, there for SGD with momentum
    schedule: str = "constant"  # ASSUME: the ports drop the rate after stated epochs
    validate_every: int = 100  # steps. ASSUME
    patience: int = 40  # validations. ASSUME; 0 never stops
    precision: str = "auto"  # float32 on a CPU; see _precision
    compile: bool = False  # torch.compile; see _precision
    normalisation: str = "percentile"  # ports: (x - 127.5) / 128 of 8-bit images
    window: tuple[float, float] = (20.0, 40.0)  # degrees Celsius, of normalisation: window

    def __post_init__(self) -> None:
        check_ranges(self, width=(0.01, 8), shift=(0, 1), scale=(0.1, 10), least_iou=(0, 1))
        check_ranges(self, rotation=(0, 180), steps=(1, 10**8))
        _loop.check(self)
        _normalise.check(self)


class ONet(Mixed):
    """The output network: four convolutions, one dense layer and three heads."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        c1, c2, c3, c4, hidden = (max(1, round(n * settings.width)) for n in (32, 64, 64, 128, 256))
        # "Same" pools round the size up: 48-46-23-21-10-8-4-3. Pooling before PReLU gives what
        # pooling behind it would (while slopes are not negative) at a quarter of the work.
        self.trunk = nn.Sequential(
            nn.Conv2d(1, c1, 3),
            nn.MaxPool2d(3, 2, ceil_mode=True),
            nn.PReLU(c1),
            nn.Conv2d(c1, c2, 3),
            nn.MaxPool2d(3, 2),
            nn.PReLU(c2),
            nn.Conv2d(c2, c3, 3),
            nn.MaxPool2d(2, 2, ceil_mode=True),
            nn.PReLU(c3),
            nn.Conv2d(c3, c4, 2),
            nn.PReLU(c4),
            nn.Flatten(),
            nn.Linear(c4 * 3 * 3, hidden),
            nn.PReLU(hidden),
        )
        self.face = nn.Linear(hidden, 2)
        self.box = nn.Linear(hidden, 4)
        self.landmarks = nn.Linear(hidden, 2 * len(LANDMARKS))
        channels_last(self)

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return face logits (K, 2), box offsets (K, 4) and landmarks (K, L, 2), box units."""
        with self.trunk_precision(crops):
            features = self.trunk(channels_last(crops)).float()  # (K, 256)
        landmarks = self.landmarks(features).unflatten(1, (-1, 2))
        return self.face(features), self.box(features), landmarks


class Mtcnn(nn.Module):
    """The networks of the cascade by name; the last one alone is needed inside a given box."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.onet = ONet(settings)


def reach(settings: Settings) -> float:
    """Return how far beyond a face box O-Net looks, in sides of the box."""
    return settings.shift + (settings.scale[1] - 1) / 2 + 0.1


def network(settings: Settings) -> nn.Module:
    """Return untrained networks; the face and box heads stay so, see `fit`."""
    return Mtcnn(settings)


def fit(
    train: Faces, validation: Faces, settings: Settings, *, seed: int, run: Run = UNKEPT
) -> State:
    """Train O-Net's landmark regression on crops around the given boxes.

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
        If there are no training faces, or a loss is not finite.

    Source
    ------
    Zhang et al., IEEE Signal Processing Letters 23(10), 2016; widths and sizes from Poster et al.
    2019, Table 3. Differs from it in: the landmark loss alone, on all faces, so the face and box
    heads keep their initial values; Adam; dense layers with bias; the box is resized to the input
    as it is, not squared first.
    """
    if len(train) == 0:
        raise ValueError("mtcnn: there are no training faces")
    with _loop.session("mtcnn", seed, train.stack.device, run) as session:
        networks = Mtcnn(settings).to(train.stack.device)
        onet = networks.onet
        data = _normalise.prepare(train, settings)
        held_out = _normalise.prepare(validation, settings)
        session.optimise(
            onet,
            "onet",
            settings.steps,
            settings,
            loss=partial(_loss, onet, data, settings, session.generator),
            validate=partial(_error, onet, held_out) if len(validation) else None,
        )
    return _loop.keep(networks, session.curve)


def predict(
    state: State, stack: ImageStack, boxes: Tensor, settings: Settings
) -> tuple[Tensor, Tensor]:
    """Find the landmarks of each face inside its box.

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
        NaN: the face head is not trained.

    Raises
    ------
    ValueError
        If the boxes do not fit the images, or the state does not fit the settings.
    """
    data = _normalise.prepare(unannotated(stack, boxes), settings)
    networks = _loop.restore(Mtcnn(settings), state, stack.device, settings)
    points = _predict(networks.onet, data)
    return points, torch.full(points.shape[:2], torch.nan, device=stack.device)


def disturb_boxes(boxes: Tensor, settings: Settings, generator: torch.Generator) -> Tensor:
    """Shift and scale boxes at random, keeping the least overlap with the given ones.

    Parameters
    ----------
    boxes : (K, 4) float, pixels, (x, y, width, height)
    settings : Settings
    generator : torch.Generator

    Returns
    -------
    (K, 4) float, pixels
        The first of eight draws that overlaps enough, else the box itself.
    """
    draws = torch.rand((len(boxes), _TRIES, 3), generator=generator, device=boxes.device)
    low, high = settings.scale
    scale = low + (high - low) * draws[..., 2:]
    shift = settings.shift * (2 * draws[..., :2] - 1)
    corner, size = boxes[:, None, :2], boxes[:, None, 2:]  # (K, 1, 2)
    moved = torch.cat([corner + (shift + (1 - scale) / 2) * size, scale * size], dim=-1)
    tries = torch.cat([moved, boxes[:, None]], dim=1)  # (K, TRIES + 1, 4)
    enough = _iou(tries, boxes[:, None]) >= settings.least_iou
    enough[:, -1] = True
    first = enough.int().argmax(1)
    return tries[torch.arange(len(boxes), device=boxes.device), first]


def _iou(first: Tensor, second: Tensor) -> Tensor:
    low = torch.maximum(first[..., :2], second[..., :2])
    high = torch.minimum(first[..., :2] + first[..., 2:], second[..., :2] + second[..., 2:])
    common = (high - low).clamp(min=0).prod(-1)
    return common / (first[..., 2:].prod(-1) + second[..., 2:].prod(-1) - common)


def _rotations(boxes: Tensor, most: float, generator: torch.Generator) -> Tensor:
    draws = torch.rand(len(boxes), generator=generator, device=boxes.device)
    angle = (2 * draws - 1) * math.radians(most)
    a, b = angle.cos(), angle.sin()
    turn = torch.stack([torch.stack([a, -b], -1), torch.stack([b, a], -1)], -2)  # (K, 2, 2)
    centre = (boxes[:, :2] + (boxes[:, 2:] - 1) / 2)[:, :, None]
    return torch.cat([turn, centre - turn @ centre], dim=-1)


def _loss(
    onet: ONet, data: NormalisedFaces, settings: Settings, generator: torch.Generator
) -> Tensor:
    rows = draw_rows(data.faces, settings.batch_size, generator)
    boxes = disturb_boxes(data.faces.boxes[rows], settings, generator)
    to_crop = box_to_crop(boxes, INPUT_SIZE, INPUT_SIZE)
    matrices = compose_matrices(to_crop, _rotations(boxes, settings.rotation, generator))
    target = (apply_matrix(matrices, data.faces.points[rows]) + 0.5) / INPUT_SIZE
    _, _, found = onet(data.crops(rows, matrices, width=INPUT_SIZE, height=INPUT_SIZE))
    squared: Tensor = (found - target).square().sum((1, 2))
    return squared.mean()


def _error(onet: ONet, data: NormalisedFaces) -> Tensor:
    points = _predict(onet, data)
    return point_error(points, data.faces, torch.arange(len(data), device=points.device))


@torch.no_grad()
def _predict(onet: ONet, data: NormalisedFaces) -> Tensor:
    found = []
    for rows in chunks(data.faces):
        boxes = data.faces.boxes[rows]
        matrices = box_to_crop(boxes, INPUT_SIZE, INPUT_SIZE)
        _, _, landmarks = onet(data.crops(rows, matrices, width=INPUT_SIZE, height=INPUT_SIZE))
        found.append(from_box_units(landmarks, boxes))
    return torch.cat(found)
