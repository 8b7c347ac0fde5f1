"""Operating points: rates at a false accept rate, and at thresholds set on training subjects."""

from thermalign.report.cells import Body, Cell, Row, Table, number, percent, rate_cell
from thermalign.report.failures import failed
from thermalign.report.names import subset_label
from thermalign.report.people import people_words, verified
from thermalign.report.summary import Value, View
from thermalign.report.tables import ALIGNED_BY, INTERVALS

RULES = (
    "Impostor comparisons of the same two people are no independent trials, so person pairs are "
    "counted: ordered pairs of different people, probe to gallery, in a fold. Rule of 30: a rate "
    "is shown where that many pairs let 30 errors be expected. Rule of 3: where not one error is "
    "seen in N pairs, the rate may still be as high as 3 / N, with 95 % confidence."
)


def operating_table(view: View) -> Table | None:
    """Lay out true accept rates at fixed false accept rates and rank-1, by range; None without.

    Beside them stand the person pairs that they rest on; a rate with too few says what it takes.
    """
    rates = view.abscissas("tar_at_far")
    models = view.models("tar_at_far", "rank1")
    measured = view.subsets("tar_at_far", "rank1")
    subsets = [*view.ranges("tar_at_far", "rank1"), *(["all"] if "all" in measured else [])]
    if not models:
        return None
    bodies = [
        Body(
            [Row(view.looks[m].label, _cells(view, m, subset), look=view.looks[m]) for m in models],
            title="; ".join(filter(None, [subset_label(subset), people_words(view, subset)])),
        )
        for subset in subsets or measured
    ]
    return Table(
        caption=f"Operating points and identification, {verified(view)}",
        head=ALIGNED_BY,
        columns=[*(_title(view, rate) for rate in rates), "Rank-1"],
        bodies=bodies,
        compact=True,
        notes=[
            "TAR: share of genuine comparisons accepted at a false accept rate (FAR) on the test "
            "scores themselves. Rank-1: share of probes whose own subject scores highest. "
            f"{INTERVALS}",
            *([RULES] if view.models("person_pairs") else []),
        ],
    )


def _title(view: View, rate: float) -> str:
    needed = [v for s in view.subsets("person_pairs_needed") for v in _needed(view, s, rate)]
    takes = f", needs {number(needed[0].value)} pairs" if needed else ""
    return f"TAR at FAR {percent(rate)}{takes}"


def _needed(view: View, subset: str, rate: float) -> list[Value]:
    found = (view.get(m, "person_pairs_needed", subset=subset, at=rate) for m in view.looks)
    return [value for value in found if value and value.known]


def _cells(view: View, model: str, subset: str) -> list[Cell]:
    has = view.get(model, "person_pairs", subset=subset)
    cells = []
    for rate in view.abscissas("tar_at_far"):
        takes = view.get(model, "person_pairs_needed", subset=subset, at=rate)
        value = view.get(model, "tar_at_far", subset=subset, at=rate)
        cells.append(rate_cell(value, empty=too_few(takes, has)))
    return [*cells, rate_cell(view.get(model, "rank1", subset=subset))]


def too_few(needed: Value | None, pairs: Value | None) -> str:
    """Say how many person pairs a rate takes, and how many there are."""
    if needed is None or not needed.known:
        return "n too small"
    has = f", has {number(pairs.value)}" if pairs and pairs.known else ""
    return f"needs {number(needed.value)} person pairs{has}"


def threshold_tables(view: View) -> list[Table]:
    """Lay out error rates at thresholds set on training subjects, beside the EER; by range folded.

    None without any.
    """
    measured = view.subsets("fmr")
    ranges = view.ranges("fmr")
    first = ["all"] if "all" in measured else (ranges or measured)
    rest = [s for s in ranges if s not in first]
    tables = [_thresholds(view, first)] if first else []
    if rest:
        tables.append(
            _thresholds(view, rest, folded="Thresholds set on training subjects, by range")
        )
    return tables


def _thresholds(view: View, subsets: list[str], *, folded: str = "") -> Table:
    targets = view.abscissas("fmr")
    kinds = [("", ("fmr", "fnmr"))]
    if failed(view):
        kinds = [("FMR, FNMR", ("fmr", "fnmr")), ("FAR, FRR", ("far", "frr"))]
    bodies = []
    for subset in subsets:
        for names, metrics in kinds:
            rows = [_threshold_row(view, m, subset, targets, metrics) for m in view.models("fmr")]
            title = ", ".join(filter(None, [subset_label(subset), names]))
            bodies.append(Body(rows, title=title))
    pair = ["FMR, FAR", "FNMR, FRR"] if failed(view) else ["FMR", "FNMR"]
    groups = [_target(target) for target in targets]
    return Table(
        caption="Error rates of test subjects at thresholds set on training subjects, "
        f"{verified(view)}",
        head=ALIGNED_BY,
        columns=["EER", *pair * len(targets)],
        bodies=bodies,
        groups=[("A posteriori", 1), *((title, 2) for title in groups)],
        notes=[
            "A threshold that works in the field is set before its users are seen: here on scores "
            "of training people against each other, once for equal errors and once for every "
            "false match rate (FMR) that their number can show, and then kept. FNMR: false "
            "non-match rate. The EER beside them sets its threshold on the test scores "
            "themselves, which no system in use can. "
            + (
                "FMR, FNMR: acquired probes; FAR, FRR: failures to acquire count as rejected. "
                if failed(view)
                else ""
            )
            + INTERVALS
        ],
        folded=folded,
    )


def _target(target: float) -> str:
    return f"Set for FMR {percent(target)}" if target else "Set for equal errors"


def _threshold_row(
    view: View, model: str, subset: str, targets: list[float], metrics: tuple[str, str]
) -> Row:
    eer = "eer_found" if metrics[0] == "fmr" and view.models("eer_found") else "eer"
    cells = [rate_cell(view.get(model, eer, subset=subset))]
    for target in targets:
        false, missed = (view.get(model, metric, subset=subset, at=target) for metric in metrics)
        bound = view.get(model, "fmr_bound", subset=subset, at=target)
        cells += [_false_cell(false, bound), rate_cell(missed)]
    return Row(view.looks[model].label, cells, look=view.looks[model])


def _false_cell(value: Value | None, bound: Value | None) -> Cell:
    """Show a false match rate; where none was seen, how high it may be all the same."""
    if bound and bound.known and value and value.known:
        return Cell(percent(value.value), f"at most {percent(bound.value)}")
    return rate_cell(value, empty="too few pairs")
