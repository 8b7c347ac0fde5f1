"""The landmark scheme, mirroring, the interocular distance and the similarity fit.

Points are (x, y) in pixels, x to the right and y down, with (0, 0) at the centre of the top-left
pixel. Left and right are the **subject's**: the right eye lies left in the image.

Functions marked "array" take NumPy arrays or torch tensors and return the kind they were given.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from array_api_compat import array_namespace, device

Floats = npt.NDArray[np.floating[Any]]
Integers = npt.NDArray[np.integer[Any]]

LANDMARKS = (
    "right_eye",
    "left_eye",
    "nose_base",
    "right_mouth_corner",
    "left_mouth_corner",
)
RIGHT_EYE, LEFT_EYE, NOSE_BASE, RIGHT_MOUTH_CORNER, LEFT_MOUTH_CORNER = range(5)
MIRRORED = (LEFT_EYE, RIGHT_EYE, NOSE_BASE, LEFT_MOUTH_CORNER, RIGHT_MOUTH_CORNER)
"""The landmark that each landmark becomes when the image is mirrored."""

CENTRE_BELOW_EYES = 0.25
"""Centre of a derived box below the eyes, in interocular distances.

ASSUME: it puts the eyes at 41 % of the height of the tight box, as in a passport photograph.
"""


def on_host(values: Any) -> bool:
    """Return whether values are the CPU's own (array): looking at others, it waits for them."""
    return str(device(values)) == "cpu"


def mirror_points(points: Any, width: Any) -> Any:
    """Mirror landmarks left to right (array).

    A pixel centre x goes to ``width - 1 - x``, as reversing the columns moves it, and every left
    landmark becomes the right one.

    Parameters
    ----------
    points : (..., L, 2) float, pixels, (x, y)
    width : number or (...) array, pixels
        Width of the image, one for all or one per face.

    Returns
    -------
    (..., L, 2) float, pixels
    """
    xp = array_namespace(points)
    swapped = points[..., list(MIRRORED), :]
    last = xp.asarray(width, dtype=points.dtype)[..., None] - 1
    return xp.stack([last - swapped[..., 0], swapped[..., 1]], axis=-1)


def interocular_distance(points: Any) -> Any:
    """Return the distance between the eyes (array).

    Parameters
    ----------
    points : (..., L, 2) float, pixels, (x, y)

    Returns
    -------
    (...) float, pixels
        Zero where the eyes coincide; callers that divide by it refuse that.
    """
    across = points[..., LEFT_EYE, :] - points[..., RIGHT_EYE, :]
    return (across**2).sum(-1) ** 0.5


def point_distances(points: Any, others: Any) -> Any:
    """Return how far points lie from others, one by one (array).

    Parameters
    ----------
    points, others : (..., 2) float, pixels, (x, y)

    Returns
    -------
    (...) float, pixels
    """
    return array_namespace(points, others).linalg.vector_norm(points - others, axis=-1)


def fit_similarity(source: Any, target: Any) -> Any:
    """Fit the similarity that brings ``source`` nearest to ``target`` in least squares (array).

    With centred points p and q, a = sum(p . q) / sum(p . p) and b = sum(p x q) / sum(p . p):
    x' = a x - b y + t_x and y' = b x + a y + t_y. Reflections are never returned.

    Parameters
    ----------
    source, target : (..., L, 2) float, pixels, (x, y)
        Broadcast against each other.

    Returns
    -------
    (..., 2, 3) float
        The matrix [[a, -b, t_x], [b, a, t_y]].

    Raises
    ------
    ValueError
        If all source points of a face coincide, or one is not finite. On a GPU, which nobody waits
        for, the matrix is then not finite.

    Source
    ------
    Umeyama, IEEE TPAMI 13(4), 1991, for two dimensions. Differs from it in: closed form over
    complex numbers instead of a singular value decomposition; the same optimum.
    """
    xp = array_namespace(source, target)
    centre_p, centre_q = source.mean(-2), target.mean(-2)
    p, q = source - centre_p[..., None, :], target - centre_q[..., None, :]
    spread = (p**2).sum((-1, -2))
    if on_host(spread) and not bool((spread > 0).all()):
        raise ValueError("a similarity needs at least two distinct, finite source points")
    a = (p * q).sum((-1, -2)) / spread
    b = (p[..., 0] * q[..., 1] - p[..., 1] * q[..., 0]).sum(-1) / spread
    t_x = centre_q[..., 0] - a * centre_p[..., 0] + b * centre_p[..., 1]
    t_y = centre_q[..., 1] - b * centre_p[..., 0] - a * centre_p[..., 1]
    return xp.stack([xp.stack([a, -b, t_x], axis=-1), xp.stack([b, a, t_y], axis=-1)], axis=-2)


