"""Heatmaps: an encoder-decoder gives every landmark a map, whose mean is where the landmark is.

How far a landmark may be off is learnt from errors, when the maps are finished. A second look
straightens the face by the points of the first one and is taken by the same weights. From top to
bottom: settings, network, training, prediction.
"""

from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from thermalign.geometry import (
    LANDMARKS,
    MIRRORED,
    apply_matrix,
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
)
from thermalign.landmarks.layers import Residual, convolution
from thermalign.landmarks.learnt_spread import LearntSpread, learn, seen
from thermalign.landmarks.maps import covariances_of, log_chances, loss_of_maps, means_of, sharpened
from thermalign.landmarks.normalise import WINDOW_RISES, NormalisedFaces
from thermalign.landmarks.portable import Normalised, Portable
from thermalign.landmarks.shapes import canonical, mean_shape, perturb, place, restarted
from thermalign.settings import check, setting
from thermalign.states import State
from thermalign.training import loop
from thermalign.training.loop import UNKEPT, Run, keep, restore
from thermalign.training.precision import Mixed
from thermalign.warp import ImageStack

CELL = 2
"""Side of a map's cell, pixels of the input."""

_CHANNELS = (16, 32, 64, 96)  # at a half, a quarter, an eighth and a sixteenth of the input
_NEAR = 1 / 3  # of the deviations of a start, those of a near one
_SEEN = 3  # levels, from the finest on, that a learnt spread sees
_LOOKED_AT = 128  # faces at a time that a spread is learnt from


@dataclass(frozen=True)
class Settings:
    """Hyper-parameters of the heatmaps. ASSUME: all chosen on validation subjects.

    ``docs/methods/heatmap.md`` has what each is worth.

    Attributes
    ----------
    input_size : int
        Side of the input; a map has half as many cells a side.
    width : float
        Share of the 16, 32, 64 and 96 channels.
    blocks : int
        Residual blocks of two convolutions at each of the four resolutions.
    margin : float
        Share of the input left free on each side of the mean shape.
    prior : float
        Weight of the maps' cross-entropy (nats) beside the points' error (interocular distances).
    sigma : float
        Standard deviation of the normal map that the cross-entropy compares with.
    near : float
        Share of a batch that starts near the truth, as a second look does.
    shift_sd : float
        Of a start, standard deviation: share of the mean shape's width and height.
    rotation_sd, scale_sd : float
        Of a start, standard deviations; those of a near start are a third.
    augment : Augmentation
        How training faces are varied; see ``landmarks/augment/settings.py``.
    passes : int
        Looks at a face; each but the first starts from the points of the one before.
    mirrored : bool
        Whether every look is the mean of two, at the face and at the mirrored face.
    spread : str
        What is told of a point's error: ``learnt`` from errors of training faces, when the maps are
        finished, which it does not change; or ``map``, the map's own spread.
    spread_faces : int
        Looks at training faces that it is learnt from.
    spread_steps : int
        Of its learning, of 64 looks each.
    batch_size : int
        Faces per step.
    steps : int
        Of the training.
    learning_rate : float
        Of Adam, the highest one.
    schedule : str
        Of the learning rate; see ``training/loop.py``.
    validate_every : int
        Steps between validations.
    patience : int
        Validations without a lower error before training stops; 0 never stops.
    precision : str
        In which the convolutions compute.
    compile : bool
        Whether the network is compiled for training by torch.compile.
    normalisation : str
        Of the input; see ``landmarks/normalise.py``.
    window : tuple of float
        Lowest and highest value of ``normalisation: window``.
    """

    input_size: int = setting(64, low=32, high=1024, multiple_of=16, unit="px", costs=True)
    width: float = setting(1.0, low=0.01, high=16, costs=True)
    blocks: int = setting(1, low=0, high=16, costs=True)
    margin: float = setting(0.2, low=0, high=0.45)
    prior: float = setting(0.05, low=0, high=100)
    sigma: float = setting(0.7, low=0.1, high=100, unit="cells")
    near: float = setting(0.3, low=0, high=1)
    shift_sd: float = setting(0.12, low=0, high=2)
    rotation_sd: float = setting(10.0, low=0, high=180, unit="degrees")
    scale_sd: float = setting(0.12, low=0, high=1)
    augment: Augmentation = field(default_factory=Augmentation)
    passes: int = setting(3, low=1, high=16, costs=True)
    mirrored: bool = setting(True, costs=True)
    spread: str = setting("learnt", choices=("learnt", "map"), costs=True)
    spread_faces: int = setting(2048, low=64, high=100_000_000)
    spread_steps: int = setting(500, low=1, high=100_000_000)
    batch_size: int = setting(16, low=2, high=65536)
    steps: int = setting(2000, low=1, high=100_000_000)
    learning_rate: float = setting(3e-3, low=1e-8, high=1)
    schedule: str = setting("one_cycle", choices=("constant", "cosine", "one_cycle"))
    validate_every: int = setting(400, low=1, high=100_000_000, unit="steps")
    patience: int = setting(0, low=0, high=1_000_000)
    precision: str = setting("float32", choices=("float32", "bfloat16"), costs=True)
    compile: bool = setting(False)
    normalisation: str = setting("percentile", choices=("percentile", "window", "histogram"))
    window: tuple[float, float] = setting((20.0, 40.0), low=-273.15, high=3000, unit="degrees C")

    RELATIONS = (WINDOW_RISES,)

    def __post_init__(self) -> None:
        check(self)


