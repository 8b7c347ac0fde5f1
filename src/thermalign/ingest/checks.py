"""What every dataset's landmarks must fulfil."""

import numpy as np

from thermalign.geometry import (
    LANDMARKS,
    LEFT_EYE,
    LEFT_MOUTH_CORNER,
    RIGHT_EYE,
    RIGHT_MOUTH_CORNER,
    Floats,
    interocular_distance,
)


def check_points(points: Floats, where: str, size: tuple[int, int]) -> None:
    """Refuse landmarks that cannot be a face seen from the front in this image.

    Parameters
    ----------
    points : (L, 2) float, pixels, (x, y)
    where : str
        File, row and image, for the message.
    size : (width, height), pixels

    Raises
    ------
    ValueError
        If a point is not finite or outside the image, the eyes coincide, or left and right are
        swapped: with the mouth below the eyes, the subject's right lies left in the image.
    """
    for name, (x, y) in zip(LANDMARKS, points, strict=True):
        if not (np.isfinite(x) and np.isfinite(y)):
            raise ValueError(
                f"{where}: {name} is ({x}, {y}); give finite pixels or leave all empty"
            )
        if not (-0.5 <= x <= size[0] - 0.5 and -0.5 <= y <= size[1] - 0.5):
            raise ValueError(
                f"{where}: {name} at ({x:g}, {y:g}) lies outside the image of "
                f"{size[0]} x {size[1]} pixels; correct it, or leave all landmarks empty"
            )
    if not interocular_distance(points) > 0:
        raise ValueError(f"{where}: right_eye and left_eye coincide; mark both eye centres")
    across_mouth = points[LEFT_MOUTH_CORNER] - points[RIGHT_MOUTH_CORNER]
    across_eyes = points[LEFT_EYE] - points[RIGHT_EYE]
    down = points[[RIGHT_MOUTH_CORNER, LEFT_MOUTH_CORNER]].mean(0) - points[
        [RIGHT_EYE, LEFT_EYE]
    ].mean(0)
    for name, across in (("eyes", across_eyes), ("mouth corners", across_mouth)):
        if across[0] * down[1] - across[1] * down[0] <= 0:
            raise ValueError(
                f"{where}: left and right {name} are swapped; left and right are the subject's, "
                "so in an upright face the right one lies left in the image"
            )
