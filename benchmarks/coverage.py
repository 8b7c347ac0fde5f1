"""How often 95 % intervals hold the truth, on simulated scores and errors whose truth is known.

Usage: python benchmarks/coverage.py [--repetitions 500] [--draws 500]

Scores have a part of the person as a probe, as a gallery entry and as a genuine pair, one of every
pair, and noise. Two more models have the same people and noise of their own: one costs everyone the
same part of the gap between genuine and impostor scores, the other differs by person. Folds test
some of the same subjects. The truth is that of very many people; of rank 1, of very many galleries.
Beside the interval of the study stands that of the middle 95 % of the replicates.
"""

import argparse
import os
from collections.abc import Iterator
from dataclasses import dataclass, fields

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before NumPy reads it

import numpy as np

from thermalign.metrics.bootstrap import (
    nmse_replicates,
    rate_replicates,
    ratio_replicates,
    subject_weights,
)
from thermalign.metrics.identification import own_ranks
from thermalign.metrics.intervals import DIFFERENCE, POSITIVE, RATE, interval
from thermalign.metrics.verification import eer, roc

GAP, LESS = 2.4, 0.2  # of genuine over impostor scores; how much smaller with another model
COST = 0.3  # standard deviation over people of LESS, with the third model
OWN, PROBE, GALLERY, PAIR, IMAGE, MORE = 0.5, 0.3, 0.3, 0.4, 0.8, 0.3  # standard deviations
ERROR, BETWEEN, WITHIN = 0.05, 0.3, 0.2  # median NMSE; SD of its logarithm
FAR = 0.01
EVEN, UNEVEN = "eer difference, even cost", "eer difference, cost by person"
METRICS = ("eer", "tar_at_far", "rank1", "nmse", EVEN, UNEVEN)
SCALES = {"nmse": POSITIVE, EVEN: DIFFERENCE, UNEVEN: DIFFERENCE}  # of others: RATE


@dataclass(frozen=True)
class Study:
    """A dataset of ``subjects``, of whom each fold tests ``tested`` with ``images`` each."""

    subjects: int = 60
    tested: int = 30
    folds: int = 5
    images: int = 4


@dataclass(frozen=True)
class People:
    """Effects of people, each (N,).

    As genuine pair, as probe, as gallery entry, on errors, and on what the third model costs.
    """

    own: np.ndarray
    probe: np.ndarray
    gallery: np.ndarray
    error: np.ndarray
    cost: np.ndarray

    @classmethod
    def drawn(cls, rng: np.random.Generator, n: int) -> "People":
        """Draw N people."""
        return cls(*(rng.normal(0, sd, n) for sd in (OWN, PROBE, GALLERY, BETWEEN, COST)))

    def some(self, who: np.ndarray) -> "People":
        """Return the people of an index."""
        return People(*(getattr(self, field.name)[who] for field in fields(self)))


def scores_of(rng: np.random.Generator, people: People, images: int) -> list[np.ndarray]:
    """Return the scores of the three models, each (N, images, N): probe, image, gallery."""
    n = len(people.own)
    common = people.probe[:, None] + people.gallery + rng.normal(0, PAIR, (n, n))
    first = common[:, None] + rng.normal(0, IMAGE, (n, images, n))
    noise = rng.normal(0, MORE, (2, n, images, 1))
    rows, own = np.arange(n), GAP + people.own
    every = [first, first + noise[0], first + noise[1]]
    for scores, gap in zip(every, (own, own - LESS, own - LESS + people.cost), strict=True):
        scores[rows, :, rows] += gap[:, None]
    return every


def errors_of(rng: np.random.Generator, people: People, images: int) -> np.ndarray:
    """Return normalised errors, (N, images)."""
    noise = rng.normal(0, WITHIN, (len(people.error), images))
    return ERROR * np.exp(people.error[:, None] + noise)


def truth(rng: np.random.Generator, study: Study, *, samples: int) -> dict[str, float]:
    """Return the metrics of very many people, and rank 1 of galleries of a fold's size."""
    found, n = [], 1000
    for _ in range(samples):
        genuine = np.broadcast_to(np.eye(n, dtype=bool)[:, None], (n, study.images, n)).ravel()
        every = [s.ravel() for s in scores_of(rng, People.drawn(rng, n), study.images)]
        one, even, uneven = (eer(scores, genuine) for scores in every)
        accepted = roc(every[0], genuine, np.array([FAR]))[0]
        found.append((one, accepted, one - even, one - uneven))
    rate, accepted, even, uneven = np.mean(found, axis=0)
    ranks = []
    for _ in range(100 * samples):
        first, *_ = scores_of(rng, People.drawn(rng, study.tested), study.images)
        ranks.append((_ranks(first) == 1).mean())
    mean = ERROR * np.exp((BETWEEN**2 + WITHIN**2) / 2)
    figures = rate, accepted, np.mean(ranks), mean, even, uneven
    return dict(zip(METRICS, figures, strict=True))


