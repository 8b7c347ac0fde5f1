"""Dose-response in tables: slopes by kind of displacement, and every level in numbers."""

from thermalign.report.cells import MISSING, Body, Cell, Row, Table, between, fraction, rate_cell
from thermalign.report.people import verified
from thermalign.report.responses import DISPLACED, MODALITIES, Point, response, subset_of
from thermalign.report.summary import Value, View
from thermalign.report.tables import INTERVALS

SCALES = {
    "d_prime_slope": "d′ per interocular distance of NMSE",
    "eer_slope": "Percentage points of EER per .01 interocular distances of NMSE",
    "probit_slope": "Normal deviates of EER per interocular distance of NMSE",
}
"""Metric to the title of its rows. A share per whole unit is as many hundredths per hundredth."""

CLIPPED = (
    "A missing slope in normal deviates: a level that it is fitted to has no error, and a rate of "
    "0 (or 1) has no normal deviate."
)

WIDE = 3
"""Columns of one figure: all thermal probes, and both modalities of the same moments."""


def spelt(kind: str) -> str:
    """Spell a kind of displacement."""
    return kind.replace("_", " ")


def two(value: float) -> str:
    """Print a slope with two digits."""
    return fraction(value, digits=2)


def slope_table(view: View, measured: list[str]) -> Table | None:
    """Lay out the slopes of every kind: d′ first, then EER; None without any."""
    bodies, clipped = [], False
    for scale, title in SCALES.items():
        rows = [Row(spelt(kind), _slope_cells(view, kind, scale)) for kind in measured]
        if any(cell.tone != "missing" for row in rows for cell in row.cells):
            bodies.append(Body(rows, title=title))
        clipped |= scale == "probit_slope" and any(_clipped(view, kind) for kind in measured)
    if not bodies:
        return None
    return Table(
        caption=f"How steeply verification falls off, by kind of displacement, {verified(view)}",
        head="Displacement",
        columns=["All thermal probes", *(m.capitalize() for m in MODALITIES), "Difference"],
        bodies=bodies,
        groups=[("", 1), ("Same moments", 3)],
        notes=[
            "Difference: thermal minus visible, paired, unadjusted. d′ comes first because it has "
            "no floor: an equal error rate near 0 cannot show what it loses, and its normal "
            f"deviate hangs on the last few errors. {INTERVALS}",
            *([CLIPPED] if clipped else []),
        ],
    )


def _clipped(view: View, kind: str) -> bool:
    """Tell whether a probit slope was asked for and is not a number."""
    found = [
        view.get(DISPLACED, "probit_slope", subset=subset_of(kind, m)) for m in ("", *MODALITIES)
    ]
    return any(value is not None and not value.known for value in found)


def _slope_cells(view: View, kind: str, scale: str) -> list[Cell]:
    keys = [(scale, subset_of(kind, m)) for m in ("", *MODALITIES)]
    cells = [_slope_cell(view.get(DISPLACED, metric, subset=subset)) for metric, subset in keys]
    found = view.get(DISPLACED, f"{scale}_difference", subset=subset_of(kind))
    return [*cells, _slope_cell(found)]


def _slope_cell(value: Value | None) -> Cell:
    if value is None or not value.known:
        return Cell(MISSING, tone="missing")
    ends = between(value.low, value.high, show=two) if value.bounded else ""
    return Cell(two(value.value), ends)


def level_table(view: View, measured: list[str]) -> Table:
    """Lay out NMSE, EER and d′ at every level of every kind, folded."""
    curves = {kind: {m: response(view, kind, m) for m in ("", *MODALITIES)} for kind in measured}
    apart = any(p.d_prime for sides in curves.values() for points in sides.values() for p in points)
    bodies = []
    for kind, sides in curves.items():
        at = {m: {point.level: point for point in points} for m, points in sides.items()}
        rows = [
            Row(
                two(point.level),
                [
                    Cell(fraction(point.nmse)),
                    *(rate_cell(_eer(its.get(point.level))) for its in at.values()),
                    *(_slope_cell(_d_prime(its.get(point.level))) for its in at.values() if apart),
                ],
            )
            for point in sides[""]
        ]
        bodies.append(Body(rows, title=spelt(kind)))
    columns = ["All thermal probes", *(m.capitalize() for m in MODALITIES)]
    return Table(
        caption=f"Dose-response in numbers, {verified(view)}",
        head="Displacement",
        columns=["NMSE", *columns * (1 + apart)],
        bodies=[body for body in bodies if body.rows],
        groups=[("", 1), ("Equal error rate", WIDE), *([("d′", WIDE)] if apart else [])],
        notes=[
            "Displacement: mean over the moved landmarks, interocular distances; NMSE: over all "
            f"landmarks. Thermal, visible: the same moments. {INTERVALS}"
        ],
        folded="Dose-response in numbers",
        compact=not apart,
    )


def _eer(point: Point | None) -> Value | None:
    return point.eer if point else None


def _d_prime(point: Point | None) -> Value | None:
    return point.d_prime if point else None
