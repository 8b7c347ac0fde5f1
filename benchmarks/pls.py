"""One-vs-all PLS against scikit-learn fitted once per subject, on the same inputs in one run.

Usage: python benchmarks/pls.py

Fitting all subjects with scikit-learn would take minutes, so a few are timed and the fastest of
them is multiplied by the number of subjects. Both sides count their fastest run, on one thread.
The last line is the study's size, 30 subjects; the ratio grows with the number of subjects.
"""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"  # before NumPy reads it

import time  # noqa: E402
from collections.abc import Callable  # noqa: E402

import numpy as np  # noqa: E402
from sklearn.cross_decomposition import PLSRegression  # noqa: E402

from thermalign.verification.pls import CROSS_EXAMPLE, fit_one_vs_all, score  # noqa: E402

WIDTH = 6240  # 15 x 13 descriptors of 32
ROWS = 1500
COMPONENTS = 10
TIMED = 5  # subjects that scikit-learn fits, and runs of all at once
PROBES = 50


def main() -> None:
    ratio = compare(subjects=30, each=8)
    compare(subjects=200, each=4)
    print(f"pls: {ratio:.0f} x vs scikit-learn PLSRegression")


def compare(*, subjects: int, each: int) -> float:
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(subjects), each)
    labels = np.concatenate([labels, np.full(ROWS - len(labels), CROSS_EXAMPLE)])
    means = rng.normal(size=(subjects + 1, WIDTH))
    features = means[labels] + rng.normal(size=(ROWS, WIDTH))
    probes = means[rng.integers(0, subjects, PROBES)] + rng.normal(size=(PROBES, WIDTH))

    def at_once(_: int) -> np.ndarray:
        return score(fit_one_vs_all(features, labels, n_components=COMPONENTS), probes)[:, :TIMED]

    def one(subject: int) -> np.ndarray:
        targets = np.where(labels == subject, 1.0, -1.0)
        return PLSRegression(COMPONENTS, scale=False).fit(features, targets).predict(probes).ravel()

    ours, scores = fastest(at_once)
    theirs, columns = fastest(one)
    theirs *= subjects
    difference = np.abs(scores[0] - np.column_stack(columns)).max()
    print(f"{subjects} subjects, {ROWS} rows x {WIDTH} features, {COMPONENTS} components")
    print(f"  thermalign, all at once: {ours:.2f} s")
    print(f"  scikit-learn: {theirs:.1f} s, scaled from {TIMED} subjects; {theirs / ours:.0f} x")
    print(f"  largest difference of scores: {difference:.1e}")
    return theirs / ours


def fastest(run: Callable[[int], np.ndarray]) -> tuple[float, list[np.ndarray]]:
    times, results = [], []
    for k in range(TIMED):
        start = time.perf_counter()
        results.append(run(k))
        times.append(time.perf_counter() - start)
    return min(times), results


if __name__ == "__main__":
    main()
