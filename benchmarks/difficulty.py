"""How hard the built-in faces are to verify, with annotated points.

Usage: python benchmarks/difficulty.py [--seeds 2019 2020 2021] [--subjects 60] [--splits 3]

Renders Volume-1 pairs of Range 1 (4 resting and 12 speaking moments a subject) of several datasets
in memory and verifies them in random halves of the subjects: visible to visible, and thermal to
visible by PLS on the features as they are (raw), after taking off each modality's mean (centred)
and after DPM, for each rule of who the negatives are; then DPM with displaced probe landmarks.
Equal error rates are means over splits; intervals are 95 % of a subject-level bootstrap within a
dataset.
"""

import argparse
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import torch

from thermalign.geometry import LANDMARKS, fit_similarity, interocular_distance
from thermalign.metrics.bootstrap import eer_replicates, interval, subject_weights
from thermalign.metrics.verification import eer
from thermalign.simulator.dataset import COUNTS, Settings, Volume, render_subject
from thermalign.verification import dog, dpm, features, pls
from thermalign.warp import stack_images, warp

CANONICAL = np.array([[33, 42], [79, 42], [56, 75.5], [37.5, 94], [74.5, 94]], np.float64)
SIZE = {"width": 112, "height": 128}
RESTING, SPEAKING = 4, 12
JITTERS = (0.0, 0.02, 0.04, 0.10, 0.20)  # interocular distances
MAPPINGS = ("raw", "centred", "dpm")
COMPONENTS, CROSS_EXAMPLES, VALIDATION, REPLICATES = 10, 8, 4, 300


@dataclass(frozen=True)
class Pairs:
    """Features of a dataset: subject and whether resting per pair, and descriptors per kind."""

    subject: np.ndarray
    resting: np.ndarray
    described: dict[str, torch.Tensor]


@dataclass
class Rates:
    """Equal error rates of a method and their bootstrap replicates, one per dataset and split."""

    values: list[float] = field(default_factory=list)
    replicates: list[np.ndarray] = field(default_factory=list)

    @property
    def mean(self) -> float:
        """Return the mean over splits."""
        return float(np.mean(self.values))

    @property
    def spread(self) -> np.ndarray:
        """Return replicates of the mean over splits."""
        return np.mean(self.replicates, axis=0)


def main() -> None:
    parser = argparse.ArgumentParser(description="equal error rates with annotated points")
    parser.add_argument("--seeds", type=int, nargs="+", default=[2019, 2020, 2021])
    parser.add_argument("--subjects", type=int, default=60)
    parser.add_argument("--splits", type=int, default=3)
    args = parser.parse_args()
    rates: dict[str, dict[int, Rates]] = {}
    for seed in args.seeds:
        pairs = render(seed, args.subjects)
        # once per dataset: its splits share subjects, so their replicates must go together
        draws = subject_weights(args.subjects, replicates=REPLICATES, seed=seed)
        for split in range(args.splits):
            for name, (scores, probe, subjects) in verify(pairs, seed=seed, split=split).items():
                one = rates.setdefault(name, {}).setdefault(seed, Rates())
                add(one, scores, probe, subjects, weights=draws[:, subjects])
    report(rates)


def render(seed: int, subjects: int) -> Pairs:
    """Render, align and describe every pair."""
    plan = Volume(subjects, ranges=(1,), baseline=RESTING, expression=SPEAKING)
    rng = np.random.default_rng(seed)
    owner, resting, described = [], [], {}
    for number in range(subjects):
        taken = list(render_subject(Settings((plan,)), seed=seed, volume=1, number=number))
        thermal, visible = taken[0::2], taken[1::2]
        owner += [number] * len(thermal)
        resting += [s.condition == "baseline" for s in thermal]
        described.setdefault("visible", []).append(describe(visible))
        for jitter in JITTERS:
            noise = jitter * rng.standard_normal((len(thermal), len(LANDMARKS), 2))
            described.setdefault(f"thermal {jitter}", []).append(describe(thermal, noise))
    joined = {kind: torch.cat(parts) for kind, parts in described.items()}
    return Pairs(np.array(owner), np.array(resting), joined)


def describe(samples: list, noise: np.ndarray | float = 0.0) -> torch.Tensor:
    """Describe faces aligned by points that are ``noise`` interocular distances off."""
    points = np.array([s.points for s in samples])
    points = points + noise * interocular_distance(points)[:, None, None]
    images = [physical(s) for s in samples]
    stack = stack_images(images, torch.device("cpu"))
    matrices = torch.as_tensor(fit_similarity(points, CANONICAL))
    faces = warp(stack, torch.arange(len(samples)), matrices, **SIZE)[:, 0]
    return features.describe(dog.filter_faces(faces, dog.Settings()), features.Settings())


def physical(sample) -> np.ndarray:
    """Return an image of one channel in physical units."""
    _, scale, offset = COUNTS[sample.modality]
    pixels = sample.pixels if sample.pixels.ndim == 2 else luma(sample.pixels)
    return pixels.astype(np.float32) * np.float32(scale) + np.float32(offset)


