"""Maps of where a landmark is: probabilities of cells, their moments, normal ones, and a loss."""

import torch
from torch import Tensor

from thermalign.geometry import interocular_distance, point_distances


def log_chances(logits: Tensor) -> Tensor:
    """Return the log-probability of each cell (..., S, S), whose probabilities sum to 1."""
    return logits.flatten(-2).log_softmax(-1).view_as(logits)


def means_of(chances: Tensor, cells: Tensor) -> Tensor:
    """Return the means (..., 2) of maps (..., S, S), (x, y), in the unit of ``cells`` (S,)."""
    return torch.stack([chances.sum(-2) @ cells, chances.sum(-1) @ cells], -1)


def covariances_of(chances: Tensor, means: Tensor, cells: Tensor) -> Tensor:
    """Return the covariances (..., 2, 2) of maps (..., S, S) around their means (..., 2).

    A cell's mass is where its centre is, so that one cell alone has none.
    """
    x, y = (cells - means[..., None]).unbind(-2)  # (..., S) each
    xx, yy = (chances.sum(-2) * x**2).sum(-1), (chances.sum(-1) * y**2).sum(-1)
    xy = torch.einsum("...ij,...i,...j->...", chances, y, x)
    return torch.stack([torch.stack([xx, xy], -1), torch.stack([xy, yy], -1)], -2)


def sharpened(covariance: Tensor, variance: float) -> Tensor:
    """Take the variance of a round blur off covariances (..., 2, 2), square pixels of the input.

    What is left along either principal axis is at least a hundredth of that variance.
    """
    middle = covariance.diagonal(dim1=-2, dim2=-1).mean(-1)[..., None, None]
    round_ = torch.eye(2, device=covariance.device)
    skew = covariance - middle * round_  # half the axes' difference, times a reflection
    half = (skew.square().sum((-2, -1), keepdim=True) / 2).sqrt()
    low, high = ((middle + k * half - variance).clamp(min=variance / 100) for k in (-1, 1))
    way = skew / half.clamp(min=torch.finfo(skew.dtype).tiny)
    return (high + low) / 2 * round_ + (high - low) / 2 * way


def normal_maps(points: Tensor, cells: Tensor, *, sigma: float) -> Tensor:
    """Return normal maps around points, whose cells sum to 1 even where a point lies outside.

    Of (..., L, 2) and ``sigma`` in the unit of ``cells`` (S,); gives (..., L, S, S).
    """
    along = (-(((cells - points[..., None]) / sigma) ** 2) / 2).softmax(-1)  # (..., L, 2, S)
    x, y = along.unbind(-2)
    return y[..., :, None] * x[..., None, :]


def loss_of_maps(
    logits: Tensor, truth: Tensor, cells: Tensor, *, prior: float, sigma: float
) -> Tensor:
    """Return the mean error of the maps' means, and ``prior`` times their cross-entropy.

    Parameters
    ----------
    logits : (K, L, S, S) float
    truth : (K, L, 2) float, pixels of the input
    cells : (S,) float, pixels of the input
    prior : float
    sigma : float, pixels of the input
        Standard deviation of the normal map that the cross-entropy compares with.

    Returns
    -------
    () float, interocular distances and, times ``prior``, nats
    """
    chances = log_chances(logits)
    distance = point_distances(means_of(chances.exp(), cells), truth).mean(-1)
    error = (distance / interocular_distance(truth)).mean()
    if not prior:
        return error
    aim = normal_maps(truth, cells, sigma=sigma)
    return error - prior * (aim * chances).sum((-2, -1)).mean()
