"""Detectors placed on the dose-response curve: pictures, table, sentence."""

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from thermalign.report.cells import (
    MISSING,
    Body,
    Cell,
    Row,
    Table,
    fraction,
    interval,
    percent,
    percent_number,
    rate_cell,
    signed,
)
from thermalign.report.chapters.dose_curves import (
    DISPLACED,
    TALL,
    Placed,
    Point,
    alt_of,
    dose_axes,
    draw_curve,
    placements,
    response,
    said_of,
)
from thermalign.report.chapters.people import verified
from thermalign.report.figures import Panel, Seeds
from thermalign.report.labels import Label, Line, place_labels
from thermalign.report.names import Look, slug
from thermalign.report.summary import View
from thermalign.report.svg import FAINT, style, to_svg
from thermalign.report.tables import ALIGNED_BY, INTERVALS

BEYOND = 1.5
"""Where the axis ends at most, in times the curve's end; detectors beyond stand at its edge."""


NEAR = 2.0
"""Detectors with an NMSE up to so many times the lowest are drawn close up."""


Limits = tuple[tuple[float, float], tuple[float, float]]


def placement_panels(view: View, kind: str, *, seeds: Seeds) -> list[Panel]:
    """Draw the curve with the detectors on it, and those of low NMSE once more close up.

    Detectors have error bars in both directions. Several trainings of one model are named once.
    """
    curve, placed = response(view, kind), placements(view, kind)
    near = _near(curve, placed, seeds)
    far = {model: its for model, its in placed.items() if model not in near}
    limits = _limits(curve, placed)
    with style():
        figure, axes = dose_axes(TALL)
        draw_curve(axes, curve, view.looks[DISPLACED])
        axes.set(xlim=limits[0], ylim=limits[1])
        labels = [Label("displaced points", curve[-1].nmse, curve[-1].eer.value)]
        _draw(axes, view, near, seeds=seeds)  # named in the close-up alone
        labels += _draw(axes, view, far, seeds=seeds)
        labels += [_frame(axes, _close_limits(near))] if near else []
        place_labels(figure, axes, labels, lines=_lines(curve, placed))
        spoken = "; ".join(_spoken(view.looks[m], its) for m, its in placed.items())
        alt = f"{alt_of(view, kind)}: {said_of(curve)}. {spoken}."
        svg = to_svg(figure, key=f"dose-{slug(view.protocol)}", alt=alt)
    panels = [Panel("Detectors on the thermal curve" if placed else "Thermal probes", svg)]
    return panels + ([_close_up(view, kind, near, seeds=seeds)] if near else [])


def _close_up(view: View, kind: str, near: dict[str, Placed], *, seeds: Seeds) -> Panel:
    curve = response(view, kind)
    limits = _close_limits(near)
    with style():
        figure, axes = dose_axes(TALL)
        draw_curve(axes, curve, view.looks[DISPLACED])
        axes.set(xlim=limits[0], ylim=limits[1])
        axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: fraction(v)))
        _draw(axes, view, near, seeds=seeds)
        spoken = "; ".join(_spoken(view.looks[m], its) for m, its in near.items())
        alt = f"{alt_of(view, kind)}, close up: {spoken}."
        svg = to_svg(figure, key=f"dose-close-{slug(view.protocol)}", alt=alt)
    legend = [(view.looks[model], _figures(its)) for model, its in near.items()]
    return Panel("Close up", svg, legend)


def _near(curve: list[Point], placed: dict[str, Placed], seeds: Seeds) -> dict[str, Placed]:
    """Return the detectors to draw close up; none where they have room on the whole curve."""
    lowest = min((its.nmse.value for its in placed.values()), default=0.0)
    near = {m: its for m, its in placed.items() if its.nmse.value <= NEAR * lowest}
    crowded = len({_base(model, seeds) for model in near}) > 1
    return near if crowded and 2 * NEAR * lowest < max(p.nmse for p in curve) else {}


def _draw(axes: Axes, view: View, placed: dict[str, Placed], *, seeds: Seeds) -> list[Label]:
    """Draw detectors and return their names, of one model's trainings once."""
    labels: dict[str, Label] = {}
    for model, its in placed.items():
        end = axes.get_xlim()[1]
        beyond = its.nmse.value > end
        x = 0.985 * end if beyond else its.nmse.value
        _mark(axes, its, x, look=view.looks[model], beyond=beyond)
        words = view.looks[_base(model, seeds)].label
        words += f" at {fraction(its.nmse.value, digits=2)}" if beyond else ""
        labels.setdefault(words, Label(words, x, its.eer.value))
    return list(labels.values())


def _mark(axes: Axes, placed: Placed, x: float, *, look: Look, beyond: bool) -> None:
    y = placed.eer.value
    if placed.eer.bounded:
        axes.vlines(x, placed.eer.low, placed.eer.high, color=look.colour, linewidth=1.2)
    if placed.nmse.bounded and not beyond:
        axes.hlines(y, placed.nmse.low, placed.nmse.high, color=look.colour, linewidth=1.2)
    marker = ">" if beyond else "o"
    axes.plot([x], [y], marker, color=look.colour, markersize=6, mec="white", mew=0.8, zorder=3)


