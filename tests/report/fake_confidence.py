"""Invented rows of what models state of their errors, and of rejecting the least sure probes."""

from typing import Any

import numpy as np

from thermalign.geometry import LANDMARKS
from thermalign.schemas.keys import ALL, REJECTION, VARIANT, Subset

NAN = float("nan")
SHARES = (0.02, 0.05, 0.1)
STATES = {
    "mtcnn": (0.192, 0.52, 0.78, 0.93, -0.9, -0.7, 0.31, 0.44),
    "pbc": (0.17, 0.44, 0.72, 0.88, -1.1, -0.9, 0.25, 0.39),
    "dan": (0.052, 0.5, 0.81, 0.955, -3.6, -3.3, 0.38, 0.6),
    "mean_shape": (0.155, 0.49, 0.79, 0.95, -1.3, -1.3, NAN, NAN),
}
"""Model to what it expects, its coverages, its surprise and the rival's, its rank correlations."""

SUBSETS = (
    ALL,
    *(Subset(range=reach) for reach in "123"),
    *(Subset(condition=name) for name in ("baseline", "expression")),
    *(Subset(landmark=name) for name in LANDMARKS),
)


def ends(value: float, *, wide: float) -> dict[str, float]:
    return {"low": value - wide, "high": value + wide}


def add_confidence(
    rows: Any, protocol: str, nmse: dict[str, tuple[float, ...]], eer: dict[str, tuple[float, ...]]
) -> None:
    for model, means in nmse.items():
        for subset in SUBSETS:
            add_stated(rows, (protocol, model, subset))
        add_risk(rows, (protocol, model, ALL), sum(means) / 3)
        add_rejection(rows, protocol, model, nmse=sum(means) / 3, eer=sum(eer[model]) / 3)


def add_stated(rows: Any, key: tuple[str, str, Subset]) -> None:
    expected, *held, nll, constant, landmarks, images = STATES[key[1]]
    rows.add(key, "nmse_expected", expected, **ends(expected, wide=0.004))
    for share, value in zip((50, 80, 95), held, strict=True):
        rows.add(key, f"coverage_{share}", value, **ends(value, wide=0.025))
    for metric, value in (("nll", nll), ("nll_constant", constant)):
        rows.add(key, metric, value, **ends(value, wide=0.15))
    rows.add(key, "nll_above_constant", nll - constant, **ends(nll - constant, wide=0.06))
    rows.add(key, "nll_validation_constant", constant + 0.25, **ends(constant + 0.25, wide=0.15))
    less = nll - constant - 0.25
    rows.add(key, "nll_above_validation_constant", less, **ends(less, wide=0.07))
    if key[2].landmark:
        rows.add(key, "rank_correlation", landmarks, **ends(landmarks, wide=0.05))
    else:
        rows.add(key, "rank_correlation_landmark", landmarks, **ends(landmarks, wide=0.03))
        rows.add(key, "rank_correlation", images, **ends(images, wide=0.05))


def add_risk(rows: Any, key: tuple[str, str, Subset], mean: float) -> None:
    flat = key[1] == "mean_shape"
    for at in np.linspace(0.05, 1, 20):
        surest = mean if flat else mean * (0.6 + 0.4 * at**1.5)
        rows.add(key, "risk_coverage", surest, at=float(at), **ends(surest, wide=0.06 * mean))
        rows.add(key, "risk_coverage_oracle", mean * (0.3 + 0.7 * at**2), at=float(at))
    for name, value in (("", 0.78), ("_oracle", 0.53), ("_random", 1.0)):
        area = mean if flat and not name else mean * value
        rows.add(key, f"aurc{name}", area, **ends(area, wide=0.06 * mean))


def add_rejection(rows: Any, protocol: str, model: str, *, nmse: float, eer: float) -> None:
    for share in SHARES:
        known = 0.0 if model == "mean_shape" else 0.5
        for setting, gain in (("confidence", known), ("random", 0.0), ("true_error", 1.0)):
            key = (protocol, model, Subset(REJECTION, setting, share))
            rows.add(key, "fta", share, **ends(share, wide=0.4 * share))
            found, error = eer * (1 - gain * share), nmse * (1 - 2 * gain * share)
            rows.add(key, "eer_found", found, n=13000, **ends(found, wide=0.03))
            rows.add(key, "eer", found + share / 3, n=14400, **ends(found + share / 3, wide=0.03))
            rows.add(key, "nmse", error, **ends(error, wide=0.01))
            if setting != "random":
                for metric, less in (("eer_found", found - eer), ("nmse", error - nmse)):
                    rows.add(key, f"{metric}_above_random", less, **ends(less, wide=0.3 * -less))
                for reach in "123":
                    part = (protocol, model, key[2]._replace(range=reach))
                    rows.add(part, "fta", share * int(reach) / 2, **ends(share, wide=0.1 * share))


def add_stated_variants(rows: Any, protocol: str, models: Any, names: Any) -> None:
    for model in models:
        for name in names:
            for reach in ("", "1", "2", "3"):
                add_stated(rows, (protocol, model, Subset(VARIANT, name, range=reach)))
