"""Who a simulated person is: the table of measurements, their correlations, and the draw.

All lengths are millimetres in the frontal head with the origin between the eyes and y down. Means
and spreads of the measurements marked ``SURVEY`` follow published head-and-face surveys as
remembered, rounded; the rest, and every correlation, is tuned by eye: nothing absolute that is
measured on these faces says anything about real people.
"""

from dataclasses import dataclass, field, fields
from math import inf, sqrt
from typing import Any

import numpy as np

SURVEY = "NIOSH and ANSUR head-and-face surveys (Zhuang and others), from memory"

DODGSON = "Dodgson, SPIE 5291, 2004"

TUNED = "tuned by eye"

# ASSUME every TUNED row, every loading, and the draws of looks and temperatures: invented.
FACTOR_LIMIT = 2.4  # standard scores of the four common factors

SCORE_LIMIT = 2.6  # standard scores of a measurement

FEMALE = 0.42  # share of women


def _drawn(
    male: float,
    female: float,
    sd: float,
    loadings: tuple[float, float, float, float] = (0, 0, 0, 0),
    *,
    low: float = -inf,
    high: float = inf,
    source: str = TUNED,
) -> Any:
    """Describe a measurement: means, spread, loadings on (size, mass, ancestry, age), limits."""
    return field(metadata={"row": (male, female, sd, loadings, low, high), "source": source})


