"""The paper's claims about verification, under both readings of shared moments."""

from collections.abc import Callable
from dataclasses import replace

from thermalign.report.claims.evidence import (
    AS_GOOD,
    FAILS,
    HOLDS,
    NEAREST,
    UNDECIDED,
    Claim,
    Evidence,
    Side,
    below,
    claim_of,
    tally,
    together,
    turned,
    two,
)
from thermalign.report.printed import CLAIMS, EER_DROP, TRIO
from thermalign.report.setup import READINGS
from thermalign.report.views import Value
from thermalign.report.words import (
    between,
    interval,
    percent,
    percent_number,
    signed,
)
from thermalign.schemas.keys import ANNOTATED, Subset


def _rates(side: Side, name: str, reading: str, subset: Subset) -> Value | None:
    """Return a model's EER minus that of annotated points, under a reading."""
    headline = side.view.protocol.readings[:1] in ((), (reading,))
    where = subset if headline else subset._replace(same_moment=reading)
    return side.difference(name, ANNOTATED, "eer", where)


def _readings(sides: list[Side]) -> list[str]:
    told = [reading for side in sides for reading in side.view.protocol.readings]
    return list(dict.fromkeys(told)) or [""]


def _by_reading(
    number: int, sides: list[Side], judge: Callable[[str], tuple[list[Evidence], str]], why: str
) -> Claim:
    """Judge a claim about rates under every reading; undecided where they do not agree."""
    found = {reading: judge(reading) for reading in _readings(sides)}
    evidence = [its for listed, _ in found.values() for its in listed]
    if not evidence:
        return claim_of(number, [], "")
    verdicts = {reading: its for reading, (listed, its) in found.items() if listed}
    agreed = set(verdicts.values())
    final = agreed.pop() if len(agreed) == 1 else UNDECIDED
    told = "; ".join(f"{READINGS.get(r, r)}: {its}" for r, its in verdicts.items())
    tail = f" Both readings: {told}." if len(verdicts) > 1 else ""
    return Claim(number, CLAIMS[number], final, f"{why}{tail}", evidence, verdicts)


def _reading_of(side: Side, reading: str) -> str:
    return f"{side.view.label}, {READINGS[reading]}" if reading in READINGS else side.view.label


def ground_truth(sides: list[Side]) -> Claim:
    """Judge claim 7 by every detector's EER minus that of annotated points at Range 1."""

    def judge(reading: str) -> tuple[list[Evidence], str]:
        lowered, equal = [], []
        for side in sides:
            for name in TRIO:
                value = _rates(side, name, reading, NEAREST)
                if value is None or not value.known:
                    continue
                under = below(value)
                says = None if under is None else not under
                what = f"{side.label(name)} − annotated points"
                text = f"{signed(value.value, percent_number)} points"
                shown = text, interval(value, rate=True)
                where = f"{_reading_of(side, reading)}: {what}"
                lowered.append(Evidence(where, *shown, says, value=value))
                if name == "dan":
                    equal.append(_nearly(value) if side.paper == 2 else turned(_nearly(value)))
        return lowered, together([*(e.says for e in lowered), *equal])

    why = (
        "Detectors’ EER minus that of annotated points, Range 1, has to be above zero; DAN’s "
        f"within {percent_number(AS_GOOD, digits=0)} points of it in Protocol 2, not in Protocol 1."
    )
    return _by_reading(7, sides, judge, why)


def _nearly(value: Value) -> bool | None:
    """Say whether a difference of rates is nearly none; None where its interval leaves it open."""
    if not value.bounded:
        return None
    if value.low >= -AS_GOOD and value.high <= AS_GOOD:
        return True
    return False if value.low > AS_GOOD or value.high < -AS_GOOD else None


def drop(sides: list[Side]) -> Claim:
    """Judge claim 8 by DAN's EER over that of annotated points, in points and relative to it."""

    def judge(reading: str) -> tuple[list[Evidence], str]:
        found = []
        for side in sides:
            value = _rates(side, "dan", reading, NEAREST)
            subset = NEAREST
            if side.view.protocol.readings[:1] not in ((), (reading,)):
                subset = NEAREST._replace(same_moment=reading)
            truth = side.error(ANNOTATED, subset, "eer")
            if value is None or truth is None or not value.bounded or not truth.value:
                continue
            units = ((value, "in points", value), (_over(value, truth.value), "relative", None))
            for its, unit, row in units:
                inside = its.low <= EER_DROP <= its.high
                says = None if inside and its.low <= 0 else inside
                text = signed(its.value, percent if row is None else _in_points)
                ends = interval(its, rate=True)
                where = f"{_reading_of(side, reading)}: DAN over annotated points, {unit}"
                found.append(Evidence(where, text, ends, says, percent(EER_DROP), row))
        said = [e.says for e in found]
        if said and not any(its is not False for its in said):
            return found, FAILS
        protocols = [said[k : k + 2] for k in range(0, len(said), 2)]
        return found, HOLDS if said and all(True in its for its in protocols) else UNDECIDED

    why = (
        "The paper calls it a drop, though an EER does not get worse by dropping, and names "
        "neither unit nor protocol: read as a rise, at Range 1. It holds where 8.2 % lies in an "
        "interval that leaves zero out, in one of the units, in every protocol; it fails where no "
        "interval holds 8.2 %. Relative: to the annotated points’ EER, taken as known."
    )
    return _by_reading(8, sides, judge, why)


def _in_points(rate: float) -> str:
    return f"{percent_number(rate)} points"


def _over(value: Value, by: float) -> Value:
    return replace(value, value=value.value / by, low=value.low / by, high=value.high / by)


def sensitive(sides: list[Side]) -> Claim:
    """Judge claim 9 by slopes of thermal minus visible probes, in d′ and in EER."""
    evidence = []
    for side in sides:
        kind = side.study.main_kind(side.view)
        for metric, name, steeper in (
            ("d_prime_slope", "d′ per IOD", "below"),
            ("eer_slope", "points of EER per .01 IOD", "above"),
        ):
            value = side.view.dose(ANNOTATED, f"{metric}_difference", kind)
            if value is None or not value.known:
                continue
            under = below(value)
            says = under if steeper == "below" else turned(under)
            text = signed(value.value, two)
            ends = between(value.low, value.high, show=two) if value.bounded else ""
            where = f"{side.view.label}: thermal − visible, {name}"
            evidence.append(Evidence(where, text, ends, says, value=value))
    measures = {e.says for e in evidence}
    mixed = {True, False} <= measures
    why = (
        "The same displacements on thermal and visible probes of the same moments; the paper shows "
        f"no visible control. {tally(evidence).capitalize()}."
    )
    if mixed:
        why += (
            " It depends on the measure: an EER that starts near 0, as that of visible probes, "
            "cannot show what is lost at first; d′ has no such floor."
        )
    return claim_of(9, evidence, why, judged=UNDECIDED if mixed else None)
