"""How sure the detectors are, and what it is worth: calibration, ranking, rejection."""

from collections.abc import Callable, Sequence

from matplotlib.ticker import MaxNLocator

from thermalign.report.blocks import Block, Body, Cell, Chapter, Paragraph, Part, Row, Table
from thermalign.report.drawing import (
    FAINT,
    Panel,
    Panels,
    axes_of,
    curve,
    ends,
    fraction_axis,
    panel,
    percent_axis,
    style,
)
from thermalign.report.layout import (
    ALIGNED_BY,
    INTERVALS,
    column_groups,
    difference_cell,
    model_row,
    plain_cell,
    points_cell,
    rate_cell,
)
from thermalign.report.looks import Look
from thermalign.report.setup import Condition, Setup
from thermalign.report.study import Study
from thermalign.report.views import Value, View
from thermalign.report.words import fraction, joined, percent, spelt, subset_label
from thermalign.schemas.keys import (
    ALL,
    CONFIDENCE,
    RANDOM,
    REJECTION,
    TRUE_ERROR,
    UNDISTURBED,
    VARIANT,
    Subset,
)

COVERAGES = ("coverage_50", "coverage_80", "coverage_95")

SURPRISES = (
    ("nll", "Stated"),
    ("nll_constant", "One spread"),
    ("nll_above_constant", "Difference"),
    ("nll_validation_constant", "Beforehand"),
    ("nll_above_validation_constant", "Difference"),
)
"""Metric and title of what stated distributions and their rivals are surprised by."""

AREAS = (("aurc", "AURC"), ("aurc_oracle", "by true error"), ("aurc_random", "at random"))
"""Metric and title of areas under risk-coverage curves."""

DOTTED = (1.0, 1.6)

UNDER_VARIANTS = (
    ("coverage_95", "95 % regions"),
    ("nll_above_constant", "Surprise above that of one spread"),
    ("rank_correlation", "Rank correlation of images"),
)
"""Metric and title of what is laid out by variant."""

STATED = (
    "With every point a detector states how far it may be off: a two-dimensional Student t around "
    "it, calibrated on validation subjects of the fold, and its mean distance, the expected error "
    "of the landmark; that of an image is the mean of its landmarks. Here it is held against what "
    "the points of test subjects turn out to be. A model that states nothing is left out."
)
CALIBRATED = (
    "Expected, true: mean error of an image, in interocular distances, of faces that were found. "
    "Regions: share of true points in those that are meant to hold so many of them; shaded where "
    "the interval leaves that share out."
)
INFORMATIVE = (
    "Surprise: mean negative log-likelihood of a landmark, in nats, of errors in interocular "
    "distances; lower is better, and below 0 is possible. One spread: the likeliest Student t of "
    "each landmark for all of these faces together, fitted to these very faces, which is the "
    "hardest rival that knows nothing of the single face. Beforehand: the likeliest one of the "
    "validation faces that the detector was calibrated on, which could be stated without these "
    "faces. Rank correlation (Spearman): of expected and true error, over the images of a landmark "
    "(mean of the landmarks) and of whole images; none where a model expects the same of every "
    "face."
)
RISK = (
    "Mean error of the surest share of images: sorted by what each model expects (line; band: 95 % "
    "interval of a bootstrap over subjects) and by the true error, which no model can know "
    "(dotted). The level line is the mean of all images, which a random order keeps. Every panel "
    "has a scale of its own, from 0."
)
AREA = (
    "The mean, over all shares, of the error of the surest images: what is left if one does not "
    "know beforehand how many will be answered. By true error: the least that any order leaves; at "
    "random: the mean error of all images."
)
REJECTED = (
    "The share of probes that a column names is rejected: those with the highest expected error, "
    "any at random (expected rates, without drawing), or those with the highest true error. A "
    "rejected probe is a failure to acquire (FTA). Accepted probes: as if the rejected ones had "
    "never been. All attempts: a rejected probe matches nobody. The share is one of the probes at "
    "hand, which set its threshold themselves. Rejection at random leaves the rates of accepted "
    "probes as they are with none rejected."
)
BROUGHT = (
    "Below 0: rejection helps more than at random. By true error: what would be brought by knowing "
    "how far the points of each probe are off; a confidence cannot hope for more of the NMSE, but "
    "may tell more of the EER, which depends on more than points."
)


