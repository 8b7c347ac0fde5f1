"""Compare alignment methods on a finished study: similarity, the two eyes, affine.

Usage: python benchmarks/alignment.py [--config config.yaml] [--protocols p1]
           [--models annotated dan] [--range 1]

Everything after the predictions of the study is made again with each method: faces of gallery,
training and probes, matcher, scores. Prints the EER of each method, its mean over folds with 95 %
intervals, and its paired difference to the similarity.
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

import torch

from thermalign import tables
from thermalign.config.models import read_study
from thermalign.evaluation.compared import Compared
from thermalign.evaluation.draws import Draws, comparisons_of, subsets
from thermalign.evaluation.measured import Measured
from thermalign.evaluation.over_folds import Replicates
from thermalign.evaluation.paired import mean_of
from thermalign.evaluation.settings import Settings
from thermalign.evaluation.verification import equal_error_rate
from thermalign.records import read_fold
from thermalign.schemas.dataset import IMAGES
from thermalign.schemas.keys import Subset
from thermalign.schemas.matching import SCORES
from thermalign.settings import parse
from thermalign.steps import align, score, train_matcher
from thermalign.verification.alignment import METHODS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", type=Path, default="config.yaml")
    parser.add_argument("--protocols", nargs="+", default=["p1"])
    parser.add_argument("--models", nargs="+", default=["annotated", "dan"])
    parser.add_argument("--range", default="1")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    config = read_study([asked.config], {})
    for protocol in asked.protocols:
        study = Study(config, protocol, Subset(range=asked.range))
        for model in asked.models:
            found = {method: study.over_folds(model, method) for method in METHODS}
            value, drawn = found[METHODS[0]]
            for method, (its, replicates) in found.items():
                low, high = replicates.interval(its)
                text = f"{protocol} {model:10} {method:10} EER {its:.3f} [{low:.3f}, {high:.3f}]"
                if method != METHODS[0]:
                    low, high = replicates.minus(drawn).interval(its - value)
                    text += f", difference {its - value:+.3f} [{low:+.3f}, {high:+.3f}]"
                print(text, flush=True)


class Study:
    """One protocol of a finished study, and the subset of its probes that is looked at."""

    def __init__(self, config: dict[str, Any], protocol: str, subset: Subset) -> None:
        self.config, self.protocol, self.subset = config, protocol, subset
        self.block = config["protocols"][protocol]
        self.results = Path(config["results"])
        self.images = self.results / "data" / self.block["dataset"] / "images.parquet"

    def over_folds(self, model: str, method: str) -> tuple[float, Replicates]:
        """Return the mean EER over folds and its replicates."""
        rates = [self.rate(fold, model, method) for fold in range(self.block["folds"])]
        value, _, drawn = mean_of(rates)
        return value, drawn

    def rate(self, fold: int, model: str, method: str) -> Measured:
        """Return the EER of a fold."""
        folder = self.results / self.protocol / f"fold{fold}"
        roles = {key: self.block[key] for key in ("gallery", "probe")}
        settings = {**self.config["matcher"], **roles, "same_moment": ["exclude"]}
        shared = {"images": self.images, "folds": folder / "folds.parquet", "fold": fold}
        shared["code"] = "benchmark"
        with tempfile.TemporaryDirectory() as place:
            made = Path(place)
            for name in ("annotated", model):
                align.run(
                    images=self.images,
                    predictions=folder / name / "predictions.parquet",
                    protocol=self.protocol,
                    fold=fold,
                    model=name,
                    settings={**self.config["alignment"], "method": method},
                    faces=made / f"{name}.parquet",
                    code="benchmark",
                )
            train_matcher.run(
                networks=[],
                **shared,
                faces=made / "annotated.parquet",
                settings=settings,
                evaluation={"tar_at_far": []},
                seed=self.config["training_seed"],
                matcher=made / "matcher.safetensors",
            )
            score.run(
                **shared,
                predictions=folder / model / "predictions.parquet",
                faces=made / f"{model}.parquet",
                matcher=made / "matcher.safetensors",
                protocol=self.protocol,
                model=model,
                settings=settings,
                scores=made / "scores.parquet",
            )
            scores = tables.read(made / "scores.parquet", SCORES)
        test = read_fold(self.images, folder / "folds.parquet").query("role == 'test'")
        rows = dict(subsets(comparisons_of(scores, test)))[self.subset]
        settings = parse(Settings, self.config["evaluation"], "evaluation")
        draws = Draws.of_fold(test, tables.read(self.images, IMAGES), settings)
        return equal_error_rate(self.subset, Compared.of(rows, draws))


if __name__ == "__main__":
    main()
