"""How well detectors find faces in whole images: simulated and recorded ones, and without a face.

Usage: python benchmarks/finder.py [NAME=STATE ...] [--people 24] [--scenes 60] [--seed 77]
       [--scores 0.4 0.6] [--landmarks STATE] [--shared FOLDER] [--frames FOLDER]
       [--out figures.jsonl] [--threads 1]

The package's own finder, `packaged`, and whatever states are named (of `finder`, or of an `mtcnn`
with all three networks) are shown
    simulated   whole frames by the rules of workflow/config/transfer.yaml, of --people others at
                three ranges, resting and speaking (--seed is none that a study there trains on)
    headless    the same frames, the head wiped out
    scenes      grounds, bodies and heads without a face, as the finder's training draws them
    recorded    the whole frames of benchmarks/recorded_frames.csv
    crops       the faces of real_thermal that fill their image
    visible     neutral photographs as luma: no finder of thermal faces need see them
The last three are read from --shared, and skipped with a line where it has none.

Boxes of recorded frames were drawn by eye, in enlargements, from the hairline to the chin and from
cheek to cheek, with no detector's boxes in view; one whose `seen` begins with "aside" (in profile,
half hidden, cut off) is counted apart: it need not be found, and to find it is no false alarm.
Elsewhere boxes lie around the landmarks (2.3 x 2.87 interocular distances). A face is found by a
box whose centre lies within .35 of its width to the side and .45 up or down, and whose width
differs by less than a factor of 1.7. Everything else that is found, the second box of a face
included, is a false alarm.

Lines of --out, JSON, one a detector, set and score:
    name, set, score, own (whether it is the state's own), images, faces, found, aside, aside_found,
    false_alarms, false_alarms_an_image, surest_false_alarm, least_sure_face, core_ms,
    nmse, median, nmse_with_misses, placed_nmse, placed_with_misses
Errors are of faces with annotated landmarks, in interocular distances: of the finder's own points,
and (placed) of --landmarks, by default the package's, in the found box. With misses: a face that
was missed counts as wrong by 1. The surest false alarm and the least sure face are looked for down
to a score of .05. What is not known is null.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import torch
import yaml

from thermalign import tables
from thermalign.boxes import Settings as BoxSettings
from thermalign.boxes import derive
from thermalign.deploy.detector import TrainedDetector, load_detector
from thermalign.deploy.faces import FINDER_STATE, LANDMARKS_STATE, WEIGHTS, to_values
from thermalign.geometry import LANDMARKS, Floats, Integers, interocular_distance
from thermalign.images import read_image
from thermalign.landmarks.finder import bodies, grounds, pictures
from thermalign.metrics.landmarks import normalized_errors
from thermalign.records import points_of
from thermalign.schemas.dataset import ANNOTATIONS, IMAGES
from thermalign.simulator.dataset import settings_from, write_chunk
from thermalign.warp import stack_images

HERE = Path(__file__).parent
BROAD = HERE.parent / "workflow" / "config" / "transfer.yaml"
DRAWN = HERE / "recorded_frames.csv"
EXACT = BoxSettings(shift=0.0, scale=0.0)
ASIDE, DOWN, RATIO = 0.35, 0.45, 1.7  # of a face's width; of a box's to it
LOWEST = 0.05  # score down to which anything is looked at
MISSED = 1.0  # interocular distances. ASSUME
TOGETHER = 16  # images searched at once
POINTS = [f"{name}_{axis}" for name in LANDMARKS for axis in "xy"]


@dataclass(frozen=True)
class Shown:
    """Images, and the faces in them.

    Attributes
    ----------
    images : list of (height, width) float32
    index : (F,) int, the image of each face
    boxes : (F, 4) float, pixels, (x, y, width, height)
    aside : (F,) bool
        Whether a face is counted apart.
    points : (F, L, 2) float, pixels; NaN where nobody annotated them
    """

    images: list[Floats]
    index: Integers
    boxes: Floats
    aside: np.ndarray
    points: Floats


@dataclass(frozen=True)
class Found:
    """What a detector found, by image and falling score: D boxes."""

    index: Integers
    boxes: Floats
    scores: Floats
    points: Floats

    def above(self, score: float) -> "Found":
        """Return the boxes that are surer than a score."""
        kept = self.scores > score
        return Found(*(part[kept] for part in vars(self).values()))


def faces_of(images: list[Floats], points: Floats) -> Shown:
    """Return images that show one face each."""
    boxes = derive(points, [""] * len(points), EXACT)
    return Shown(images, np.arange(len(images)), boxes, np.zeros(len(images), bool), points)


def none_in(images: list[Floats]) -> Shown:
    """Return images that show no face."""
    return Shown(images, np.empty(0, int), np.empty((0, 4)), np.empty(0, bool), no_points(0))


def no_points(count: int) -> Floats:
    return np.full((count, len(LANDMARKS), 2), np.nan)


def simulated(folder: Path, people: int, seed: int) -> Shown:
    """Render frames, or read those that are there."""
    if not (folder / "images.parquet").exists():
        block = yaml.safe_load(BROAD.read_text())["datasets"]["broad"]["settings"]
        block["volumes"] = [{**block["volumes"][0], "subjects": people}]
        write_chunk(folder, settings_from(block), seed=seed, chunk=0, chunks=1, progress=True)
    rows = tables.read(folder / "images.parquet", IMAGES)
    points = points_of(tables.read(folder / "annotations.parquet", ANNOTATIONS), rows["image_id"])
    paths = [str(folder / Path(path).name) for path in rows["path"]]
    listed = rows.assign(path=paths).to_dict("records")
    return faces_of([read_image(row) for row in listed], points)


def headless(shown: Shown) -> Shown:
    """Wipe heads out of frames."""
    wiped = []
    for image, points in zip(shown.images, shown.points, strict=True):
        unit, (x, y) = float(interocular_distance(points)), points.mean(0)
        rows = slice(int(max(0, y - 2.4 * unit)), int(max(0, y + 2.2 * unit)))
        columns = slice(int(max(0, x - 2 * unit)), int(max(0, x + 2 * unit)))
        made = image.copy()
        made[rows, columns] = np.percentile(image, 10)
        wiped.append(made)
    return none_in(wiped)


def scenes(count: int, seed: int) -> Shown:
    """Paint scenes of 480 x 360 px without a face."""
    draws = np.random.default_rng(seed)
    textures, made = grounds.make_textures(draws), []
    for _ in range(count):
        canvas = grounds.ground(480, textures, draws)
        for _ in range(draws.integers(0, 4)):
            eyes, unit = draws.uniform(40, 440, 2), draws.uniform(6, 60)
            its = bodies.Pose(None, 1.0, None, eyes, unit, float(draws.normal(0, 0.15)))
            bodies.body(canvas, its, textures, draws)
            if draws.random() < 0.6:
                bodies.blank_head(canvas, its, textures, draws)
        made.append(pictures.as_recorded(canvas, draws)[:360])
    return none_in(made)


def recorded(shared: Path) -> Shown:
    """Read the frames whose boxes are drawn; their landmarks where real_thermal has them."""
    drawn = pd.read_csv(DRAWN, keep_default_na=False)
    index, paths = pd.factorize(drawn["path"])
    boxes = drawn[["box_x", "box_y", "box_width", "box_height"]].to_numpy(float)
    aside = drawn["seen"].str.startswith("aside").to_numpy()
    points = no_points(len(drawn))
    for path, its in zip(*annotated(shared / "real_thermal"), strict=True):
        of = [n for n, other in enumerate(drawn["path"]) if shared / other == path]
        where = derive(its[None], [""], EXACT)[0]
        points[[n for n in of if fits(where, boxes[n])]] = its
    return Shown([to_values(shared / path) for path in paths], index, boxes, aside, points)


def crops(shared: Path) -> Shown:
    frames = {shared / path for path in pd.read_csv(DRAWN)["path"]}
    paths, points = annotated(shared / "real_thermal")
    kept = [n for n, path in enumerate(paths) if path not in frames]
    return faces_of([to_values(paths[n]) for n in kept], points[kept])


def visible(shared: Path) -> Shown:
    paths, points = annotated(shared / "london60")
    return faces_of([to_values(path, "visible") for path in paths], points)


def annotated(folder: Path) -> tuple[list[Path], Floats]:
    """Return the annotated images of a shared folder and their landmarks (N, L, 2)."""
    rows = pd.read_csv(folder / "landmarks.csv").dropna(subset=POINTS)
    paths = [folder / path for path in rows["path" if "path" in rows else "image"]]
    return paths, rows[POINTS].to_numpy(float).reshape(-1, len(LANDMARKS), 2)


def fits(box: Floats, face: Floats) -> bool:
    """Return whether a box (4,) finds a face whose box is (4,)."""
    away = np.abs(box[:2] + box[2:] / 2 - face[:2] - face[2:] / 2)
    ratio = box[2] / face[2]
    return bool((away < np.array([ASIDE, DOWN]) * face[2]).all() and 1 / RATIO < ratio < RATIO)


def match(found: Found, shown: Shown) -> Integers:
    """Return the face that each of D boxes found, -1 for a false alarm: the surest first."""
    faces = np.full(len(found.index), -1)
    for n, (image, box) in enumerate(zip(found.index, found.boxes, strict=True)):
        free = np.setdiff1d(np.flatnonzero(shown.index == image), faces)
        faces[n] = next((face for face in free if fits(box, shown.boxes[face])), -1)
    return faces


def search(detector: TrainedDetector, images: list[Floats]) -> tuple[Found, float]:
    """Return what a detector finds down to the lowest score, and core-ms an image."""
    lowest = replace(detector, settings=replace(detector.settings, **with_score(detector, LOWEST)))
    parts, start = [], time.process_time()
    for first in range(0, len(images), TOGETHER):
        found = lowest.find(stack_images(images[first : first + TOGETHER], torch.device("cpu")))
        made = (found.index + first, found.boxes, found.scores, found.points)
        parts.append([each.double().numpy() for each in made])
    cost = 1000 * (time.process_time() - start) / len(images)
    index, boxes, scores, points = (np.concatenate(each) for each in zip(*parts, strict=True))
    order = np.lexsort((-scores, index))
    return Found(index[order].astype(int), boxes[order], scores[order], points[order]), cost


def with_score(detector: TrainedDetector, score: float | None = None) -> dict[str, Any]:
    """Return the setting that holds a state's least score, as it is or replaced."""
    if hasattr(detector.settings, "score"):
        return {"score": detector.settings.score if score is None else score}
    *first, last = detector.settings.thresholds
    return {"thresholds": (*first, last if score is None else score)}


