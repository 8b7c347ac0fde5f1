"""Suspicious landmarks: improbable shapes, rounded coordinates, registered and tiny faces."""

import warnings
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy.linalg import null_space
from scipy.stats import chi2

from thermalign.audit.findings import Faces, Finding
from thermalign.geometry import (
    LANDMARKS,
    LEFT_EYE,
    RIGHT_EYE,
    Floats,
    apply_matrix,
    fit_similarity,
    interocular_distance,
)

ENOUGH = 30
"""Faces of a modality from which its shapes are judged: five for each of six directions."""

SAMPLE, SEED = 2000, 0  # faces that the shape model is fitted to, and the draw of them
TRUSTED = 0.75  # share of the faces that the shape model may rest on
USUAL, WORTH = 0.04, 10
"""Interocular distances: standard deviation of a direction of shapes as it is expected before a set
is seen, and the people that this expectation is worth. It keeps few people's shapes from looking
far from each other. (CARL, EURECOM VIS-TH: .07 to .1 for mouth line and width, poses included; a
second marking of recorded faces differs by .03.)"""

COPIED = 1e-3  # interocular distances: shapes so alike are one, written down again

IMPROBABLE = 1e-7  # of a Gaussian shape beyond the limit
FAR_OUT = 6.0  # median absolute deviations, scaled, above the median distance

PEOPLE, IMAGES = 5, 10  # from which fixed eyes are no chance
FIXED = 0.02  # interocular distances: 9 of 10 eyes lie so near to their median place

COORDINATES = 20  # faces from which a grid of coordinates shows
GRIDS = (0.4, 16.0)  # px: steps that are sought
COHERENT = 0.9  # mean resultant length of coordinates' phases, from which they lie on a grid
COARSE = 0.002
"""Interocular distances: mean error of rounded landmarks that is told, a tenth of what the best
detectors of docs/methods/heatmap.md err."""

SMALLEST = 10.0  # px between the eyes


def check_landmarks(faces: Faces) -> Iterator[Finding]:
    """Yield what is suspicious in the annotated landmarks of each modality."""
    for modality in faces.modalities:
        rows = np.flatnonzero(faces.of(modality) & faces.marked)
        points = faces.points[rows]
        yield from _registered(faces, rows, modality)
        yield from _rounded(points, modality)
        yield from _tiny(points, rows)
        yield from _outliers(points, rows, faces)


def _registered(faces: Faces, rows: npt.NDArray[np.intp], modality: str) -> Iterator[Finding]:
    people = faces.images["subject_id"].iloc[rows].nunique()
    if people < PEOPLE or len(rows) < IMAGES:
        return
    eyes = faces.points[rows][:, [RIGHT_EYE, LEFT_EYE]]
    middle = np.median(eyes, axis=0)
    unit = float(np.median(interocular_distance(faces.points[rows])))
    spread = float(np.percentile(np.linalg.norm(eyes - middle, axis=-1), 90)) / unit
    if spread < FIXED:
        (x_1, y_1), (x_2, y_2) = middle
        yield Finding(
            "registered",
            f"the eyes of {len(rows)} {modality} images of {people} people lie at "
            f"({x_1:.0f}, {y_1:.0f}) and ({x_2:.0f}, {y_2:.0f}); 90 % within {spread:.3f} "
            "interocular distances",
            value=spread,
            limit=FIXED,
            modality=modality,
        )


def _rounded(points: Floats, modality: str) -> Iterator[Finding]:
    if len(points) < COORDINATES:
        return
    unit = float(np.median(interocular_distance(points)))
    step = max(grid_of(points[..., axis]) for axis in (0, 1))
    error = 0.3826 * step / unit  # the mean distance of a point of a unit square from its middle
    if error > COARSE:
        yield Finding(
            "rounded",
            f"coordinates of {modality} images are multiples of {step:.3g} px, a mean error of "
            f"{error:.4f} interocular distances",
            value=error,
            limit=COARSE,
            modality=modality,
        )


