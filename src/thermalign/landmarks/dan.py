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
from thermalign.settings import check, setting
from thermalign.states import State
from thermalign.training import loop
from thermalign.training.loop import UNKEPT, Run
from thermalign.training.precision import Mixed
from thermalign.training.trained import keep, restore
from thermalign.warp import ImageStack


@dataclass(frozen=True)
class Settings:
    """Hyper-parameters of DAN; defaults are the original authors' where they state them.

    Attributes
    ----------
    n_stages : int
        Stages, one behind the other.
    input_size : int
        Side of a stage's input.
    width : float
        Share of the 64, 128, 256 and 512 channels.
    hidden : int
        Units of the dense layer.
    dropout : float
        Share of the units dropped before the dense layer.
    margin : float
        Share of the input left free on each side of the mean shape.
    heatmap_window : int
        Side of the window around each landmark of the heatmap, at most ``input_size``.
    earlier_stages : str
        How stages behave while a later one learns: ``eval``, or as the original with dropout and
        batch statistics: ``train``.
    shift_sd : float
        Standard deviation of a perturbed start's shift: share of the mean shape's width and height.
    shift_unit : str
        Of which size of the mean shape: ``face``, that in the box; or ``pixel``, as the original
        has it: that in the input, taken as pixels of the image whatever the face's size.
    rotation_sd : float
        Standard deviation of a perturbed start's turn.
    scale_sd : float
        Standard deviation of a perturbed start's scale.
    batch_size : int
        Faces per step.
    steps : int
        Of stage 1. ASSUME: 100 epochs of 23,040 faces, where the original trains until it stalls.
    later_steps : int
        Of each later stage; as above.
    learning_rate : float
        Of Adam, the highest one.
    schedule : str
        Course of the learning rate; see :class:`thermalign.training.loop.Optimisation`.
    validate_every : int
        Steps between validations.
    patience : int
        Validations without a lower error before a stage stops; 0 never stops. ASSUME: "until
        validation stalls" in numbers.
    precision : str
        In which the convolutions and dense layers compute.
    compile : bool
        Whether networks are compiled for training by torch.compile.
    normalisation : str
        Between which values the input is scaled; see :mod:`thermalign.landmarks.normalise`. The
        original takes mean and deviation image of the training set.
    window : tuple of float
        Lowest and highest value of ``normalisation: window``.
    """

    n_stages: int = setting(2, low=1, high=8, source="original")
    input_size: int = setting(112, low=16, high=1024, multiple_of=16, unit="px", source="original")
    width: float = setting(1.0, low=0.01, high=8, source="original")
    hidden: int = setting(256, low=1, high=65536, source="original")
    dropout: float = setting(0.5, low=0, high=0.95, source="original")
    margin: float = setting(0.25, low=0, high=0.45, source="original")
    heatmap_window: int = setting(17, low=1, high=1024, unit="px", source="original")
    earlier_stages: str = setting("eval", choices=("eval", "train"))
    shift_sd: float = setting(0.2, low=0, high=2, source="original")
    shift_unit: str = setting("face", choices=("face", "pixel"))
    rotation_sd: float = setting(20.0, low=0, high=180, unit="degrees", source="original")
    scale_sd: float = setting(0.25, low=0, high=1, source="original")
    batch_size: int = setting(64, low=2, high=65536, source="original")
    steps: int = setting(36_000, low=1, high=100_000_000)
    later_steps: int = setting(36_000, low=1, high=100_000_000)
    learning_rate: float = setting(1e-3, low=1e-8, high=1, source="original")
    schedule: str = setting(
        "constant", choices=("constant", "cosine", "one_cycle"), source="original"
    )
    validate_every: int = setting(40, low=1, high=100_000_000, unit="steps", source="original")
    patience: int = setting(100, low=0, high=1_000_000)
    precision: str = setting("float32", choices=("float32", "bfloat16"))
    compile: bool = setting(False)
    normalisation: str = setting("percentile", choices=("percentile", "window", "histogram"))
    window: tuple[float, float] = setting((20.0, 40.0), low=-273.15, high=3000, unit="degrees C")

    def __post_init__(self) -> None:
        check(self)
        normalise.check_window(self)
        if self.heatmap_window > self.input_size:
            raise ValueError(
                f"heatmap_window is {self.heatmap_window}; give 1 to {self.input_size}, "
                "the input_size"
            )


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
    return keep(model, session.curve, settings, stages_used=used)


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
    model = restore(Dan(settings), state, stack.device, settings)
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
