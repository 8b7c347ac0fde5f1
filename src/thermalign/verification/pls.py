"""One-vs-all partial least squares: one classifier per enrolled subject, all at once."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from thermalign.geometry import Floats, Integers

Booleans = npt.NDArray[np.bool_]

CROSS_EXAMPLE = -1
"""Label of a row that belongs to no enrolled subject."""

NEGATIVES = ("published", "gallery", "training")

NOTHING_LEFT = 1e-12
"""Share of its natural size below which what remains of a vector is rounding."""


@dataclass(frozen=True)
class OneVsAll:
    """Linear classifiers of S enrolled subjects.

    Attributes
    ----------
    weights : (S, D) float64
    intercepts : (S,) float64
    """

    weights: Floats
    intercepts: Floats


def fit_one_vs_all(
    features: Floats, labels: Integers, *, n_components: int, negatives: str = "published"
) -> OneVsAll:
    """Fit PLS1 with target +1 for a subject's rows and -1 for its negatives, for every subject.

    Every classifier needs inner products of the same rows, so one Gram matrix serves all.

    Parameters
    ----------
    features : (n, D) float
        Gallery images and cross-examples.
    labels : (n,) int
        0..S-1, the enrolled subject, each at least once, or ``CROSS_EXAMPLE``.
    n_components : int
        A subject gets fewer where fewer already fit its targets exactly or use up its rows.
    negatives : str
        ``published``: other subjects' gallery and the cross-examples; ``gallery``: other subjects'
        gallery only; ``training``: the cross-examples only.

    Returns
    -------
    OneVsAll

    Raises
    ------
    ValueError
        If an argument does not fit, a feature is not finite, or a subject has no negatives.

    Source
    ------
    Rosipal and Trejo, JMLR 2, 2001, kernel PLS with a linear kernel: the same regression as NIPALS
    PLS1 without scaling. Cross-examples: Hu et al., JOSA A 32(3), 2015.
    """
    _check(features, labels, n_components=n_components, negatives=negatives)
    X = np.asarray(features, np.float64)
    if negatives == "gallery":
        X, labels = X[labels != CROSS_EXAMPLE], labels[labels != CROSS_EXAMPLE]
    centre = X.mean(0)
    X = X - centre  # before the products, so that they lose no digits to a common offset
    gram = X @ X.T
    n_subjects = int(labels.max()) + 1
    dual, share = np.zeros((n_subjects, len(X))), np.zeros((n_subjects, len(X)))
    y_mean = np.zeros(n_subjects)
    for subjects, rows in _groups(labels, n_subjects, negatives=negatives):
        Y = np.where(labels[rows] == subjects[:, None], 1.0, -1.0)
        if (Y > 0).all(1).any():
            raise ValueError("a subject has no negatives: enrol two subjects or add cross-examples")
        place = np.ix_(subjects, rows)
        y_mean[subjects], share[place] = Y.mean(1), 1 / len(rows)
        K = _centred(gram[np.ix_(rows, rows)])
        dual[place] = _dual_coefficients(K, Y - Y.mean(1, keepdims=True), count=n_components)
    weights = dual @ X
    means = share @ X + centre  # (S, D), of each subject's rows
    return OneVsAll(weights, y_mean - (weights * means).sum(1))


def score(model: OneVsAll, probes: Floats) -> Floats:
    """Return the regression response of probes (m, D) for every subject, (m, S)."""
    return np.asarray(probes @ model.weights.T + model.intercepts)


def _check(features: Floats, labels: Integers, *, n_components: int, negatives: str) -> None:
    if negatives not in NEGATIVES:
        raise ValueError(f"negatives is {negatives!r}; use one of {list(NEGATIVES)}")
    if n_components < 1:
        raise ValueError(f"PLS components is {n_components}; it must be at least 1")
    if features.ndim != 2 or labels.shape != features.shape[:1]:
        raise ValueError(f"features {features.shape} need one label per row, got {labels.shape}")
    if not np.isfinite(features).all():
        raise ValueError(f"feature row {np.argwhere(~np.isfinite(features))[0, 0]} is not finite")
    enrolled = np.unique(labels[labels != CROSS_EXAMPLE])
    if enrolled.size == 0 or not np.array_equal(enrolled, np.arange(enrolled.size)):
        raise ValueError(f"labels must be {CROSS_EXAMPLE} and 0..S-1 with no gap, got {enrolled}")


def _groups(
    labels: Integers, n_subjects: int, *, negatives: str
) -> Iterator[tuple[Integers, Integers]]:
    """Yield subjects with the rows that their classifiers share."""
    if negatives != "training":
        yield np.arange(n_subjects), np.arange(len(labels))
        return
    for s in range(n_subjects):
        yield np.array([s]), np.flatnonzero((labels == s) | (labels == CROSS_EXAMPLE))


def _centred(gram: Floats) -> Floats:
    """Return the Gram matrix of rows (n, n) as if their mean had been subtracted."""
    mean = gram.mean(0)
    return np.asarray(gram - mean - mean[:, None] + mean.mean())


def _dual_coefficients(K: Floats, Y: Floats, *, count: int) -> Floats:
    """Run kernel PLS1 for every row of Y on one centred Gram matrix.

    Per component: u = y / |y|; t = K u, made orthogonal to the scores before and scaled to |t| = 1;
    y becomes y - t t'y. With T, U the rows so found: coefficients = (T Y') (U K T')^-1 U.

    Parameters
    ----------
    K : (n, n) float64
    Y : (S, n) float64, centred targets

    Returns
    -------
    (S, n) float64
        Weights of the rows: prediction = coefficients . rows + mean target.
    """
    subjects, n = Y.shape
    T, U, KU = (np.zeros((subjects, count, n)) for _ in range(3))
    residual = Y
    y_size, k_size = np.linalg.norm(Y, axis=1, keepdims=True), np.linalg.norm(K)
    for a in range(count):
        u, left = _unit(residual, y_size)
        k: Floats = u @ K
        t = k
        for _ in range(2):  # twice, or rounding lets the scores lose their orthogonality
            t = t - ((T[:, :a] @ t[..., None]).transpose(0, 2, 1) @ T[:, :a])[:, 0]
        t, fresh = _unit(t, k_size)
        keep = left & fresh
        T[:, a], U[:, a], KU[:, a] = t * keep, u * keep, k * keep
        residual = residual - T[:, a] * (T[:, a] * residual).sum(1, keepdims=True)
    inner = T @ KU.transpose(0, 2, 1)  # upper triangular
    unused = ~T.any(axis=2)
    inner[:, np.arange(count), np.arange(count)] += unused
    solved = np.linalg.solve(inner, T @ Y[..., None])
    return np.asarray((solved.transpose(0, 2, 1) @ U)[:, 0])


def _unit(vectors: Floats, size: Any) -> tuple[Floats, Booleans]:
    """Scale rows to length 1, and say which (S, 1) were more than rounding beside ``size``."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    real = length > NOTHING_LEFT * size
    return np.where(real, vectors / np.where(real, length, 1), 0), real
