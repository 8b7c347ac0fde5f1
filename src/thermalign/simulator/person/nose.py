"""The nose: its relief, its nostrils, and where its skin cools."""

import numpy as np

from thermalign.simulator.person.anatomy import Identity
from thermalign.simulator.physics.fields import SIDES, Map, X, Y, bell, bump, curve


# ASSUME every share, amplitude and width (mm) below: tuned by eye on contact sheets.
def _across(identity: Identity) -> Map:
    """Return the distance from the nose's own middle line, (H, W) mm."""
    bend = np.clip(Y / identity.body.subnasale_y, 0, 1.1)
    return X - identity.septum * bend


def nose_relief(identity: Identity) -> Map:
    """Return what the nose adds to the height, mm."""
    body, septum = identity.body, identity.septum
    top, base, tip = body.sellion_y, body.subnasale_y, body.tip_y
    bridge, high = body.nose_bridge, body.nose_protrusion
    profile = curve(
        Y,
        [
            (top - 9, 0),
            (top, bridge),
            (base * 0.33, bridge * 0.62 + high * 0.34 + body.nose_hump),
            (min(base * 0.6, tip - 2), bridge * 0.3 + high * 0.68 + body.nose_hump * 0.7),
            (tip, high),
            (tip + 0.45 * body.tip_drop, high * 0.72),
            (base + 0.4, 1.0),
            (base + 4, 0),
        ],
    )
    widths = [(top - 9, 9), (top, 7.2), (base * 0.4, 8), (tip, body.tip_width)]
    width = curve(Y, [*widths, (base, body.tip_width * 0.78)])
    across = np.abs(_across(identity)) / width
    relief = profile * (0.74 * np.exp(-(across**2.3)) + 0.26 * np.exp(-((across / 1.9) ** 2)))
    wing = body.nose_breadth / 2
    for sign, i in SIDES:
        lift = 0.3 * identity.uneven.wing[i]
        relief += 8.2 * bump(sign * (wing - 4.6) + septum, base - 5.8 + lift, 4.3, 5.2)
        relief -= 2.8 * bump(sign * (wing + 2.2) + septum, base - 4.5, 2.2, 6)
        relief -= 1.6 * bump(sign * (wing - 5.2) + septum, base - 12, 3.0, 3.0)
        relief -= 3.2 * bump(sign * body.tip_width * 0.66 + septum, base - 1.6, 3.0, 1.7)
    return np.asarray(relief, np.float32)


def nostrils(identity: Identity) -> tuple[Map, Map]:
    """Return the masks of both nostrils, image left first."""
    body = identity.body
    x, y = identity.septum, body.subnasale_y - 1.6
    left, right = (
        bump(x + sign * 0.62 * body.tip_width, y, 2.4, 1.2, turn=0.35 * sign) for sign, _ in SIDES
    )
    return left, right


def cooling(identity: Identity) -> Map:
    """Return how strongly the skin follows the nose's temperature: 1 near the tip."""
    body, septum = identity.body, identity.septum
    base, tip = body.subnasale_y, body.tip_y
    along = curve(Y, [(body.sellion_y, 0.25), (base * 0.4, 0.75), (tip, 1.0), (base + 3, 0.3)])
    mode = bump(septum, tip + 1, 10.5, 8.5) + 0.62 * along * bell(_across(identity), 9.0)
    for sign, _ in SIDES:
        mode += 0.5 * bump(sign * (body.nose_breadth / 2 - 4) + septum, base - 4, 5, 5)
    return mode
