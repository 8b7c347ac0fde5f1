"""Cells that a variant's tables share, and the names of its subsets."""

import math

from thermalign.report.cells import Cell, between
from thermalign.report.summary import Value, View


def of_variant(variant: str, subset: str = "all") -> str:
    """Return the subset of a variant and a subset of images."""
    return f"variant={variant}" if subset == "all" else f"variant={variant}&{subset}"


def ratio_cell(view: View, model: str, subset: str) -> Cell:
    """Show how many times the NMSE of the condition trained for; nothing where it is unknown."""
    ratio = view.get(model, "nmse_ratio", subset=subset)
    return Cell(f"× {ratio.value:.2f}", ends(ratio)) if ratio and ratio.known else Cell("")


def ends(value: Value) -> str:
    """Print an interval with two digits, or nothing where there is none."""
    if not (math.isfinite(value.low) and math.isfinite(value.high)):
        return ""
    return between(value.low, value.high, show=lambda v: f"{v:.2f}")
