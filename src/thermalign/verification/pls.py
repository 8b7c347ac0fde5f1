"""One-vs-all partial least squares: one classifier per enrolled subject, all at once.

Functions marked "array" take NumPy arrays or torch tensors, on whatever device, and return the kind
they were given.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from array_api_compat import array_namespace, device

from thermalign.geometry import Integers
from thermalign.settings import check, setting
from thermalign.verification.contract import LEFT_OUT, Gallery

Booleans = npt.NDArray[np.bool_]

CROSS_EXAMPLE = -1
"""Label of a row that belongs to no enrolled subject."""

NEGATIVES = ("published", "gallery", "training")

AT_ONCE = 128  # people whose components are in memory at once

NOTHING_LEFT = 1e-12
"""Share of its natural size below which what remains of a vector is rounding."""


@dataclass(frozen=True)
class Settings:
    """How enrolled people are told from others.

    Attributes
    ----------
    components : int
        Of PLS. ASSUME: the papers do not state it.
    negatives : str
        Who a subject is told from. ``published``: other subjects' gallery and the cross-examples;
        ``gallery``: other subjects' gallery only; ``training``: the cross-examples only.
    cross_examples : int
        Probe-modality images of each training and validation subject among the negatives.
    """

    components: int = setting(10, low=1, high=100)
    negatives: str = setting("published", choices=NEGATIVES)
    cross_examples: int = setting(8, low=0)

    def __post_init__(self) -> None:
        """Refuse what is out of range."""
        check(self)


class Model(NamedTuple):
    """Linear classifiers of S enrolled subjects (array).

    Attributes
    ----------
    weights : (S, D) float64
    intercepts : (S,) float64
    """

    weights: Any
    intercepts: Any


def enrol(gallery: Gallery, settings: Settings) -> list[Model]:
    """Fit the classifiers of every labelling of a gallery, with cross-examples of others."""
    cross = gallery.others.draw(settings.cross_examples)
    added = (0, len(cross))
    labellings = [
        np.pad(labels, added, constant_values=CROSS_EXAMPLE) for labels in gallery.labellings
    ]
    vectors = np.concatenate([gallery.vectors, cross]) if len(cross) else gallery.vectors
    return fit_each(
        vectors, labellings, n_components=settings.components, negatives=settings.negatives
    )


def fit_one_vs_all(
    features: Any, labels: Integers, *, n_components: int, negatives: str = "published"
) -> Model:
    """Fit PLS1 of targets +1, a subject's rows, and -1, its negatives, for every subject (array).

    Every classifier needs inner products of the same rows, so one Gram matrix serves all.

    Parameters
    ----------
    features : (n, D) float
        Gallery images and cross-examples.
    labels : (n,) int
        0..S-1, the enrolled subject, each at least once, ``CROSS_EXAMPLE`` or ``LEFT_OUT``.
    n_components : int
        A subject gets fewer where fewer already fit its targets exactly or use up its rows.
    negatives : str
        ``published``: other subjects' gallery and the cross-examples; ``gallery``: other subjects'
        gallery only; ``training``: the cross-examples only.

    Returns
    -------
    Model

    Raises
    ------
    ValueError
        If an argument does not fit, a feature is not finite, or a subject has no negatives.

    Source
    ------
    Rosipal and Trejo, JMLR 2, 2001, kernel PLS with a linear kernel: the same regression as NIPALS
    PLS1 without scaling. Cross-examples: Hu et al., JOSA A 32(3), 2015.
    """
    return fit_each(features, [labels], n_components=n_components, negatives=negatives)[0]


def fit_each(
    features: Any,
    labellings: Sequence[Integers],
    *,
    n_components: int,
    negatives: str = "published",
) -> list[Model]:
    """Fit :func:`fit_one_vs_all` under several labellings of the same rows (array).

    Rows that stay out of some of them cost nothing anew: one Gram matrix serves every labelling.

    Parameters
    ----------
    features, n_components, negatives : as for :func:`fit_one_vs_all`
    labellings : sequence of (n,) int

    Raises
    ------
    ValueError
        As :func:`fit_one_vs_all`.
    """
    for labels in labellings:
        _check(features, labels, n_components=n_components, negatives=negatives)
    xp = array_namespace(features)
    X = xp.astype(features, xp.float64)  # a copy
    centre = xp.mean(X, axis=0)
    X -= centre  # before the products, so that they lose no digits to a common offset
    K = X @ X.T
    models = []
    for labels in labellings:
        dual, at_mean, y_mean = _fit(K, labels, n_components=n_components, negatives=negatives)
        weights = dual @ X
        models.append(Model(weights, y_mean - (at_mean + weights @ centre)))
    return models


def score(model: Model, probes: Any) -> Any:
    """Return the regression response of probes (m, D) for every subject, (m, S) float64 (array)."""
    xp = array_namespace(probes)
    return xp.astype(probes, xp.float64) @ model.weights.T + model.intercepts


def _check(features: Any, labels: Integers, *, n_components: int, negatives: str) -> None:
    if negatives not in NEGATIVES:
        raise ValueError(f"negatives is {negatives!r}; use one of {list(NEGATIVES)}")
    if n_components < 1:
        raise ValueError(f"PLS components is {n_components}; it must be at least 1")
    if features.ndim != 2 or labels.shape != tuple(features.shape[:1]):
        shape = tuple(features.shape)
        raise ValueError(f"features {shape} need one label per row, got {labels.shape}")
    xp = array_namespace(features)
    finite = xp.all(xp.isfinite(features), axis=1)
    if not bool(xp.all(finite)):
        raise ValueError(f"feature row {int(xp.nonzero(~finite)[0][0])} is not finite")
    enrolled = np.unique(labels[(labels != CROSS_EXAMPLE) & (labels != LEFT_OUT)])
    if enrolled.size == 0 or not np.array_equal(enrolled, np.arange(enrolled.size)):
        raise ValueError(f"labels must be {CROSS_EXAMPLE} and 0..S-1 with no gap, got {enrolled}")


def _fit(K: Any, labels: Integers, *, n_components: int, negatives: str) -> tuple[Any, Any, Any]:
    """Return the rows' coefficients (S, n), and each subject's response to its mean, and target.

    Rows that are left out do not enter the products; their coefficients are 0.
    """
    own, member = _rows(labels, negatives)
    xp = array_namespace(K)
    kind = {"dtype": K.dtype, "device": device(K)}
    taking = np.flatnonzero(labels != LEFT_OUT)
    rows = xp.asarray(taking, device=kind["device"])
    own, member = xp.asarray(own[:, taking], **kind), xp.asarray(member[:, taking], **kind)
    inner = K[rows][:, rows]
    share = member / xp.sum(member, axis=1, keepdims=True)
    y_mean = xp.sum(own * share, axis=1) * 2 - 1
    targets = (2 * own - 1 - y_mean[:, None]) * member
    some = [slice(k, k + AT_ONCE) for k in range(0, len(targets), AT_ONCE)]
    dual = xp.concat([_dual_coefficients(inner, targets[s], share[s], n_components) for s in some])
    at_mean = xp.sum(dual * (share @ inner), axis=1)
    placed = xp.zeros((dual.shape[0], len(labels)), **kind)
    placed[:, rows] = dual
    return placed, at_mean, y_mean


def _rows(labels: Integers, negatives: str) -> tuple[Booleans, Booleans]:
    """Return whose rows are a subject's own and which its classifier sees, both (S, n)."""
    own = labels == np.arange(labels.max() + 1)[:, None]
    cross, gallery = labels == CROSS_EXAMPLE, labels >= 0
    member = {
        "published": own | gallery | cross,
        "gallery": own | gallery,
        "training": own | cross,
    }[negatives]
    if not (member & ~own).any(1).all():
        raise ValueError("a subject has no negatives: enrol two subjects or add cross-examples")
    return own, member


