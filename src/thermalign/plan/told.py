"""The plan of a study as a table for the terminal."""

from collections.abc import Iterator, Sequence

from thermalign.plan.estimate import FAR, Estimate
from thermalign.plan.jobs import UNITS

UNKNOWN = "unknown"
LARGER = 1.1
"""Times the largest measured job from which on its memory is a lower bound. ASSUME."""
HEAD = f"{'rule':<16}{'jobs':>6}{'core-h':>10}{'GPU-h':>9}{'longest':>11}{'memory':>12}{'disk':>11}"


def table(found: Sequence[Estimate], cores: int) -> Iterator[str]:
    """Yield the lines: each rule, all of them, how long on some cores, and what is unknown."""
    yield HEAD
    for rule in [rule for rule in UNITS if any(its.job.rule == rule for its in found)]:
        yield _row(rule, [its for its in found if its.job.rule == rule])
    yield _row("all", found)
    known = [its for its in found if its.cpu is not None]
    wall = max(sum(its.cpu or 0.0 for its in known) / cores, *(its.wall or 0.0 for its in known), 0)
    yield f"Of what is known, on {cores} cores: {_time(wall)} if every core were always busy."
    if not any(its.gpu for its in known):
        yield "GPU hours: the finished study used no GPU; what one would take is unknown."
    if any(its.beyond > LARGER for its in known):
        yield "Memory with >: jobs are larger than any measured one; it may be more."
    if far := dict.fromkeys(its.job.rule for its in known if its.beyond > FAR):
        yield f"More than {FAR:.0f} times the largest measured job, so a guess: {', '.join(far)}."
    missing = [its.job for its in found if its.cpu is None]
    if missing:
        rules = {job.rule: sum(its.rule == job.rule for its in missing) for job in missing}
        counts = ", ".join(f"{count} {rule}" for rule, count in rules.items())
        yield f"Unknown, and in no sum: {counts}. The finished study has no job like them."


def _row(name: str, found: Sequence[Estimate]) -> str:
    known = [its for its in found if its.cpu is not None]
    cells = [UNKNOWN] * 5
    if known:
        longest = max(its.wall or 0.0 for its in known)
        memory = max(its.memory or 0.0 for its in known)
        more = ">" if any(its.beyond > LARGER for its in known) else ""
        cells = [
            f"{sum(its.cpu or 0.0 for its in known) / 3600:.2f}",
            f"{sum(its.gpu or 0.0 for its in known) / 3600:.2f}",
            _time(longest),
            f"{more}{memory:,.0f} MiB",
            f"{sum(its.disk or 0.0 for its in known) / 2**20:,.0f} MiB",
        ]
    if known and len(known) < len(found):
        cells[0] += "+?"
    core, gpu, time, space, disk = cells
    return f"{name:<16}{len(found):>6}{core:>10}{gpu:>9}{time:>11}{space:>12}{disk:>11}"


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
