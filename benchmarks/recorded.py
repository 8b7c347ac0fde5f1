"""Trained detectors against recorded faces: errors by source, landmark and person, and overlays.

Usage: python benchmarks/recorded.py --manifest faces/landmarks.csv NAME=STATE [NAME=STATE ...]
       [--fold results/p2/fold0 --dataset results/data/simulated] [--without puj_t360 ...]
       [--against NAME] [--sheets FOLDER] [--out figures.jsonl] [--threads 1]

The manifest is one of the project's own (`thermalign/ingest/table.py`) with a box and five points
in every row; its column `source`, where there is one, says which collection an image is of. Several
states of one name are trainings of one model: every figure is the mean of theirs, and a face's
error the mean of its errors (none where one of them did not find it). The test people of a study's
fold stand beside the recorded faces.

An interval stands where there are at least 8 people (bootstrap over people). `--against` gives each
other name's difference from that one on the same faces. `--sheets` draws all faces of every state:
rings where points were annotated, dots where they were placed. Nothing is written that is not
named. What is chosen by these figures is not tested by them.

Lines of --out, JSON, one a name and part:
    name, states, part, images, people, nmse, median, interval ([low, high] or null), not_found,
    expected_error, coverage_95, rank_correlation
    and with --against: against, difference, difference_interval
Parts: `simulated` (test people of the fold), `all`, `source SOURCE`, `without SOURCE`, and over all
recorded faces `eyes`, `nose`, `mouth corners`. Errors are in interocular distances; what is not
known is null.
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import torch

from thermalign import tables
from thermalign.deploy.detector import TrainedDetector, load_detector
from thermalign.evaluation.measured import LEAST
from thermalign.geometry import (
    LEFT_EYE,
    LEFT_MOUTH_CORNER,
    NOSE_BASE,
    RIGHT_EYE,
    RIGHT_MOUTH_CORNER,
    Floats,
)
from thermalign.ingest import table
from thermalign.metrics.bootstrap import nmse_replicates, subject_weights
from thermalign.metrics.intervals import DIFFERENCE, POSITIVE, interval
from thermalign.metrics.landmarks import normalized_errors
from thermalign.metrics.selective import rank_correlation
from thermalign.metrics.stated import inside
from thermalign.records import Located, boxes_of, pictures_of, points_of, read_fold
from thermalign.schemas.dataset import ANNOTATIONS, BOXES

REPLICATES, SEED = 2000, 1
GROUPS = {
    "eyes": [RIGHT_EYE, LEFT_EYE],
    "nose": [NOSE_BASE],
    "mouth corners": [RIGHT_MOUTH_CORNER, LEFT_MOUTH_CORNER],
}
SIMULATED = "simulated"
COMPOSED = "puj_t360"  # segmented faces set on grounds: the source left out if none is named
TILE, ACROSS, BAND = 300, 5, 22  # px, tiles, px: of a sheet
AROUND = 0.1  # of a box's longer side, drawn beyond it
ANNOTATED, PREDICTED, INK = (0, 200, 255), (255, 160, 40), (235, 235, 235)  # blue, green, red


@dataclass(frozen=True)
class Faces:
    """Annotated faces.

    Attributes
    ----------
    images : DataFrame of N rows of IMAGES, with ``source``
    points : (N, L, 2) float, pixels
    boxes : (N, 4) float, pixels
    """

    images: pd.DataFrame
    points: Floats
    boxes: Floats

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.images)


@dataclass(frozen=True)
class Errors:
    """What T trainings of one model make of N faces.

    Attributes
    ----------
    errors : (T, N, L) float, interocular distances; NaN where a face was not found
    expected : (T, N, L) float, interocular distances; NaN where nothing is stated
    held : (T, N, L) float
        1 where the stated 95 % region holds the annotated point, else 0; NaN where none is stated.
    """

    errors: Floats
    expected: Floats
    held: Floats

    def of(self, rows: Any, landmarks: Any) -> "Errors":
        """Return some of the faces and landmarks."""
        parts = (self.errors, self.expected, self.held)
        return Errors(*(part[:, rows][:, :, landmarks] for part in parts))

    @property
    def of_images(self) -> Floats:
        """The error of each image, the mean over landmarks and trainings, (N,)."""
        return np.asarray(self.errors.mean(axis=(0, 2)))


def recorded_faces(manifest: Path) -> Faces:
    """Read the annotated faces of a manifest.

    Raises
    ------
    ValueError
        If a row is refused, or lacks its box or its points.
    """
    its = table.Settings(manifest.parent, Path(manifest.name), defaults={"modality": "thermal"})
    columns = pd.read_csv(manifest, nrows=0).columns
    if "source" in columns:
        its = table.Settings(its.folder, its.manifest, {}, its.defaults, attributes=("source",))
    found = table.read(its)
    lacking = set(found.images["image_id"])
    lacking -= set(found.annotations["image_id"]) & set(found.boxes["image_id"])
    if lacking:
        raise ValueError(f"{manifest}: {sorted(lacking)[0]} lacks its points or its box; give both")
    source = found.attributes.set_index("image_id")["value"]
    images = found.images.assign(source=found.images["image_id"].map(source).fillna("recorded"))
    points = points_of(found.annotations, list(images["image_id"]))
    return Faces(images, points, boxes_of(images, found.boxes))


def simulated_faces(fold: Path, dataset: Path) -> Faces:
    """Read the annotated thermal test images of a study's fold."""
    rows = read_fold(dataset / "images.parquet", fold / "folds.parquet")
    given = tables.read(dataset / "annotations.parquet", ANNOTATIONS)
    rows = rows[(rows["role"] == "test") & (rows["modality"] == "thermal")]
    rows = rows[rows["image_id"].isin(given["image_id"])].reset_index(drop=True)
    boxes = boxes_of(rows, tables.read(dataset / "boxes.parquet", BOXES))
    return Faces(rows.assign(source=SIMULATED), points_of(given, list(rows["image_id"])), boxes)