def grid_of(values: Floats) -> float:
    """Return the largest step of which coordinates are multiples, from any start; 0 without one.

    The mean resultant length of exp(2 pi i v / step) is 1 for multiples of a step. It is taken for
    each landmark apart, and only where that landmark spreads over several steps, since what hardly
    moves has one phase at any step.

    Parameters
    ----------
    values : (N, L) float, pixels
        One coordinate of every landmark.

    Returns
    -------
    float, pixels
    """
    values = values[:: max(1, len(values) // 200)]
    spread = values.std(axis=0)
    largest = float(spread.max())
    if largest == 0:
        return 0.0
    frequencies = np.arange(1 / GRIDS[1], 1 / GRIDS[0], 0.02 / largest)
    centred = values - values.mean(axis=0)
    for some in np.array_split(frequencies, max(1, len(frequencies) // 500)):
        phases = np.exp(2j * np.pi * some[:, None, None] * centred)
        length = np.abs(phases.mean(axis=1))  # (F, L)
        judged = spread * some[:, None] > 0.5
        enough = judged.sum(axis=1) >= len(LANDMARKS) - 1
        length = np.where(judged, length, 1.0).min(axis=1)
        found = np.flatnonzero(enough & (length > COHERENT))
        if len(found):
            return _sharpened(centred, float(some[found[0]]), 0.02 / largest)
    return 0.0


def _sharpened(centred: Floats, frequency: float, step: float) -> float:
    """Return the step at the top of the peak that begins at a frequency."""
    near = np.linspace(frequency, frequency + 8 * step, 200)
    length = np.abs(np.exp(2j * np.pi * near[:, None, None] * centred).mean(axis=1)).mean(axis=1)
    return float(1 / near[int(length.argmax())])


def _tiny(points: Floats, rows: npt.NDArray[np.intp]) -> Iterator[Finding]:
    units = interocular_distance(points)
    for k in np.flatnonzero(units < SMALLEST):
        reason = f"the eyes are {units[k]:.1f} px apart"
        yield Finding("tiny", reason, int(rows[k]), value=float(units[k]), limit=SMALLEST)


def _outliers(points: Floats, rows: npt.NDArray[np.intp], faces: Faces) -> Iterator[Finding]:
    if len(points) < ENOUGH:
        return
    people = faces.images["subject_id"].iloc[rows].nunique()
    mean, distance, limit = shape_distances(points, people)
    for k in np.flatnonzero(distance > limit):
        name, moved = culprit(points[k], mean)
        yield Finding(
            "outlier",
            f"{name} lies {moved:.2f} interocular distances from where the other landmarks put it; "
            f"the shape is {distance[k]:.1f} robust standard deviations from the set's",
            int(rows[k]),
            value=float(distance[k]),
            limit=limit,
        )


def shape_distances(points: Floats, people: int) -> tuple[Floats, Floats, float]:
    """Return how improbable the shapes of faces are among themselves.

    Shapes are brought to their median by similarities (four of 2 L directions), the rest is
    judged by its Mahalanobis distance under the minimum covariance determinant of the faces, which
    a quarter of them may be wrong without moving, joined with what is expected of any set:
    (people S + WORTH USUAL^2 I) / (people + WORTH).

    Parameters
    ----------
    points : (N, L, 2) float, pixels, (x, y)
    people : int
        How many they are of.

    Returns
    -------
    mean : (L, 2) float, interocular distances
    distance : (N,) float
    limit : float

    Source
    ------
    Rousseeuw and Van Driessen, Technometrics 41(3), 1999, as in scikit-learn's MinCovDet.
    Differs from it in: a distance is an outlier beyond the chi-squared quantile of IMPROBABLE and
    beyond FAR_OUT deviations above the median distance, because poses spread wider than a Gaussian.
    """
    mean = points[0] / interocular_distance(points[0])
    for _ in range(3):
        placed = apply_matrix(fit_similarity(points, mean), points)
        mean = np.median(placed, axis=0)
        mean = (mean - mean.mean(axis=0)) / interocular_distance(mean)
    placed = apply_matrix(fit_similarity(points, mean), points)
    free = null_space(_similarities(mean))
    modes = (placed - mean).reshape(len(points), -1) @ free
    some = np.random.default_rng(SEED).permutation(len(modes))[:SAMPLE]
    location, covariance = _scatter(modes[some])
    expected = WORTH * USUAL**2 * np.eye(modes.shape[1])
    covariance = (people * covariance + expected) / (people + WORTH)
    apart = modes - location
    squared = np.einsum("ni,ij,nj->n", apart, np.linalg.inv(covariance), apart)
    distance = np.sqrt(np.maximum(squared, 0))
    middle = float(np.median(distance))
    spread = 1.4826 * float(np.median(np.abs(distance - middle)))
    limit = float(np.sqrt(chi2.isf(IMPROBABLE, modes.shape[1])))
    return mean, distance, max(limit, middle + FAR_OUT * spread)


def _scatter(modes: Floats) -> tuple[Floats, Floats]:
    """Return where most of some shapes (N, D) lie, (D,), and their covariance (D, D).

    Shapes that were copied have none; those that span fewer directions than there are, which the
    estimate warns of, have none in the others.
    """
    from sklearn.covariance import MinCovDet  # noqa: PLC0415  # a second to load

    middle = np.median(modes, axis=0)
    if np.isclose(modes, middle, rtol=0, atol=COPIED).all(axis=1).mean() >= TRUSTED:
        return middle, np.zeros((modes.shape[1], modes.shape[1]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = MinCovDet(support_fraction=TRUSTED, random_state=SEED).fit(modes)
    return fitted.location_, fitted.covariance_


def _similarities(mean: Floats) -> Floats:
    """Return the four directions (4, 2 L) in which a similarity moves a centred shape."""
    turned = np.stack([-mean[:, 1], mean[:, 0]], axis=1)
    right, down = (np.broadcast_to(step, mean.shape) for step in ((1.0, 0.0), (0.0, 1.0)))
    return np.stack([each.ravel() for each in (right, down, mean, turned)])


def culprit(face: Floats, mean: Floats) -> tuple[str, float]:
    """Return the landmark without which the others fit the mean best, and how far it is off.

    Parameters
    ----------
    face : (L, 2) float, pixels
    mean : (L, 2) float

    Returns
    -------
    name : str
    moved : float, interocular distances of the face as the mean is placed on its others
    """
    misfits = []
    for k in range(len(mean)):
        others = [j for j in range(len(mean)) if j != k]
        placed = apply_matrix(fit_similarity(mean[others], face[others]), mean)
        misfit = np.linalg.norm(placed[others] - face[others]) / interocular_distance(placed)
        moved = np.linalg.norm(placed[k] - face[k]) / interocular_distance(placed)
        misfits.append((float(misfit), float(moved), LANDMARKS[k]))
    _, moved, name = min(misfits)
    return name, moved