def _ranks(scores: np.ndarray) -> np.ndarray:
    """Return the ranks of scores (N, images, N), (N * images,)."""
    n, images, _ = scores.shape
    return own_ranks(scores.reshape(-1, n), np.repeat(np.eye(n, dtype=bool), images, axis=0))


def measure(
    rng: np.random.Generator, people: People, study: Study, weights: np.ndarray
) -> Iterator[tuple[str, float, np.ndarray]]:
    """Yield name, value and replicates of every metric of one fold."""
    n, images = study.tested, study.images
    shape = n, images, n
    probe, _, gallery = (axis.ravel() for axis in np.indices(shape))
    genuine = probe == gallery
    every = scores_of(rng, people, images)
    at = np.array([FAR])
    rates = []
    for scores in every:
        flat = scores.ravel()
        drawn = rate_replicates(flat, genuine, probe, gallery, weights=weights, at=at)
        rates.append((eer(flat, genuine), *drawn))
    yield "eer", *rates[0][:2]
    for name, other in ((EVEN, rates[1]), (UNEVEN, rates[2])):
        yield name, rates[0][0] - other[0], rates[0][1] - other[1]
    yield "tar_at_far", roc(every[0].ravel(), genuine, at)[0], rates[0][2][:, 0]
    hits, subject = (_ranks(every[0]) == 1).astype(float), np.repeat(np.arange(n), images)
    yield "rank1", hits.mean(), ratio_replicates(hits, np.ones(len(hits)), subject, weights)
    errors = errors_of(rng, people, images).ravel()
    yield "nmse", errors.mean(), nmse_replicates(errors, subject, weights)


def estimate(
    rng: np.random.Generator, study: Study, *, draws: int, seed: int
) -> dict[str, tuple[float, np.ndarray]]:
    """Return value and replicates of every metric over the folds of one simulated study."""
    people = People.drawn(rng, study.subjects)
    weights = subject_weights(study.subjects, replicates=draws, seed=seed)
    found: dict[str, list[tuple[float, np.ndarray]]] = {name: [] for name in METRICS}
    for _ in range(study.folds):
        who = np.sort(rng.choice(study.subjects, study.tested, replace=False))
        for name, value, replicates in measure(rng, people.some(who), study, weights[:, who]):
            found[name].append((value, replicates))
    return {
        name: (float(np.mean([v for v, _ in each])), np.mean([r for _, r in each], axis=0))
        for name, each in found.items()
    }


def coverage(
    study: Study, *, repetitions: int, draws: int, seed: int = 0
) -> dict[str, dict[str, float]]:
    """Return by metric its truth, mean estimate, and how often intervals hold the truth."""
    rng = np.random.default_rng(seed)
    true = truth(rng, study, samples=8)
    kept: dict[str, list[tuple[float, ...]]] = {name: [] for name in METRICS}
    for repetition in range(repetitions):
        for name, (value, replicates) in estimate(rng, study, draws=draws, seed=repetition).items():
            scale = SCALES.get(name, RATE)
            low, high = interval(value, replicates, subjects=study.tested, scale=scale)
            bottom, top = np.nanquantile(replicates, [0.025, 0.975])
            holds = low <= true[name] <= high, bottom <= true[name] <= top
            kept[name].append((value, *holds, high - low))
    columns = ("estimate", "covered", "covered by percentiles", "width")
    return {
        name: {"truth": true[name], **dict(zip(columns, np.mean(rows, axis=0), strict=True))}
        for name, rows in kept.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="coverage of 95 % intervals")
    parser.add_argument("--repetitions", type=int, default=500)
    parser.add_argument("--draws", type=int, default=500)
    args = parser.parse_args()
    for study in (Study(folds=1), Study(), Study(subjects=30, tested=15, folds=5)):
        print(
            f"{study.folds} fold(s) of {study.tested} of {study.subjects} subjects, "
            f"{study.images} images each, {args.repetitions} repetitions of {args.draws} draws"
        )
        found = coverage(study, repetitions=args.repetitions, draws=args.draws)
        for name, row in found.items():
            figures = ", ".join(f"{key} {value:.3f}" for key, value in row.items())
            print(f"  {name}: {figures}", flush=True)


if __name__ == "__main__":
    main()
