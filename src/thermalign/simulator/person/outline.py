"""The outline of a person: where the height field ends, and the back of the head behind it."""

import cv2
import numpy as np

from thermalign.simulator.person.anatomy import Anatomy
from thermalign.simulator.person.body import neck_radius, shoulder_line
from thermalign.simulator.person.shape import Shape
from thermalign.simulator.physics.fields import HEIGHT, SCALE, WIDTH, Map, X, Y, shrink, smoothstep
from thermalign.simulator.physics.march import Silhouette

# ASSUME the back of the head: its size from published proportions, its form an ellipsoid
HEAD_LENGTH = 1.28  # head breadths from forehead to occiput: a cephalic index of 78

NAPE_Y = 58.0  # mm below the eyes, where the back of the head meets the neck

EARS_Y = 35.0  # mm below the eyes, where the neck begins to show behind the jaw

NECK_DEPTH = 75.0  # mm, of the neck behind the widest line of the head

LEAST_WIDTH = 30.0  # mm of half width: above, locks that stand on end are no part of the back

RAGGED = 5.0  # mm over which the outline's raggedness is smoothed

BORDER = 12.0  # mm over which the modelled part fades into what lies around it


def find_silhouette(body: Anatomy, shape: Shape) -> Silhouette:
    """Return the outline of a person's front and the form of what lies behind it."""
    inside = cv2.erode(shape.solid.astype(np.uint8), np.ones((3, 3), np.uint8))
    solid = np.asarray(shrink(inside.astype(np.float32) * _fade()), np.float32)
    dense = (shape.head | shape.hair.mask) & (shape.veil > 0.9)
    left, right = (np.where(dense, sign * X, 0).max(1) for sign in (-1, 1))
    head = np.minimum(left, right)  # a plait on one side is no width of the head
    y = Y[:, 0]
    upper = 1 - smoothstep((y - EARS_Y) / (NAPE_Y - EARS_Y))
    falling = shape.hair.mask.any(1)
    head = head * np.maximum(upper, falling)
    neck = np.where(y > EARS_Y - 20, neck_radius(body)[:, 0], 0)
    half_width = cv2.GaussianBlur(np.maximum(head, neck)[:, None], (1, 0), 0, sigmaY=RAGGED * SCALE)
    depth = np.where(half_width[:, 0] > LEAST_WIDTH, _depth(body, shape), np.float32(0))
    return Silhouette(solid, shrink(shape.veil), _rows(half_width[:, 0]), _rows(depth))


def _fade() -> Map:
    """Return 1 inside the canonical map and 0 at its border, (H, W); above, it ends at once."""
    columns, rows = np.arange(WIDTH), np.arange(HEIGHT)
    aside = np.minimum(columns, WIDTH - 1 - columns)[None, :]
    below = (HEIGHT - 1 - rows)[:, None]
    fade = np.clip((np.minimum(aside, below) - 1) / (BORDER * SCALE), 0, 1).astype(np.float32)
    fade[:2] = 0
    return fade


def _depth(body: Anatomy, shape: Shape) -> Map:
    """Return how far head and neck bulge behind the widest line, (H,) mm."""
    y = Y[:, 0]
    top = float(y[shape.solid.any(1)].min())
    middle, reach = (top + NAPE_Y) / 2, (NAPE_Y - top) / 2
    longest = HEAD_LENGTH * body.head_breadth / 2
    round_part = longest * np.sqrt(np.maximum(0, 1 - ((y - middle) / reach) ** 2))
    neck = (y > middle) & (y < float(shoulder_line(body, np.zeros(1, np.float32))[0]) + 8)
    return np.asarray(np.maximum(round_part, np.where(neck, NECK_DEPTH, 0)), np.float32)


def _rows(values: Map) -> Map:
    """Return values of level 0 rows, (H,), on level 1, (H/2,)."""
    return np.asarray(values.reshape(-1, 2).mean(1), np.float32)