def chapter(study: Study) -> Chapter | None:
    """Show what stated errors are worth, a part per protocol; None where nothing was stated.

    It reads SUMMARY: coverage_50, coverage_80, coverage_95, nmse_expected, nll, nll_constant,
    nll_above_constant, rank_correlation and rank_correlation_landmark of the study and of
    variants; nll_validation_constant and nll_above_validation_constant of the study;
    risk_coverage and aurc with their references; and of the experiment ``rejection`` fta, eer,
    eer_found, eer_found_above_random and nmse_above_random.
    """
    parts = [Part(view.label, _blocks(study, view), view.protocol.name) for view in study.views]
    shown = [part for part in parts if part.blocks]
    if not shown:
        return None
    title = "How sure the detectors are, and what that is worth"
    return Chapter("confidence", title, shown, [Paragraph(STATED)], contents="How sure")


def _blocks(study: Study, view: View) -> list[Block]:
    if not view.models("nll"):
        return []
    main = [ALL, *view.ranges("nll")]
    others = [s for s in view.subsets("nll") if s not in main]
    blocks: list[Block | None] = [
        calibration_table(view, main),
        information_table(view, main),
        calibration_table(view, others, folded="Calibration by condition and landmark"),
        information_table(view, others, folded="Surprise and ranks by condition and landmark"),
        variant_table(study.setup, view),
        risk_figure(view),
        area_table(view),
        rejection_table(study, view),
        gain_table(study, view),
        hit_table(study, view),
    ]
    return [block for block in blocks if block]


def calibration_table(view: View, subsets: Sequence[Subset], *, folded: str = "") -> Table | None:
    """Lay out expected beside true errors, and coverages; None without any subset."""
    if not subsets:
        return None
    return Table(
        caption=f"What is stated of errors, and what holds, {view.label}",
        head="Model",
        columns=["Expected", "True", *(_nominal(metric) for metric in COVERAGES)],
        groups=[("Error", 2), ("True points in the stated region", 3)],
        bodies=_bodies(view, subsets, _calibration),
        notes=[f"{CALIBRATED} {INTERVALS}"],
        folded=folded,
        compact=True,
    )


def _bodies(
    view: View, subsets: Sequence[Subset], cells: Callable[[View, str, Subset], list[Cell]]
) -> list[Body]:
    """Return a body per subset, with a row for each model that states its errors there."""
    return [
        Body(
            [model_row(view, m, cells(view, m, s)) for m in view.known("nll", s)],
            title=subset_label(s),
        )
        for s in subsets
    ]


def _calibration(view: View, model: str, subset: Subset) -> list[Cell]:
    expected, true = (view.get(model, m, subset) for m in ("nmse_expected", "nmse"))
    held = (covered_cell(view.get(model, metric, subset), metric) for metric in COVERAGES)
    return [plain_cell(expected), plain_cell(true), *held]


def _nominal(metric: str) -> str:
    return percent(_share(metric), digits=0)


def _share(metric: str) -> float:
    return int(metric.removeprefix("coverage_")) / 100


def covered_cell(value: Value | None, metric: str) -> Cell:
    """Show a coverage; shaded where its interval leaves out the share that is stated."""
    cell = rate_cell(value)
    share = _share(metric)
    if value and value.bounded and not value.low <= share <= value.high:
        return Cell(cell.text, cell.detail, "off")
    return cell


def information_table(view: View, subsets: Sequence[Subset], *, folded: str = "") -> Table | None:
    """Lay out the surprise beside its rival's, and rank correlations; None without any subset."""
    if not subsets:
        return None
    return Table(
        caption=f"Whether what is stated tells faces apart, {view.label}",
        head="Model",
        columns=[*(title for _, title in SURPRISES), "Landmarks", "Images"],
        groups=[("Surprise of a landmark, nats", 5), ("Rank correlation of errors", 2)],
        bodies=_bodies(view, subsets, _information),
        notes=[f"{INFORMATIVE} {INTERVALS}"],
        folded=folded,
        compact=True,
    )


def _information(view: View, model: str, subset: Subset) -> list[Cell]:
    surprises = (
        (difference_cell if "above" in m else plain_cell)(view.get(model, m, subset), digits=2)
        for m, _ in SURPRISES
    )
    landmarks, images = (
        view.get(model, metric, subset)
        for metric in ("rank_correlation_landmark", "rank_correlation")
    )
    if subset.landmark:
        landmarks, images = images, None
    return [
        *surprises,
        plain_cell(landmarks, digits=2),
        plain_cell(images, digits=2),
    ]


