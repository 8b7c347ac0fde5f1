"""What a few annotated people of a new camera bring: fine-tuning, tested on people left out.

Usage: python benchmarks/fine_tuning.py --manifest faces/landmarks.csv --state STATE
       [--fold results/take_home/fold0 --dataset results/data/broad] [--people 5 10 15]
       [--splits 2] [--folds 4] [--steps 200] [--learning-rate 0.0005] [--threads 1] [--out FILE]

STATE is of a detector that can start from a trained one (`init:`). People are dealt into folds at
random, anew in every split; those of a fold are tested on by trainings on 5, 10 or 15 of the other
people, the fewer among the more, so that everybody is tested once a split, always left out. A
training starts from STATE with its own settings, mirrored copies of the people's images, and Adam's
rate falling from --learning-rate along a cosine; its last step counts. With --fold and --dataset
every training is made twice: on the people alone, and on as many simulated training faces beside
them in each batch. Steps and rate are what they are given as: nothing is chosen here.

Prints, and adds to --out as JSON, a line for every number of people: NMSE (mean over images of
their mean over splits) with its interval, and its difference from STATE's on the same images. An
image whose face was not found in one of the splits is counted (not_found) and in no mean; what is
not known is null, intervals of fewer than 8 people among it.
"""

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from thermalign import tables
from thermalign.catalogue import takes_a_state
from thermalign.deploy.detector import TrainedDetector, load_detector
from thermalign.evaluation.measured import LEAST
from thermalign.geometry import Floats
from thermalign.ingest import table
from thermalign.landmarks.examples import cut_faces
from thermalign.metrics.bootstrap import nmse_replicates, subject_weights
from thermalign.metrics.intervals import DIFFERENCE, POSITIVE, interval
from thermalign.metrics.landmarks import normalized_errors
from thermalign.records import boxes_of, pictures_of, points_of
from thermalign.schemas.dataset import ANNOTATIONS, BOXES, FOLDS, IMAGES
from thermalign.states import read_metadata
from thermalign.training.loop import Run, derived_seed

REPLICATES = 2000
SIMULATED = 300  # images beside the recorded ones


@dataclass(frozen=True)
class Annotated:
    """Tables of annotated faces: rows of IMAGES, ANNOTATIONS and boxes; ``images`` has a source."""

    images: pd.DataFrame
    annotations: pd.DataFrame
    boxes: pd.DataFrame

    def points(self) -> Floats:
        """Return the points of the images in order, (N, L, 2)."""
        return points_of(self.annotations, list(self.images["image_id"]))


def recorded(manifest: Path) -> Annotated:
    """Read a manifest with points and boxes in every row; a column source says the camera."""
    columns = pd.read_csv(manifest, nrows=0).columns
    its = table.Settings(
        manifest.parent,
        Path(manifest.name),
        defaults={"modality": "thermal"},
        attributes=("source",) if "source" in columns else (),
    )
    found = table.read(its)
    source = found.attributes.set_index("image_id")["value"]
    images = found.images.assign(source=found.images["image_id"].map(source).fillna("recorded"))
    return Annotated(images, found.annotations, found.boxes)


def simulated(fold: Path, dataset: Path) -> Annotated:
    """Read some of the training images of a study's fold, drawn at random."""
    rows = tables.read(fold / "folds.parquet", FOLDS)
    rows = rows[(rows["role"] == "train") & ~rows["flipped"]]
    images = tables.read(dataset / "images.parquet", IMAGES).merge(rows[["image_id"]])
    images = images[images["modality"] == "thermal"]
    images = images.sample(min(SIMULATED, len(images)), random_state=1)
    points = tables.read(dataset / "annotations.parquet", ANNOTATIONS)
    return Annotated(images, points, tables.read(dataset / "boxes.parquet", BOXES))


def dealt(subjects: list[str], folds: int, seed: int) -> Iterator[tuple[list[str], list[str]]]:
    """Yield the people tested and the others in random order, fold by fold."""
    order = [subjects[k] for k in np.random.default_rng(seed).permutation(len(subjects))]
    for fold in range(folds):
        tested = order[fold::folds]
        yield tested, [name for name in order if name not in tested]


def examples(faces: Annotated, people: list[str], beside: Annotated | None) -> Annotated:
    """Return people's images, mirrored ones too, and as many draws of simulated ones as of them."""
    own = with_mirrored(faces.images[faces.images["subject_id"].isin(people)])
    if beside is None:
        return Annotated(own, faces.annotations, faces.boxes)
    others = with_mirrored(beside.images)
    times = max(1, round(len(others) / len(own)))  # batches are drawn evenly from the rows
    rows = pd.concat([own] * times + [others], ignore_index=True)
    points = pd.concat([faces.annotations, beside.annotations], ignore_index=True)
    return Annotated(rows, points, pd.concat([faces.boxes, beside.boxes], ignore_index=True))


