"""One-vs-all partial least squares: one classifier per enrolled subject, all at once."""

from dataclasses import dataclass

import numpy as np

from thermalign.geometry import Floats, Integers

CROSS_EXAMPLE = -1
"""Label of a row that belongs to no enrolled subject."""

NEGATIVES = ("published", "gallery", "training")


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

    The rows are the same for all subjects but for their targets, so one Gram matrix serves all.

    Parameters
    ----------
    features : (n, D) float
        Gallery images and cross-examples.
    labels : (n,) int
        0..S-1, the enrolled subject, or ``CROSS_EXAMPLE``.
    n_components : int
    negatives : str
        ``published``: other subjects' gallery and the cross-examples; ``gallery``: other subjects'
        gallery only; ``training``: the cross-examples only.

    Returns
    -------
    OneVsAll

    Raises
    ------
    ValueError
        If a subject has no negatives, or ``negatives`` is unknown.

    Source
    ------
    Rosipal and Trejo, JMLR 2, 2001, kernel PLS with a linear kernel: the same regression as NIPALS
    PLS1 without scaling. Cross-examples: Hu et al., JOSA A 32(3), 2015.
    """
    if negatives not in NEGATIVES:
        raise ValueError(f"negatives is {negatives!r}; use one of {list(NEGATIVES)}")
    X = np.asarray(features, np.float64)
    subjects = np.arange(labels.max() + 1)
    if negatives == "training":
        fits = [
            _fit(X[rows], labels[rows], [s], n_components) for s, rows in _own(labels, subjects)
        ]
        return OneVsAll(
            np.concatenate([f.weights for f in fits]), np.concatenate([f.intercepts for f in fits])
        )
    rows = np.flatnonzero(labels != CROSS_EXAMPLE) if negatives == "gallery" else slice(None)
    return _fit(X[rows], labels[rows], subjects, n_components)


def score(model: OneVsAll, probes: Floats) -> Floats:
    """Return the regression response of probes (m, D) for every subject, (m, S)."""
    return np.asarray(probes @ model.weights.T + model.intercepts)


def _own(labels: Integers, subjects: Integers) -> list[tuple[int, Integers]]:
    """Return each subject with its own rows and the cross-examples."""
    return [(int(s), np.flatnonzero((labels == s) | (labels == CROSS_EXAMPLE))) for s in subjects]


def _fit(X: Floats, labels: Integers, subjects: Integers | list[int], count: int) -> OneVsAll:
    Y = np.where(labels[:, None] == np.asarray(subjects)[None], 1.0, -1.0)
    if (Y > 0).all(0).any():
        raise ValueError("a subject has no negatives: enrol two subjects or add cross-examples")
    x_mean, y_mean = X.mean(0), Y.mean(0)
    centred = X - x_mean
    dual = _dual_coefficients(centred @ centred.T, Y - y_mean, count)
    weights = dual.T @ centred
    return OneVsAll(weights, y_mean - weights @ x_mean)


def _dual_coefficients(K: Floats, Y: Floats, count: int) -> Floats:
    """Run kernel PLS1 for every column of Y (n, S) on one centred Gram matrix K (n, n).

    With scores T (orthonormal) and U the deflated targets: coefficients = U (T' K U)^-1 T' Y.

    Returns
    -------
    (n, S) float64
    """
    n, subjects = Y.shape
    count = min(count, n - 1)
    T, U = np.zeros((subjects, n, count)), np.zeros((subjects, n, count))
    residual = Y.copy()
    for a in range(count):
        u = residual / np.maximum(np.linalg.norm(residual, axis=0), np.finfo(float).tiny)
        t = (K @ u).T[..., None]
        for _ in range(2):  # twice, or rounding lets the scores lose their orthogonality
            t = t - T[..., :a] @ (T[..., :a].transpose(0, 2, 1) @ t)
        t = t[..., 0] / np.maximum(np.linalg.norm(t[..., 0], axis=1), np.finfo(float).tiny)[:, None]
        T[..., a], U[..., a] = t, u.T
        residual = residual - (t * (t * residual.T).sum(1, keepdims=True)).T
    inner = T.transpose(0, 2, 1) @ (K @ U)
    solved = np.linalg.pinv(inner) @ (T.transpose(0, 2, 1) @ Y.T[..., None])
    return np.asarray((U @ solved)[..., 0].T)
