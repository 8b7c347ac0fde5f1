"""Deep Alignment Network: every stage regresses an update of the shape in a straightened face.

From top to bottom: settings, networks, training, prediction, the stages in turn.
"""

import math
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import Tensor, nn

from thermalign.geometry import (
    LANDMARKS,
    apply_matrix,
    compose_matrices,
    fit_similarity,
    invert_matrix,
    mirror_points,
)
from thermalign.landmarks import normalise
from thermalign.landmarks.augment import Augmentation, augmented
from thermalign.landmarks.contract import (
    Faces,
    channels_last,
    chunks,
    draw_rows,
    point_error,
    unannotated,
    untold,
)
from thermalign.landmarks.normalise import WINDOW_RISES, NormalisedFaces
from thermalign.landmarks.shapes import canonical, mean_shape, perturb, place, restarted, spread
from thermalign.settings import check, setting
from thermalign.states import State
from thermalign.training import loop
from thermalign.training.loop import UNKEPT, Run, keep, restore
from thermalign.training.precision import Mixed
from thermalign.warp import ImageStack

PAPER = True  # it prints how many parameters this detector has


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
        Side of the window around each landmark, at most ``input_size``.
    earlier_stages : str
        While a later one learns: as in prediction, or ``train``: with dropout and batch statistics.
    shift_sd : float
        Of a perturbed start, standard deviation: share of the mean shape's width and height.
    shift_unit : str
        The mean shape's size in the face's box, or ``pixel``: in the input, as pixels of the image.
    rotation_sd, scale_sd : float
        Of a perturbed start, standard deviations.
    augment : Augmentation
        How training faces are varied; see ``landmarks/augment/settings.py``.
    passes : int
        Times that a face is gone through in prediction; each but the first starts from the shape
        found before. The original goes once.
    mirrored : bool
        Whether a prediction is the mean of the face's and of the mirrored face's.
    batch_size : int
        Faces per step.
    steps : int
        Of stage 1. ASSUME: 100 epochs of 23,040 faces; the original trains until it stalls.
    later_steps : int
        Of each later stage; as above.
    learning_rate : float
        Of Adam, the highest one.
    schedule : str
        Of the learning rate; see ``training/loop.py``.
    validate_every : int
        Steps between validations.
    patience : int
        Validations without a lower error before a stage stops; 0 never stops. ASSUME.
    precision : str
        In which the convolutions and dense layers compute.
    compile : bool
        Whether networks are compiled for training by torch.compile.
    normalisation : str
        Of the input; see ``landmarks/normalise.py``. Original: mean and deviation image.
    window : tuple of float
        Lowest and highest value of ``normalisation: window``.
    """

    n_stages: int = setting(2, low=1, high=8, source="original", costs=True)
    input_size: int = setting(
        112, low=16, high=1024, multiple_of=16, unit="px", source="original", costs=True
    )
    width: float = setting(1.0, low=0.01, high=8, source="original", costs=True)
    hidden: int = setting(256, low=1, high=65536, source="original", costs=True)
    dropout: float = setting(0.5, low=0, high=0.95, source="original")
    margin: float = setting(0.25, low=0, high=0.45, source="original")
    heatmap_window: int = setting(17, low=1, high=1024, unit="px", source="original")
    earlier_stages: str = setting("eval", choices=("eval", "train"))
    shift_sd: float = setting(0.2, low=0, high=2, source="original")
    shift_unit: str = setting("face", choices=("face", "pixel"))
    rotation_sd: float = setting(20.0, low=0, high=180, unit="degrees", source="original")
    scale_sd: float = setting(0.25, low=0, high=1, source="original")
    augment: Augmentation = field(default_factory=Augmentation)
    passes: int = setting(1, low=1, high=16, source="original", costs=True)
    mirrored: bool = setting(False, source="original", costs=True)
    batch_size: int = setting(64, low=2, high=65536, source="original")
    steps: int = setting(36_000, low=1, high=100_000_000)
    later_steps: int = setting(36_000, low=1, high=100_000_000)
    learning_rate: float = setting(1e-3, low=1e-8, high=1, source="original")
    schedule: str = setting(
        "constant", choices=("constant", "cosine", "one_cycle"), source="original"
    )
    validate_every: int = setting(40, low=1, high=100_000_000, unit="steps", source="original")
    patience: int = setting(100, low=0, high=1_000_000)
    precision: str = setting("float32", choices=("float32", "bfloat16"), costs=True)
    compile: bool = setting(False)
    normalisation: str = setting("percentile", choices=("percentile", "window", "histogram"))
    window: tuple[float, float] = setting((20.0, 40.0), low=-273.15, high=3000, unit="degrees C")

    RELATIONS = (
        WINDOW_RISES,
        (
            "heatmap_window <= input_size",
            "heatmap_window is {heatmap_window}; give 1 to {input_size}, the input_size",
        ),
    )

    def __post_init__(self) -> None:
        check(self)


class DanStage(Mixed):
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
        self.stages = nn.ModuleList([DanStage(1, settings), *(DanStage(3, settings) for _ in more)])
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
    train: Faces,
    validation: Faces,
    settings: Settings,
    *,
    seed: int,
    run: Run = UNKEPT,
    initial: State | None = None,
) -> State:
    """Train stage after stage, each with the ones before it frozen.

    As many stages predict as have the lowest validation error, all of them without validation
    faces; the state notes how many (``stages_used``). The mean shape is that of the training faces
    in their boxes, also where training goes on from another state.

    Raises
    ------
    ValueError
        If there are no training faces, or ``initial`` is of other settings.

    Source
    ------
    Kowalski, Naruniec and Trzcinski, CVPR Workshops 2017, and the authors' code. Differs from it
    in what `docs/methods/landmarks.md` lists: above all, perturbations are drawn anew in every
    batch and around the given box, and each input is sampled once from the image as stored.
    """
    if len(train) == 0:
        raise ValueError("dan: there are no training faces")
    on = train.stack.device
    with loop.session("dan", seed, on, run) as session:
        model = Dan(settings).to(on).eval()
        if initial is not None:
            restore(model, initial, on, settings)
        model.mean_shape = mean_shape(train)
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
    return keep(model, session.curve, settings, stages_used=int(model.stages_used))


def predict(
    state: State, stack: ImageStack, boxes: Tensor, settings: Settings
) -> tuple[Tensor, Tensor]:
    """Find the landmarks of each face, starting from the mean shape in its box.

    DAN tells no covariance.
    """
    data = normalise.prepare(unannotated(stack, boxes), settings)
    model = restore(Dan(settings), state, stack.device, settings)
    points = _predict(model, data, settings, last=int(model.stages_used) - 1)
    return points, untold(points)


def _loss(
    model: Dan, data: NormalisedFaces, settings: Settings, stage: int, generator: torch.Generator
) -> Tensor:
    rows = draw_rows(data.faces, settings.batch_size, generator)
    batch = augmented(data, rows, settings.augment, generator)
    pixels = spread(_goal(model, settings))  # (2,)
    extent = pixels if settings.shift_unit == "pixel" else None
    start = perturb(
        place(model.mean_shape, batch.faces.boxes),
        generator,
        shift_sd=settings.shift_sd,
        rotation_sd=settings.rotation_sd,
        scale_sd=settings.scale_sd,
        extent=extent,
    )
    model.set_earlier(stage, training=settings.earlier_stages == "train")
    every = torch.arange(len(batch), device=rows.device)
    points = run_stages(model, batch, every, start, settings=settings, last=stage)
    model.set_earlier(stage, training=False)
    return point_error(points, batch.faces, every)


def _error(model: Dan, data: NormalisedFaces, settings: Settings, stage: int) -> Tensor:
    points = _predict(model, data, settings, last=stage)
    return point_error(points, data.faces, torch.arange(len(data), device=points.device))


@torch.no_grad()
def _predict(model: Dan, data: NormalisedFaces, settings: Settings, *, last: int) -> Tensor:
    points = _pass_through(model, data, settings, last)
    if settings.mirrored:
        others = _pass_through(model, data.mirrored(), settings, last)
        points = (points + mirror_points(others, data.faces.sizes[:, 0])) / 2
    return points


def maps_of(settings: Settings) -> float:
    """Return the bytes of a face's largest maps, 64 channels into and out of a convolution."""
    return 2 * 64 * settings.width * settings.input_size**2 * 4


