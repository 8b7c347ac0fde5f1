"""The proportions of real annotated faces, and how far a dataset's own lie from them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from thermalign.geometry import Floats
from thermalign.metrics.distributions import mean_and_sd

NEAR_MEAN = 1.0
"""Largest difference of means that agrees, in real standard deviations."""

NEAR_SPREAD = 1.5
"""Largest ratio of standard deviations, either way, that agrees."""

LEAST_SUBJECTS = 10  # ASSUME of a dataset; the spread of fewer people is theirs, not its
"""Fewest people whose mean and spread are judged."""

TOO_FEW = "too few"

NOT_JUDGED = {"interocular_distance": "camera", "box_width": "box", "box_height": "box"}
"""Measures that are shown and never judged, with the word in place of a verdict: distance and lens
decide the first, the habit of drawing boxes the others."""


@dataclass(frozen=True)
class RealFaces:
    """Measures of one annotated collection in one modality.

    Attributes
    ----------
    source, modality : str
    images : int
        That name each of the six marks once.
    measures : dict of str to (mean, standard deviation over images)
        As :func:`thermalign.metrics.faces.face_measures` defines them.
    """

    source: str
    modality: str
    images: int
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
        Its images.
    difference : float, real standard deviations
        Mean minus real mean.
    ratio : float
        Standard deviation over the real one.
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
    verdict: str


def _faces(source: str, modality: str, images: int, *pairs: tuple[float, float]) -> RealFaces:
    names = ("interocular_distance", "mouth_line", "mouth_width", "box_width", "box_height")
    return RealFaces(source, modality, images, dict(zip(names, pairs, strict=True)))


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
        for name, (real_mean, real_sd) in real.measures.items():
            if real.modality != modality:
                continue
            mean, sd = mean_and_sd(measures[name])
            difference, ratio = (mean - real_mean) / real_sd, sd / real_sd
            judged = TOO_FEW if subjects < LEAST_SUBJECTS else _verdict(difference, ratio)
            verdict = NOT_JUDGED.get(name, judged)
            yield Comparison(real, name, mean, sd, len(measures[name]), difference, ratio, verdict)


def _verdict(difference: float, ratio: float) -> str:
    near_mean = abs(difference) <= NEAR_MEAN
    near_spread = 1 / NEAR_SPREAD <= ratio <= NEAR_SPREAD
    if near_mean and near_spread:
        return "agrees"
    if near_mean:
        return "spread differs"
    return "mean differs" if near_spread else "both differ"
