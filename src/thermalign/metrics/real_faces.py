"""Proportions and temperatures of real faces, and how far a dataset's own lie from them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from thermalign.geometry import Floats
from thermalign.metrics.distributions import mean_and_sd
from thermalign.metrics.temperatures import REGIONS

NEAR_MEAN = 1.0
"""Largest difference of means that agrees, in real standard deviations."""

NEAR_SPREAD = 1.5
"""Largest ratio of standard deviations, either way, that agrees."""

NEAR_TEMPERATURE = 0.3
"""Largest difference of mean temperatures that agrees, K: about that of two cameras."""

NEAR_TEMPERATURE_SPREAD = 1.25
"""Largest ratio of standard deviations of temperatures, either way, that agrees."""

LEAST_SUBJECTS = 10  # ASSUME of a dataset; the spread of fewer people is theirs, not its
"""Fewest people whose mean and spread are judged."""

TOO_FEW = "too few"

NOT_JUDGED = {"interocular_distance": "camera", "box_width": "box", "box_height": "box"}
"""Measures that are shown and never judged, with the word in place of a verdict: distance and lens
decide the first, the habit of drawing boxes the others."""


@dataclass(frozen=True)
class RealFaces:
    """Measures of one collection in one modality.

    Attributes
    ----------
    source, modality : str
    count : int
        Annotated images that name each of the six marks once; of temperatures, people.
    measures : dict of str to (mean, standard deviation over those)
        As :func:`thermalign.metrics.faces.face_measures` or
        :func:`thermalign.metrics.temperatures.region_temperatures` defines them.
    """

    source: str
    modality: str
    count: int
    measures: dict[str, tuple[float, float]]


@dataclass(frozen=True)
class Comparison:
    """One measure of a dataset beside that of real faces.

    Attributes
    ----------
    real : RealFaces
    measure : str
    mean, sd : float
        Of the dataset.
    n : int
        Its images; of temperatures, its people.
    difference : float, real standard deviations
        Mean minus real mean.
    ratio : float
        Standard deviation over the real one.
    near_mean, near_spread : float
        What ``difference``, and ``ratio`` or its inverse, must not exceed to agree.
    verdict : str
        ``agrees``, ``mean differs``, ``spread differs`` or ``both differ``; a word of
        :data:`NOT_JUDGED`, or :data:`TOO_FEW` people, where nothing is judged.
    """

    real: RealFaces
    measure: str
    mean: float
    sd: float
    n: int
    difference: float
    ratio: float
    near_mean: float
    near_spread: float
    verdict: str


def _faces(source: str, modality: str, images: int, *pairs: tuple[float, float]) -> RealFaces:
    names = ("interocular_distance", "mouth_line", "mouth_width", "box_width", "box_height")
    return RealFaces(source, modality, images, dict(zip(names, pairs, strict=True)))


def _warmth(source: str, people: int, *pairs: tuple[float, float]) -> RealFaces:
    return RealFaces(source, "thermal", people, dict(zip(REGIONS, pairs, strict=True)))


REAL_FACES = (
    _faces(
        *("CARL", "thermal", 2456),
        *((43.66, 4.15), (1.056, 0.092), (0.772, 0.116), (3.845, 0.628), (4.087, 0.504)),
    ),
    _faces(
        *("EURECOM VIS-TH", "thermal", 599),
        *((26.24, 2.96), (1.051, 0.104), (0.735, 0.087), (3.253, 0.359), (3.727, 0.326)),
    ),
    _faces(
        *("CARL", "visible", 2460),
        *((83.00, 7.70), (1.055, 0.083), (0.792, 0.087), (3.932, 0.752), (4.084, 0.610)),
    ),
    _faces(
        *("EURECOM VIS-TH", "visible", 599),
        *((227.63, 25.63), (1.094, 0.095), (0.758, 0.082), (3.466, 0.380), (3.814, 0.304)),
    ),
)
"""Measured over the hand-marked landmarks of CARL (Espinosa-Duro, Faundez-Zanuy and Mekyska,
Cognitive Computation 5, 2013; 41 people) and EURECOM VIS-TH (Mallat and Dugelay, BIOSIG 2018; 50
people). Their annotators marked inner and outer eye corners, whose middle stands for the eye centre
here, the mouth corners and a face box; they marked no nose."""

REAL_TEMPERATURES = (
    _warmth(
        *("FDA, camera 1", 1020),
        *((35.69, 0.55), (35.67, 0.54), (35.25, 0.61), (35.21, 0.58), (34.89, 0.72), (35.01, 0.63)),
        *((34.57, 0.67), (34.57, 0.67), (34.57, 0.68), (34.49, 0.67), (34.58, 0.73), (35.42, 0.52)),
        *((35.84, 0.56), (36.08, 0.49)),
    ),
    _warmth(
        *("FDA, camera 2", 1009),
        *((35.62, 0.66), (35.61, 0.64), (35.14, 0.73), (35.04, 0.71), (34.68, 0.90), (34.90, 0.80)),
        *((34.33, 0.79), (34.33, 0.79), (34.28, 0.81), (34.25, 0.79), (34.34, 0.88), (35.28, 0.64)),
        *((35.79, 0.68), (36.09, 0.59)),
    ),
)
"""Of 1,020 adults before two uncooled long-wave cameras at .6 to .8 m with a black body in view
(Wang and others, Facial and oral temperature data, PhysioNet 1.0.0, doi 10.13026/3bhc-9065; the
study: Sensors 22, 215, 2022): mean and standard deviation over people of each person's mean over
four rounds. The room had 24.1 +- 1.3 degrees, oral temperature was 37.0 +- .4. What one camera does
to everybody is part of the truth, hence both. The order is that of
:data:`thermalign.metrics.temperatures.REGIONS`."""


def compare(
    measures: Mapping[str, Floats], modality: str, *, subjects: int
) -> Iterator[Comparison]:
    """Put a dataset's faces beside the real ones of the same modality.

    Means agree within :data:`NEAR_MEAN` real standard deviations, spreads within a factor of
    :data:`NEAR_SPREAD`. There is no verdict below :data:`LEAST_SUBJECTS` subjects.

    Parameters
    ----------
    measures : mapping of str to (N,) float
        Of the dataset's images of that modality; see
        :func:`thermalign.metrics.faces.face_measures`.
    modality : str
    subjects : int
        People on those images.

    Yields
    ------
    Comparison
    """
    for real in REAL_FACES:
        if real.modality != modality:
            continue
        for name in real.measures:
            found = _beside(real, name, measures[name], (NEAR_MEAN, NEAR_SPREAD), subjects)
            yield replace(found, verdict=NOT_JUDGED.get(name, found.verdict))


def compare_temperatures(people: Mapping[str, Floats]) -> Iterator[Comparison]:
    """Put the temperatures of a dataset's people beside those of real ones, camera by camera.

    Means agree within :data:`NEAR_TEMPERATURE`, spreads within a factor of
    :data:`NEAR_TEMPERATURE_SPREAD`. Readings are compared as they are: rooms differ, and some
    cameras correct for emissivity.

    Parameters
    ----------
    people : mapping of region to (P,) degrees Celsius
        Each person's mean over images; regions of
        :data:`thermalign.metrics.temperatures.REGIONS` that nobody shows may be left out.

    Yields
    ------
    Comparison
    """
    for real in REAL_TEMPERATURES:
        for name in (region for region in real.measures if region in people):
            limits = NEAR_TEMPERATURE / real.measures[name][1], NEAR_TEMPERATURE_SPREAD
            yield _beside(real, name, people[name], limits, len(people[name]))


def _beside(
    real: RealFaces, name: str, values: Floats, limits: tuple[float, float], subjects: int
) -> Comparison:
    """Compare one measure, judged where there are enough subjects."""
    real_mean, real_sd = real.measures[name]
    mean, sd = mean_and_sd(values)
    difference, ratio = (mean - real_mean) / real_sd, sd / real_sd
    verdict = TOO_FEW if subjects < LEAST_SUBJECTS else _verdict(difference, ratio, *limits)
    return Comparison(
        real, name, mean, sd, len(values), difference, ratio, *limits, verdict=verdict
    )


def _verdict(difference: float, ratio: float, near_mean: float, near_spread: float) -> str:
    same_mean = abs(difference) <= near_mean
    same_spread = 1 / near_spread <= ratio <= near_spread
    if same_mean and same_spread:
        return "agrees"
    if same_mean:
        return "spread differs"
    return "mean differs" if same_spread else "both differ"
