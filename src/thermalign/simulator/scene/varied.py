"""Moments beyond the usual: hanging and closed lids, cameras below and above, hands."""

from dataclasses import replace

import numpy as np

from thermalign.simulator.person.face import Face
from thermalign.simulator.physics.capture import Capture
from thermalign.simulator.physics.seeds import Purpose
from thermalign.simulator.scene.hand import Hand, draw_hand
from thermalign.simulator.scene.moment import Key
from thermalign.simulator.settings import Variety

# ASSUME: degrees of pitch; a height field shows its overhangs sooner from above
ABOVE, BELOW = -18.0, 30.0

HALF_OPEN = 0.8  # of the way to closed, the lowest that lids of an open eye hang; ASSUME


def draw_elevation(variety: Variety, room: Key) -> float:
    """Draw how far below the face, or above it if negative, a session's camera stands, degrees."""
    score = float(room.stream(Purpose.STAND).standard_normal())
    return variety.elevation_mean + variety.elevation_sd * score


def vary(capture: Capture, variety: Variety, *, elevation: float, key: Key) -> Capture:
    """Return a moment with hanging or closed lids, before a camera below or above the face.

    Parameters
    ----------
    capture : Capture
    variety : Variety
    elevation : float, degrees
        As :func:`draw_elevation` draws it.
    key : Key
        Of the moment.
    """
    rng = key.stream(Purpose.MOMENT)
    closes, hang = rng.random(), abs(float(rng.standard_normal()))
    blink = max(capture.strengths.get("blink", 0.0), min(variety.lids * hang, HALF_OPEN))
    if closes < variety.closed_eyes:
        blink = 1.0
    pitch = capture.pitch
    if elevation:
        pitch = float(np.clip(pitch + elevation, ABOVE, BELOW))
    return replace(capture, pitch=pitch, strengths={**capture.strengths, "blink": blink})


def hold_hand(face: Face, variety: Variety, key: Key) -> Hand | None:
    """Draw the hand before a face in a moment, if there is one."""
    rng = key.stream(Purpose.HAND)
    return draw_hand(face, rng) if rng.random() < variety.hands else None