def measure(faces: Faces, trainings: list[Located]) -> Errors:
    """Hold what trainings of one model predicted against the annotated points."""
    parts = []
    for its in trainings:
        errors = normalized_errors(its.points, faces.points)
        told = np.isfinite(its.scale).all(axis=(-2, -1))
        held = inside(faces.points - its.points, its.scale, its.tail, 0.95)
        parts.append((errors, its.expected_error, np.where(told, held, np.nan)))
    return Errors(*(np.stack(part) for part in zip(*parts, strict=True)))


def parts_of(faces: Faces, without: list[str]) -> Iterator[tuple[str, Any, Any]]:
    """Yield the name, rows (N,) bool and landmarks of every part that has a line."""
    source, every = faces.images["source"].to_numpy(), list(range(faces.points.shape[1]))
    if (source == SIMULATED).all():
        yield SIMULATED, np.full(len(faces), True), every
        return
    yield "all", np.full(len(faces), True), every
    names = list(dict.fromkeys(source))
    yield from ((f"source {name}", source == name, every) for name in names if len(names) > 1)
    yield from ((f"without {name}", source != name, every) for name in without)
    for name, landmarks in GROUPS.items():
        yield name, np.full(len(faces), True), landmarks


def figures(its: Errors, subjects: pd.Series, base: Errors | None = None) -> dict[str, Any]:
    """Return the figures of a part: mean and median error, intervals, what was stated of it.

    Parameters
    ----------
    its : Errors
    subjects : (N,) who is shown
    base : Errors of the same faces by another model, which the difference is from
    """
    errors = its.of_images
    found = np.isfinite(errors)
    told: dict[str, Any] = {"images": len(errors), "people": subjects.nunique()}
    told |= {"nmse": mean(errors), "median": mean([np.nanmedian(errors)] if found.any() else [])}
    told |= {"interval": over_people(errors, subjects, POSITIVE), "not_found": int((~found).sum())}
    told |= {"expected_error": mean(its.expected), "coverage_95": mean(its.held)}
    told["rank_correlation"] = mean([correlation(*pair) for pair in zip_trainings(its)])
    if base is not None:
        apart = errors - base.of_images
        told |= {"difference": mean(apart)}
        told |= {"difference_interval": over_people(apart, subjects, DIFFERENCE)}
    return told


def zip_trainings(its: Errors) -> Iterator[tuple[Floats, Floats]]:
    """Yield each training's expected and true errors of images, (N,) each."""
    for expected, errors in zip(its.expected, its.errors, strict=True):
        yield expected.mean(axis=1), errors.mean(axis=1)