def _lines(curve: list[Point], placed: dict[str, Placed]) -> list[Line]:
    """Return what names keep clear of: the curve and the bars."""
    lines: list[Line] = [[(point.nmse, point.eer.value) for point in curve]]
    for its in placed.values():
        x, y = its.nmse.value, its.eer.value
        lines += [[(x, its.eer.low), (x, its.eer.high)]] if its.eer.bounded else []
        lines += [[(its.nmse.low, y), (its.nmse.high, y)]] if its.nmse.bounded else []
    return lines


def _frame(axes: Axes, limits: Limits) -> Label:
    """Frame what is drawn close up, and return the frame's name."""
    (left, right), (low, high) = limits
    x, y = (left, right, right, left, left), (low, low, high, high, low)
    axes.plot(x, y, color=FAINT, linewidth=0.8, linestyle=(0, (2, 2)))
    return Label("close up", right, low)


def _limits(curve: list[Point], placed: dict[str, Placed]) -> Limits:
    last = max(point.nmse for point in curve)
    farthest = max((its.nmse.value for its in placed.values()), default=0.0)
    end = max(1.05 * last, min(1.05 * farthest, BEYOND * last))
    rates = [point.eer for point in curve] + [its.eer for its in placed.values()]
    top = max(rate.high if rate.bounded else rate.value for rate in rates)
    return (-0.015 * end, end), (0.0, min(1.0, 1.06 * top))


def _close_limits(near: dict[str, Placed]) -> Limits:
    ends = []
    for values in ([its.nmse for its in near.values()], [its.eer for its in near.values()]):
        low = min(v.low if v.bounded else v.value for v in values)
        high = max(v.high if v.bounded else v.value for v in values)
        room = 0.1 * (high - low) or 0.1 * high
        ends.append((max(0.0, low - room), high + room))
    return ends[0], ends[1]


def _base(model: str, seeds: Seeds) -> str:
    return seeds[model][0] if model in seeds else model


def _spoken(look: Look, its: Placed) -> str:
    return f"{look.label} {_figures(its)}"


def _figures(its: Placed) -> str:
    return f"NMSE {fraction(its.nmse.value)}, EER {percent(its.eer.value)}"


def placement_sentence(view: View, kind: str, *, seeds: Seeds) -> str:
    """Say which detectors have the EER that their NMSE predicts; empty without any."""
    told: dict[str, dict[str, int]] = {}
    trained: dict[str, int] = {}
    for model, its in placements(view, kind).items():
        base = _base(model, seeds)
        counts = told.setdefault(its.verdict, {})
        counts[base] = counts.get(base, 0) + 1
        trained[base] = trained.get(base, 0) + 1
    parts = []
    for verdict, counts in told.items():
        names = [
            view.looks[base].label
            + (f" ({count} of {trained[base]} trainings)" if count < trained[base] else "")
            for base, count in counts.items()
        ]
        spelt = verdict.replace("no interval", "without an interval")
        parts.append(f"{', '.join(names)} {spelt}")
    lead = "Detectors against the thermal curve (unadjusted)"
    return f"{lead}: {'; '.join(parts)}." if parts else ""


def placement_table(view: View, kinds: list[str]) -> Table | None:
    """Lay out by detector the NMSE, the EER measured and predicted, and the verdict.

    Of several kinds of displacement each predicts an EER of its own; None where none does.
    """
    found = {kind: placements(view, kind) for kind in kinds}
    bodies = [
        Body(
            [
                Row(view.looks[m].label, _cells(its), look=view.looks[m])
                for m, its in placed.items()
            ],
            title=f"By {kind.replace('_', ' ')} displacement",
        )
        for kind, placed in found.items()
        if placed
    ]
    if not bodies:
        return None
    return Table(
        caption=f"Equal error rate that a detector’s NMSE predicts, and its own, {verified(view)}",
        head=ALIGNED_BY,
        columns=["NMSE", "EER measured", "EER predicted", "Excess, points", "Verdict"],
        bodies=bodies,
        notes=[
            "Predicted: read off the curve of displaced points at the detector’s NMSE. Excess: "
            "measured minus predicted, in percentage points; “as predicted”: its interval holds 0. "
            "A detector is worse, or better, than its NMSE where its errors are of a kind that "
            f"costs more, or less, than the displacement does; unadjusted. {INTERVALS}"
        ],
    )


def _cells(placed: Placed) -> list[Cell]:
    excess = placed.excess
    return [
        Cell(fraction(placed.nmse.value), interval(placed.nmse)),
        rate_cell(placed.eer),
        rate_cell(placed.predicted),
        Cell(signed(excess.value, percent_number), interval(excess, rate=True))
        if excess
        else Cell(MISSING, tone="missing"),
        Cell(placed.verdict, tone="words"),
    ]
