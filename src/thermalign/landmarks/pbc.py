"""Patch-based classification: every patch of the face is one landmark or background."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, cross_entropy

from thermalign.geometry import LANDMARKS
from thermalign.landmarks import _loop, _normalise
from thermalign.landmarks._data import Faces, State
from thermalign.landmarks._faces import channels_last, point_error, unannotated
from thermalign.landmarks._loop import UNKEPT, Run
from thermalign.landmarks._normalise import NormalisedFaces
from thermalign.landmarks._patches import (
    BACKGROUND,
    PATCH,
    draw_patches,
    native_crops,
    translations,
)
from thermalign.landmarks._precision import Mixed
from thermalign.landmarks._settings import check_choices, check_ranges
from thermalign.warp import ImageStack

STRIDE = 8
"""Distance of neighbouring patches of the fully convolutional network, pixels."""
_CROPS = 64  # crops per batch of prediction


@dataclass(frozen=True)
class Settings:
    """Hyper-parameters; defaults are the paper's where it states them."""

    padding: str = "valid"  # ASSUME: see Network; the paper prints "same"
    width: float = 1.0  # of 32, 64, 64, 128, 256, 256 channels; paper 1
    positive_iou: float = 0.8  # a patch shows a landmark above this overlap; paper
    negative_iou: float = 0.8  # a patch is background up to this overlap with all. ASSUME
    negative_share: float = 0.5  # of a batch. ASSUME
    batch_size: int = 128  # patches; paper
    steps: int = 36_000  # ASSUME: as many as for DAN; the paper does not say
    learning_rate: float = 1e-3  # Adam; paper
    schedule: str = "constant"  # paper
    validate_every: int = 200  # steps. ASSUME
    patience: int = 40  # validations. ASSUME; 0 never stops
    precision: str = "float32"  # or bfloat16; see _precision
    compile: bool = False  # torch.compile; see _precision
    normalisation: str = "percentile"  # ASSUME: the paper does not say
    window: tuple[float, float] = (20.0, 40.0)  # degrees Celsius, of normalisation: window

    def __post_init__(self) -> None:
        check_choices(self, padding=("valid", "same"))
        check_ranges(self, width=(0.01, 8), positive_iou=(0, 0.99), negative_iou=(0, 1))
        check_ranges(self, negative_share=(0, 0.95), steps=(1, 10**8))
        _loop.check(self)
        _normalise.check(self)


class Network(Mixed):
    """Six convolutions and a 1 x 1 classifier; a crop gives a map of logits, 8 pixels apart.

    As printed (``same``), a 60 x 60 patch shrinks to 6 x 6 and not to one vector. ASSUME, for
    ``same``: a cell's logits are the mean over 2 x 2 cells, of which a patch has one centred set.
    ``valid``: the last three convolutions are not padded and the pools round up, as in O-Net, which
    gives one vector (60-58-29-27-13-13-7-5-3-1). The parameter count cannot tell the two apart.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.same = settings.padding == "same"
        c1, c2, c3, c4, c5, c6 = (
            max(1, round(n * settings.width)) for n in (32, 64, 64, 128, 256, 256)
        )
        late = 1 if self.same else 0
        self.layers = nn.Sequential(
            nn.Conv2d(1, c1, 3),
            nn.MaxPool2d(3, 2, ceil_mode=True),
            nn.PReLU(c1),  # ASSUME: PReLU as in MTCNN; behind the pool, which is cheaper
            nn.Conv2d(c1, c2, 3),
            nn.MaxPool2d(3, 2),
            nn.PReLU(c2),
            nn.Conv2d(c2, c3, 3, padding=1),
            nn.MaxPool2d(2, 2, ceil_mode=not self.same),
            nn.PReLU(c3),
            nn.Conv2d(c3, c4, 3, padding=late),
            nn.PReLU(c4),
            nn.Conv2d(c4, c5, 3, padding=late),
            nn.PReLU(c5),
            nn.Conv2d(c5, c6, 3, padding=late),
            nn.PReLU(c6),
        )
        self.classes = nn.Conv2d(c6, len(LANDMARKS) + 1, 1)
        channels_last(self)

    @property
    def margin(self) -> int:
        """Cells of the map before the one whose patch starts at the crop's corner."""
        return 2 if self.same else 0

    def forward(self, crops: Tensor) -> Tensor:
        """Return logits (K, L + 1, rows, columns) of crops (K, 1, 60 + 8 a, 60 + 8 b)."""
        with self.trunk_precision(crops):
            features = self.layers(channels_last(crops)).float()
        logits: Tensor = self.classes(features)
        return avg_pool2d(logits, 2, stride=1) if self.same else logits

    def classify(self, patches: Tensor) -> Tensor:
        """Return logits (K, L + 1) of patches (K, 1, 60, 60)."""
        logits: Tensor = self(patches)
        return logits[:, :, self.margin, self.margin]


def reach(settings: Settings) -> float:
    """Return how far beyond a face box PBC looks, in sides of the box: not at all."""
    return 0.0


def network(settings: Settings) -> nn.Module:
    """Return an untrained network."""
    return Network(settings)


