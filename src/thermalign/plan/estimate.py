"""Scale what a finished study took to the work of another: see docs/plan.md."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from thermalign.geometry import Floats
from thermalign.plan.jobs import Job
from thermalign.plan.measured import Cost

SIZES = 1.5
"""Ratio of measured works from which on a fixed part is told from what work adds. ASSUME."""

FAR = 10.0
"""Times the work of the largest measured job beyond which a job's figures are a guess. ASSUME."""

CPU = "cpu"
"""Device of a cost line without a GPU."""


@dataclass(frozen=True)
class Estimate:
    """What a job is expected to take; None where nothing like it was measured.

    Attributes
    ----------
    job : Job
    cpu, wall, gpu : float or None
        Core-seconds, elapsed seconds, seconds of a GPU (0 where the measured jobs used none).
    memory : float or None
        MiB, of the largest job measured.
    beyond : float
        Its work, of that of the largest job measured.
    disk : float or None
        Bytes.
    """

    job: Job
    cpu: float | None = None
    wall: float | None = None
    gpu: float | None = None
    memory: float | None = None
    beyond: float = 0.0
    disk: float | None = None


def estimate(jobs: Iterable[Job], costs: Sequence[Cost]) -> list[Estimate]:
    """Return what jobs are expected to take.

    A job takes what measured jobs of its rule and kind took to start, a fixed part, and what each
    unit of work adds:

        core-seconds = start + a + b x work

    with a and b by least squares of relative errors, neither negative, where measured jobs differ
    in work; else a = 0, which errs upwards for a larger job and downwards for a smaller one. A
    line's start is its ``start_up`` times its core-seconds by wall second, at most 1: on a busy
    machine wall time is longer and core-seconds are not. A job without a GPU is taken to last its
    core-seconds, divided by the cores that the measured ones kept busy; one with, its wall time.
    """
    alike: dict[tuple[str, str], list[Cost]] = {}
    for cost in costs:
        alike.setdefault((cost.job.rule, cost.job.kind), []).append(cost)
    return [_scaled(job, alike.get((job.rule, job.kind), [])) for job in jobs]


def _scaled(job: Job, alike: Sequence[Cost]) -> Estimate:
    if not alike:
        return Estimate(job)
    work = np.array([cost.job.work for cost in alike])
    lines = [cost.line for cost in alike]
    busy = [min(line["cpu"] / max(line["wall"], 1e-3), 1.0) for line in lines]
    starts = [line["start_up"] * part for line, part in zip(lines, busy, strict=True)]
    start = sum(starts) / len(starts)
    spent = [max(line["cpu"] - its, 0.0) for line, its in zip(lines, starts, strict=True)]
    cpu = start + _grown(job.work, work, np.array(spent))
    if there := [cost for cost in alike if cost.line["device"] != CPU]:
        wait = sum(its.line["start_up"] for its in there) / len(there)
        after = np.array([max(its.line["wall"] - its.line["start_up"], 0.0) for its in there])
        done = np.array([its.job.work for its in there])
        gpu = wall = wait + _grown(job.work, done, after)
    else:
        cores = sum(line["cpu"] for line in lines) / sum(line["wall"] for line in lines)
        gpu, wall = 0.0, cpu / max(cores, 1.0)
    return Estimate(
        job,
        cpu,
        wall,
        gpu,
        max(line["memory"] for line in lines),
        job.work / work.max(),
        _size(job) / sum(_size(cost.job) for cost in alike) * sum(cost.disk for cost in alike),
    )


def _grown(wanted: float, work: Floats, spent: Floats) -> float:
    """Return the seconds of a work, from those of measured ones (n,)."""
    if work.max() < SIZES * work.min():
        return float(wanted * spent.sum() / work.sum())
    relative = 1 / np.maximum(spent, 1e-3)
    (fixed, rate), _ = nnls(np.stack([relative, work * relative], axis=1), spent * relative)
    return float(fixed + rate * wanted)


def _size(job: Job) -> float:
    return job.work if job.size is None else job.size
