"""Patch-based classification: every patch of the face is one landmark or background."""

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, cross_entropy

from thermalign.geometry import LANDMARKS
from thermalign.landmarks import _loop, _normalise
from thermalign.landmarks._data import Faces, State
from thermalign.landmarks._faces import chunks, draw_rows, point_error, unannotated
from thermalign.landmarks._normalise import NormalisedFaces
from thermalign.landmarks._settings import check_choices, check_ranges
from thermalign.warp import ImageStack

PATCH = 60
"""Side of a patch, pixels of the image."""
STRIDE = 8
"""Distance of neighbouring patches of the fully convolutional network, pixels."""
BACKGROUND = len(LANDMARKS)
"""The class behind those of the landmarks."""

_CANDIDATES = 8  # patches drawn per patch used, so that enough of them meet the overlaps
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
    steps: int = 36_000  # ASSUME: the paper does not say
    learning_rate: float = 1e-3  # Adam; paper
    schedule: str = "constant"  # paper
    validate_every: int = 200  # steps. ASSUME
    patience: int = 40  # validations. ASSUME; 0 never stops
    normalisation: str = "percentile"  # ASSUME: the paper does not say
    window: tuple[float, float] = (20.0, 40.0)  # degrees Celsius, of normalisation: window

    def __post_init__(self) -> None:
        check_choices(self, padding=("valid", "same"))
        check_ranges(self, width=(0.01, 8), positive_iou=(0, 0.99), negative_iou=(0, 1))
        check_ranges(self, negative_share=(0, 0.95), steps=(1, 10**8))
        _loop.check(self)
        _normalise.check(self)


class Network(nn.Module):
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
            nn.PReLU(c1),  # ASSUME: PReLU as in MTCNN
            nn.MaxPool2d(3, 2, ceil_mode=True),
            nn.Conv2d(c1, c2, 3),
            nn.PReLU(c2),
            nn.MaxPool2d(3, 2),
            nn.Conv2d(c2, c3, 3, padding=1),
            nn.PReLU(c3),
            nn.MaxPool2d(2, 2, ceil_mode=not self.same),
            nn.Conv2d(c3, c4, 3, padding=late),
            nn.PReLU(c4),
            nn.Conv2d(c4, c5, 3, padding=late),
            nn.PReLU(c5),
            nn.Conv2d(c5, c6, 3, padding=late),
            nn.PReLU(c6),
            nn.Conv2d(c6, len(LANDMARKS) + 1, 1),
        )

    @property
    def margin(self) -> int:
        """Cells of the map before the one whose patch starts at the crop's corner."""
        return 2 if self.same else 0

    def forward(self, crops: Tensor) -> Tensor:
        """Return logits (K, L + 1, rows, columns) of crops (K, 1, 60 + 8 a, 60 + 8 b)."""
        logits: Tensor = self.layers(crops)
        return avg_pool2d(logits, 2, stride=1) if self.same else logits

    def classify(self, patches: Tensor) -> Tensor:
        """Return logits (K, L + 1) of patches (K, 1, 60, 60)."""
        return self(patches)[:, :, self.margin, self.margin]


def network(settings: Settings) -> nn.Module:
    """Return an untrained network."""
    return Network(settings)


