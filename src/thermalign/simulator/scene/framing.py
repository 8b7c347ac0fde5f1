"""Where the cameras stand, and how a face is framed in an image."""

from dataclasses import dataclass
from math import exp, radians, tan

import numpy as np

from thermalign.geometry import CENTRE_BELOW_EYES
from thermalign.simulator.physics.camera import Camera
from thermalign.simulator.physics.capture import Capture, Matrix, rotation
from thermalign.simulator.settings import Settings

EYES_APART = 63.0  # mm, the mean that the scales refer to (Dodgson, SPIE 5291, 2004)


@dataclass(frozen=True)
class Place:
    """Where a camera stands.

    Attributes
    ----------
    distance : float, mm
    scale : float, px/mm
        In the plane of the eyes.
    frame : (rows, columns), pixels
        Of its whole images.
    yaw : float, degrees
        How far it stands to the side.
    step : int, pixels
        Between marched rays: 2 to 4 mm on the face.
    """

    distance: float
    scale: float
    frame: tuple[int, int]
    yaw: float = 0.0
    step: int = 2


THERMAL_FRAME = (480, 640)  # px; Polaris polarimeter, bob.db.pola_thermal's documentation

VISIBLE_FRAME = (494, 659)  # px; Basler scA640-70, same source

THERMAL_PLACES = {
    1: Place(2500, 87 / EYES_APART, THERMAL_FRAME, step=3),
    2: Place(5000, 44 / EYES_APART, THERMAL_FRAME),
    3: Place(7500, 31 / EYES_APART, THERMAL_FRAME),
}
"""Range to place. Distances and pixels between the eyes are the paper's."""

# ASSUME: visible images come at the thermal scale of Range 1 from the distance of Range 2, where
# the paper's visible camera has that scale; it stands 2.5 degrees beside the thermal one
VISIBLE_PLACE = Place(5000, 87 / EYES_APART, VISIBLE_FRAME, 2.5, step=3)

# ASSUME: how a face lies in a crop and in a whole frame
MARGIN = 0.05  # interocular distances that every landmark of a crop keeps from the edge

EYE_LINE = 0.42  # share of the frame's height above the eyes of a face in the middle

SEAT_SD = (45.0, 25.0)  # mm across and down, of a session's place

POINTING_SD = 0.6  # degrees, of the camera per session

SWAY_SD = 12.0  # mm, of the head between moments

ROOM_LEFT, ROOM_ABOVE, ROOM_BELOW = 1.3, 1.35, 2.0  # interocular distances around the eyes


@dataclass(frozen=True)
class Framing:
    """A camera, and where it sees the middle of the wall behind the person, (x, y) pixels."""

    camera: Camera
    axis: tuple[float, float]

    def coarser(self, step: int) -> "Framing":
        """Return the same in pixels that are the means of ``step`` x ``step`` pixels."""
        x, y = ((v - (step - 1) / 2) / step for v in self.axis)
        return Framing(self.camera.coarser(step), (x, y))


def draw_seat(distance: float, rng: np.random.Generator) -> tuple[float, float]:
    """Draw where a session's person sits against the middle of the frame, (x, y) mm."""
    pointing = distance * tan(radians(POINTING_SD))
    x, y = (float(np.hypot(sd, pointing) * rng.standard_normal()) for sd in SEAT_SD)
    return x, y


def frame_face(
    settings: Settings,
    capture: Capture,
    landmarks: Matrix,
    *,
    place: Place,
    seat: tuple[float, float],
    rng: np.random.Generator,
) -> Framing:
    """Frame a face: a crop around it, or the whole image of the camera.

    Parameters
    ----------
    settings : Settings
    capture : Capture
    landmarks : (5, 3) mm
        In the head's frame, with their expression.
    place : Place
    seat : (x, y), mm
        As :func:`draw_seat` draws it.
    rng : Generator
    """
    across, down, size = (float(score) for score in rng.standard_normal(3))
    turn = rotation(capture.yaw + place.yaw, capture.pitch, capture.roll)
    scale = place.scale * exp(settings.scale_jitter * size)
    if settings.frames:
        return _frame(turn, scale, place, (seat[0] + SWAY_SD * across, seat[1] + SWAY_SD * down))
    share, eyes = place.scale / THERMAL_PLACES[1].scale, EYES_APART * place.scale
    height, width = round(settings.crop_height * share), round(settings.crop_width * share)
    x = width / 2 + settings.centre_jitter * eyes * across
    y = height / 2 + (settings.centre_jitter * down - CENTRE_BELOW_EYES) * eyes
    camera = Camera(turn, place.distance, scale, (x, y), (height, width))
    points = camera.project(landmarks)
    first, last = MARGIN * eyes, np.array(camera.size) - 1 - MARGIN * eyes
    shift = np.maximum(first - points.min(0), 0) - np.maximum(points.max(0) - last, 0)
    x, y = x + float(shift[0]), y + float(shift[1])
    axis = x - scale * seat[0], y - scale * seat[1]
    return Framing(Camera(turn, place.distance, scale, (x, y), camera.shape), axis)


def _frame(turn: Matrix, scale: float, place: Place, offset: tuple[float, float]) -> Framing:
    """Frame a whole image, the face clear of its edges."""
    rows, columns = place.frame
    eyes = EYES_APART * scale
    axis = columns / 2, EYE_LINE * rows
    left, above, below = (share * eyes for share in (ROOM_LEFT, ROOM_ABOVE, ROOM_BELOW))
    x = min(max(axis[0] + scale * offset[0], left), columns - left)
    y = min(max(axis[1] + scale * offset[1], above), rows - below)
    return Framing(Camera(turn, place.distance, scale, (x, y), place.frame), axis)