def own_score(detector: TrainedDetector) -> float:
    (value,) = with_score(detector).values()
    return float(np.ravel(value)[-1])


def figures(every: Found, score: float, shown: Shown, placer: TrainedDetector) -> dict[str, Any]:
    """Return what the boxes above a score are worth."""
    found = every.above(score)
    faces, all_faces = match(found, shown), match(every, shown)
    alarms, wanted = int((faces < 0).sum()), ~shown.aside
    hit = np.isin(np.arange(len(shown.index)), faces)
    told: dict[str, Any] = {"images": len(shown.images), "faces": int(wanted.sum())}
    told |= {"found": int(hit[wanted].sum()), "aside": int(shown.aside.sum())}
    told |= {"aside_found": int(hit[shown.aside].sum()), "false_alarms": alarms}
    told["false_alarms_an_image"] = alarms / len(shown.images)
    told["surest_false_alarm"] = max(every.scores[all_faces < 0], default=None)
    sure = {int(face): s for face, s in zip(all_faces, every.scores, strict=True)}
    told["least_sure_face"] = min((sure.get(n, 0.0) for n in np.flatnonzero(wanted)), default=None)
    known = wanted & np.isfinite(shown.points).all(axis=(1, 2))
    if known.any():
        told |= errors(found, faces, shown, known, placer)
    return told