def fit(
    train: Faces, validation: Faces, settings: Settings, *, seed: int, progress: bool = True
) -> State:
    """Train the patch classifier.

    Parameters
    ----------
    train, validation : Faces
        Without validation faces the last state is kept.
    settings : Settings
    seed : int
    progress : bool
        Whether to report on stderr.

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
    with _loop.seeded(seed, train.stack.device) as generator:
        model = Network(settings).to(train.stack.device)
        data = _normalise.prepare(train, settings)
        held_out = _normalise.prepare(validation, settings) if len(validation) else None
        curve = _loop.optimise(
            model,
            _loop.Stage(model="pbc", name="patches", steps=settings.steps),
            settings,
            loss=partial(_loss, model, data, settings, generator),
            validate=held_out and partial(_error, model, held_out),
            progress=progress,
        )
    return _loop.keep(model, curve)


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
    model = _loop.restore(Network(settings), state, stack.device)
    return locate(model, data)


def native_crops(boxes: Tensor) -> tuple[Tensor, Tensor]:
    """Round boxes to whole pixels of the image, and grow those smaller than a patch.

    Parameters
    ----------
    boxes : (K, 4) float, pixels, (x, y, width, height)

    Returns
    -------
    corners : (K, 2) float, whole pixels, (x, y)
    sizes : (K, 2) float, whole pixels, (width, height), at least 60
        ASSUME: a smaller box grows around its centre into the image (beyond the image its border
        repeats), since resizing it would give up the native resolution.
    """
    sizes = boxes[:, 2:].round().clamp(min=PATCH)
    return (boxes[:, :2] + (boxes[:, 2:] - sizes) / 2).round(), sizes


def patch_iou(corners: Tensor, points: Tensor) -> Tensor:
    """Return the overlap of patches with the patches centred on landmarks.

    Parameters
    ----------
    corners : (K, 2) float, pixels
        Top-left pixels of the patches.
    points : (K, L, 2) float, pixels

    Returns
    -------
    (K, L) float, intersection over union
    """
    offset = (corners[:, None] + (PATCH - 1) / 2 - points).abs()
    common = (PATCH - offset).clamp(min=0).prod(-1)
    return common / (2 * PATCH**2 - common)


def draw_patches(
    faces: Faces, settings: Settings, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Draw a batch of patches inside the faces' crops, with their classes.

    A patch is clamped into the crop first and judged then: where a landmark is nearer than 30
    pixels to the border of a small crop, no patch may show it.

    Parameters
    ----------
    faces : Faces
    settings : Settings
    generator : torch.Generator

    Returns
    -------
    rows : (B,) int64
    corners : (B, 2) float, whole pixels, example frame
    classes : (B,) int64

    Raises
    ------
    ValueError
        If no drawn patch meets the overlaps.
    """
    count = _CANDIDATES * settings.batch_size
    device = faces.stack.device
    rows = draw_rows(faces, count, generator)
    points = faces.points[rows]
    low, sizes = native_crops(faces.boxes[rows])
    draws = torch.rand((count, 2), generator=generator, device=device)
    classes = torch.randint(BACKGROUND, (count,), generator=generator, device=device)
    negatives = round(settings.batch_size * settings.negative_share)
    classes[: count * negatives // settings.batch_size] = BACKGROUND
    # Along one axis no shift beyond this leaves the overlap of a positive.
    reach = PATCH * (1 - settings.positive_iou) / (1 + settings.positive_iou)
    shown = points[torch.arange(count, device=device), classes.clamp(max=BACKGROUND - 1)]
    near = shown - (PATCH - 1) / 2 + reach * (2 * draws - 1)
    anywhere = low + draws * (sizes - PATCH)
    background = classes == BACKGROUND
    corners = torch.where(background[:, None], anywhere, near).round()
    corners = torch.minimum(torch.maximum(corners, low), low + sizes - PATCH)
    iou = patch_iou(corners, points)
    own = iou.gather(1, classes.clamp(max=BACKGROUND - 1)[:, None])[:, 0]
    is_negative = background & (iou.amax(1) <= settings.negative_iou)
    is_positive = ~background & (own > settings.positive_iou)
    chosen = torch.cat(
        [
            is_negative.nonzero()[:negatives, 0],
            is_positive.nonzero()[: settings.batch_size - negatives, 0],
        ]
    )
    if len(chosen) == 0:
        raise ValueError(
            f"pbc: none of {count} patches overlaps enough; lower positive_iou, raise negative_iou "
            f"or give larger face boxes (a patch has {PATCH} pixels a side)"
        )
    return rows[chosen], corners[chosen], classes[chosen]


@torch.no_grad()
def locate(model: Network, data: NormalisedFaces) -> tuple[Tensor, Tensor]:
    """Run the network over whole crops and map each landmark's best cell back to the image.

    Crops are trimmed to what the patches cover, 60 + 8 a by 60 + 8 b pixels, evenly on both sides,
    and run in groups of one size, since padding them to a common size would change the result.

    Parameters
    ----------
    model : Network
    data : NormalisedFaces of M examples

    Returns
    -------
    points : (M, L, 2) float32, pixels, example frame
    confidence : (M, L) float32
    """
    corners, sizes = native_crops(data.faces.boxes)
    covered = sizes - (sizes - PATCH) % STRIDE
    corners = corners + ((sizes - covered) / 2).floor()
    points = torch.empty_like(data.faces.points)
    confidence = torch.empty_like(points[..., 0])
    groups, group = covered.long().unique(dim=0, return_inverse=True)
    for n, (width, height) in enumerate(groups.tolist()):
        for rows in (group == n).nonzero()[:, 0].split(_CROPS):
            crops = data.crops(rows, _shift(corners[rows]), width=width, height=height)
            logits = model(crops)  # (K, L + 1, rows, columns)
            columns = logits.shape[3]
            cells = logits[:, :BACKGROUND].flatten(2).argmax(2)  # (K, L)
            cell = torch.stack([cells % columns, cells // columns], dim=-1) - model.margin
            points[rows] = corners[rows, None] + (PATCH - 1) / 2 + STRIDE * cell
            likely = logits.flatten(2).softmax(1)[:, :BACKGROUND]
            confidence[rows] = likely.gather(2, cells[..., None])[..., 0]
    return points, confidence


def _shift(corners: Tensor) -> Tensor:
    identity = torch.eye(2, device=corners.device).expand(len(corners), 2, 2)
    return torch.cat([identity, -corners[..., None]], dim=-1)


def _loss(
    model: Network, data: NormalisedFaces, settings: Settings, generator: torch.Generator
) -> Tensor:
    rows, corners, classes = draw_patches(data.faces, settings, generator)
    patches = data.crops(rows, _shift(corners), width=PATCH, height=PATCH)
    return cross_entropy(model.classify(patches), classes)


def _error(model: Network, data: NormalisedFaces) -> Tensor:
    points, _ = locate(model, data)
    return point_error(points, data.faces, torch.arange(len(points), device=points.device))