def luma(pixels: np.ndarray) -> np.ndarray:
    return pixels @ np.array([0.114, 0.587, 0.299], np.float32)  # ITU-R BT.601, blue first


def verify(pairs: Pairs, *, seed: int, split: int) -> dict:
    """Return scores (probes, gallery subjects), probe subjects and subjects of every method."""
    order = np.random.default_rng([seed, split]).permutation(np.unique(pairs.subject))
    train, test = order[: len(order) // 2], np.sort(order[len(order) // 2 :])
    here, there = np.isin(pairs.subject, test), np.isin(pairs.subject, train)
    enrolled, speaking = here & pairs.resting, here & ~pairs.resting
    visible, thermal = pairs.described["visible"], pairs.described["thermal 0.0"]
    cross = there & np.isin(np.arange(len(there)) % (RESTING + SPEAKING), range(0, 16, 2))
    label = np.searchsorted(test, pairs.subject[enrolled])
    mapping = fit_dpm(pairs, train, seed=seed)
    means = {"visible": visible[there].mean(0), "thermal": thermal[there].mean(0)}

    def score(gallery, negative, probes, rule="published"):
        rows = np.concatenate([features.as_vectors(gallery), features.as_vectors(negative)])
        labels = np.concatenate([label, np.full(len(negative), pls.CROSS_EXAMPLE)])
        model = pls.fit_one_vs_all(rows, labels, n_components=COMPONENTS, negatives=rule)
        return pls.score(model, features.as_vectors(probes))

    done = {"visible to visible": (score(visible[enrolled], visible[cross], visible[speaking]),)}
    done["visible to visible"] += (pairs.subject[speaking], test)
    mapped = {
        "raw": (visible[enrolled], 0.0),
        "centred": (visible[enrolled] - means["visible"], means["thermal"]),
        "dpm": (dpm.apply(mapping, visible[enrolled]), 0.0),
    }
    for rule in pls.NEGATIVES:
        for name, (gallery, off) in mapped.items():
            scores = score(gallery, thermal[cross] - off, thermal[here] - off, rule)
            done[f"{rule}, {name}"] = scores, pairs.subject[here], test
    for jitter in JITTERS[1:]:
        probes = pairs.described[f"thermal {jitter}"][here]
        scores = score(mapped["dpm"][0], thermal[cross], probes)
        done[f"published, dpm, landmarks {jitter:.0%} off"] = scores, pairs.subject[here], test
    return done


def fit_dpm(pairs: Pairs, train: np.ndarray, *, seed: int) -> dpm.State:
    visible, thermal = pairs.described["visible"], pairs.described["thermal 0.0"]
    held, used = (np.isin(pairs.subject, part) for part in (train[:VALIDATION], train[VALIDATION:]))
    held_out = visible[held], thermal[held]
    return dpm.fit(visible[used], thermal[used], held_out, dpm.Settings(), seed=seed)


def add(
    rates: Rates,
    scores: np.ndarray,
    probe: np.ndarray,
    subjects: np.ndarray,
    *,
    weights: np.ndarray,
) -> None:
    genuine = probe[:, None] == subjects
    own = np.broadcast_to(np.searchsorted(subjects, probe)[:, None], scores.shape).ravel()
    gallery = np.broadcast_to(np.arange(len(subjects)), scores.shape).ravel()
    rates.values.append(eer(scores.ravel(), genuine.ravel()))
    rates.replicates.append(eer_replicates(scores.ravel(), genuine.ravel(), own, gallery, weights))


def report(rates: dict[str, dict[int, Rates]]) -> None:
    for name, seeds in rates.items():
        cells = [line(r.mean, r.spread) for r in seeds.values()]
        print(f"{name:40s} {' '.join(cells)}   mean {over(seeds, 'mean'):.3f}")
    for rule in pls.NEGATIVES:
        for other in ("raw", "centred"):
            ours, theirs = rates[f"{rule}, dpm"], rates[f"{rule}, {other}"]
            cells = [
                line(ours[s].mean - theirs[s].mean, ours[s].spread - theirs[s].spread) for s in ours
            ]
            print(f"{f'{rule}: dpm - {other}':40s} {' '.join(cells)}")
    dose = [rates["published, dpm"], *(v for k, v in rates.items() if "off" in k)]
    rising = all(over(a, "mean") < over(b, "mean") for a, b in pairwise(dose))
    plain = over(rates["published, raw"], "mean")
    same = over(rates["visible to visible"], "mean")
    print(f"rises with displaced landmarks: {rising}")
    print(f"difficulty: thermal to visible {plain:.3f} against visible to visible {same:.3f}")


def over(seeds: dict[int, Rates], name: str) -> float:
    return float(np.mean([getattr(r, name) for r in seeds.values()]))


def line(value: float, replicates: np.ndarray) -> str:
    low, high = interval(replicates)
    return f"{value:6.3f} [{low:6.3f}, {high:6.3f}]"


if __name__ == "__main__":
    main()