def _dual_coefficients(K: Any, Y: Any, share: Any, count: int) -> Any:
    """Run kernel PLS1 for every row of Y, each over its own rows of one Gram matrix.

    Per component: u = y / |y|; t = K u, centred and made orthogonal to the scores before, scaled to
    |t| = 1; y becomes y - t t'y. With the components as rows of T and U, centred K U' = T' R for an
    upper triangular R, and coefficients = (T y)' R'^-1 U.

    Parameters
    ----------
    K : (n, n) float64
        Of rows with any common offset: it leaves by the centring.
    Y : (S, n) float64
        Targets, centred over the rows of their subject and 0 elsewhere.
    share : (S, n) float64
        One over the number of rows that the subject has, 0 elsewhere.
    count : int

    Returns
    -------
    (S, n) float64
        Weights of the rows: prediction = coefficients . rows + mean target.
    """
    xp = array_namespace(K, Y)
    kind = {"dtype": K.dtype, "device": device(K)}
    subjects, n = Y.shape
    T, U = (xp.zeros((subjects, count, n), **kind) for _ in range(2))
    R, Ty = xp.zeros((subjects, count, count), **kind), xp.zeros((subjects, count, 1), **kind)
    member = xp.astype(share > 0, K.dtype)
    y_size, k_size = xp.linalg.vector_norm(Y, axis=1, keepdims=True), xp.linalg.vector_norm(K)
    for a in range(count):
        u, y_length = _unit(Y, y_size)
        k = u @ K
        t = (k - xp.sum(k * share, axis=1, keepdims=True)) * member
        for _ in range(2):  # twice, or rounding lets the scores lose their orthogonality
            along = T[:, :a] @ t[..., None]
            t = t - (along.mT @ T[:, :a])[:, 0]
            R[:, :a, a] += along[..., 0]
        t, length = _unit(t, k_size)
        fresh = xp.astype((y_length > 0) & (length > 0), K.dtype)
        T[:, a], U[:, a] = t * fresh, u * fresh
        R[:, :a, a] *= fresh
        R[:, a, a] = (length * fresh + 1 - fresh)[:, 0]
        Ty[:, a] = xp.sum(T[:, a] * Y, axis=1, keepdims=True)
        Y = Y - T[:, a] * Ty[:, a]
    return (xp.linalg.solve(R, Ty).mT @ U)[:, 0]


def _unit(vectors: Any, size: Any) -> tuple[Any, Any]:
    """Scale rows to length 1; where one is rounding beside ``size``, it and its length become 0."""
    xp = array_namespace(vectors)
    length = xp.linalg.vector_norm(vectors, axis=1, keepdims=True)
    real = xp.astype(length > NOTHING_LEFT * size, vectors.dtype)
    return vectors * real / (length + 1 - real), length * real
