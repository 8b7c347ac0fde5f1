"""Deep Alignment Network: every stage regresses an update of the shape in a straightened face."""

import math
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from thermalign.geometry import (
    LANDMARKS,
    apply_matrix,
    compose_matrices,
    fit_similarity,
    invert_matrix,
)
from thermalign.landmarks import normalise, shapes
from thermalign.landmarks.contract import (
    Faces,
    channels_last,
    chunks,
    draw_rows,
    point_error,
    unannotated,
)
from thermalign.landmarks.normalise import NormalisedFaces
from thermalign.settings import check_choices, check_ranges
from thermalign.states import State
from thermalign.training import loop
from thermalign.training.loop import UNKEPT, Run
from thermalign.training.precision import Mixed
from thermalign.warp import ImageStack


@dataclass(frozen=True)
class Settings:
    """Hyper-parameters of DAN; defaults are the original authors' where they state them."""

    n_stages: int = 2  # original
    input_size: int = 112  # pixels a side; original; a multiple of 16
    width: float = 1.0  # of 64, 128, 256, 512 channels; original 1
    hidden: int = 256  # units of the dense layer; original
    dropout: float = 0.5  # before the dense layer; original
    margin: float = 0.25  # of the input left free on each side of the mean shape; original
    heatmap_window: int = 17  # pixels a side around each landmark; original
    earlier_stages: str = "eval"  # while a later one learns; original: train (dropout and all)
    shift_sd: float = 0.2  # of the mean shape's width and height; original
    shift_unit: str = "face"  # its size in the box; original: pixel, its size in the input, taken
    # as pixels of the image whatever the face's size
    rotation_sd: float = 20.0  # degrees; original
    scale_sd: float = 0.25  # original
    batch_size: int = 64  # original
    steps: int = 36_000  # of stage 1. ASSUME: 100 epochs of 23,040; original: until it stalls
    later_steps: int = 36_000  # of each later stage; as above
    learning_rate: float = 1e-3  # original
    schedule: str = "constant"  # original
    validate_every: int = 40  # steps; original
    patience: int = 100  # validations. ASSUME: "until validation stalls" in numbers; 0 never stops
    precision: str = "float32"  # or bfloat16; see _precision
    compile: bool = False  # torch.compile; see _precision
    normalisation: str = "percentile"  # original: mean and deviation image of the training set
    window: tuple[float, float] = (20.0, 40.0)  # degrees Celsius, of normalisation: window

    def __post_init__(self) -> None:
        check_ranges(self, n_stages=(1, 8), input_size=(16, 1024), width=(0.01, 8))
        check_ranges(self, hidden=(1, 65536), dropout=(0, 0.95), margin=(0, 0.45))
        check_ranges(self, heatmap_window=(1, self.input_size))
        check_ranges(self, shift_sd=(0, 2), rotation_sd=(0, 180))
        check_choices(self, earlier_stages=("eval", "train"), shift_unit=("face", "pixel"))
        check_ranges(self, scale_sd=(0, 1), steps=(1, 10**8), later_steps=(1, 10**8))
        loop.check(self)
        normalise.check(self)
        if self.input_size % 16:
            raise ValueError(f"input_size is {self.input_size}; give a multiple of 16")


