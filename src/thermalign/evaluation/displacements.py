"""Landmarks displaced by a known amount, to measure what landmark error costs."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from thermalign.geometry import LANDMARKS, Floats, interocular_distance
from thermalign.settings import check, setting

TOGETHER = ("isotropic", "shift", "rotation", "scale")


KINDS = (*TOGETHER, *LANDMARKS)
"""All landmarks each its own way, or together in one; or one landmark alone."""


@dataclass(frozen=True)
class Settings:
    """How annotated points of probes are displaced.

    Attributes
    ----------
    range : int
        Range of the probes.
    kinds : tuple of str
        What moves, see :func:`displace`.
    levels : tuple of float
        Mean way of the landmarks that move, rising from 0.
    linear_up_to : float
        Level up to which slopes are fitted.
    """

    range: int = setting(1, low=1)
    kinds: tuple[str, ...] = setting(
        ("isotropic",),
        choices=(
            "isotropic",
            "shift",
            "rotation",
            "scale",
            "right_eye",
            "left_eye",
            "nose_base",
            "right_mouth_corner",
            "left_mouth_corner",
        ),
    )
    levels: tuple[float, ...] = setting(
        (0.0, 0.02, 0.04, 0.06, 0.08, 0.12, 0.16, 0.24, 0.32), low=0.0, high=2.0, unit="IOD"
    )
    linear_up_to: float = setting(0.12, low=0.0, unit="IOD")

    def __post_init__(self) -> None:
        check(self)


RAYLEIGH_MEAN = np.sqrt(np.pi / 2)  # mean length of a vector of two standard normal numbers


def displace(
    points: Floats, names: Sequence[str], *, kind: str, level: float, seed: int = 0
) -> Floats:
    """Displace the landmarks of faces by ``level`` interocular distances on the mean.

    ``isotropic``: every landmark by normal noise; ``shift``: all by one way in a random direction;
    ``rotation`` and ``scale``: about their centre, one way or the other; the name of a landmark:
    that one alone, by normal noise. ``level`` is the mean distance that moved landmarks go: over
    draws for noise, in every face for the others.

    A face's draw depends on the seed, the kind and its name only: not on its neighbours, and not on
    the level, so that several levels lie on a line and two pictures of one moment move alike.

    Parameters
    ----------
    points : (N, L, 2) float, pixels, (x, y)
    names : N str
    kind : one of ``KINDS``
    level : float, interocular distances
    seed : int

    Returns
    -------
    (N, L, 2) float, pixels

    Raises
    ------
    ValueError
        If the kind is unknown, or the level negative.
    """
    if kind not in KINDS or level < 0:
        raise ValueError(
            f"a displacement of kind {kind!r} and level {level} is not defined; use one of "
            f"{list(KINDS)} and a level from 0"
        )
    draws = np.array([_normal(name, kind, seed) for name in names]).reshape(-1, len(LANDMARKS), 2)
    way = level * interocular_distance(points)[:, None, None]  # pixels
    if kind == "isotropic":
        return np.asarray(points + way * draws / RAYLEIGH_MEAN)
    if kind in LANDMARKS:
        alone = (np.array(LANDMARKS) == kind)[:, None]
        return np.asarray(points + way * draws / RAYLEIGH_MEAN * alone)
    if kind == "shift":
        first = draws[:, :1]
        return np.asarray(points + way * first / np.linalg.norm(first, axis=-1, keepdims=True))
    return _about_centre(points, way, np.sign(draws[:, :1, :1]), kind=kind)


def _about_centre(points: Floats, way: Floats, sign: Floats, *, kind: str) -> Floats:
    """Turn or resize faces so that their landmarks go ``way`` pixels on the mean."""
    centre = points.mean(axis=1, keepdims=True)
    arm = points - centre
    share = way / np.linalg.norm(arm, axis=-1).mean(axis=1)[:, None, None]
    if kind == "scale":
        return np.asarray(centre + arm * (1 + sign * share))
    turn = sign * 2 * np.arcsin(np.minimum(share / 2, 1))  # a chord of share x arm
    x, y = arm[..., :1], arm[..., 1:]
    cos, sin = np.cos(turn), np.sin(turn)
    return np.asarray(centre + np.concatenate([cos * x - sin * y, sin * x + cos * y], axis=-1))


def _normal(name: str, kind: str, seed: int) -> Floats:
    digest = hashlib.sha256(f"{seed}/{kind}/{name}".encode()).digest()
    return np.random.default_rng(list(digest)).standard_normal((len(LANDMARKS), 2))