class Heatmaps(Mixed):
    """The network, the mean shape that a first look starts from, and where the cells lie.

    From half the input's resolution down to a sixteenth and back up to half. On the way up, what is
    coarse is brought to the channels of the next finer level, doubled in size and added to it.

    Source
    ------
    Newell, Yang and Deng, ECCV 2016 (hourglasses: down, up, added across); He et al., CVPR 2016
    (residual blocks). Differs from them in: one hourglass without intermediate supervision, strided
    convolutions instead of pools, one convolution a level on the way up.
    """

    mean_shape: Tensor  # (L, 2) float32, mean sides of the box
    cells: Tensor  # (S,) float32, pixels of the input: centres of the cells along a side

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        wide = [max(1, round(channels * settings.width)) for channels in _CHANNELS]
        levels = list(pairwise(wide))

        def level(entry: nn.Module, channels: int) -> nn.Sequential:
            return nn.Sequential(entry, *(Residual(channels) for _ in range(settings.blocks)))

        self.stem = level(convolution(1, wide[0], kernel=5, stride=CELL), wide[0])
        self.down = nn.ModuleList(level(convolution(a, b, stride=2), b) for a, b in levels)
        self.across = nn.ModuleList(nn.Conv2d(b, a, 1, bias=False) for a, b in levels)
        self.up = nn.ModuleList(convolution(a, a) for a, _ in levels)
        self.maps = nn.Conv2d(wide[0], len(LANDMARKS), 1)
        self.spread: LearntSpread | None = None
        if settings.spread == "learnt":  # the last: the others begin as they would without it
            self.spread = LearntSpread(wide[:_SEEN])
        side = torch.arange(settings.input_size // CELL, dtype=torch.float32)
        self.register_buffer("cells", CELL * side + (CELL - 1) / 2)
        self.register_buffer("mean_shape", torch.zeros(len(LANDMARKS), 2))
        channels_last(self)

    def forward(self, image: Tensor) -> Tensor:
        """Return the logits of the maps (K, L, S, S) float32 of inputs (K, 1, 2 S, 2 S)."""
        return self.maps(self.levels(image)[0].float())

    def levels(self, image: Tensor) -> list[Tensor]:
        """Return the features on the way up, from the finest, which maps are made of, on."""
        with self.trunk_precision(image):
            features = self.stem(channels_last(image))
            finer = []
            for down in self.down:
                finer.append(features)
                features = down(features)
            every = [features]
            for k in reversed(range(len(finer))):
                coarse = interpolate(self.across[k](every[0]), scale_factor=2.0)
                every.insert(0, self.up[k](finer[k] + coarse))
        return every


def reach(settings: Settings) -> float:
    """Return how far beyond a face box the heatmaps look, in sides of the box.

    ASSUME: to the corners of a turned input, three standard deviations of a start away. The input
    spans the mean shape's longer side, about half a box's, over what the margins leave of it.
    """
    corner = 0.5 / max(1 - 2 * settings.margin, 0.1) * (1 + 3 * settings.scale_sd) / 2**0.5
    return max(0.0, corner + 3 * settings.shift_sd * 0.5 - 0.5)


def network(settings: Settings) -> nn.Module:
    """Return an untrained network."""
    return Heatmaps(settings)


def fit(
    train: Faces,
    validation: Faces,
    settings: Settings,
    *,
    seed: int,
    run: Run = UNKEPT,
    initial: State | None = None,
) -> State:
    """Train the maps: their means towards the landmarks, themselves towards normal ones there.

    Then, if that is set, learn how far their means are off, always anew. The mean shape is that of
    the training faces in their boxes, also where training goes on from another state.

    Raises
    ------
    ValueError
        If there are no training faces, or ``initial`` is of other settings.

    Source
    ------
    Sun et al., ECCV 2018 (integral regression: the mean of a map as its point, learnt end to end);
    Nibali et al., arXiv:1801.07372, 2018 (the same with a normal map as a regulariser). Differs
    from them in: the distance itself is the loss, over the face's interocular distance, and the
    regulariser is the cross-entropy against a normal map.
    """
    if len(train) == 0:
        raise ValueError("heatmap: there are no training faces")
    on = train.stack.device
    with loop.session("heatmap", seed, on, run) as session:
        model = Heatmaps(settings).to(on)
        if initial is not None:
            restore(model, initial, on, settings)
        model.mean_shape = mean_shape(train)
        data = normalise.prepare(train, settings)
        held_out = normalise.prepare(validation, settings)
        validate = partial(_error, model, held_out, settings) if len(validation) else None
        loss = partial(_loss, model, data, settings, session.generator)
        session.optimise(model, "maps", settings.steps, settings, loss=loss, validate=validate)
        if model.spread is not None:
            examples = looks(model, data, settings, session.generator)
            steps = settings.spread_steps
            learn(model.spread, examples, settings, session, steps=steps, validate=validate)
    return keep(model, session.curve, settings)


def predict(
    state: State, stack: ImageStack, boxes: Tensor, settings: Settings
) -> tuple[Tensor, Tensor]:
    """Find the landmarks of each face, starting from the mean shape in its box.

    Their covariance is that of the last look, at the mirrored face included.
    """
    data = normalise.prepare(unannotated(stack, boxes), settings)
    model = restore(Heatmaps(settings), state, stack.device, settings)
    return locate(model, data, settings)


def portable(state: State, settings: Settings) -> Portable:
    """Return what other runtimes need to predict what `predict` does."""
    model = restore(Heatmaps(settings), state, torch.device("cpu"), settings)
    network = Normalised(model, partial(look, settings=settings))
    goal = _goal(model, settings)
    return Portable(network, settings.input_size, model.mean_shape, goal, settings.passes)


def _loss(
    model: Heatmaps, data: NormalisedFaces, settings: Settings, generator: torch.Generator
) -> Tensor:
    rows = draw_rows(data.faces, settings.batch_size, generator)
    image, truth = _batch(model, data, rows, settings, generator)
    sigma = settings.sigma * CELL
    return loss_of_maps(model(image), truth, model.cells, prior=settings.prior, sigma=sigma)


def _batch(
    model: Heatmaps,
    data: NormalisedFaces,
    rows: Tensor,
    settings: Settings,
    generator: torch.Generator,
) -> tuple[Tensor, Tensor]:
    """Return inputs (K, 1, H, W) of augmented faces from drawn starts, and their points there."""
    batch = augmented(data, rows, settings.augment, generator)
    start = starts(model, batch.faces.boxes, batch.faces.points, settings, generator)
    to_input = fit_similarity(start, _goal(model, settings))
    size = settings.input_size
    every = torch.arange(len(batch), device=rows.device)
    image = batch.crops(every, to_input, width=size, height=size)
    return image, apply_matrix(to_input, batch.faces.points)


@torch.no_grad()
def looks(
    model: Heatmaps, data: NormalisedFaces, settings: Settings, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Look at training faces with finished maps, from starts as in their training.

    Returns
    -------
    features : (K, L, F) float32
        What is seen of each landmark; K is ``spread_faces``.
    errors : (K, L, 2) float32, pixels of the input
        Of the maps' means.
    """
    found = []
    drawn = draw_rows(data.faces, settings.spread_faces, generator)
    for rows in torch.split(drawn, _LOOKED_AT):
        image, truth = _batch(model, data, rows, settings, generator)
        means, _, features = _read(model, image)
        found.append((features, truth - means))
    every, errors = zip(*found, strict=True)
    return torch.cat(every), torch.cat(errors)


def starts(
    model: Heatmaps, boxes: Tensor, truth: Tensor, settings: Settings, generator: torch.Generator
) -> Tensor:
    """Return where the looks of a batch start from, (K, L, 2), pixels of the example frame.

    From the truth, moved a little, for the first ``near`` of the faces, which are drawn at random;
    from the mean shape in its box, moved more, for the others.
    """
    sd = {key: getattr(settings, key) for key in ("shift_sd", "rotation_sd", "scale_sd")}
    near = round(settings.near * len(boxes))
    close = {key: value * _NEAR for key, value in sd.items()}
    first = perturb(truth[:near], generator, **close)
    return torch.cat([first, perturb(place(model.mean_shape, boxes[near:]), generator, **sd)])


def _error(model: Heatmaps, data: NormalisedFaces, settings: Settings) -> Tensor:
    points, _ = locate(model, data, settings)
    return point_error(points, data.faces, torch.arange(len(data), device=points.device))


@torch.no_grad()
def locate(model: Heatmaps, data: NormalisedFaces, settings: Settings) -> tuple[Tensor, Tensor]:
    """Look at each face as often as is set; one whose means coincide at a look is not found: NaN.

    Returns
    -------
    points : (M, L, 2) float32, pixels, example frame
    covariance : (M, L, 2, 2) float32, square pixels, example frame
        Raw, of the last look.
    """
    size, goal = settings.input_size, _goal(model, settings)
    found, spreads = [], []
    for rows in chunks(data.faces):
        start = points = place(model.mean_shape, data.faces.boxes[rows])
        nowhere = torch.zeros((len(rows), 1, 1), dtype=torch.bool, device=rows.device)
        for n in range(1, settings.passes + 1):
            to_input = fit_similarity(points, goal)
            image = data.crops(rows, to_input, width=size, height=size)
            points, covariance = look(model, image, settings, last=n == settings.passes)
            back = invert_matrix(to_input)
            points, lost = restarted(apply_matrix(back, points), start)
            nowhere |= lost[:, None, None]
        turned = (turn := back[:, None, :, :2]) @ covariance @ turn.mT
        found.append(points.masked_fill(nowhere, torch.nan))
        even = (turned + turned.mT) / 2  # to the last bit
        spreads.append(even.masked_fill(nowhere[..., None], torch.nan))
    return torch.cat(found), torch.cat(spreads)


def look(
    model: Heatmaps, image: Tensor, settings: Settings, *, last: bool = True
) -> tuple[Tensor, Tensor]:
    """Return the maps' means (K, L, 2) and raw covariances (K, L, 2, 2), pixels of the input.

    Covariances are as learnt, or those of the maps, less that of the normal map that they were
    taught to be: the map with the lowest expected cross-entropy is what is known of the point,
    blurred by that normal one. Mirrored, means and covariances are those of two equally probable
    looks, at the image (K, 1, H, W) and at its mirror image; so what the two disagree in widens the
    covariance. Before the ``last`` look nobody asks for what was learnt: then they are of the maps.
    """
    points, covariance, _ = _read(model, image, last=last)
    if settings.mirrored:
        others, other_covariance, _ = _read(model, image.flip(-1), last=last)
        others = mirror_points(others, image.shape[-1])
        turned = image.new_tensor([[1.0, -1.0], [-1.0, 1.0]])  # x changes its sign
        other_covariance = other_covariance[:, list(MIRRORED)] * turned
        half = (points - others)[..., None] / 2
        points = (points + others) / 2
        covariance = (covariance + other_covariance) / 2 + half @ half.mT
    if settings.spread == "map" and settings.prior:
        covariance = sharpened(covariance, (settings.sigma * CELL) ** 2)
    return points, covariance


def _read(model: Heatmaps, image: Tensor, *, last: bool = True) -> tuple[Tensor, Tensor, Tensor]:
    """Return means, covariances, and what is seen of each landmark: (0,) if nobody asks for it."""
    levels = model.levels(image)
    chances = log_chances(model.maps(levels[0].float())).exp()
    means = means_of(chances, model.cells)
    covariances = covariances_of(chances, means, model.cells)
    if model.spread is None or not last:
        return means, covariances, image.new_empty(0)
    features = seen(levels[:_SEEN], chances, means, covariances, image.shape[-1])
    return means, model.spread.covariance(features), features


def _goal(model: Heatmaps, settings: Settings) -> Tensor:
    """Return the canonical shape (L, 2), pixels of the input."""
    return canonical(model.mean_shape, size=settings.input_size, margin=settings.margin)
