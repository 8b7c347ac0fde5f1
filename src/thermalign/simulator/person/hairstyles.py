"""Ways to wear hair, and who wears them."""

from dataclasses import dataclass
from enum import Enum

import numpy as np

from thermalign.simulator.person.anatomy import Identity


# ASSUME every length (mm), share and age below: tuned by eye on contact sheets.
class Flow(Enum):
    """Which way strands run, as seen from the front."""

    RAYS = "from the crown outwards"
    MERIDIANS = "from the top down, as the outline widens"
    PARTED = "from a parting sideways, then down"
    CURLS = "no way at all"
    STUBBLE = "straight out of the scalp"


@dataclass(frozen=True)
class Style:
    """A way to wear hair.

    Attributes
    ----------
    thickness : float, mm
        Above the skull's top.
    growth : float, mm
        Beyond the sides of the skull.
    reach : float, mm
        The y that it comes down to beside the face.
    flow : Flow
    lock : float, mm
        Width of the tufts that strands gather in.
    relief : float, mm
        How far tufts stand out.
    spikes : float, mm
        How ragged the outline is.
    density : float, 0..1
        How much of the scalp it hides.
    curtain : bool
        Whether it hangs over temples and ears.
    fringe : float, mm
        Of forehead left between fringe and brows; 0 without a fringe.
    """

    thickness: float
    growth: float
    reach: float
    flow: Flow
    lock: float
    relief: float = 0.8
    spikes: float = 1.5
    density: float = 1.0
    curtain: bool = False
    fringe: float = 0.0


STYLES = {
    "bald": Style(0.3, 0.2, -200, Flow.RAYS, 3, relief=0, spikes=0, density=0),  # reaches nothing
    "wreath": Style(4, 2, 8, Flow.RAYS, 3, relief=0.3, spikes=0.6, density=0.75),
    "buzz": Style(3, 2, 2, Flow.STUBBLE, 3, relief=0.12, spikes=0.6, density=0.72),
    "cropped": Style(11, 5, 8, Flow.RAYS, 4.5, relief=1.0, spikes=2.2),
    "combed": Style(13, 6, 8, Flow.PARTED, 5, relief=0.9, spikes=1.2),
    "thin": Style(6, 3.5, 8, Flow.RAYS, 4, relief=0.5, spikes=1.5, density=0.62),
    "shag": Style(19, 12, 24, Flow.MERIDIANS, 7, relief=1.5, spikes=3.0, curtain=True, fringe=22),
    "swept": Style(17, 10, 16, Flow.PARTED, 7, relief=1.3, spikes=2.5),
    "curly": Style(20, 13, 14, Flow.CURLS, 6, relief=1.6, spikes=2.5),
    "afro": Style(27, 24, 20, Flow.CURLS, 3.5, relief=0.7, spikes=1.6),
    "bob": Style(16, 15, 62, Flow.PARTED, 6, relief=1.0, spikes=0.8, curtain=True),
    "long": Style(15, 13, 130, Flow.PARTED, 6, relief=1.0, spikes=0.8, curtain=True),
    "wavy": Style(18, 18, 120, Flow.PARTED, 9, relief=1.8, spikes=2.2, curtain=True),
    "fringed": Style(
        15, 14, 125, Flow.MERIDIANS, 6, relief=1.0, spikes=0.8, curtain=True, fringe=13
    ),
    "tied": Style(6, 4, 4, Flow.RAYS, 4, relief=0.5, spikes=0.6),
    "bun": Style(6, 4, 4, Flow.RAYS, 4, relief=0.5, spikes=0.6),
    "ponytail": Style(7, 5, 6, Flow.RAYS, 4.5, relief=0.6, spikes=0.8),
}

THINNING = 0.8  # standard score of age from which short hair may be thin

WREATH = 0.3  # and from which bald heads may keep hair at the sides


def draw_style(identity: Identity, rng: np.random.Generator) -> str:
    """Draw how a person wears hair of the length they have.

    Parameters
    ----------
    identity : Identity
        Its ``hair``, sex, age and melanin set the odds.
    rng : Generator

    Returns
    -------
    str
        A key of ``STYLES``.
    """
    odds = _odds(identity)
    shares = np.array(list(odds.values())) / sum(odds.values())
    return str(rng.choice(list(odds), p=shares))


def _odds(identity: Identity) -> dict[str, float]:
    """Return style to odds for the length of a person's hair."""
    tight = 1.6 * max(0.0, identity.melanin - 0.5)  # the tightest curls go with melanin
    if identity.hair == "medium":
        own = {"bob": 1.0} if identity.female else {"shag": 0.5, "swept": 0.6}
        return {**own, "curly": 0.2 + tight, "afro": tight}
    return {
        "bald": {"bald": 1.0, "wreath": 0.9 if identity.age > WREATH else 0.0},
        "buzz": {"buzz": 1.0},
        "short": {"cropped": 1.0, "combed": 0.7, "thin": 1.2 if identity.age > THINNING else 0.0},
        "long": {"long": 1.0, "wavy": 0.7, "fringed": 0.6},
        "tied": {"tied": 1.0, "bun": 0.6, "ponytail": 0.9},
    }[identity.hair]
