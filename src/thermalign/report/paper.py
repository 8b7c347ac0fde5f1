"""The figures the paper published, as data.

Source
------
Poster, Hu, Nasrabadi, Riggan: An Examination of Deep-Learning Based Landmark Detection Methods on
Thermal Face Imagery. CVPR Workshops 2019, Tables 5 (Protocol 1) and 6 (Protocol 2).
"""

from dataclasses import dataclass

from thermalign.schemas.keys import ALL, Subset

CITATION = (
    "Poster, Hu, Nasrabadi and Riggan, “An Examination of Deep-Learning Based Landmark Detection "
    "Methods on Thermal Face Imagery”, CVPR Workshops 2019"
)

AVERAGE = "average"


@dataclass(frozen=True)
class Published:
    """A printed NMSE and the spread printed behind its ± sign, both as fractions."""

    nmse: float
    spread: float


def _row(*figures: float) -> dict[str, Published]:
    columns = ("1", "2", "3", AVERAGE)
    return {c: Published(figures[2 * i], figures[2 * i + 1]) for i, c in enumerate(columns)}


NMSE: dict[int, dict[str, dict[str, Published]]] = {
    1: {
        "mtcnn": _row(0.201, 0.02, 0.205, 0.02, 0.187, 0.03, 0.198, 0.03),
        "pbc": _row(0.164, 0.02, 0.330, 0.06, 0.716, 0.05, 0.403, 0.03),
        "dan": _row(0.050, 0.02, 0.056, 0.02, 0.061, 0.02, 0.056, 0.02),
    },
    2: {
        "mtcnn": _row(0.112, 0.03, 0.109, 0.03, 0.114, 0.03, 0.097, 0.03),
        "pbc": _row(0.073, 0.01, 0.117, 0.02, 0.236, 0.06, 0.211, 0.04),
        "dan": _row(0.044, 0.02, 0.045, 0.02, 0.047, 0.02, 0.046, 0.02),
    },
}
"""Protocol, model, and range or average, to what the paper printed."""

SPREAD = "The paper’s ± is a standard deviation averaged over landmarks and folds."

NOTES = {
    1: "The paper’s average is the plain mean of its three ranges.",
    2: (
        "The paper’s averages for MTCNN and PBC are not means of its range columns. They can be "
        "that only if those columns hold Volume 1 alone and the average adds Volume 2; the paper "
        "does not say. Its figures stand under Volume 1 here for that reason."
    ),
}


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
    return NMSE.get(paper, {}).get(model, {}).get(column) if known else None