def with_mirrored(images: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([images.assign(flipped=way) for way in (False, True)], ignore_index=True)


def tuned(
    detector: TrainedDetector, its: Annotated, args: argparse.Namespace, seed: int
) -> TrainedDetector:
    """Train on from a detector's state."""
    settings = replace(
        detector.settings,
        steps=args.steps,
        learning_rate=args.learning_rate,
        schedule="cosine",
        validate_every=10**8,
    )
    reach = detector.module.reach(settings)
    train = cut_faces(its.images, its.annotations, its.boxes, reach)
    state = detector.module.fit(  # type: ignore[call-arg]  # a keyword of those that can
        train, train.first(0), settings, seed=seed, run=Run(progress=False), initial=detector.state
    )
    return replace(detector, settings=settings, state=state)


def errors_of(detector: TrainedDetector, faces: Annotated) -> pd.Series:
    """Return the error of each image, by its name."""
    images = pictures_of(faces.images).values()
    found = detector.predict(images, boxes_of(faces.images, faces.boxes))
    errors = normalized_errors(found.points, faces.points()).mean(axis=1)
    return pd.Series(errors, index=faces.images["image_id"])


def run_split(
    detector: TrainedDetector,
    faces: Annotated,
    beside: Annotated | None,
    args: argparse.Namespace,
    split: int,
) -> Iterator[dict[str, Any]]:
    """Yield the error of every image after every training of a split."""
    subjects = sorted(set(faces.images["subject_id"]))
    for fold, (out, others) in enumerate(dealt(subjects, args.folds, split)):
        rows = faces.images[faces.images["subject_id"].isin(out)].reset_index(drop=True)
        tested = replace(faces, images=rows)
        for count in args.people:
            for mixed in (False, True)[: 2 if beside else 1]:
                its = examples(faces, others[:count], beside if mixed else None)
                began = time.process_time()
                made = tuned(detector, its, args, derived_seed(split, fold))
                seconds = time.process_time() - began
                for image_id, error in errors_of(made, tested).items():
                    yield {
                        "image_id": image_id,
                        "people": count,
                        "mixed": mixed,
                        "error": error,
                        "core_seconds": seconds,
                    }


def told(found: pd.DataFrame, faces: Annotated, before: pd.Series) -> Iterator[dict[str, Any]]:
    """Yield a line for the state as it was and for every number of people."""
    known = faces.images.set_index("image_id")[["subject_id", "source"]]
    yield {"people": 0, "mixed": False, **figures(before, before, known), "core_seconds": 0.0}
    for (count, mixed), its in found.groupby(["people", "mixed"]):
        after = its.groupby("image_id")["error"].agg(mean_of_all).loc[before.index]
        seconds = round(float(its["core_seconds"].mean()), 1)
        line = {"people": int(count), "mixed": bool(mixed), **figures(after, before, known)}
        yield line | {"core_seconds": seconds}


def figures(after: pd.Series, before: pd.Series, known: pd.DataFrame) -> dict[str, Any]:
    """Return NMSE, median, that of each source, and the difference, with intervals over people."""
    apart = after - before
    sources = after.groupby(known.loc[after.index, "source"]).mean()
    return {
        "nmse": rounded(after.mean()),
        "interval": ends(after, known, POSITIVE),
        "median": rounded(after.median()),
        "not_found": int(after.isna().sum()),
        "by_source": {name: rounded(value) for name, value in sources.items()},
        "difference": rounded(apart.mean()),
        "difference_interval": ends(apart, known, DIFFERENCE) if apart.any() else None,
        "better_on": int((apart < 0).sum()),
    }


def mean_of_all(errors: pd.Series) -> float:
    """Return the mean, NaN where one of them is."""
    return float(errors.to_numpy().mean())


def rounded(value: float) -> float | None:
    """Return a figure to four digits; None for one that is not known."""
    return round(float(value), 4) if np.isfinite(value) else None


def ends(values: pd.Series, known: pd.DataFrame, scale: str) -> list[float] | None:
    """Return the 95 % interval of a mean over the images found; None of too few people."""
    found = values.dropna()
    codes, names = pd.factorize(known.loc[found.index, "subject_id"])
    if len(names) < LEAST:
        return None
    weights = subject_weights(len(names), replicates=REPLICATES, seed=1)
    drawn = nmse_replicates(found.to_numpy(), codes, weights)
    limits = interval(float(found.mean()), drawn, subjects=len(names), scale=scale)
    return [round(end, 4) for end in limits] if np.isfinite(limits).all() else None


def fault(args: argparse.Namespace, people: int) -> str:
    """Return what is wrong with arguments for a number of annotated people; "" if nothing is."""
    if bool(args.fold) != bool(args.dataset):
        return "--fold and --dataset belong together; give both or neither"
    detector = read_metadata(args.state)["settings"]["detector"]
    if not takes_a_state(detector):
        return f"--state {args.state}: {detector} cannot start from a trained state"
    if not 2 <= args.folds <= people:
        return f"--folds {args.folds}: give 2 to {people}, of {people} annotated people"
    left = people - -(-people // args.folds)
    if not 1 <= min(args.people) <= max(args.people) <= left:
        wrong = " ".join(map(str, args.people))
        return f"--people {wrong}: give 1 to {left}, which a fold leaves of {people}"
    return ""


def main() -> None:
    parser = argparse.ArgumentParser(description="what a few people of a new camera bring")
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--fold", type=Path, help="a study's fold: simulated faces beside")
    parser.add_argument("--dataset", type=Path, help="its dataset")
    parser.add_argument("--people", nargs="+", type=int, default=[5, 10, 15])
    parser.add_argument("--splits", type=int, default=2)
    parser.add_argument("--folds", type=int, default=4)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--learning-rate", type=float, default=5e-4)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, help="file that lines are added to")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    detector, faces = load_detector(args.state), recorded(args.manifest)
    if wrong := fault(args, faces.images["subject_id"].nunique()):
        parser.error(wrong)
    beside = simulated(args.fold, args.dataset) if args.fold and args.dataset else None
    rows = [
        line
        for split in range(1, args.splits + 1)
        for line in run_split(detector, faces, beside, args, split)
    ]
    lines = [
        json.dumps(line) for line in told(pd.DataFrame(rows), faces, errors_of(detector, faces))
    ]
    print("\n".join(lines))
    if args.out:
        with args.out.open("a", encoding="utf-8") as file:
            file.write("".join(f"{line}\n" for line in lines))


if __name__ == "__main__":
    main()