def fit(
    train: Faces, validation: Faces, settings: Settings, *, seed: int, run: Run = UNKEPT
) -> State:
    """Train the patch classifier.

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
        If there are no training faces, no patch overlaps enough, or a loss is not finite.

    Source
    ------
    Poster et al. 2019, section 3.2 and Table 4. Differs from it in: the fourth convolution is 3 x 3
    and the classes are six, as the printed total demands, not 2 x 2 and ten; patches are drawn
    anew for every batch.
    """
    if len(train) == 0:
        raise ValueError("pbc: there are no training faces")
    with _loop.session("pbc", seed, train.stack.device, run) as session:
        model = Network(settings).to(train.stack.device)
        data = _normalise.prepare(train, settings)
        held_out = _normalise.prepare(validation, settings)
        session.optimise(
            model,
            "patches",
            settings.steps,
            settings,
            loss=partial(_loss, model, data, settings, session.generator),
            validate=partial(_error, model, held_out) if len(validation) else None,
        )
    return _loop.keep(model, session.curve, settings)


def predict(
    state: State, stack: ImageStack, boxes: Tensor, settings: Settings
) -> tuple[Tensor, Tensor]:
    """Find the most landmark-like patch of each face box, per landmark, at native resolution.

    Parameters
    ----------
    state : State
    stack : ImageStack of N images
    boxes : (N, 4) float, pixels, (x, y, width, height)
    settings : Settings

    Returns
    -------
    points : (N, L, 2) float32, pixels, (x, y)
        Centres of patches: 8 pixels apart.
    confidence : (N, L) float32
        Softmax over the classes at the patch. The choice itself is by the raw logit.

    Raises
    ------
    ValueError
        If the boxes do not fit the images, or the state does not fit the settings.

    Source
    ------
    Poster et al. 2019, equations 2 and 3.
    """
    data = _normalise.prepare(unannotated(stack, boxes), settings)
    model = _loop.restore(Network(settings), state, stack.device, settings)
    return locate(model, data)


@dataclass(frozen=True)
class ScoreMaps:
    """How likely each patch of some faces, whose maps have one size, shows each class.

    Attributes
    ----------
    rows : (K,) int64
        The faces.
    first : (K, 2) float32, pixels, (x, y)
        Centres of the top-left patches; the others lie ``STRIDE`` pixels apart.
    logits : (K, L + 1, rows, columns) float32
    """

    rows: Tensor
    first: Tensor
    logits: Tensor

    @property
    def confidence(self) -> Tensor:
        """Softmax over the classes at each patch, (K, L + 1, rows, columns)."""
        return self.logits.softmax(1)


@torch.no_grad()
def score_maps(model: Network, data: NormalisedFaces) -> Iterator[ScoreMaps]:
    """Run the network over whole crops at native resolution.

    Crops are trimmed to what the patches cover, 60 + 8 a by 60 + 8 b pixels, evenly on both sides,
    and run in groups of one size, since padding them to a common size would change the result.

    Parameters
    ----------
    model : Network
    data : NormalisedFaces of M examples

    Yields
    ------
    ScoreMaps, until every example had its own; points in the example frame
    """
    corners, sizes = native_crops(data.faces.boxes)
    covered = sizes - (sizes - PATCH) % STRIDE
    corners = corners + ((sizes - covered) / 2).floor()
    groups, group = torch.unique(covered.long(), dim=0, return_inverse=True)
    for n, (width, height) in enumerate(groups.tolist()):
        for rows in torch.split((group == n).nonzero()[:, 0], _CROPS):
            crops = data.crops(rows, translations(corners[rows]), width=width, height=height)
            first = corners[rows] + (PATCH - 1) / 2 - STRIDE * model.margin
            yield ScoreMaps(rows, first, model(crops))


def locate(model: Network, data: NormalisedFaces) -> tuple[Tensor, Tensor]:
    """Map each landmark's best patch, by the raw logit, back to the image.

    Returns
    -------
    points : (M, L, 2) float32, pixels, example frame
    confidence : (M, L) float32
        Of the score map at the points.
    """
    points = torch.empty_like(data.faces.points)
    confidence = torch.empty_like(points[..., 0])
    for maps in score_maps(model, data):
        columns = maps.logits.shape[3]
        cells = maps.logits[:, :BACKGROUND].flatten(2).argmax(2)  # (K, L)
        cell = torch.stack([cells % columns, cells // columns], dim=-1)
        points[maps.rows] = maps.first[:, None] + STRIDE * cell
        likely = maps.confidence[:, :BACKGROUND].flatten(2)
        confidence[maps.rows] = likely.gather(2, cells[..., None])[..., 0]
    return points, confidence


def _loss(
    model: Network, data: NormalisedFaces, settings: Settings, generator: torch.Generator
) -> Tensor:
    rows, corners, classes = draw_patches(data.faces, settings, generator)
    patches = data.crops(rows, translations(corners), width=PATCH, height=PATCH)
    return cross_entropy(model.classify(patches), classes)


def _error(model: Network, data: NormalisedFaces) -> Tensor:
    points, _ = locate(model, data)
    return point_error(points, data.faces, torch.arange(len(points), device=points.device))