def variant_table(setup: Setup, view: View) -> Table | None:
    """Lay out what the 95 % regions hold under variants, folded; None where none was measured."""
    names = view.settings(VARIANT, "coverage_95")
    if len(names) < 2:
        return None
    every = [*setup.moved, *setup.resized, *setup.recordings.get(view.protocol.name, [])]
    titles = {c.name: c for c in every} | {UNDISTURBED: Condition(UNDISTURBED, "", "as trained")}
    columns = [titles.get(name, Condition(name, "", spelt(name))) for name in names]
    inside = [view.within(experiment=VARIANT, setting=c.name) for c in columns]
    bodies = []
    for metric, title in UNDER_VARIANTS:
        rows = []
        for model in view.models("nll"):
            found = [its.get(model, metric) for its in inside]
            rows.append(model_row(view, model, [_variant_cell(v, metric) for v in found]))
        bodies.append(Body(rows, title=title))
    return Table(
        caption=f"Stated errors in other boxes and recordings, {view.label}",
        head="Model",
        columns=[c.title for c in columns],
        groups=column_groups([(c.group, c.title, c.name) for c in columns]),
        bodies=bodies,
        notes=[f"Shaded where the interval leaves 95 % out. {INTERVALS}"],
        folded="Stated errors in other boxes and recordings",
    )


def _variant_cell(value: Value | None, metric: str) -> Cell:
    if metric in COVERAGES:
        return covered_cell(value, metric)
    if metric == "nll_above_constant":
        return difference_cell(value, digits=2)
    return plain_cell(value, digits=2)


def risk_figure(view: View) -> Panels | None:
    """Draw the risk-coverage curve of each model beside its references; None without any."""
    panels = [_risk_panel(view, model) for model in view.curves("risk_coverage")]
    return Panels(panels, f"{RISK} {view.label}, all images.", small=True) if panels else None


def _risk_panel(view: View, model: str) -> Panel:
    look, points = view.looks[model], view.curve(model, "risk_coverage")
    least, level = view.curve(model, "risk_coverage_oracle"), points[-1][1].value
    with style():
        figure, axes = axes_of()
        axes.axhline(level, color=FAINT, linewidth=0.9)
        curve(axes, least, Look("", FAINT, DOTTED))
        curve(axes, points, look, say=_answered)
        top = 1.08 * ends(value for _, value in points)[1]
        axes.set(xlim=(0, 1), ylim=(0, top), xlabel="Share of images, surest first")
        axes.set_ylabel("Mean error, IOD")
        percent_axis(axes.xaxis)
        axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
        fraction_axis(axes.yaxis, digits=2 if top > 0.1 else 3)
        half = next((value.value for at, value in points if at >= 0.5), level)
        alt = (
            f"Mean error over the share of images that are answered, {look.label}, {view.label}: "
            f"{fraction(half)} of the surest half, {fraction(level)} of all."
        )
        return panel(figure, title=look.label, alt=alt, look=look)


def _answered(at: float, value: Value) -> str:
    return f"{fraction(value.value)} of the surest {percent(at)}"


def area_table(view: View) -> Table | None:
    """Lay out areas under risk-coverage curves beside their references; None without any."""
    bodies = [
        Body(
            [
                model_row(view, m, [plain_cell(view.get(m, metric, s)) for metric, _ in AREAS])
                for m in view.known("aurc", s)
            ],
            title=subset_label(s),
        )
        for s in (ALL, *view.ranges("aurc"))
        if view.known("aurc", s)
    ]
    if not bodies:
        return None
    return Table(
        caption=f"Area under the risk-coverage curve (AURC), {view.label}",
        head="Model",
        columns=[title for _, title in AREAS],
        bodies=bodies,
        notes=[f"{AREA} {INTERVALS}"],
        compact=True,
        folded="Areas under the risk-coverage curves",
    )


def shares_of(study: Study, view: View) -> list[float]:
    """Return the shares of probes that a protocol rejects, as configured."""
    block = study.config.get("protocols", {}).get(view.protocol.name, {})
    return [float(share) for share in block.get("reject", ())]


def at(setting: str, share: float, reach: str = "") -> Subset:
    """Return the subset of a rejection."""
    return Subset(experiment=REJECTION, setting=setting, level=share, range=reach)