def errors(
    found: Found, faces: Integers, shown: Shown, known: np.ndarray, placer: TrainedDetector
) -> dict[str, Any]:
    """Return mean and median error over the ``known`` (F,) faces, found ones and all."""
    rows = np.array([n for n, face in enumerate(faces) if face >= 0 and known[face]], int)
    if not len(rows):
        return {"nmse_with_misses": MISSED, "placed_with_misses": MISSED}
    images = (shown.images[n] for n in found.index[rows])
    placed = placer.predict(images, found.boxes[rows]).points
    truth, missed = shown.points[faces[rows]], int(known.sum()) - len(rows)
    own, its = (normalized_errors(p, truth).mean(1) for p in (found.points[rows], placed))
    told = {"nmse": own.mean(), "median": np.median(own), "placed_nmse": its.mean()}
    with_misses = [(e.sum() + MISSED * missed) / known.sum() for e in (own, its)]
    return told | dict(zip(("nmse_with_misses", "placed_with_misses"), with_misses, strict=True))


def sets(args: argparse.Namespace, folder: Path) -> Iterator[tuple[str, Shown]]:
    """Yield the sets that are there; say which are not."""
    frames = simulated(folder, args.people, args.seed)
    yield "simulated", frames
    yield "headless", headless(frames)
    yield "scenes", scenes(args.scenes, args.seed)
    for name, read in (("recorded", recorded), ("crops", crops), ("visible", visible)):
        try:
            yield name, read(args.shared)
        except (OSError, ValueError) as error:
            print(f"{name}: skipped, {args.shared} lacks it ({error})")