@dataclass(frozen=True)
class Anatomy:
    """Measurements of one head, mm where nothing else is said."""

    eye_distance: float = _drawn(64.0, 61.7, 3.5, (0.45, 0, 0.05, 0), source=DODGSON)
    eye_length: float = _drawn(30.5, 29.5, 1.6, (0.3, 0, -0.1, -0.1), source=SURVEY)
    eye_above: float = _drawn(4.9, 5.3, 0.75, (0.1, 0, -0.25, -0.4), low=3.2)
    eye_below: float = _drawn(4.0, 4.2, 0.55, (0.1, 0, 0, 0.1))
    eye_tilt: float = _drawn(1.6, 2.3, 1.5, (0, 0, 0.35, -0.1))  # degrees x 1.6
    eye_socket: float = _drawn(6.2, 5.2, 1.7, (0.1, -0.15, -0.35, 0.15))  # depth
    eye_bag: float = _drawn(0.5, 0.4, 0.5, (0, 0, 0, 0.7), low=0)
    lid_crease: float = _drawn(4.0, 4.6, 1.4, (0, -0.05, -0.45, 0.2))  # above the lid's edge
    brow_y: float = _drawn(-20, -22.5, 2.6, (-0.1, 0, 0.05, 0.15))
    brow_arch: float = _drawn(2.6, 4.6, 1.6)
    brow_thickness: float = _drawn(5.2, 3.6, 1.0, (0, 0, 0.1, 0), low=2.0)
    brow_density: float = _drawn(0.75, 0.62, 0.18, (0, 0, 0.15, -0.1), low=0.15, high=0.98)  # 0..1
    brow_ridge: float = _drawn(3.4, 1.4, 1.2, (0.1, 0, -0.2, 0.1))
    sellion_y: float = _drawn(-5, -4.5, 1.8)  # deepest point between forehead and nose
    nose_breadth: float = _drawn(36.6, 33.2, 3.9, (0.25, 0.15, 0.6, 0.1), source=SURVEY)
    nose_protrusion: float = _drawn(19.5, 18.0, 2.6, (0.3, 0, -0.45, 0.1), source=SURVEY)
    nose_bridge: float = _drawn(4.0, 2.8, 1.9, (0.1, 0, -0.6, 0), low=0)
    nose_hump: float = _drawn(0.6, 0, 1.2, (0, 0, -0.2, 0.1))
    tip_drop: float = _drawn(7.0, 7.8, 2.0, (0, 0, 0.1, -0.25), low=2.5)  # tip above the base
    tip_width: float = _drawn(9.5, 8.5, 1.2, (0.15, 0.1, 0.45, 0.1))
    subnasale_y: float = _drawn(46.5, 43.5, 3.2, (0.5, 0.05, -0.05, 0.15), source=SURVEY)
    philtrum: float = _drawn(22.5, 20.5, 2.2, (0.25, 0, 0.05, 0.3), source=SURVEY)
    stomion_menton: float = _drawn(49, 44, 4.0, (0.5, 0.25, 0, -0.05), source=SURVEY)
    lip_length: float = _drawn(51.5, 48.5, 4.0, (0.3, 0.15, 0.15, 0.05), source=SURVEY)
    upper_lip: float = _drawn(6.5, 7.0, 1.6, (0, 0.05, 0.55, -0.4), low=2.5)
    lower_lip: float = _drawn(8.6, 8.8, 1.6, (0, 0.05, 0.55, -0.35), low=4)
    muzzle: float = _drawn(4.5, 4.0, 2.0, (0, 0.05, 0.5, 0))  # protrusion of the mouth region
    mentolabial: float = _drawn(3.2, 2.6, 1.0, (0, 0, 0, 0.1))  # groove below the lower lip
    chin: float = _drawn(5.5, 4.3, 1.7, (0.2, 0, -0.05, 0))
    chin_width: float = _drawn(15, 12.5, 2.5, (0.25, 0.2, 0, 0), low=8.5)
    nasolabial: float = _drawn(1.0, 0.8, 0.6, (0, 0.15, 0, 0.7), low=0)  # fold, nose to mouth
    cheekbone: float = _drawn(4.2, 4.6, 1.8, (0, -0.1, 0.25, -0.1))
    cheek_hollow: float = _drawn(2.6, 2.0, 2.0, (0, -0.7, 0, 0.25))
    face_breadth: float = _drawn(140, 131, 6.0, (0.5, 0.45, 0.1, 0), source=SURVEY)  # bizygomatic
    jaw_breadth: float = _drawn(118, 108, 8.5, (0.35, 0.6, 0, 0), source=SURVEY)  # bigonial
    head_breadth: float = _drawn(153, 147, 5.8, (0.5, 0.25, 0, 0), source=SURVEY)
    forehead_breadth: float = _drawn(106, 103, 5.5, (0.4, 0.2, 0, 0), source=SURVEY)
    forehead_round: float = _drawn(0, 1.5, 2.2, (0, 0, 0.15, -0.1))
    face_flatness: float = _drawn(0, 0, 3.0, (0, 0, 0.5, 0))
    roundness: float = _drawn(2.25, 2.25, 0.16, (0, 0.15, 0, 0), low=1.95, high=2.7)  # exponent
    vertex: float = _drawn(118, 114, 6.5, (0.5, 0, 0, 0), low=102)  # top of the head above the eyes
    hairline_y: float = _drawn(-68, -66, 6.5, (-0.25, 0, 0, -0.3))
    ear_length: float = _drawn(63, 59, 4, (0.25, 0, 0, 0.4), source=SURVEY)
    ear_width: float = _drawn(13, 11, 3.5, (0, 0, -0.1, 0.1), low=4)  # seen from the front
    ear_y: float = _drawn(18, 17, 3.5, (0, 0, 0, 0.1))
    neck: float = _drawn(62, 53, 5, (0.25, 0.65, 0, 0))  # radius
    shoulder_y: float = _drawn(158, 146, 8, (0, 0.3, 0, 0))

    @property
    def mouth_y(self) -> float:
        """Where the lips meet."""
        return self.subnasale_y + self.philtrum

    @property
    def menton_y(self) -> float:
        """The lowest point of the chin."""
        return self.mouth_y + self.stomion_menton

    @property
    def tip_y(self) -> float:
        """The tip of the nose."""
        return self.subnasale_y - self.tip_drop

    @property
    def vertex_y(self) -> float:
        """The top of the head."""
        return -self.vertex


Pair = tuple[float, float]


@dataclass(frozen=True)
class Asymmetry:
    """Standard scores of what makes the sides of a face differ; pairs are (image left, right)."""

    eye_x: Pair
    eye_y: Pair
    ridge: Pair
    cheek: Pair
    cheek_y: Pair
    wing: Pair  # of the nose
    corner: Pair  # of the mouth
    fold: Pair
    ear: Pair
    septum: float
    mouth_tilt: float
    mouth_x: float
    chin_x: float