def _pass_through(model: Dan, data: NormalisedFaces, settings: Settings, last: int) -> Tensor:
    """Run the stages over all faces as often as is set, (M, L, 2), pixels, example frame."""
    found = []
    for rows in chunks(data.faces, each=maps_of(settings)):
        shape = place(model.mean_shape, data.faces.boxes[rows])
        for _ in range(settings.passes):
            shape = run_stages(model, data, rows, shape, settings=settings, last=last)
        found.append(shape)
    return torch.cat(found)


def run_stages(
    model: Dan, data: NormalisedFaces, rows: Tensor, start: Tensor, *, settings: Settings, last: int
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
    nowhere = torch.zeros(len(rows), dtype=torch.bool, device=rows.device)
    hidden = start.new_empty(0)
    for k in range(last + 1):
        shape, lost = restarted(shape, goal)
        nowhere = nowhere | lost
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
    return found.masked_fill(nowhere[:, None, None], torch.nan)


def _goal(model: Dan, settings: Settings) -> Tensor:
    """Return the canonical shape (L, 2), pixels of the input."""
    return canonical(model.mean_shape, size=settings.input_size, margin=settings.margin)


def connect(
    model: Dan, stage: int, shape: Tensor, hidden: Tensor, settings: Settings
) -> tuple[Tensor, Tensor]:
    """Return the heatmap of the shape and the image made of the features of the stage before.

    Of the ``stage`` that is fed, counting from 0: ``shape`` (K, L, 2), pixels of the input, and
    ``hidden`` (K, H) give two (K, 1, S, S) float32.
    """
    side = settings.input_size // 2
    features = model.features[stage - 1](hidden).relu().view(-1, 1, side, side)
    upscaled = nn.functional.interpolate(features, scale_factor=2, mode="nearest")
    drawn = heatmap(shape, size=settings.input_size, window=settings.heatmap_window)
    return drawn, upscaled


def heatmap(points: Tensor, *, size: int, window: int) -> Tensor:
    """Draw 1 / (1 + distance) in a window around each landmark; the maximum counts.

    A landmark whose window would leave the heatmap is drawn where the whole window fits.

    Parameters
    ----------
    points : (K, L, 2) float, pixels, (x, y)
    size : int, pixels
        Side of the heatmap, at least ``window``.
    window : int, pixels
        Side of the window around a landmark, so many pixels exactly; outside the value is zero.

    Returns
    -------
    (K, 1, size, size) float32

    Source
    ------
    DAN, equation 5: 1 / (1 + sqrt(d^2 + 1e-6)), clamped, as in the authors' code. Differs from it
    in: an odd window is centred on the pixel nearest to the landmark, an even one on the gap
    between the two nearest, so that mirroring commutes; there on the pixel at or before it.
    """
    half = (window - 1) / 2
    points = points.clamp(half, size - 1 - half)
    centre = points.round() if window % 2 else points.floor() + 0.5
    pixels = torch.arange(size, device=points.device, dtype=points.dtype)
    x = pixels - points[..., :1]  # (K, L, W)
    y = pixels - points[..., 1:]  # (K, L, H)
    inside_x = (pixels - centre[..., :1]).abs() <= half
    inside_y = (pixels - centre[..., 1:]).abs() <= half
    squared = x.square()[:, :, None, :] + y.square()[:, :, :, None]  # (K, L, H, W)
    inside = inside_x[:, :, None, :] & inside_y[:, :, :, None]
    nearest = squared.masked_fill(~inside, torch.inf).amin(1, keepdim=True)
    return 1 / (1 + (nearest + 1e-6).sqrt())