def apply_matrix(matrix: Any, points: Any) -> Any:
    """Map points by affine matrices (array).

    Parameters
    ----------
    matrix : (..., 2, 3) float
    points : (..., L, 2) float, pixels, (x, y)

    Returns
    -------
    (..., L, 2) float, pixels of the target frame
    """
    x, y = points[..., 0], points[..., 1]
    m = matrix[..., None, :, :]
    xp = array_namespace(matrix, points)
    return xp.stack(
        [
            m[..., 0, 0] * x + m[..., 0, 1] * y + m[..., 0, 2],
            m[..., 1, 0] * x + m[..., 1, 1] * y + m[..., 1, 2],
        ],
        axis=-1,
    )


def invert_matrix(matrix: Any) -> Any:
    """Return the inverse of affine matrices (array).

    Parameters
    ----------
    matrix : (..., 2, 3) float

    Returns
    -------
    (..., 2, 3) float
    """
    xp = array_namespace(matrix)
    a, b, t_x = matrix[..., 0, 0], matrix[..., 0, 1], matrix[..., 0, 2]
    c, d, t_y = matrix[..., 1, 0], matrix[..., 1, 1], matrix[..., 1, 2]
    det = a * d - b * c
    first = xp.stack([d / det, -b / det, (b * t_y - d * t_x) / det], axis=-1)
    second = xp.stack([-c / det, a / det, (c * t_x - a * t_y) / det], axis=-1)
    return xp.stack([first, second], axis=-2)


def compose_matrices(after: Any, before: Any) -> Any:
    """Return the affine matrix of ``before`` followed by ``after`` (array).

    Parameters
    ----------
    after, before : (..., 2, 3) float

    Returns
    -------
    (..., 2, 3) float
    """
    xp = array_namespace(after, before)
    linear = after[..., :, :2] @ before[..., :, :2]
    shift = after[..., :, :2] @ before[..., :, 2:] + after[..., :, 2:]
    return xp.concat([linear, shift], axis=-1)


def box_to_crop(boxes: Any, width: int, height: int) -> Any:
    """Return the matrices that bring face boxes to a crop of ``width`` x ``height`` (array).

    A box covers the pixels from x - 1/2 to x + w - 1/2 as an image of that size would: its edges
    go to the edges of the crop, not to the centres of the crop's outermost pixels.

    Parameters
    ----------
    boxes : (..., 4) float, pixels, (x, y, width, height)
        (x, y) is the centre of the box's top-left pixel.
    width, height : int, pixels

    Returns
    -------
    (..., 2, 3) float
        From image coordinates to crop coordinates.
    """
    xp = array_namespace(boxes)
    s_x, s_y = width / boxes[..., 2], height / boxes[..., 3]
    zero = xp.zeros_like(s_x)
    t_x = (0.5 - boxes[..., 0]) * s_x - 0.5
    t_y = (0.5 - boxes[..., 1]) * s_y - 0.5
    return xp.stack(
        [xp.stack([s_x, zero, t_x], axis=-1), xp.stack([zero, s_y, t_y], axis=-1)], axis=-2
    )


def to_box_units(points: Any, boxes: Any) -> Any:
    """Express points as fractions of boxes: (0, 0) is the top-left corner, (1, 1) the last (array).

    Parameters
    ----------
    points : (..., L, 2) float, pixels, (x, y)
    boxes : (..., 4) float, pixels, (x, y, width, height)

    Returns
    -------
    (..., L, 2) float, fractions of the box
    """
    return (points - boxes[..., None, :2] + 0.5) / boxes[..., None, 2:]


def from_box_units(points: Any, boxes: Any) -> Any:
    """Bring fractions of boxes back to pixels: the inverse of :func:`to_box_units` (array)."""
    return points * boxes[..., None, 2:] + boxes[..., None, :2] - 0.5


def box_intersection(first: Any, second: Any) -> Any:
    """Return the area that boxes have in common (array).

    Parameters
    ----------
    first, second : (..., 4) float, pixels, (x, y, width, height)
        Broadcast against each other.

    Returns
    -------
    (...) float, pixels squared
    """
    xp = array_namespace(first, second)
    low = xp.maximum(first[..., :2], second[..., :2])
    high = xp.minimum(first[..., :2] + first[..., 2:], second[..., :2] + second[..., 2:])
    return xp.clip(high - low, min=0).prod(-1)


def box_iou(first: Any, second: Any) -> Any:
    """Return the intersection of boxes over their union (array).

    Parameters
    ----------
    first, second : (..., 4) float, pixels, (x, y, width, height)
        Broadcast against each other.

    Returns
    -------
    (...) float, 0..1
    """
    common = box_intersection(first, second)
    return common / (first[..., 2:].prod(-1) + second[..., 2:].prod(-1) - common)


def mirror_matrix(width: Any) -> Any:
    """Return the matrices that mirror images of ``width`` pixels: x goes to width - 1 - x (array).

    Parameters
    ----------
    width : (...) float array, pixels

    Returns
    -------
    (..., 2, 3) float
    """
    xp = array_namespace(width)
    one, zero = xp.ones_like(width), xp.zeros_like(width)
    return xp.stack(
        [xp.stack([-one, zero, width - 1], axis=-1), xp.stack([zero, one, zero], axis=-1)], axis=-2
    )