def _rejecting(view: View, shares: Sequence[float]) -> list[str]:
    known = [view.known("fta", at(CONFIDENCE, share)) for share in shares]
    return [model for model in view.looks if any(model in values for values in known)]


def rejection_table(study: Study, view: View) -> Table | None:
    """Lay out equal error rates with the least sure probes rejected; None without any."""
    shares = shares_of(study, view)
    models = _rejecting(view, shares)
    if not models:
        return None
    columns = ["none", *(percent(share, digits=_digits(shares)) for share in shares)]
    return Table(
        caption=f"Equal error rate without the probes that are rejected, {view.verified}",
        head=ALIGNED_BY,
        columns=columns * 2,
        groups=[("EER of accepted probes", len(columns)), ("EER of all attempts", len(columns))],
        bodies=[Body([row for m in models for row in _rejection_rows(view, m, shares)])],
        notes=[f"{REJECTED} {INTERVALS}"],
    )


def _digits(shares: Sequence[float]) -> int:
    return 0 if all(float(f"{share:.2f}") == share for share in shares) else 1


def _rejection_rows(view: View, model: str, shares: Sequence[float]) -> list[Row]:
    none = [rate_cell(view.get(model, metric)) for metric in ("eer_found", "eer")]
    blank, several = Cell(""), [Cell("")] * (len(shares) + 1)
    its, random, best = (
        [
            [rate_cell(view.get(model, metric, at(setting, share))) for share in shares]
            for metric in ("eer_found", "eer")
        ]
        for setting in (CONFIDENCE, RANDOM, TRUE_ERROR)
    )
    lost = [view.get(model, "fta"), *(view.get(model, "fta", at(CONFIDENCE, s)) for s in shares)]
    return [
        model_row(view, model, [none[0], *its[0], none[1], *its[1]]),
        Row("at random", [blank, *random[0], blank, *random[1]], tone="muted"),
        Row("by true error", [blank, *best[0], blank, *best[1]], tone="muted"),
        Row("failure to acquire", [*map(rate_cell, lost), *several], tone="muted"),
    ]


def gain_table(study: Study, view: View) -> Table | None:
    """Lay out how far errors of accepted probes lie above random rejection; None without any."""
    shares = shares_of(study, view)
    models = _rejecting(view, shares)
    if not models:
        return None
    columns = [percent(share, digits=_digits(shares)) for share in shares]
    rows = []
    for model in models:
        for setting in (CONFIDENCE, TRUE_ERROR):
            subsets = [at(setting, share) for share in shares]
            errors = [view.get(model, "nmse_above_random", s) for s in subsets]
            cells = [difference_cell(value, digits=4) for value in errors]
            rates = [points_cell(view.get(model, "eer_found_above_random", s)) for s in subsets]
            if setting == CONFIDENCE:
                rows.append(model_row(view, model, cells + rates))
            else:
                rows.append(Row("by true error", cells + rates, tone="muted"))
    return Table(
        caption=f"What rejection brings beyond rejection at random, {view.verified}",
        head=ALIGNED_BY,
        columns=columns * 2,
        groups=[
            ("NMSE of accepted probes", len(columns)),
            ("EER of accepted probes, percentage points", len(columns)),
        ],
        bodies=[Body(rows)],
        notes=[f"{BROUGHT} {INTERVALS}"],
    )


def hit_table(study: Study, view: View) -> Table | None:
    """Lay out which share of each range's probes is rejected, folded; None without ranges."""
    shares, ranges = shares_of(study, view), view.ranges("eer")
    models = _rejecting(view, shares)
    if not models or not ranges:
        return None
    columns = [
        (f"{percent(share, digits=_digits(shares))} rejected", subset_label(s), (share, s.range))
        for share in shares
        for s in ranges
    ]
    rows = [
        model_row(
            view,
            model,
            [rate_cell(view.get(model, "fta", at(CONFIDENCE, *key))) for *_, key in columns],
        )
        for model in models
    ]
    return Table(
        caption=f"Failure to acquire by range, the least sure probes rejected, {view.verified}",
        head=ALIGNED_BY,
        columns=[title for _, title, _ in columns],
        groups=column_groups(columns),
        bodies=[Body(rows)],
        notes=[joined(["Probes that had no aligned face before are counted, too.", INTERVALS])],
        folded="Whom rejection hits, by range",
    )