@dataclass(frozen=True)
class Identity:
    """One person: shape, colours, habits and temperatures."""

    body: Anatomy
    uneven: Asymmetry
    female: bool
    age: float  # standard score
    melanin: float  # 0..1
    hair: str  # its length: bald, buzz, short, medium, long or tied
    beard: float  # 0..1
    moustache: float  # 0..1
    owns_glasses: bool
    skin_temperature: float  # degrees Celsius, average of the face
    nose_offset: float  # K, tip of the nose against average skin

    @property
    def septum(self) -> float:
        """How far the nose's tip is off the middle, mm."""
        return 0.7 * self.uneven.septum

    @property
    def eyes(self) -> tuple[Pair, Pair]:
        """Centres of the eyes, (x, y) mm, image left first."""
        half = self.body.eye_distance / 2
        left, right = (
            (sign * (half + 0.25 * self.uneven.eye_x[i]), 0.5 * self.uneven.eye_y[i])
            for sign, i in ((-1, 0), (1, 1))
        )
        return left, right


def draw_identity(rng: np.random.Generator, *, proportions: float = 1.0) -> Identity:
    """Draw a person.

    Every measurement is mean + sd x (loadings . factors + the rest of unit variance), with common
    factors for size, mass, ancestry and age.

    Parameters
    ----------
    rng : Generator
    proportions : float
        The spread of all measurements over the usual one.
    """
    female = bool(rng.random() < FEMALE)
    factors = [float(v) for v in rng.standard_normal(4).clip(-FACTOR_LIMIT, FACTOR_LIMIT)]
    body = _draw_anatomy(rng, female, factors, proportions)
    uneven = _draw_asymmetry(rng)
    ancestry, age = factors[2:]
    melanin = 0.42 + 0.23 * ancestry + 0.15 * rng.standard_normal()
    beard = float(rng.choice([0.05, 0.15, 0.3, 0.75, 1.0], p=[0.42, 0.2, 0.16, 0.1, 0.12]))
    trimmed = float(rng.choice([0.0, 0.8]))
    moustache = beard if rng.random() < 0.8 else trimmed
    return Identity(
        body=body,
        uneven=uneven,
        female=female,
        age=age,
        melanin=min(max(melanin, 0.03), 1.0),
        hair=_draw_hair(rng, female, age),
        beard=0.0 if female else beard,
        moustache=0.0 if female else moustache,
        owns_glasses=bool(rng.random() < 0.25),
        skin_temperature=34.2 + 0.34 * rng.standard_normal(),
        nose_offset=-2.0 + 1.0 * rng.standard_normal(),
    )


def _draw_anatomy(
    rng: np.random.Generator, female: bool, factors: list[float], proportions: float
) -> Anatomy:
    values: dict[str, float] = {}
    for entry in fields(Anatomy):
        male_mean, female_mean, sd, loadings, low, high = entry.metadata["row"]
        rest = sqrt(max(0.05, 1 - sum(v * v for v in loadings)))
        common = sum(v * f for v, f in zip(loadings, factors, strict=True))
        score = common + rest * rng.standard_normal()
        score = min(max(proportions * score, -SCORE_LIMIT), SCORE_LIMIT)
        value = (female_mean if female else male_mean) + sd * score
        values[entry.name] = min(max(value, low), high)
    return Anatomy(**values)


def _draw_asymmetry(rng: np.random.Generator) -> Asymmetry:
    values: dict[str, Any] = {}
    for entry in fields(Asymmetry):
        left, right = (float(v) for v in rng.standard_normal(2).clip(-SCORE_LIMIT, SCORE_LIMIT))
        values[entry.name] = (left, right) if entry.type == Pair else left
    return Asymmetry(**values)


def _draw_hair(rng: np.random.Generator, female: bool, age: float) -> str:
    men = ("buzz", "short", "short", "bald", "medium")
    women = ("long", "long", "tied", "tied", "medium")
    style = (women if female else men)[rng.integers(5)]
    return "buzz" if style == "bald" and age < -0.3 else style
