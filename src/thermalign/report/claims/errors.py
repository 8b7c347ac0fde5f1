"""The paper's claims about landmark error."""

import math
from dataclasses import replace

from thermalign.report.claims.evidence import (
    BOUNDS,
    DRASTIC,
    FAILS,
    HOLDS,
    NEAREST,
    NEARLY,
    PLATEAU,
    UNDECIDED,
    Claim,
    Evidence,
    Side,
    below,
    claim_of,
    of_errors,
    plain,
    ratio,
    tally,
    times,
    turned,
    where_of,
)
from thermalign.report.printed import PRINTED, TRIO, published
from thermalign.report.views import Value
from thermalign.report.words import (
    between,
    fraction,
    interval,
    percent_number,
    signed,
    spelt,
    subset_label,
)
from thermalign.schemas.keys import ALL, Subset


def lowest(sides: list[Side]) -> Claim:
    """Judge claim 1 by DAN minus the paper's other detectors, at every range."""
    evidence = [
        its
        for side in sides
        for subset in side.ranges()
        for other in ("mtcnn", "pbc")
        for its in of_errors(side, "dan", other, subset)
    ]
    why = f"Of {len(evidence)} differences in NMSE: {tally(evidence)}."
    better = [
        side.view.looks[model].label
        for side in sides
        for model, value in side.view.known("nmse").items()
        if side.study.base(model) not in TRIO
        if (dan := side.error("dan", ALL)) and value.value < dan.value
    ]
    if better:
        names = ", ".join(dict.fromkeys(better))
        why += f" Of the paper’s three; not in the paper and lower still: {names}."
    return claim_of(1, evidence, why)


def crossing(sides: list[Side]) -> Claim:
    """Judge claim 2 by PBC minus MTCNN: below zero at Range 1, above it farther away."""
    evidence = []
    for side in sides:
        for subset in side.ranges():
            pair = ("pbc", "mtcnn") if subset.range == "1" else ("mtcnn", "pbc")
            evidence += list(of_errors(side, *pair, subset))
    why = f"Of {len(evidence)} differences in NMSE: {tally(evidence)}."
    return claim_of(2, evidence, why)


def constant(sides: list[Side]) -> Claim:
    """Judge claim 3 by the ratio of NMSE at the farthest range to that at the nearest."""
    evidence = []
    for side in sides:
        ranges = side.ranges()
        for name in TRIO if len(ranges) > 1 else ():
            near, far = (side.error(name, subset) for subset in (ranges[0], ranges[-1]))
            if near is None or far is None:
                continue
            its = ratio(far, near)
            if name == "pbc":
                against = below(its, DRASTIC)
                says = None if against is None else not against
            else:
                within = (
                    below(its, NEARLY),
                    below(
                        replace(its, value=1 / its.value, low=1 / its.high, high=1 / its.low),
                        NEARLY,
                    ),
                )
                says = False if False in within else True if all(within) else None
            columns = PRINTED[side.paper][name]
            paper = times(columns[ranges[-1].range].nmse / columns[ranges[0].range].nmse)
            what = f"{side.label(name)}, Range {ranges[-1].range} over {ranges[0].range}"
            ends = between(its.low, its.high, show=plain) if its.bounded else ""
            evidence.append(
                Evidence(f"{side.view.label}: {what}", times(its.value), ends, says, paper)
            )
    why = (
        f"Nearly constant: a factor below {NEARLY}; drastic: above {DRASTIC:.0f} (the paper calls "
        f"1.2 the one and 3.2 the other). Of {len(evidence)}: {tally(evidence)}. {BOUNDS}"
    )
    return claim_of(3, evidence, why)


def more_data(sides: list[Side]) -> Claim:
    """Judge claim 4 by the NMSE of Protocol 2 over that of Protocol 1, Volume 1, each range."""
    by_paper = {side.paper: side for side in sides}
    if not {1, 2} <= by_paper.keys():
        return claim_of(4, [], "")
    one, two = by_paper[1], by_paper[2]
    evidence = []
    for first, second in zip(one.ranges(), two.ranges(), strict=False):
        for name in TRIO:
            few, many = one.error(name, first), two.error(name, second)
            printed = [published(n, name, s) for n, s in ((1, first), (2, second))]
            if few is None or many is None:
                continue
            its = ratio(many, few)
            paper = times(printed[1].nmse / printed[0].nmse) if printed[0] and printed[1] else ""
            ends = between(its.low, its.high, show=plain) if its.bounded else ""
            where = f"{subset_label(first)}: {one.label(name)}, Protocol 2 over 1"
            evidence.append(Evidence(where, times(its.value), ends, below(its, 1.0), paper))
    why = (
        f"Of {len(evidence)} errors, on Volume 1 alone because Volume 2 is of Range 1: "
        f"{tally(evidence)}. {BOUNDS}"
    )
    return claim_of(4, evidence, why)