class Stage(Mixed):
    """One stage: eight convolutions and two dense layers, from an image to a shape update."""

    def __init__(self, channels: int, settings: Settings) -> None:
        super().__init__()
        # Later stages normalise their input too: image, heatmap and features differ in scale.
        layers: list[nn.Module] = [nn.BatchNorm2d(channels)] if channels > 1 else []
        for width in (64, 128, 256, 512):
            wide = max(1, round(width * settings.width))
            for _ in range(2):
                layers += [
                    nn.Conv2d(channels, wide, 3, padding=1, bias=False),
                    nn.BatchNorm2d(wide),
                    nn.ReLU(),
                ]
                channels = wide
            layers.append(nn.MaxPool2d(2))
        self.convolutions = nn.Sequential(*layers, nn.Flatten())
        self.dense = nn.Sequential(
            nn.Dropout(settings.dropout),
            nn.Linear(channels * (settings.input_size // 16) ** 2, settings.hidden, bias=False),
            nn.BatchNorm1d(settings.hidden),
            nn.ReLU(),
        )
        self.update = nn.Linear(settings.hidden, 2 * len(LANDMARKS))
        for layer in [*self.convolutions, *self.dense]:
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.xavier_uniform_(layer.weight, gain=2**0.5)
        nn.init.xavier_uniform_(self.update.weight)
        nn.init.zeros_(self.update.bias)
        channels_last(self)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Return the update of the shape (K, L, 2), pixels of the input, and hidden (K, H)."""
        with self.trunk_precision(image):
            hidden = self.dense(self.convolutions(channels_last(image))).float()  # (K, H)
        return self.update(hidden).unflatten(1, (-1, 2)), hidden


class Dan(nn.Module):
    """The stages, the feature layers between them and the mean shape that they start from."""

    mean_shape: Tensor  # (L, 2) float32, mean sides of the box
    stages_used: Tensor  # () int64: how many of the stages predict

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        more = range(settings.n_stages - 1)
        self.stages = nn.ModuleList([Stage(1, settings), *(Stage(3, settings) for _ in more)])
        side = settings.input_size // 2
        self.features = nn.ModuleList(nn.Linear(settings.hidden, side * side) for _ in more)
        for layer in (m for m in self.features.modules() if isinstance(m, nn.Linear)):
            nn.init.xavier_uniform_(layer.weight, gain=2**0.5)
            nn.init.zeros_(layer.bias)
        self.register_buffer("mean_shape", torch.zeros(len(LANDMARKS), 2))
        self.register_buffer("stages_used", torch.tensor(1))

    def part(self, stage: int) -> nn.ModuleList:
        """Return what is trained with a stage: it and the feature layer that feeds it."""
        parts = [self.stages[stage]] + ([self.features[stage - 1]] if stage else [])
        return nn.ModuleList(parts)

    def set_earlier(self, stage: int, *, training: bool) -> None:
        """Let the stages before one drop units and use batch statistics, keeping running ones."""
        for layer in self.stages[:stage].train(training).modules():
            if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
                layer.track_running_stats = not training


def reach(settings: Settings) -> float:
    """Return how far beyond a face box DAN looks, in sides of the box.

    ASSUME: to the corners of a turned input, three standard deviations of a perturbed start away.
    The input spans the mean shape's longer side over what the margins leave of it, and that side is
    about half a box's. A shift in pixels is for boxes of 64 pixels a side or more.
    """
    inside = 1 - 2 * settings.margin
    unit = 0.5 if settings.shift_unit == "face" else settings.input_size * inside / 64
    corner = 0.5 / max(inside, 0.1) * (1 + 3 * settings.scale_sd) / 2**0.5
    return corner + 3 * settings.shift_sd * unit - 0.5


def network(settings: Settings) -> nn.Module:
    """Return an untrained network."""
    return Dan(settings)


def fit(
    train: Faces, validation: Faces, settings: Settings, *, seed: int, run: Run = UNKEPT
) -> State:
    """Train stage after stage, each with the ones before it frozen.

    As many stages predict as have the lowest validation error; the state notes how many
    (``stages_used``).

    Parameters
    ----------
    train, validation : Faces
        Without validation faces each stage keeps its last state, and all of them predict.
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
    Kowalski, Naruniec and Trzcinski, CVPR Workshops 2017, and the authors' code. Differs from it
    in what `docs/methods/landmarks.md` lists: above all, perturbations are drawn anew in every
    batch and around the given box, and each input is sampled once from the image as stored.
    """
    if len(train) == 0:
        raise ValueError("dan: there are no training faces")
    with loop.session("dan", seed, train.stack.device, run) as session:
        model = Dan(settings).to(train.stack.device).eval()
        model.mean_shape = shapes.mean_shape(train)
        lowest = math.inf
        data = normalise.prepare(train, settings)
        held_out = normalise.prepare(validation, settings)
        for stage in range(settings.n_stages):
            validate = partial(_error, model, held_out, settings, stage)
            error = session.optimise(
                model.part(stage),
                f"stage {stage + 1}",
                settings.later_steps if stage else settings.steps,
                settings,
                loss=partial(_loss, model, data, settings, stage, session.generator),
                validate=validate if len(validation) else None,
            )
            if error < lowest or not len(validation):
                lowest = error
                model.stages_used.fill_(stage + 1)
    used = int(model.stages_used)
    return loop.keep(model, session.curve, settings, stages_used=used)


def predict(
    state: State, stack: ImageStack, boxes: Tensor, settings: Settings
) -> tuple[Tensor, Tensor]:
    """Find the landmarks of each face, starting from the mean shape in its box.

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
        NaN: DAN has none.

    Raises
    ------
    ValueError
        If the boxes do not fit the images, or the state does not fit the settings.
    """
    data = normalise.prepare(unannotated(stack, boxes), settings)
    model = loop.restore(Dan(settings), state, stack.device, settings)
    points = _predict(model, data, settings, last=int(model.stages_used) - 1)
    return points, torch.full(points.shape[:2], torch.nan, device=stack.device)


def _loss(
    model: Dan, data: NormalisedFaces, settings: Settings, stage: int, generator: torch.Generator
) -> Tensor:
    rows = draw_rows(data.faces, settings.batch_size, generator)
    pixels = shapes.spread(_goal(model, settings))  # (2,)
    start = shapes.perturb(
        shapes.place(model.mean_shape, data.faces.boxes[rows]),
        generator,
        shift_sd=settings.shift_sd,
        rotation_sd=settings.rotation_sd,
        scale_sd=settings.scale_sd,
        extent=pixels if settings.shift_unit == "pixel" else None,
    )
    model.set_earlier(stage, training=settings.earlier_stages == "train")
    points = run_stages(model, data, rows, start, settings=settings, last=stage)
    model.set_earlier(stage, training=False)
    return point_error(points, data.faces, rows)


def _error(model: Dan, data: NormalisedFaces, settings: Settings, stage: int) -> Tensor:
    points = _predict(model, data, settings, last=stage)
    return point_error(points, data.faces, torch.arange(len(data), device=points.device))


@torch.no_grad()
def _predict(model: Dan, data: NormalisedFaces, settings: Settings, *, last: int) -> Tensor:
    found = []
    for rows in chunks(data.faces):
        start = shapes.place(model.mean_shape, data.faces.boxes[rows])
        found.append(run_stages(model, data, rows, start, settings=settings, last=last))
    return torch.cat(found)


def run_stages(
    model: Dan,
    data: NormalisedFaces,
    rows: Tensor,
    start: Tensor,
    *,
    settings: Settings,
    last: int,
) -> Tensor:
    """Run the stages up to ``last``; gradients flow through that one alone.

    Every stage works in its own frame: the similarity that brings the shape found so far to the
    canonical shape straightens the image, and the shape with it.

    Parameters
    ----------
    model : Dan
    data : NormalisedFaces
    rows : (K,) int64
    start : (K, L, 2) float, pixels, example frame
        The shape that stage 1 begins with.
    settings : Settings
    last : int
        Counting from 0.

    Returns
    -------
    (K, L, 2) float, pixels, example frame
    """
    size = settings.input_size
    goal = _goal(model, settings)
    shape, matrix = start, None
    hidden = start.new_empty(0)
    for k in range(last + 1):
        to_goal = fit_similarity(shape, goal)
        matrix = to_goal if matrix is None else compose_matrices(to_goal, matrix)
        shape = apply_matrix(to_goal, shape)
        image = data.crops(rows, matrix, width=size, height=size)  # (K, 1, S, S)
        with torch.set_grad_enabled(k == last and torch.is_grad_enabled()):
            if k:
                image = torch.cat([image, *connect(model, k, shape, hidden, settings)], dim=1)
            update, hidden = model.stages[k](image)
            shape = shape + update
    found: Tensor = apply_matrix(invert_matrix(matrix), shape)
    return found


def _goal(model: Dan, settings: Settings) -> Tensor:
    """Return the canonical shape (L, 2), pixels of the input."""
    size, margin = settings.input_size, settings.margin
    return shapes.canonical(model.mean_shape, size=size, margin=margin)


def connect(
    model: Dan, stage: int, shape: Tensor, hidden: Tensor, settings: Settings
) -> tuple[Tensor, Tensor]:
    """Return the heatmap of the shape and the image made of the features of the stage before.

    Parameters
    ----------
    model : Dan
    stage : int
        The stage that is fed, counting from 0.
    shape : (K, L, 2) float, pixels of the input
    hidden : (K, H) float
    settings : Settings

    Returns
    -------
    two (K, 1, S, S) float32
    """
    side = settings.input_size // 2
    features = model.features[stage - 1](hidden).relu().view(-1, 1, side, side)
    upscaled = nn.functional.interpolate(features, scale_factor=2, mode="nearest")
    drawn = shapes.heatmap(shape, size=settings.input_size, window=settings.heatmap_window)
    return drawn, upscaled
