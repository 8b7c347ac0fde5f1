"""Where the cameras stand, and how a face is framed in an image."""

from dataclasses import dataclass
from math import exp

import numpy as np

from thermalign.simulator.capture import Capture, Matrix, rotation
from thermalign.simulator.settings import Settings
from thermalign.simulator.view import Camera

EYES_APART = 63.0  # mm, the mean that the scales refer to (Dodgson, SPIE 5291, 2004)


@dataclass(frozen=True)
class Place:
    """A camera's distance in mm, and its scale in px/mm in the plane of the eyes."""

    distance: float
    scale: float


THERMAL_PLACES = {
    1: Place(2500, 87 / EYES_APART),
    2: Place(5000, 44 / EYES_APART),
    3: Place(7500, 31 / EYES_APART),
}
"""Range to place. Distances and pixels between the eyes are the paper's."""

# ASSUME: visible images come at the thermal scale of Range 1 from the distance of Range 2, where
# the paper's visible camera has that scale; it stands 2.5 degrees beside the thermal one
VISIBLE_PLACE = Place(5000, 87 / EYES_APART)
VISIBLE_YAW = 2.5  # degrees

# ASSUME: crops as a face detector makes them
EYE_LINE = 0.41  # share of the image's height above the eyes
MARGIN = 0.05  # interocular distances that every landmark keeps from the edge


def frame_face(
    settings: Settings,
    capture: Capture,
    landmarks: Matrix,
    place: Place,
    rng: np.random.Generator,
) -> Camera:
    """Frame a face with jitter in place and size, but no landmark outside the image.

    Parameters
    ----------
    settings : Settings
    capture : Capture
        Pose against this camera.
    landmarks : (5, 3) mm
        In the head's frame, with their expression.
    place : Place
    rng : Generator
    """
    share, eyes = place.scale / THERMAL_PLACES[1].scale, EYES_APART * place.scale
    height, width = round(settings.crop_height * share), round(settings.crop_width * share)
    across, down, size = (float(score) for score in rng.standard_normal(3))
    jitter, scale = settings.centre_jitter * eyes, exp(settings.scale_jitter * size)
    x, y = width / 2 + jitter * across, EYE_LINE * height + jitter * down
    turn = rotation(capture.yaw, capture.pitch, capture.roll)
    shape = (height, width)
    points = Camera(turn, place.distance, place.scale * scale, (x, y), shape).project(landmarks)
    first, last = MARGIN * eyes, np.array([width, height]) - 1 - MARGIN * eyes
    shift = np.maximum(first - points.min(0), 0) - np.maximum(points.max(0) - last, 0)
    centre = (x + float(shift[0]), y + float(shift[1]))
    return Camera(turn, place.distance, place.scale * scale, centre, shape)
