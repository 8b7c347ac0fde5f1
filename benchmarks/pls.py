"""One-vs-all PLS against scikit-learn fitted once per subject, on the same inputs in one run.

Usage: python benchmarks/pls.py [--device cpu]

Rows and features are as many as in a study of 30 + 30 and of 85 training and 200 enrolled subjects:
4 gallery images each, 8 cross-examples of each training subject, negatives as published. Fitting
all subjects with scikit-learn would take minutes, so a few are timed and the fastest of them is
multiplied by the number of subjects. Both sides count their fastest run, in turns, on one thread:
processor time, or wall time where the device is a GPU. Ours runs on NumPy arrays, and on torch
tensors of the device with the same code.
"""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"  # before NumPy reads it

import argparse  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable  # noqa: E402
from typing import Any  # noqa: E402

import numpy as np  # noqa: E402
import torch  # noqa: E402
from sklearn.cross_decomposition import PLSRegression  # noqa: E402

from thermalign.verification.pls import CROSS_EXAMPLE, fit_one_vs_all, score  # noqa: E402

WIDTH = 6240  # 15 x 13 descriptors of 32
GALLERY, CROSS = 4, 8  # images of an enrolled subject, of a training subject
COMPONENTS = 10
TIMED = 5  # subjects that scikit-learn fits, and runs of all at once
PROBES = 50


def main() -> None:
    parser = argparse.ArgumentParser(description="one-vs-all PLS against scikit-learn's")
    parser.add_argument("--device", default="cpu", help="of the torch tensors")
    device = torch.device(parser.parse_args().device)
    torch.set_num_threads(1)
    many = compare(enrolled=200, training=85, device=device)
    few = compare(enrolled=30, training=30, device=device)
    print(f"pls: {few:.0f} x (30 subjects), {many:.0f} x (200) vs scikit-learn PLSRegression")


def compare(*, enrolled: int, training: int, device: torch.device) -> float:
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(enrolled), GALLERY)
    labels = np.concatenate([labels, np.full(training * CROSS, CROSS_EXAMPLE)])
    means = rng.normal(size=(enrolled + 1, WIDTH))
    features = means[labels] + rng.normal(size=(len(labels), WIDTH))
    probes = means[rng.integers(0, enrolled, PROBES)] + rng.normal(size=(PROBES, WIDTH))
    tensors = [torch.as_tensor(values, device=device) for values in (features, probes)]

    def at_once(features: Any, probes: Any) -> np.ndarray:
        scores = score(fit_one_vs_all(features, labels, n_components=COMPONENTS), probes)
        return scores if isinstance(scores, np.ndarray) else scores.cpu().numpy()

    def one(subject: int) -> np.ndarray:
        targets = np.where(labels == subject, 1.0, -1.0)
        return PLSRegression(COMPONENTS, scale=False).fit(features, targets).predict(probes).ravel()

    clock = time.process_time if device.type == "cpu" else time.perf_counter

    def timed(run: Callable[[], np.ndarray]) -> tuple[float, np.ndarray]:
        start = clock()
        result = run()
        return clock() - start, result

    runs = {"numpy": [], "torch": [], "scikit-learn": []}
    for subject in range(TIMED):
        runs["numpy"].append(timed(lambda: at_once(features, probes)))
        runs["torch"].append(timed(lambda: at_once(*tensors)))
        runs["scikit-learn"].append(timed(lambda subject=subject: one(subject)))
    seconds = {name: min(time for time, _ in results) for name, results in runs.items()}
    theirs = enrolled * seconds.pop("scikit-learn")
    columns = np.column_stack([scores for _, scores in runs["scikit-learn"]])
    print(f"{enrolled} subjects, {len(labels)} rows x {WIDTH} features, {COMPONENTS} components")
    print(f"  scikit-learn: {theirs:.1f} s, scaled from {TIMED} subjects")
    for name, ours in seconds.items():
        difference = np.abs(runs[name][0][1][:, :TIMED] - columns).max()
        where = device if name == "torch" else "cpu"
        print(
            f"  thermalign, {name} on {where}: {ours:.3f} s, {theirs / ours:.0f} x; "
            f"largest difference of scores {difference:.1e}"
        )
    return theirs / seconds["numpy"]


if __name__ == "__main__":
    main()
