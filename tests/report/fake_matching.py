"""Invented rows of what matching adds: displaced landmarks, other matchers, CMC, pooled scores."""

from statistics import NormalDist
from typing import Any

from thermalign.schemas.keys import DISPLACEMENT, MATCHER, PLACEMENT, VARIANT, Subset

NAN = float("nan")
NORMAL = NormalDist()
LEVELS = (0.0, 0.02, 0.04, 0.06, 0.08, 0.1, 0.12, 0.16, 0.2, 0.25)
KINDS = {"isotropic": 1.0, "shift": 1.1, "scale": 0.6, "rotation": 0.7, "right_eye": 1.3}
"""Kind of displacement to its steepness over that of isotropic noise."""
PLACED = {
    "dan": (0.050, 0.165, 0.160, 0.005),
    "pbc": (0.171, 0.262, 0.331, -0.069),
    "mtcnn": (0.199, 0.301, 0.362, -0.061),
    "mean_shape": (0.154, 0.281, 0.301, -0.020),
}
"""Model to its NMSE, EER, predicted EER and excess: invented."""
MATCHERS = {
    "study": (0.144, 0.0),
    "pls": (0.171, 0.027),
    "pls_centred": (0.151, 0.007),
    "cosine": (0.263, 0.119),
    "dpm_cosine": (0.182, 0.038),
    "permuted": (0.493, 0.349),
}
"""Matcher to its EER and how far that is above the study's: invented."""
ABLATION = {
    "pls": {"mapping": "none"},
    "pls_centred": {"mapping": "centring"},
    "cosine": {"mapping": "none", "classifier": "cosine"},
    "dpm_cosine": {"classifier": "cosine"},
    "permuted": {"permutations": 5},
}
DISPLACEMENTS = {"range": 1, "kinds": list(KINDS), "levels": list(LEVELS), "linear_up_to": 0.12}


def ends(value: float, *, wide: float, least: float = -9.0) -> dict[str, float]:
    return {"low": max(value - wide, least), "high": value + wide}


def add_matching(rows: Any, protocol: str) -> None:
    add_displacements(rows, protocol)
    add_placement(rows, protocol)
    add_ablation(rows, protocol)


def add_displacements(rows: Any, protocol: str) -> None:
    for kind, steepness in KINDS.items():
        whole = Subset(DISPLACEMENT, kind, range="1")
        for modality, base, slope, ease in (
            ("", 0.144, 3.6, 2.1),
            ("thermal", 0.121, 3.8, 2.3),
            ("visible", 0.004, 6.0, 5.4),
        ):
            subset, n = whole._replace(modality=modality), 10800 if modality else 14400
            for level in LEVELS:
                nmse = level / 5 if kind == "right_eye" else level
                eer = NORMAL.cdf(NORMAL.inv_cdf(base) + slope * steepness * nmse)
                at = (protocol, "annotated", subset._replace(level=level))
                rows.add(at, "nmse", nmse, n=480)
                rows.add(at, "eer", eer, n=n, **ends(eer, wide=0.03, least=0.0))
                apart = ease * (1 - 3.1 * steepness * nmse)
                rows.add(at, "d_prime", apart, n=n, **ends(apart, wide=0.3))
            key = (protocol, "annotated", subset)
            rise = 0.33 if modality == "visible" else 0.95
            rows.add(key, "eer_slope", rise, n=n, **ends(rise, wide=0.2))
            rows.add(
                key, "d_prime_slope", -3.1 * ease, n=n, **ends(-3.1 * ease, wide=1.2, least=-99)
            )
            clipped = NAN if modality == "visible" else slope
            rows.add(key, "probit_slope", clipped, n=n, **ends(clipped, wide=0.9))
        key = (protocol, "annotated", whole)
        rows.add(key, "eer_slope_difference", 0.62, n=10800, **ends(0.62, wide=0.31))
        rows.add(key, "probit_slope_difference", NAN, n=10800)
        rows.add(key, "d_prime_slope_difference", 9.6, n=10800, **ends(9.6, wide=2.2))


def add_placement(rows: Any, protocol: str) -> None:
    for model, (nmse, eer, predicted, excess) in PLACED.items():
        key = (protocol, model, Subset(PLACEMENT, "isotropic", range="1"))
        rows.add(key, "nmse", nmse, n=480, **ends(nmse, wide=0.1 * nmse))
        rows.add(key, "eer", eer, n=14400, **ends(eer, wide=0.032))
        rows.add(key, "eer_predicted", predicted, n=14400, **ends(predicted, wide=0.04))
        rows.add(key, "eer_excess", excess, n=14400, **ends(excess, wide=0.03))


def add_ablation(rows: Any, protocol: str) -> None:
    for name, (eer, above) in MATCHERS.items():
        whole = Subset(MATCHER, name)
        for i, reach in enumerate(("", "1", "2", "3")):
            key, far = (protocol, "annotated", whole._replace(range=reach)), 0.01 * i
            rows.add(key, "eer", eer + far, n=14400, **ends(eer + far, wide=0.034))
            if name != "study":
                rows.add(key, "eer_above_study", above, n=14400, **ends(above, wide=0.02))
        rows.add((protocol, "annotated", whole), "shared_subjects", 0.0, n=15)


def add_identification(rows: Any, key: tuple[str, str, Subset], eer: float) -> None:
    rows.add(key, "rank1", 0.9 - eer, n=480, **ends(0.9 - eer, wide=0.05))
    for rank in range(1, 31):
        value = 1 - (0.1 + eer) * (1 - (rank - 1) / 29) ** 2
        rows.add(
            key, "cmc", value, at=float(rank), n=480, low=value - 0.04, high=min(value + 0.04, 1)
        )
    rows.add(key, "eer_pooled", eer + 0.011, n=14400)
    rows.add(key, "eer_pooled_z", eer + 0.004, n=14400)


def add_carried(rows: Any, protocol: str, eers: dict[str, tuple[float, ...]], times: Any) -> None:
    """Add the EER of every model under every variant, its errors multiplied by ``times``."""
    for model, rates in eers.items():
        for i, reach in enumerate(("", "1", "2", "3")):
            for variant, factor in times.items():
                eer = rates[max(i - 1, 0)] * (1 + (factor - 1) / 4)
                key = (protocol, model, Subset(VARIANT, variant, range=reach))
                rows.add(key, "eer", eer, n=14400, **ends(eer, wide=0.03))
