"""How often 95 % intervals hold the truth where faces are lost, scores tie and images differ.

Usage: python benchmarks/coverage_failures.py [--repetitions 2000] [--draws 200]

Images differ in how hard they are, as people do. A hard image lowers genuine scores, raises errors
and is lost more often, by one detector more than by the other; hard images are annotated less
often. So who has which images tells something: differences are taken on images that both have.
Scores are rounded, so that many tie. The truth is that of very many people. Beside the interval of
the study stands that of the middle 95 % of the replicates.
"""

import argparse
import os
from collections.abc import Iterator
from dataclasses import dataclass

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before NumPy reads it

import numpy as np
from scipy.special import expit

from thermalign.evaluation.compared import Compared
from thermalign.metrics.bootstrap import nmse_replicates, ratio_replicates, subject_weights
from thermalign.metrics.intervals import DIFFERENCE, RATE, interval
from thermalign.metrics.verification import auc, d_prime, eer

GAP, COST = 2.4, 0.3  # of genuine over impostor scores; what the second detector costs
OWN, PROBE, GALLERY, PAIR, IMAGE, MORE = 0.5, 0.3, 0.3, 0.4, 0.8, 0.3  # standard deviations
HARD, LOST = 0.5, 0.8  # standard deviation over people of how hard, how easily lost they are
ERROR, BETWEEN, WITHIN = 0.05, 0.3, 0.2  # median NMSE; standard deviation of its logarithm
NONE, MANY = np.empty(0), 500
STEP = 0.25  # scores are whole multiples
FTA, NMSE_PAIR, EER_PAIR, EER_ANNOTATED = (
    "fta",
    "nmse difference, both found",
    "eer difference, failures counted",
    "eer difference, annotated probes",
)
METRICS = ("fta", "auc", "auc_found", "d_prime", "eer", "eer_found", NMSE_PAIR, EER_PAIR)
METRICS = (*METRICS, EER_ANNOTATED)
RATES = ("fta", "auc", "auc_found", "eer", "eer_found")


@dataclass(frozen=True)
class Study:
    """One fold of ``people`` with ``images`` each.

    ``rare``: how much more seldom faces are lost, in log odds.
    """

    people: int = 20
    images: int = 3
    rare: float = 0.0


@dataclass(frozen=True)
class Sample:
    """N people with K images each; two detectors, and annotated points.

    Attributes
    ----------
    scores : three of (N, K, N) float
        Probe person, image, enrolled person; -inf where the detector lost the face.
    errors : two of (N, K) float, NaN where lost
    annotated : (N, K) bool
    """

    scores: list[np.ndarray]
    errors: list[np.ndarray]
    annotated: np.ndarray


def sample(rng: np.random.Generator, n: int, study: Study) -> Sample:
    """Draw N people and their images."""
    k = study.images
    own, probe, gallery, hard, lost = (
        rng.normal(0, sd, n) for sd in (OWN, PROBE, GALLERY, HARD, LOST)
    )
    hardness = hard[:, None] + rng.normal(0, 1, (n, k))
    common = probe[:, None] + gallery + rng.normal(0, PAIR, (n, n))
    base = common[:, None] + rng.normal(0, IMAGE, (n, k, n))
    rows = np.arange(n)
    scores = []
    for cost in (0.0, 0.0, COST):
        its = base + rng.normal(0, MORE, (n, k, 1))
        its[rows, :, rows] += GAP + own[:, None] - cost - 0.4 * hardness
        scores.append(np.round(its / STEP) * STEP)
    errors = []
    for its, offset, slope in zip(scores[1:], (-3.5, -2.5), (0.7, 1.2), strict=True):
        chance = expit(offset - study.rare + lost[:, None] + slope * hardness)
        missed = rng.random((n, k)) < chance
        its[missed] = -np.inf
        person = rng.normal(0, BETWEEN, n)[:, None]
        each = ERROR * np.exp(person + 0.3 * hardness + rng.normal(0, WITHIN, (n, k)))
        errors.append(np.where(missed, np.nan, each))
    return Sample(scores, errors, rng.random((n, k)) < expit(0.5 - hardness))