def mean(values: Any) -> float | None:
    """Return the mean of what is a number, to five digits; None of nothing."""
    finite = np.asarray(values, float).ravel()
    finite = finite[np.isfinite(finite)]
    return round(float(finite.mean()), 5) if finite.size else None


def correlation(expected: Floats, errors: Floats) -> float:
    """Return the rank correlation over the faces that have both; NaN of fewer than three."""
    both = np.isfinite(expected) & np.isfinite(errors)
    if both.sum() < 3:
        return float("nan")
    return float(rank_correlation(expected[both], errors[both], np.ones((1, both.sum())))[0])


def over_people(errors: Floats, subjects: pd.Series, scale: str) -> list[float] | None:
    """Return the 95 % interval of a mean over images; None of too few people."""
    found = np.isfinite(errors)
    codes, names = pd.factorize(subjects[found])
    if len(names) < LEAST:
        return None
    weights = subject_weights(len(names), replicates=REPLICATES, seed=SEED)
    drawn = nmse_replicates(errors[found], codes, weights)
    ends = interval(float(errors[found].mean()), drawn, subjects=len(names), scale=scale)
    return [round(end, 5) for end in ends] if np.isfinite(ends).all() else None


def lines(
    faces: Faces, found: dict[str, Errors], against: str | None, without: list[str]
) -> Iterator[dict[str, Any]]:
    """Yield a line for every model and part."""
    for name, errors in found.items():
        for part, rows, landmarks in parts_of(faces, without):
            subjects = faces.images["subject_id"][rows].reset_index(drop=True)
            base = found[against].of(rows, landmarks) if against not in (None, name) else None
            made = figures(errors.of(rows, landmarks), subjects, base)
            head = {"name": name, "states": len(errors.errors), "part": part}
            yield head | made | ({"against": against} if base else {})


def sheet(faces: Faces, located: Located) -> np.ndarray:
    """Draw every face with annotated (rings) and predicted points (dots), worst first."""
    errors = normalized_errors(located.points, faces.points).mean(axis=1)
    order = np.argsort(-np.nan_to_num(errors, nan=np.inf), kind="stable")
    images = list(pictures_of(faces.images).values())
    tiles = [tile(images[n], faces, located, n, errors[n]) for n in order]
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % ACROSS)
    rows = [np.hstack(tiles[k : k + ACROSS]) for k in range(0, len(tiles), ACROSS)]
    return np.vstack(rows)


