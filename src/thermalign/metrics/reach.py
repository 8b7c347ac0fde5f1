"""How near a detector could come that answers with the centres of patches on a grid.

Its error has two parts: no cell lies closer (reach), and another cell was chosen (error). The first
alone is what the best cell leaves.
"""

import numpy as np

from thermalign.geometry import Floats
from thermalign.metrics.landmarks import normalized_errors


def best_cells(
    points: Floats, boxes: Floats, *, patch: int, stride: int, margin: int = 0
) -> Floats:
    """Return the patch centre of each face's grid that is nearest to each annotated point.

    A box is rounded to whole pixels (halves up), and grown around its centre to a patch where it is
    smaller. It is covered by patches ``stride`` pixels apart, the rest split evenly, the odd pixel
    behind: along an axis of s pixels from c on the centres are

        c + floor(((s - patch) mod stride) / 2) + (patch - 1) / 2 + stride * k,
        k = -margin, ..., floor((s - patch) / stride) + margin

    Parameters
    ----------
    points : (N, L, 2) float, pixels, (x, y)
    boxes : (N, 4) float, pixels, (x, y, width, height)
    patch, stride : int, pixels
    margin : int
        Cells beyond those whose patches lie in the box, on every side.

    Returns
    -------
    (N, L, 2) float, pixels, (x, y)

    Raises
    ------
    ValueError
        If there is not one finite box with a positive size per face.

    Source
    ------
    The grid of :mod:`thermalign.landmarks.pbc`; a test holds the two together.
    """
    if boxes.shape != (len(points), 4):
        raise ValueError(f"{len(points)} faces came with boxes of shape {boxes.shape}; give (N, 4)")
    if not (np.isfinite(boxes).all() and (boxes[:, 2:] > 0).all()):
        raise ValueError("a face box is not finite or has no positive size; leave its image out")
    sizes = np.maximum(_nearest(boxes[:, 2:]), patch)
    corners = _nearest(boxes[:, :2] + (boxes[:, 2:] - sizes) / 2)
    rest = (sizes - patch) % stride
    first = (corners + np.floor(rest / 2) + (patch - 1) / 2)[:, None]
    last = ((sizes - patch - rest) / stride + margin)[:, None]
    cell = np.clip(_nearest((points - first) / stride), -margin, last)
    return np.asarray(first + stride * cell)


def best_cell_errors(
    points: Floats, boxes: Floats, *, patch: int, stride: int, margin: int = 0
) -> Floats:
    """Return each point's distance from the nearest patch centre, in interocular distances.

    Parameters
    ----------
    points, boxes, patch, stride, margin : as for :func:`best_cells`

    Returns
    -------
    (N, L) float, interocular distances
        The lower bound of :func:`thermalign.metrics.landmarks.normalized_errors`.

    Raises
    ------
    ValueError
        As :func:`best_cells` does, or if an annotated interocular distance is not positive.
    """
    cells = best_cells(points, boxes, patch=patch, stride=stride, margin=margin)
    return normalized_errors(cells, points)


def _nearest(values: Floats) -> Floats:
    return np.asarray(np.floor(values + 0.5))
