"""Faces of other proportions: aspect, shear, and a bend of the middle of the face.

A distortion is q = p' + f(q): p' are affine coordinates of a point and f pushes the middle of the
face along one direction, by a bell-shaped share g of how far the point it leads to lies from
there. So an image is sampled where q - f(q) says, without an inversion, and points are solved for.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from thermalign.geometry import apply_matrix, compose_matrices, interocular_distance, invert_matrix
from thermalign.landmarks.augment.settings import Augmentation
from thermalign.landmarks.contract import Faces
from thermalign.warp import warp

WIDTH = 0.45
"""Standard deviation of a bend's bell, interocular distances."""

FARTHEST = 0.4
"""The longest push, interocular distances: f's slope stays below .54, so that no place folds."""

_DEVIATIONS = 2.5  # beyond which draws are cut, so that no face is torn apart
_STEPS = 5  # of Newton's method, for float32; tests/landmarks/test_augment.py


@dataclass(frozen=True)
class BentFaces(Faces):
    """Faces whose middle is pushed, in frames that ``frame`` leads to but for that.

    Attributes
    ----------
    centre : (M, 2) float32, pixels, example frame
    push : (M, 2) float32, pixels
    width : (M,) float32, pixels
        Standard deviation of the bell.
    """

    centre: Tensor
    push: Tensor
    width: Tensor

    def subset(self, rows: Tensor) -> "BentFaces":
        """Return the examples ``rows`` (K,); their images stay one stack."""
        parts = (self.index, self.frame, self.boxes, self.points)
        bend = (self.centre, self.push, self.width)
        return BentFaces(self.stack, *(part[rows] for part in (*parts, *bend)))

    def crops(self, rows: Tensor, matrices: Tensor, *, width: int, height: int) -> Tensor:
        """Warp examples ``rows`` (K,) by ``matrices`` (K, 2, 3) from their example frames.

        Returns
        -------
        (K, 1, height, width) float32, in the units of the stack
        """
        frame = self.frame[rows]
        share = bells(matrices, self.centre[rows], self.width[rows], width=width, height=height)
        push = invert_matrix(frame)[..., :2] @ self.push[rows][..., None]  # (K, 2, 1), as stored
        whole, offsets = compose_matrices(matrices, frame), (-push[..., 0], share)
        size = {"width": width, "height": height}
        return warp(self.stack, self.index[rows], whole, **size, offsets=offsets)


def distorted(
    faces: Faces, rows: Tensor, settings: Augmentation, generator: torch.Generator
) -> Faces:
    """Draw a distortion for each of some examples.

    Parameters
    ----------
    faces : Faces
    rows : (K,) int64
    settings : Augmentation
    generator : torch.Generator

    Returns
    -------
    Faces
        The K examples in distorted frames, around the centres of their boxes. Boxes stay: what
        draws boxes gives them one proportion whatever the face's. If they stretched with it, a
        crop of a box would not show it.

    Source
    ------
    None.
    """
    chosen = faces.subset(rows)
    if not settings.distorts:
        return chosen
    draws = torch.randn((len(rows), 4), generator=generator, device=rows.device)
    draws = draws.clamp(-_DEVIATIONS, _DEVIATIONS)
    ratio = (0.5 * settings.aspect * draws[:, 0]).exp()
    shear = settings.shear * draws[:, 1]
    linear = torch.stack([1 / ratio, shear, torch.zeros_like(ratio), ratio], -1).view(-1, 2, 2)
    centre = chosen.boxes[:, :2] + (chosen.boxes[:, 2:] - 1) / 2
    matrix = torch.cat([linear, centre[..., None] - linear @ centre[..., None]], dim=-1)
    frame = compose_matrices(matrix, chosen.frame)
    points = apply_matrix(matrix, chosen.points)
    stretched = replace(chosen, frame=frame, points=points)
    return bent(stretched, settings.bend * draws[:, 2:]) if settings.bend else stretched


def bent(faces: Faces, push: Tensor) -> BentFaces:
    """Push the middle of each face.

    Parameters
    ----------
    faces : M Faces
    push : (M, 2) float, interocular distances, (x, y)
        Shortened to ``FARTHEST`` where it is longer.
    """
    unit = interocular_distance(faces.points)[:, None]
    length = push.norm(dim=1, keepdim=True).clamp(min=FARTHEST)
    centre, width = faces.points.mean(1), WIDTH * unit[:, 0]
    push = push * (FARTHEST / length) * unit
    moved = _moved(faces.points, centre, push, width)
    return BentFaces(faces.stack, faces.index, faces.frame, faces.boxes, moved, centre, push, width)


def to_face(matrices: Tensor, centre: Tensor, unit: Tensor) -> Tensor:
    """Return matrices (K, 2, 3) from crops to places on the face.

    Parameters
    ----------
    matrices : (K, 2, 3) float
        From example frame to crop.
    centre : (K, 2) float, pixels, example frame
        Where the face's places begin.
    unit : (K,) float, pixels, example frame
        What they are measured in.
    """
    inverse = invert_matrix(matrices)
    shift = inverse[..., 2] - centre
    return torch.cat([inverse[..., :2], shift[..., None]], dim=2) / unit[:, None, None]


def places(to_places: Tensor, *, width: int, height: int) -> Tensor:
    """Return where matrices (K, 2, 3) bring each pixel of crops, (K, 2, height, width)."""
    m = to_places[..., None, None]
    x = torch.arange(width, device=m.device, dtype=m.dtype)
    y = torch.arange(height, device=m.device, dtype=m.dtype)[:, None]
    return m[:, :, 0] * x + (m[:, :, 1] * y + m[:, :, 2])


def bells(matrices: Tensor, centre: Tensor, sigma: Tensor, *, width: int, height: int) -> Tensor:
    """Return bells exp(-r^2 / (2 sigma^2)) as crops show them, (K, height, width).

    Parameters
    ----------
    matrices : (K, 2, 3) float
        From example frame to crop.
    centre : (K, 2) float, pixels, example frame
    sigma : (K,) float, pixels, example frame
    width, height : int, pixels
    """
    middle = apply_matrix(matrices, centre[:, None])  # (K, 1, 2), pixels of the crop
    inverse = invert_matrix(matrices)[..., :2] / sigma[:, None, None]
    form = -0.5 * inverse.mT @ inverse  # of distances in the crop
    x = (torch.arange(width, device=sigma.device) - middle[..., 0])[:, None]
    y = (torch.arange(height, device=sigma.device) - middle[..., 1])[..., None]
    across, mixed, down = (form[:, i, j, None, None] for i, j in ((0, 0), (0, 1), (1, 1)))
    exponent = (2 * mixed * x + down * y).mul_(y).add_(across * x * x)
    return exponent.exp_()


def _moved(points: Tensor, centre: Tensor, push: Tensor, width: Tensor) -> Tensor:
    """Solve q = p + g(q) push for points (K, L, 2): q lies on a line, the share g is one unknown.

    There g = exp(-(a + b g + c g^2)): half the squared distance from the centre over the width's.
    """
    before = (points - centre[:, None]) / width[:, None, None]
    way = (push / width[:, None])[:, None]
    a, b = before.square().sum(2) / 2, (before * way).sum(2)  # (K, L)
    c = way.square().sum(2) / 2
    share = (-a).exp()
    for _ in range(_STEPS):
        bell = (-(a + share * (b + c * share))).exp()
        share = share - (share - bell) / (1 + bell * (b + 2 * c * share))
    return points + push[:, None] * share[..., None]
