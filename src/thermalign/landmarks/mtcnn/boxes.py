"""Boxes of a detector: calibration, squaring, suppression, the image pyramid.

Boxes are (x, y, width, height) in pixels as `thermalign.geometry` has them.
"""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from thermalign.geometry import box_intersection

_PAIRS = 4_000_000  # pairs of boxes compared at a time: some 100 MB of intermediates


def squared(boxes: Tensor) -> Tensor:
    """Grow the shorter sides of boxes (..., 4) to the longer ones, around their centres."""
    side = boxes[..., 2:].amax(-1, keepdim=True).expand_as(boxes[..., 2:])
    return torch.cat([boxes[..., :2] + (boxes[..., 2:] - side) / 2, side], dim=-1)


def box_offsets(boxes: Tensor, faces: Tensor) -> Tensor:
    """Return where faces' corners lie against crops' corners: what a box head regresses.

    Parameters
    ----------
    boxes : (K, 4) float, pixels
        Of the crops.
    faces : (K, 4) float, pixels

    Returns
    -------
    (K, 4) float, fractions of the crop's sides
        Of left, top, right and bottom edge: (face - crop) / side.
    """
    corner = (faces[:, :2] - boxes[:, :2]) / boxes[:, 2:]
    last = (faces[:, :2] + faces[:, 2:] - boxes[:, :2] - boxes[:, 2:]) / boxes[:, 2:]
    return torch.cat([corner, last], dim=1)


def calibrate(boxes: Tensor, offsets: Tensor) -> Tensor:
    """Move the corners of boxes by predicted offsets: the inverse of `box_offsets`.

    A box whose sides would vanish or turn over keeps a hundredth of them.
    """
    corner = boxes[:, :2] + offsets[:, :2] * boxes[:, 2:]
    size = boxes[:, 2:] * (1 + offsets[:, 2:] - offsets[:, :2]).clamp(min=0.01)
    return torch.cat([corner, size], dim=1)


def suppress(
    boxes: Tensor,
    scores: Tensor,
    groups: Tensor,
    *,
    threshold: float,
    smaller: bool = False,
    most: int | None = None,
) -> Tensor:
    """Drop boxes that overlap a better one of their group: greedy non-maximum suppression.

    Equal to going through each group from its best box down. Whether a box is kept depends on
    better boxes only, so repeating "kept unless a kept better box overlaps" over all boxes at once
    settles to that result, in as many rounds as the longest chain of such dependencies.

    Parameters
    ----------
    boxes : (N, 4) float, pixels
    scores : (N,) float
        Among equal scores the first box counts as the better one.
    groups : (N,) int64
        Only boxes of one group, such as an image, compete.
    threshold : float
        A box is dropped if it overlaps more.
    smaller : bool
        Measure the overlap as share of the smaller box ("Min"), not of the union.
    most : int, optional
        Boxes kept per group at most, the best ones.

    Returns
    -------
    (K,) int64
        The boxes kept, by group, then by falling score.
    """
    order = scores.argsort(descending=True, stable=True)
    order = order[groups[order].argsort(stable=True)]
    _, group, counts = torch.unique_consecutive(
        groups[order], return_inverse=True, return_counts=True
    )
    kept = torch.zeros(len(order), dtype=torch.bool, device=boxes.device)
    starts = counts.cumsum(0) - counts
    for several in _alike(counts):
        along = torch.arange(int(counts[several].max()), device=boxes.device)
        filled = along < counts[several, None]  # (groups, longest)
        place = (starts[several, None] + along)[filled]
        padded = boxes.new_zeros((*filled.shape, 4))
        padded[filled] = boxes[order[place]]
        kept[place] = _best_of_groups(padded, threshold, smaller)[filled]
    chosen = kept.nonzero()[:, 0]
    if most is not None:
        _, group, counts = torch.unique_consecutive(
            group[chosen], return_inverse=True, return_counts=True
        )
        chosen = chosen[_ranks(counts, group) < most]
    return order[chosen]


def _alike(counts: Tensor) -> Iterator[Tensor]:
    """Go through groups in batches of similar length, whose padded pairs of boxes stay few."""
    by_length = counts.argsort(descending=True)
    first = 0
    while first < len(counts):
        step = max(1, _PAIRS // int(counts[by_length[first]]) ** 2)
        yield by_length[first : first + step]
        first += step


def pyramid(
    width: int, height: int, *, cell: int, min_face: float, factor: float
) -> list[tuple[int, int]]:
    """Return the sizes of an image's copies in which a window of ``cell`` pixels finds faces.

    Parameters
    ----------
    width, height : int, pixels
    cell : int, pixels
        Side of the window.
    min_face : float, pixels
        The face that fills the window in the largest copy; in the smallest the window is not
        larger than the image.
    factor : float
        Size of a copy over that of the one before.

    Returns
    -------
    list of (width, height), pixels
        Empty for an image that is smaller than the smallest face.

    Source
    ------
    kpzhang93/MTCNN_face_detection_alignment, detect_face.m.
    """
    scale = cell / min_face
    sizes = []
    while min(width, height) * scale >= cell:
        sizes.append((math.ceil(width * scale), math.ceil(height * scale)))
        scale *= factor
    return sizes


def _ranks(counts: Tensor, group: Tensor) -> Tensor:
    """Return the place of each element in its group, from 0."""
    starts = counts.cumsum(0) - counts
    return torch.arange(len(group), device=group.device) - starts[group]


def _best_of_groups(boxes: Tensor, threshold: float, smaller: bool) -> Tensor:
    """Return which of sorted boxes (G, K, 4) are kept, (G, K) bool."""
    first, second = boxes[:, :, None], boxes[:, None]
    common = box_intersection(first, second)
    areas = first[..., 2:].prod(-1), second[..., 2:].prod(-1)
    whole = torch.minimum(*areas) if smaller else areas[0] + areas[1] - common
    over = (common > threshold * whole).triu(1)  # (G, K, K): the first drops the second
    kept = torch.ones(boxes.shape[:2], dtype=torch.bool, device=boxes.device)
    while True:
        now = ~(over & kept[:, :, None]).any(1)
        if torch.equal(now, kept):
            return kept
        kept = now
