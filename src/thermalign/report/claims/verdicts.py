"""The paper, claim by claim: all twelve, and how many of them hold."""

from collections.abc import Sequence

from thermalign.report.claims.errors import (
    constant,
    crossing,
    jointly,
    lowest,
    more_data,
    plateau,
    refinement,
    shifted,
    updates,
)
from thermalign.report.claims.evidence import FAILS, HOLDS, UNDECIDED, Claim, Side
from thermalign.report.claims.rates import drop, ground_truth, sensitive
from thermalign.report.study import Study


def claims(study: Study) -> list[Claim]:
    """Return the twelve claims with their verdicts; none without a protocol of it."""
    sides = [Side(study, view) for view in study.views if view.protocol.paper]
    sides = [side for side in sides if side.view.models("nmse", "eer")]
    if not sides:
        return []
    judged = (
        lowest,
        crossing,
        constant,
        more_data,
        plateau,
        shifted,
        ground_truth,
        drop,
        sensitive,
        jointly,
        updates,
        refinement,
    )
    return [judge(sides) for judge in judged]


def verdict(found: Sequence[Claim]) -> str:
    """Say in one line how many claims hold; empty without any."""
    if not found:
        return ""
    counts = {v: [c.number for c in found if c.verdict == v] for v in (HOLDS, FAILS, UNDECIDED)}
    words = {HOLDS: ("holds", "hold"), FAILS: ("fails", "fail"), UNDECIDED: ("is", "are")}
    said = []
    for name, numbers in counts.items():
        tail = " undecided" if name == UNDECIDED else ""
        said.append(f"{len(numbers)} {words[name][len(numbers) != 1]}{tail}")
    return f"Of the paper’s {len(found)} claims, {said[0]} on this dataset, {said[1]}, {said[2]}."
