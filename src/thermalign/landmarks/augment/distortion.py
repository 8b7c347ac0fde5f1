"""Faces of other proportions: aspect, shear, and a bend of the middle of the face.

A distortion is q = p' + f(q): p' are affine coordinates of a point and f pushes the middle of the
face along one direction, by a bell-shaped share g of how far the point it leads to lies from
there. So an image is sampled where q - f(q) says, without an inversion, and points are solved for.
"""

from dataclasses import dataclass

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
_STEPS = 8  # of Newton's method, for float32; tests/landmarks/test_augment.py


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
        plain = Faces.subset(self, rows)
        bend = (self.centre[rows], self.push[rows], self.width[rows])
        return BentFaces(**vars(plain), **dict(zip(("centre", "push", "width"), bend, strict=True)))

    def crops(self, rows: Tensor, matrices: Tensor, *, width: int, height: int) -> Tensor:
        """Warp examples ``rows`` (K,) by ``matrices`` (K, 2, 3) from their example frames.

        Returns
        -------
        (K, 1, height, width) float32, in the units of the stack
        """
        frame = self.frame[rows]
        from_centre = (
            places(matrices, width=width, height=height) - self.centre[rows][:, :, None, None]
        )
        share = _bell(from_centre, self.width[rows][:, None, None])  # (K, H, W)
        push = invert_matrix(frame)[..., :2] @ self.push[rows][..., None]  # (K, 2, 1), as stored
        offsets = -push[..., None] * share[:, None]
        whole = compose_matrices(matrices, frame)
        return warp(
            self.stack, self.index[rows], whole, width=width, height=height, offsets=offsets
        )


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
        The K examples in distorted frames, around the centres of their boxes. A box becomes that of
        its inscribed ellipse, stretched and sheared; the bend does not reach its edges.

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
    sides = chosen.boxes[:, 2:]
    centre = chosen.boxes[:, :2] + (sides - 1) / 2
    matrix = torch.cat([linear, centre[..., None] - linear @ centre[..., None]], dim=-1)
    size = (linear * sides[:, None]).square().sum(-1).sqrt()
    frame = compose_matrices(matrix, chosen.frame)
    points = apply_matrix(matrix, chosen.points)
    boxes = torch.cat([centre - (size - 1) / 2, size], dim=1)
    stretched = Faces(chosen.stack, chosen.index, frame, boxes, points)
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


def places(matrices: Tensor, *, width: int, height: int) -> Tensor:
    """Return where each pixel of crops lies in the frames that matrices (K, 2, 3) come from.

    Returns
    -------
    (K, 2, height, width) float32, pixels, (x, y)
    """
    m = invert_matrix(matrices)[..., None, None]
    x = torch.arange(width, device=matrices.device, dtype=matrices.dtype)
    y = torch.arange(height, device=matrices.device, dtype=matrices.dtype)[:, None]
    return m[:, :, 0] * x + (m[:, :, 1] * y + m[:, :, 2])


def _bell(from_centre: Tensor, width: Tensor) -> Tensor:
    """Return the share of the push at places (K, 2, ...) from the centre."""
    return (-0.5 * (from_centre / width[:, None]).square().sum(1)).exp()


def _moved(points: Tensor, centre: Tensor, push: Tensor, width: Tensor) -> Tensor:
    """Solve q = p + g(q) push for points (K, L, 2): q lies on a line, g there is one unknown."""
    before = (points - centre[:, None]).transpose(1, 2)  # (K, 2, L)
    way, width = push[..., None], width[:, None]
    share = _bell(before, width)  # (K, L)
    for _ in range(_STEPS):
        place = before + way * share[:, None]
        bell = _bell(place, width)
        slope = -bell * (place * way).sum(1) / width.square()
        share = share - (share - bell) / (1 - slope)
    return points + push[:, None] * share[..., None]
