"""Look-ups of dose-response and placement in SUMMARY: nothing is computed here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from thermalign.report.names import subset_parts
from thermalign.report.summary import Value, View

DISPLACED = "annotated"
"""The model whose points are displaced."""

MODALITIES = ("thermal", "visible")


@dataclass(frozen=True)
class Point:
    """One level of displacement: the level and NMSE in interocular distances, the EER, and d′."""

    level: float
    nmse: float
    eer: Value
    d_prime: Value | None = None


def kinds(view: View, config: Mapping[str, Any]) -> list[str]:
    """Return the kinds with a dose-response curve: first as configured, then any others."""
    measured = [subset_parts(s).get("displacement", "") for s in view.subsets("eer")]
    configured = [str(kind) for kind in config.get("displacements", {}).get("kinds", [])]
    ordered = dict.fromkeys([*configured, *measured])
    return [kind for kind in ordered if kind and response(view, kind)]


def subset_of(kind: str, modality: str = "") -> str:
    """Return the subset of a kind: every thermal probe, or the moments that both sides hold."""
    return f"displacement={kind}" + (f"&modality={modality}" if modality else "")


def response(view: View, kind: str, modality: str = "") -> list[Point]:
    """Return a dose-response curve by rising level; empty where it was not measured."""
    subset = subset_of(kind, modality)
    nmse = dict(view.curve(DISPLACED, "nmse", subset=subset))
    eer = view.curve(DISPLACED, "eer", subset=subset)
    apart = dict(view.curve(DISPLACED, "d_prime", subset=subset))
    return [
        Point(level, nmse[level].value, value, apart.get(level))
        for level, value in eer
        if level in nmse
    ]


def both_sides(view: View, kind: str) -> dict[str, list[Point]]:
    """Return the curves of the visible control by modality; empty unless both were measured."""
    found = {modality: response(view, kind, modality) for modality in MODALITIES}
    return found if all(found.values()) else {}


def has_d_prime(sides: Mapping[str, list[Point]]) -> bool:
    """Tell whether every point of every curve has a d′."""
    return bool(sides) and all(p.d_prime for points in sides.values() for p in points)


@dataclass(frozen=True)
class Placed:
    """A detector on the curve; ``predicted`` and ``excess`` are None where the curve ends early."""

    nmse: Value
    eer: Value
    predicted: Value | None
    excess: Value | None

    @property
    def verdict(self) -> str:
        """Whether the detector's EER is the one that its NMSE predicts."""
        if self.excess is None:
            return "beyond the curve"
        if not self.excess.bounded:
            return "no interval"
        if self.excess.low > 0:
            return "worse than its NMSE"
        return "better than its NMSE" if self.excess.high < 0 else "as predicted"


def placements(view: View, kind: str) -> dict[str, Placed]:
    """Return the detectors placed on the curve of a kind, in the order of the page."""
    subset, found = f"placement={kind}", {}
    nmse, eer, predicted, excess = (
        view.known(metric, subset=subset)
        for metric in ("nmse", "eer", "eer_predicted", "eer_excess")
    )
    for model in (m for m in nmse if m in eer):
        found[model] = Placed(nmse[model], eer[model], predicted.get(model), excess.get(model))
    return found