def compared(scores: np.ndarray, weights: np.ndarray) -> Compared:
    """Return scores (N, K, N) as comparisons."""
    k = scores.shape[1]
    probe, shot, gallery = (axis.ravel() for axis in np.indices(scores.shape))
    return Compared(scores.ravel(), probe == gallery, probe * k + shot, probe, gallery, weights)


Figure = tuple[str, float, np.ndarray]


def measure(drawn: Sample, weights: np.ndarray) -> Iterator[Figure]:
    """Yield name, value and replicates of every metric of one sample."""
    upper, first, second = (compared(scores, weights) for scores in drawn.scores)
    n, k = drawn.annotated.shape
    person = np.repeat(np.arange(n), k)
    missed = np.isnan(drawn.errors[1]).ravel().astype(float)
    yield FTA, missed.mean(), ratio_replicates(missed, np.ones(n * k), person, weights)
    found = second.found()
    for name, its in (("auc", second), ("auc_found", found)):
        yield name, auc(its.score, its.genuine), its.auc() if len(weights) else NONE
    d = d_prime(found.score, found.genuine)
    yield "d_prime", d, found.d_prime() if len(weights) else NONE
    yield "eer", *_eer(second)
    yield "eer_found", *_eer(found)
    both = np.isfinite(drawn.errors).all(axis=0).ravel()
    pair = [each.ravel()[both] for each in drawn.errors]
    sides = [(its.mean(), nmse_replicates(its, person[both], weights)) for its in pair]
    yield NMSE_PAIR, *_minus(*sides)
    yield EER_PAIR, *_minus(_eer(first), _eer(second))
    common = np.repeat(drawn.annotated.ravel(), n)
    sides = [_eer(its.take(common)) for its in (upper, second)]
    yield EER_ANNOTATED, *_minus(*sides)


def _eer(part: Compared) -> tuple[float, np.ndarray]:
    drawn = part.rates(NONE)[0] if len(part.weights) else NONE
    return eer(part.score, part.genuine), drawn


def _minus(
    first: tuple[float, np.ndarray], second: tuple[float, np.ndarray]
) -> tuple[float, np.ndarray]:
    return first[0] - second[0], first[1] - second[1]


def truth(
    rng: np.random.Generator, study: Study, *, samples: int, people: int = 500
) -> dict[str, float]:
    """Return the metrics of very many people."""
    none = np.empty((0, people))
    found = [
        [value for _, value, _ in measure(sample(rng, people, study), none)] for _ in range(samples)
    ]
    return dict(zip(METRICS, np.mean(found, axis=0), strict=True))


def coverage(
    study: Study, *, repetitions: int, draws: int, seed: int = 0, samples: int = 30
) -> dict[str, dict[str, float]]:
    """Return by metric its truth, mean estimate, and how often intervals hold the truth."""
    rng = np.random.default_rng(seed)
    true = truth(rng, study, samples=samples)
    kept: dict[str, list[tuple[float, ...]]] = {name: [] for name in METRICS}
    for repetition in range(repetitions):
        weights = subject_weights(study.people, replicates=draws, seed=repetition)
        for name, value, replicates in measure(sample(rng, study.people, study), weights):
            scale = RATE if name in RATES else DIFFERENCE
            low, high = interval(value, replicates, subjects=study.people, scale=scale)
            bottom, top = np.nanquantile(replicates, [0.025, 0.975])
            holds = low <= true[name] <= high, bottom <= true[name] <= top
            kept[name].append((value, *holds, low > true[name], high < true[name], high - low))
    columns = ("estimate", "covered", "covered by percentiles", "above", "below", "width")
    return {
        name: {"truth": true[name], **dict(zip(columns, np.nanmean(rows, axis=0), strict=True))}
        for name, rows in kept.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="coverage of 95 % intervals with failures")
    parser.add_argument("--repetitions", type=int, default=2000)
    parser.add_argument("--draws", type=int, default=200)
    args = parser.parse_args()
    for study in (Study(), Study(rare=2.0), Study(people=10), Study(30, 4, rare=2.0)):
        print(f"{study}, {args.repetitions} repetitions of {args.draws} draws")
        found = coverage(study, repetitions=args.repetitions, draws=args.draws)
        for name, row in found.items():
            figures = ", ".join(f"{key} {value:.3f}" for key, value in row.items())
            print(f"  {name}: {figures}", flush=True)


if __name__ == "__main__":
    main()