def named(text: str) -> tuple[str, Path]:
    name, _, path = text.partition("=")
    if not path:
        raise argparse.ArgumentTypeError(f"{text} is not NAME=STATE")
    return name, Path(path)


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="faces found in whole images")
    parser.add_argument("states", nargs="*", type=named, metavar="NAME=STATE")
    parser.add_argument("--people", type=int, default=24)
    parser.add_argument("--scenes", type=int, default=60)
    parser.add_argument("--seed", type=int, default=77)
    parser.add_argument("--scores", nargs="*", type=float, default=[], help="beside each own one")
    parser.add_argument("--landmarks", type=Path, default=WEIGHTS / LANDMARKS_STATE)
    parser.add_argument("--shared", type=Path, default=HERE.parent.parent / "shared" / "data")
    parser.add_argument("--frames", type=Path, help="folder that frames are kept in")
    parser.add_argument("--out", type=Path, help="file that lines are written to")
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def lines(args: argparse.Namespace, folder: Path) -> Iterator[dict[str, Any]]:
    placer = load_detector(args.landmarks)
    states = [("packaged", WEIGHTS / FINDER_STATE), *args.states]
    detectors = {name: load_detector(path) for name, path in states}
    for kind, shown in sets(args, folder):
        for name, detector in detectors.items():
            every, cost = search(detector, shown.images)
            own = own_score(detector)
            for score in (own, *args.scores):
                head = {"name": name, "set": kind, "score": score, "own": score == own}
                yield head | figures(every, score, shown, placer) | {"core_ms": cost}


def main() -> None:
    args = options()
    torch.set_num_threads(args.threads)
    cv2.setNumThreads(args.threads)
    with tempfile.TemporaryDirectory() as made:
        told = list(lines(args, args.frames or Path(made) / "frames"))
    print(
        pd.DataFrame(told).drop(columns="own").to_string(index=False, float_format="{:.3f}".format)
    )
    if args.out:
        rows = pd.DataFrame(told).astype(object).replace({np.nan: None}).to_dict("records")
        args.out.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")


if __name__ == "__main__":
    main()