def tile(image: Floats, faces: Faces, located: Located, n: int, error: float) -> np.ndarray:
    """Draw one face, cut to its box and what is around it."""
    left, top, width, height = faces.boxes[n]
    side = (1 + 2 * AROUND) * max(width, height)
    corner = np.array([left + width / 2, top + height / 2]) - side / 2
    zoom = TILE / side
    to_tile = np.hstack([zoom * np.eye(2), -zoom * corner[:, None]])
    grey = cv2.warpAffine(image, to_tile, (TILE, TILE), flags=cv2.INTER_LINEAR)
    low, high = np.percentile(inside_of(image, faces.boxes[n]), [1, 99.5])
    scaled = np.clip((grey - low) / max(high - low, 1e-6), 0, 1) * 255
    canvas = cv2.cvtColor(scaled.astype(np.uint8), cv2.COLOR_GRAY2BGR)
    for true, found in zip(faces.points[n], located.points[n], strict=True):
        ends = [
            tuple(int(v) for v in np.rint(16 * zoom * (p - corner)))
            for p in (true, found)
            if np.isfinite(p).all()
        ]
        if len(ends) == 2:
            cv2.line(canvas, *ends, PREDICTED, 1, cv2.LINE_AA, 4)
            cv2.circle(canvas, ends[1], 16 * 3, PREDICTED, -1, cv2.LINE_AA, 4)
        cv2.circle(canvas, ends[0], 16 * 5, ANNOTATED, 1, cv2.LINE_AA, 4)
    expected = located.expected_error[n].mean()
    text = f"{faces.images['image_id'].iloc[n]}  {error:.3f}  expected {expected:.3f}"
    band = np.zeros((BAND, TILE, 3), np.uint8)
    cv2.putText(band, text, (4, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.42, INK, 1, cv2.LINE_AA)
    return np.vstack([canvas, band])


def inside_of(image: Floats, box: Floats) -> Floats:
    """Return what of an image lies in a box (x, y, width, height); all if nothing does."""
    first = np.maximum(box[:2], 0).astype(int)
    last = np.maximum(box[:2] + box[2:], 0).astype(int)
    part = image[first[1] : last[1], first[0] : last[0]]
    return part if part.size else image


def predict(detector: TrainedDetector, faces: Faces) -> Located:
    return detector.predict(pictures_of(faces.images).values(), faces.boxes)


def table_of(found: list[dict[str, Any]], field: str) -> str:
    """Return a table of one figure, a row a name and a column a part."""
    made = pd.DataFrame(found).pivot_table(
        index="name", columns="part", values=field, sort=False, dropna=False, aggfunc="first"
    )
    return f"{field}\n{made.to_string(float_format='{:.3f}'.format, na_rep='-')}\n"


def with_interval(line: dict[str, Any]) -> str:
    """Return a part's NMSE and its difference, with their intervals, in words."""
    text = "{name}, {part}: {nmse:.4f} {interval}".format(**line)
    if line.get("difference") is None:
        return text
    text += ", minus {against} {difference:+.4f}".format(**line)
    return f"{text} {line['difference_interval'] or '(no interval)'}"


def fault(args: argparse.Namespace, sources: set[str]) -> str:
    """Return what is wrong with arguments for faces of some sources; "" if nothing is."""
    names = [name for name, _ in args.states]
    if args.against and args.against not in names:
        return f"--against {args.against}: is none of {', '.join(dict.fromkeys(names))}"
    if bool(args.fold) != bool(args.dataset):
        return "--fold and --dataset belong together; give both or neither"
    for name in args.without or []:
        if name not in sources or len(sources) == 1:
            told = "the only one" if name in sources else f"none of {', '.join(sorted(sources))}"
            return f"--without {name}: is {told}"
    return ""


def named(text: str) -> tuple[str, Path]:
    name, _, path = text.partition("=")
    if not path:
        raise argparse.ArgumentTypeError(f"{text} is not NAME=STATE")
    return name, Path(path)


def main() -> None:
    parser = argparse.ArgumentParser(description="trained detectors against recorded faces")
    parser.add_argument("states", nargs="+", type=named, metavar="NAME=STATE")
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--fold", type=Path, help="a study's fold, whose test people are seen too")
    parser.add_argument("--dataset", type=Path, help="its dataset")
    parser.add_argument("--without", nargs="*", help=f"sources left out; {COMPOSED} if there")
    parser.add_argument("--against", help="name that the others are compared with")
    parser.add_argument("--sheets", type=Path, help="folder of a picture a state")
    parser.add_argument("--out", type=Path, help="file that lines are written to")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    names = list(dict.fromkeys(name for name, _ in args.states))
    sets = [recorded_faces(args.manifest)]
    sources = set(sets[0].images["source"])
    if wrong := fault(args, sources):
        parser.error(wrong)
    without = [COMPOSED] if args.without is None and {COMPOSED} < sources else args.without or []
    detectors = {
        name: [load_detector(path) for its, path in args.states if its == name] for name in names
    }
    if args.fold:
        sets.insert(0, simulated_faces(args.fold, args.dataset))
    made: list[dict[str, Any]] = []
    for faces in sets:
        located = {name: [predict(d, faces) for d in its] for name, its in detectors.items()}
        found = {name: measure(faces, its) for name, its in located.items()}
        made += lines(faces, found, args.against, without)
        if args.sheets and faces is sets[-1]:
            args.sheets.mkdir(parents=True, exist_ok=True)
            for name, its in located.items():
                for k, one in enumerate(its, 1):
                    cv2.imwrite(str(args.sheets / f"{name}_{k}.png"), sheet(faces, one))
    for field in ("nmse", "median", "coverage_95", "rank_correlation", "expected_error"):
        print(table_of(made, field))
    print("\n".join(map(with_interval, (line for line in made if line["interval"]))))
    if args.out:
        text = "".join(f"{json.dumps(line)}\n" for line in made)
        args.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
