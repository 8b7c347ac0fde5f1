"""One random stream per thing that is drawn, so that nothing depends on what was drawn before."""

from enum import IntEnum

import numpy as np


class Purpose(IntEnum):
    """What a stream is for. Numbers are part of the dataset: never reuse or change one."""

    IDENTITY = 1
    SHAPE = 2
    HAIR = 3
    FACIAL_HAIR = 4
    SKIN = 5
    TEMPERATURE = 6
    GLASSES = 7
    SESSION = 8
    LIGHT = 9
    CAPTURE = 10
    THERMAL_CROP = 11
    THERMAL_SENSOR = 12
    VISIBLE_CROP = 13
    VISIBLE_SENSOR = 14
    THERMAL_ANNOTATION = 15
    VISIBLE_ANNOTATION = 16
    CAMERA = 17
    ROOM = 18
    TORSO = 19
    HEADWEAR = 20
    GROWTH = 21
    COLOUR = 30
    WRINKLES = 31
    VISIBLE_NOISE = 32
    SWAY = 40
    FOCUS = 41
    DRIFT = 42
    THERMAL_NOISE = 43
    VARIETY = 50
    MOOD = 51
    STAND = 52
    MOMENT = 53
    HAND = 54
    GAIN = 55
    SENSOR_KIND = 56


def stream(
    seed: int,
    purpose: Purpose,
    subject: tuple[int, int] = (0, 0),
    sample: tuple[int, int, int, int] = (0, 0, 0, 0),
    session: int = 1,
) -> np.random.Generator:
    """Return the generator of one draw.

    Parameters
    ----------
    seed : int
        Seed of the dataset, not negative.
    purpose : Purpose
    subject : (volume, number)
    sample : (range, condition, index, frame)
    session : int
        From 1. Part of the key from 2 on: more sessions leave the first as it is.

    Returns
    -------
    numpy.random.Generator
        Independent of every other key's; the same key always gives the same stream.
    """
    key = (int(purpose), *subject, *sample, *((session,) if session > 1 else ()))
    return np.random.default_rng(np.random.SeedSequence(entropy=seed, spawn_key=key))