def plateau(sides: list[Side]) -> Claim:
    """Judge claim 5 by the rise of PBC's curves while the threshold doubles."""
    evidence = []
    for side in sides:
        for subset in (ALL, *side.view.ranges("ced")):
            points = [(at, v.value) for at, v in side.view.curve(side.model("pbc"), "ced", subset)]
            if not points:
                continue
            at, rise = _flattest(points)
            what = f"from NMSE {fraction(at, digits=2)} to {fraction(2 * at, digits=2)}"
            text = f"+{percent_number(rise)} points of images" if math.isfinite(rise) else "–"
            says = math.isfinite(rise) and rise < PLATEAU
            evidence.append(Evidence(where_of(side, subset, what), text, "", says))
    flat = [e.where.partition(": from")[0] for e in evidence if e.says]
    wholes = [e for e in evidence if "All images" in e.where]
    seen = f"Seen in {'; '.join(flat)}." if flat else "Seen nowhere."
    why = (
        f"A plateau: fewer than {percent_number(PLATEAU, digits=0)} % of the images are gained "
        f"while the threshold doubles, with a tenth of them above and below. {seen} The paper’s "
        "text blames Ranges 1 and 2, its Table 5 shows Range 3. Judged by the curves of all images;"
        " a rise along one curve has no interval."
    )
    return claim_of(5, evidence, why, judged=_of_curves(wholes) if wholes else None)


def _of_curves(wholes: list[Evidence]) -> str:
    """Return the verdict of curves without interval: undecided where they do not agree."""
    said = {its.says for its in wholes}
    return UNDECIDED if len(said) > 1 else HOLDS if True in said else FAILS


def _flattest(points: list[tuple[float, float]]) -> tuple[float, float]:
    """Return the threshold from which on a curve rises least until it doubles, and that rise."""
    shares = {round(at, 6): share for at, share in points}
    rises = [
        (shares[round(2 * at, 6)] - share, at)
        for at, share in points
        if at > 0 and 0.1 <= share <= 0.9 and round(2 * at, 6) in shares
    ]
    rise, at = min(rises, default=(math.nan, math.nan))
    return at, rise


def shifted(sides: list[Side]) -> Claim:
    """Judge claim 6 by MTCNN's error of the worst landmark over that of the best."""
    evidence = []
    for side in sides:
        subsets = [s for s in side.view.subsets("nmse") if s == Subset(landmark=s.landmark) != ALL]
        found = [(v, s) for s in subsets if (v := side.error("mtcnn", s))]
        if len(found) < 2:
            continue
        (least, easy), (most, hard) = (pick(found, key=_value_of) for pick in (min, max))
        its = ratio(most, least)
        what = f"{side.label('mtcnn')}, {spelt(hard.landmark)} over {spelt(easy.landmark)}"
        ends = between(its.low, its.high, show=plain) if its.bounded else ""
        says = below(its, NEARLY)
        evidence.append(Evidence(f"{side.view.label}: {what}", times(its.value), ends, says))
    why = (
        f"The same error at every landmark: its worst within a factor of {NEARLY} of its best. "
        f"{tally(evidence)}. {BOUNDS}"
    )
    return claim_of(6, evidence, why)


def _value_of(item: tuple[Value, Subset]) -> float:
    return item[0].value


def jointly(sides: list[Side]) -> Claim:
    """Judge claim 10 by MTCNN trained on all its losses minus MTCNN on landmarks alone."""
    blocks = sides[0].study.config.get("models", {})
    losses = {
        name: str((block or {}).get("losses", "alternating"))
        for name, block in blocks.items()
        if (block or {}).get("model", name) == "mtcnn"
    }
    alone = [name for name, its in losses.items() if its == "landmarks"]
    joint = [name for name, its in losses.items() if its != "landmarks"]
    evidence = []
    for side in sides:
        for both, one in ((b, o) for b in joint for o in alone):
            value = side.difference(both, one, "nmse", ALL)
            if value and value.known:
                under = below(value)
                what = f"{side.label(both)} (all losses) − {side.label(one)} (landmarks alone)"
                shown = signed(value.value, fraction), interval(value)
                evidence.append(
                    Evidence(f"{side.view.label}: {what}", *shown, turned(under), value=value)
                )
    if not evidence:
        why = (
            "Not measured: it takes MTCNN trained twice, under models: once with losses: landmarks "
            "and once with losses: alternating."
        )
        return claim_of(10, [], why, judged=UNDECIDED)
    return claim_of(10, evidence, f"{tally(evidence).capitalize()}.")


def updates(sides: list[Side]) -> Claim:
    """Judge claim 11 by DAN, which regresses updates, minus MTCNN, which regresses coordinates."""
    evidence = [its for side in sides for its in of_errors(side, "dan", "mtcnn", ALL)]
    why = (
        f"DAN regresses updates, MTCNN’s O-Net coordinates: {tally(evidence)}. They differ in "
        "size, input and training, too, here as in the paper: it is a comparison of detectors, not "
        "of this one choice."
    )
    return claim_of(11, evidence, why)


def refinement(sides: list[Side]) -> Claim:
    """Leave claim 12 open, beside what no choice among PBC's patches can get below."""
    evidence = []
    for side in sides:
        nearest, dan = side.error("pbc", NEAREST, "nmse_best_cell"), side.error("dan", NEAREST)
        if nearest and dan:
            where = f"{side.view.label}, Range 1: nearest patch of PBC (DAN: {fraction(dan.value)})"
            shown = fraction(nearest.value), interval(nearest)
            evidence.append(Evidence(where, *shown, None, value=nearest))
    why = (
        "No detector here refines another’s points by local patches, so that nothing decides it. "
        "What can be told is the error of the best choice among PBC’s patches at Range 1: points "
        "below it could not be refined by them."
    )
    return claim_of(12, evidence, why, judged=UNDECIDED)
