"""The 60 x 60 patches that the patch-based classifier is trained on: where and of which class."""

import torch
from torch import Tensor

from thermalign import geometry
from thermalign.geometry import LANDMARKS, box_iou
from thermalign.landmarks.contract import Faces, constant, draw_rows
from thermalign.landmarks.pbc.settings import Settings

PATCH = 60
"""Side of a patch, pixels of the image."""

BACKGROUND = len(LANDMARKS)
"""The class behind those of the landmarks."""

NEITHER = -100
"""Of a patch that shows part of a landmark: no class, which the cross-entropy leaves out."""

STRIDE = 8
"""Distance of neighbouring patches of the fully convolutional network, pixels."""

_CANDIDATES = 8  # patches drawn per patch used, so that enough of them meet the overlaps

_UNMET = (
    "pbc: none of {} patches overlaps enough; lower positive_iou, raise negative_iou "
    f"or give larger face boxes (a patch has {PATCH} pixels a side)"
)


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
    sizes = _nearest(boxes[:, 2:]).clamp(min=PATCH)
    return _nearest(boxes[:, :2] + (boxes[:, 2:] - sizes) / 2), sizes


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
    offset = corners[:, None] + (PATCH - 1) / 2 - points  # against the patch centred there
    patches = torch.cat([offset, torch.full_like(offset, PATCH)], dim=-1)
    overlap: Tensor = box_iou(
        patches, constant((0.0, 0.0, float(PATCH), float(PATCH)), offset.device)
    )
    return overlap


def classes_of(corners: Tensor, points: Tensor, settings: Settings) -> Tensor:
    """Say what patches show: a landmark, background, or neither of them clearly.

    Parameters
    ----------
    corners : (K, 2) float, pixels
    points : (K, L, 2) float, pixels
    settings : Settings

    Returns
    -------
    (K,) int64
        The landmark with the largest overlap if that is large enough, ``BACKGROUND`` if it is small
        enough, else ``NEITHER``.
    """
    most, landmark = patch_iou(corners, points).max(1)
    rest = torch.where(most <= settings.negative_iou, BACKGROUND, NEITHER)
    return torch.where(most > settings.positive_iou, landmark, rest)


def draw_patches(
    faces: Faces, settings: Settings, generator: torch.Generator, *, beyond: int = 0
) -> tuple[Tensor, Tensor, Tensor]:
    """Draw a batch of patches wherever the classifier searches, with their classes.

    A patch is clamped into the crop first and judged then: where a landmark is nearer than 30
    pixels to the border of a small crop, no patch may show it.

    Parameters
    ----------
    faces : Faces
    settings : Settings
    generator : torch.Generator
    beyond : int, pixels
        How far patches may reach out of the crop.

    Returns
    -------
    rows : (B,) int64
        B is the batch size. Where too few draws meet the overlaps it is less on a CPU; elsewhere,
        where that number is not waited for, the rest are draws that do not.
    corners : (B, 2) float, whole pixels, example frame
    classes : (B,) int64
        ``NEITHER`` of those that do not.

    Raises
    ------
    ValueError
        If no drawn patch meets the overlaps; known on a CPU alone: see `refuse_unmet`.
    """
    count = _CANDIDATES * settings.batch_size
    device = faces.stack.device
    rows = draw_rows(faces, count, generator)
    points = faces.points[rows]
    low, sizes = native_crops(faces.boxes[rows])
    low, sizes = low - beyond, sizes + 2 * beyond
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
    met = classes_of(corners, points, settings) == classes
    wanted = [
        (negatives, met & background),
        (settings.batch_size - negatives, met & ~background),
    ]
    places = [_first(its, most) for most, its in wanted]
    chosen = torch.cat(places)
    if len(chosen) == 0:
        raise ValueError(_UNMET.format(count))
    fit = torch.cat([its[some] for some, (_, its) in zip(places, wanted, strict=True)])
    return rows[chosen], corners[chosen], torch.where(fit, classes[chosen], NEITHER)


def refuse_unmet(
    faces: Faces, settings: Settings, generator: torch.Generator, *, beyond: int = 0
) -> None:
    """Refuse overlaps that no patch of a batch meets, on whatever device; waits for it.

    Parameters
    ----------
    faces, settings, generator, beyond : as for :func:`draw_patches`

    Raises
    ------
    ValueError
        If that is so.
    """
    _, _, classes = draw_patches(faces, settings, generator, beyond=beyond)
    if not bool((classes != NEITHER).any()):
        raise ValueError(_UNMET.format(_CANDIDATES * settings.batch_size))


def _first(chosen: Tensor, count: int) -> Tensor:
    """Return the first places, ``count`` at most, where something (K,) bool is chosen.

    Elsewhere than on a CPU, where one would wait for their number, they are ``count``: places that
    are not chosen follow.
    """
    if geometry.on_host(chosen):
        return chosen.nonzero()[:count, 0]
    return (~chosen).byte().argsort(stable=True)[:count]


def neighbour_classes(
    faces: Faces, rows: Tensor, corners: Tensor, settings: Settings, *, beyond: int = 0
) -> Tensor:
    """Return the classes of drawn patches and of their neighbours on the classifier's grid.

    Neighbours share nearly all of a patch's convolutions: they cost a fraction of patches drawn
    for themselves.

    Parameters
    ----------
    faces : Faces
    rows : (B,) int64
    corners : (B, 2) float, whole pixels, example frame
    settings : Settings
    beyond : int, pixels
        As for :func:`draw_patches`: a neighbour further out is not searched, and has no class.

    Returns
    -------
    (B, S, S) int64
        S is 1 + 2 ``neighbours``, rows first, the drawn patch in the middle.
    """
    n = settings.neighbours
    steps = STRIDE * torch.arange(-n, n + 1, device=corners.device)
    y, x = torch.meshgrid(steps, steps, indexing="ij")
    each = corners[:, None] + torch.stack([x, y], dim=-1).view(-1, 2)  # (B, S S, 2)
    low, sizes = native_crops(faces.boxes[rows])
    low, high = (low - beyond)[:, None], (low + sizes + beyond - PATCH)[:, None]
    searched = ((each >= low) & (each <= high)).all(-1)
    points = faces.points[rows].repeat_interleave(each.shape[1], dim=0)
    classes = classes_of(each.flatten(0, 1), points, settings).view(searched.shape)
    return torch.where(searched, classes, NEITHER).view(len(rows), *x.shape)


def _nearest(values: Tensor) -> Tensor:
    """Round halves up, so that boxes round alike wherever the image was cut."""
    return (values + 0.5).floor()


def translations(corners: Tensor) -> Tensor:
    """Return the matrices (K, 2, 3) that bring ``corners`` (K, 2) to (0, 0)."""
    identity = torch.eye(2, device=corners.device).expand(len(corners), 2, 2)
    return torch.cat([identity, -corners[..., None]], dim=-1)
