"""What the paper printed: its figures, its claims, and what is inconsistent in it."""

from dataclasses import dataclass
from typing import NamedTuple

from thermalign.schemas.keys import ALL, Subset

AVERAGE = "average"

TRIO = ("mtcnn", "pbc", "dan")
"""The paper's detectors, in its order."""

EER_DROP = 0.082
"""What the abstract calls a drop in EER of the best model against ground truth."""

HEADLINE = 0.04
"""NMSE at 2.5 m, of the abstract."""


@dataclass(frozen=True)
class Published:
    """A printed NMSE and the spread printed behind its ± sign, both as fractions."""

    nmse: float
    spread: float


def _printed(*figures: float) -> dict[str, Published]:
    columns = ("1", "2", "3", AVERAGE)
    return {c: Published(figures[2 * i], figures[2 * i + 1]) for i, c in enumerate(columns)}


PRINTED: dict[int, dict[str, dict[str, Published]]] = {
    1: {
        "mtcnn": _printed(0.201, 0.02, 0.205, 0.02, 0.187, 0.03, 0.198, 0.03),
        "pbc": _printed(0.164, 0.02, 0.330, 0.06, 0.716, 0.05, 0.403, 0.03),
        "dan": _printed(0.050, 0.02, 0.056, 0.02, 0.061, 0.02, 0.056, 0.02),
    },
    2: {
        "mtcnn": _printed(0.112, 0.03, 0.109, 0.03, 0.114, 0.03, 0.097, 0.03),
        "pbc": _printed(0.073, 0.01, 0.117, 0.02, 0.236, 0.06, 0.211, 0.04),
        "dan": _printed(0.044, 0.02, 0.045, 0.02, 0.047, 0.02, 0.046, 0.02),
    },
}
"""Protocol, model, and range or average, to what the paper printed (its Tables 5 and 6)."""

CLAIMS = {
    1: "DAN has the lowest error at every range, in both protocols.",
    2: "PBC beats MTCNN at Range 1 and loses to it at Ranges 2 and 3, in both protocols.",
    3: "DAN and MTCNN are nearly constant over range; PBC suffers drastically.",
    4: "More training data (Protocol 2) lowers every error.",
    5: "PBC’s cumulative error distribution has a plateau.",
    6: "MTCNN’s error curve is shifted right: a constant error at every landmark.",
    7: "Predicted points lower the ROC at Range 1; DAN nearly equals truth in Protocol 2 only.",
    8: "The best model’s points change the EER by 8.2 % against ground truth.",
    9: "Verification in the thermal spectrum is more sensitive to alignment than in the visible.",
    10: "Learning faces and landmarks jointly does not help in thermal images.",
    11: "Regressing updates of landmarks is easier than regressing their coordinates.",
    12: "Local refinement may help at high resolution.",
}
"""Number to what the paper says, in our words."""


class Total(NamedTuple):
    """A printed number of parameters, and what has to be read otherwise to reach it."""

    detector: str
    printed: int
    reading: str


TOTALS = (
    Total("O-Net", 387_648, "as printed"),
    Total("MTCNN", 494_924, "face heads of two outputs (printed: 1), R-Net’s third pool left out"),
    Total("PBC", 1_016_390, "conv4 of 3 x 3 (printed: 2 x 2), a head of 6 outputs (printed: 10)"),
    Total("DAN", 23_022_592, "as printed"),
)
"""One convention reaches all four: one parameter a channel beside the weights of a convolution,
dense layers without bias, one input channel, slopes of PReLU and scales of batch normalisation not
counted."""


def published(paper: int, model: str, subset: Subset) -> Published | None:
    """Return what the paper printed for a protocol, a model and a subset of images, or None.

    Parameters
    ----------
    paper : int
        The paper's protocol, 1 or 2; 0 for none.
    model : str
    subset : Subset
        The average answers to all images, a range to itself and to its part of Volume 1.
    """
    column = AVERAGE if subset == ALL else subset.range
    known = subset in (ALL, Subset(range=subset.range), Subset(volume="1", range=subset.range))
    return PRINTED.get(paper, {}).get(model, {}).get(column) if known else None


def misprinted_averages() -> list[tuple[int, str, float, float]]:
    """Return protocol, model, printed average and plain mean, where they are .001 apart or more."""
    found = []
    for paper, models in PRINTED.items():
        for model, columns in models.items():
            mean = sum(columns[reach].nmse for reach in ("1", "2", "3")) / 3
            if abs(mean - columns[AVERAGE].nmse) > 0.001:
                found.append((paper, model, columns[AVERAGE].nmse, mean))
    return found
