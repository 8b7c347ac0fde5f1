"""The model card of a detector to take home, in Markdown, every figure from a table."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
import yaml

from thermalign.deploy.faces import LARGEST_ERROR, OK, SMALLEST
from thermalign.evaluation.measured import LEAST, Measured
from thermalign.schemas.keys import ALL, Subset

TEMPLATE = "card.md.j2"

MISSING = "–"

_COMPARED = ("nmse", "detection_recall", "false_alarms")

ROLES = ("train", "validation", "test")


@dataclass(frozen=True)
class Part:
    """One of the two models, with what is known of it.

    Attributes
    ----------
    file : str
        Name of its state.
    size : int, bytes
    values : int
        Numbers in its tensors, all of them.
    model, protocol, dataset : str
        Names in the study.
    fold : int
    metadata : mapping
        Of the state, as :func:`thermalign.states.read_metadata` returns it.
    stages : mapping of stage to steps
        Of the training, in its order.
    core_seconds : float
        Processor time of the training, all cores together.
    data : mapping
        The dataset's block of the configuration.
    people : mapping
        Role -> (people, images) that the model was trained, chosen or tested on.
    measured : sequence of Measured
        On the test people.
    """

    file: str
    size: int
    values: int
    model: str
    protocol: str
    fold: int
    dataset: str
    metadata: Mapping[str, Any]
    stages: Mapping[str, int]
    core_seconds: float
    data: Mapping[str, Any]
    people: Mapping[str, tuple[int, int]]
    measured: Sequence[Measured]

    @property
    def shows_simulated(self) -> bool:
        """Whether its dataset is simulated."""
        return self.data.get("adapter") == "simulator"

    @property
    def is_simulated(self) -> bool:
        """Whether it is known to have been trained on simulated people alone."""
        return self.shows_simulated and "init" not in self.metadata


Training = tuple[str, Mapping[str, int], float]


@dataclass(frozen=True)
class Run:
    """A run of both models, as its METRICS tell it.

    Attributes
    ----------
    trainings : sequence of (dataset, steps by stage, core-seconds)
        Of the model that places landmarks and of the one that finds faces.
    metrics : DataFrame of METRICS
        Of all test people, and of all recorded faces.
    """

    trainings: Sequence[Training]
    metrics: pd.DataFrame


@dataclass(frozen=True)
class Tried:
    """What became of recorded faces.

    Attributes
    ----------
    dataset : str
    measured : sequence of Measured
        Of all of them, whatever their status.
    statuses : mapping of status to faces
        Of ``predict`` at its defaults, in the given boxes.
    """

    dataset: str
    measured: Sequence[Measured]
    statuses: Mapping[str, int]


@dataclass(frozen=True)
class Card:
    """All that a card tells.

    Attributes
    ----------
    landmarks, finder : Part
    recorded : Tried or None
    onnx : int, bytes
        Of the ONNX file; 0 if there is none.
    no_onnx : str
        Why there is none.
    versions : mapping of software to version
    runs : sequence of Run
        This one and others, whose figures stand beside; or none.
    """

    landmarks: Part
    finder: Part
    recorded: Tried | None
    onnx: int
    no_onnx: str
    versions: Mapping[str, str]
    runs: Sequence[Run] = ()


def card_text(card: Card) -> str:
    """Return the card as Markdown."""
    parts = {"landmarks": card.landmarks, "faces": card.finder}
    loader = jinja2.PackageLoader("thermalign.deploy", ".")
    # Markdown, not a page: nothing is to be escaped
    template = jinja2.Environment(loader=loader, undefined=jinja2.StrictUndefined).get_template(
        TEMPLATE
    )
    told = {
        "files": _files(card),
        "no_onnx": card.no_onnx,
        "people": _people(parts),
        "data": {
            its.dataset: {"simulated": its.shows_simulated, "settings": _yaml(its.data)}
            for its in parts.values()
        },
        "training": _training(parts),
        "settings": {part: _yaml(_settings(its)) for part, its in parts.items()},
        "test_people": {part: _test_people(its) for part, its in parts.items()},
        "landmarks_on": _tested(card.landmarks),
        "landmarks": _landmarks(card.landmarks.measured),
        "finder_on": _tested(card.finder),
        "found": _found(card.finder.measured),
        "recorded_name": card.recorded.dataset if card.recorded else "",
        "recorded": _recorded(card.recorded.measured) if card.recorded else "",
        "refused": _refused(card.recorded.statuses) if card.recorded else "",
        "runs": _runs(card.runs) if len(card.runs) > 1 else "",
        "untrained": card.landmarks.is_simulated and card.finder.is_simulated,
        "least": LEAST,
        "smallest": f"{SMALLEST:g}",
        "largest_error": f"{LARGEST_ERROR:g}",
        "versions": card.versions,
        "versions_told": ", ".join(f"{name} {its}" for name, its in card.versions.items()),
        "commit": card.landmarks.metadata["commit"],
    }
    return f"{template.render(told).strip()}\n"


def _files(card: Card) -> str:
    parts = (card.landmarks, "places landmarks in face boxes"), (card.finder, "finds faces")
    rows: list[Sequence[object]] = []
    for its, what in parts:
        detector = its.metadata["settings"]["detector"]
        rows.append((f"`{its.file}`", what, detector, f"{its.size:,}", f"{its.values:,}"))
    if card.onnx:
        what = "the same landmarks, in other runtimes"
        rows.append(("`landmarks.onnx`", what, "", f"{card.onnx:,}", ""))
    return _table(("file", "what it does", "detector", "bytes", "numbers in it"), rows)


def _people(parts: Mapping[str, Part]) -> str:
    rows = []
    for name, its in parts.items():
        counts = [its.people.get(role, (0, 0)) for role in ROLES]
        told = [f"{people:,} people, {images:,} images" for people, images in counts]
        rows.append((name, its.dataset, *told))
    return _table(("model of", "dataset", "training", "validation", "test"), rows)


def _training(parts: Mapping[str, Part]) -> str:
    head = ("model of", "name", "seed", "steps", "core-seconds", "precision", "device")
    rows = []
    for name, its in parts.items():
        settings = its.metadata["settings"]
        told = [its.metadata.get(key, MISSING) for key in ("precision", "device", "calibration")]
        initial = its.metadata.get("init")
        started = f"state {initial[:8]}" if initial else "random weights"
        cost = _steps(its.stages), f"{its.core_seconds:,.0f}"
        rows.append((name, settings["model"], settings["seed"], *cost, *told, started))
    return _table((*head, "calibrated on", "started from"), rows)


def _steps(stages: Mapping[str, int]) -> str:
    """Return how many steps a training has, of each stage where there are several."""
    if len(stages) == 1:
        return f"{sum(stages.values()):,}"
    return ", ".join(f"{name} {steps:,}" for name, steps in stages.items())


def _settings(its: Part) -> dict[str, Any]:
    return {k: v for k, v in its.metadata["settings"].items() if k not in ("model", "seed")}


def _test_people(its: Part) -> str:
    return "simulated test people" if its.shows_simulated else "test people"


def _tested(its: Part) -> str:
    people, images = its.people.get("test", (0, 0))
    return f"{people:,} people, {images:,} images (protocol {its.protocol}, fold {its.fold})."


def _landmarks(measured: Sequence[Measured]) -> str:
    head = ("range", "images", "NMSE", "expected", "not found", "50 %", "80 %", "95 %")
    rows = []
    for subset, its in _by_subset(measured):
        shown = [_figure(its.get(f"coverage_{share}"), 2) for share in (50, 80, 95)]
        told = _figure(its.get("nmse_expected"), 3, ends=False)
        lost = _figure(its.get("failure_rate"), 3, ends=False)
        nmse = its["nmse"]
        rows.append((subset.range or "all", nmse.n, _figure(nmse, 3), told, lost, *shown))
    return _table(head, rows)


def _found(measured: Sequence[Measured]) -> str:
    head = ("range", "images", "faces found", "false alarms an image", "images without any")
    rows = []
    for subset, its in _by_subset(measured):
        names = ("detection_recall", "false_alarms", "without_detection")
        shown = [_figure(its.get(name), 3) for name in names]
        rows.append((subset.range or "all", its["detection_recall"].n, *shown))
    return _table(head, rows)


def _recorded(measured: Sequence[Measured]) -> str:
    head = ("source", "images", "NMSE", "expected", "95 %", "faces found", "false alarms an image")
    rows = []
    for subset, its in _by_subset(measured):
        told = _figure(its.get("nmse_expected"), 3, ends=False), _figure(its.get("coverage_95"), 2)
        found = [_figure(its.get(name), 2) for name in ("detection_recall", "false_alarms")]
        nmse = its["nmse"]
        rows.append((subset.attribute_value or "all", nmse.n, _figure(nmse, 3), *told, *found))
    return _table(head, rows)


def _refused(statuses: Mapping[str, int]) -> str:
    """Return how many faces are refused of how many, and why."""
    refused = {status: faces for status, faces in statuses.items() if status != OK}
    why = f" ({', '.join(f'{faces} {status}' for status, faces in refused.items())})"
    return f"{sum(refused.values())} of {sum(statuses.values())}{why if refused else ''}"


def _runs(runs: Sequence[Run]) -> str:
    """Return trainings, images tested and figures of all images of every run."""
    rows = []
    for n, run in enumerate(runs):
        its, own = run.metrics, run.metrics["dataset"].isin([name for name, *_ in run.trainings])
        told = [_told(its[own], name) for name in _COMPARED]
        steps = " + ".join(_steps(stages) for _, stages, _ in run.trainings)
        cost = " + ".join(f"{seconds:,.0f}" for *_, seconds in run.trainings)
        name = f"other {n}" if n else "this one"
        rows.append((name, steps, cost, _images(its), *told, _told(its[~own], "nmse")))
    head = ("run", "steps", "core-seconds", "images", "NMSE", "faces found")
    return _table((*head, "false alarms an image", "NMSE of recorded faces"), rows)


def _images(metrics: pd.DataFrame) -> str:
    """Return how many images of which datasets METRICS are of."""
    counted = metrics[metrics["metric"].isin(["nmse", "detection_recall"])]
    pairs = zip(counted["dataset"], counted["n"], strict=True)
    return ", ".join(dict.fromkeys(f"{dataset} {n:,}" for dataset, n in pairs))


def _told(rows: pd.DataFrame, metric: str) -> str:
    """Return a figure of METRICS with its interval."""
    its = rows[rows["metric"] == metric]
    return _spelt(*its[["value", "low", "high"]].iloc[0], digits=3) if len(its) else MISSING


def _by_subset(measured: Iterable[Measured]) -> list[tuple[Subset, dict[str, Measured]]]:
    """Return the figures of each subset by metric, those of all first."""
    found: dict[Subset, dict[str, Measured]] = {}
    for figure in measured:
        found.setdefault(figure.subset, {})[figure.metric] = figure
    return sorted(found.items(), key=lambda each: each[0] != ALL)


def _figure(its: Measured | None, digits: int, *, ends: bool = True) -> str:
    """Return a figure with its interval, if it has one."""
    if its is None:
        return MISSING
    low, high = its.interval() if ends else (math.nan, math.nan)
    return _spelt(its.value, low, high, digits=digits)


def _spelt(value: float, low: float, high: float, *, digits: int) -> str:
    if not math.isfinite(value):
        return MISSING
    told = _number(value, digits)
    if not (math.isfinite(low) and math.isfinite(high)):
        return told
    return f"{told} [{_number(low, digits)}, {_number(high, digits)}]"


def _number(value: float, digits: int) -> str:
    """Return a number without the 0 before its point."""
    text = f"{value:.{digits}f}"
    return text.removeprefix("0") if text.startswith("0.") else text


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)


def _yaml(settings: Mapping[str, Any]) -> str:
    """Return settings as a block of YAML, without what names a place on a disk."""
    told = {key: value for key, value in settings.items() if key != "folder"}
    if "manifest" in told:
        told["manifest"] = Path(told["manifest"]).name
    plain = json.loads(json.dumps(told))
    text = yaml.safe_dump(plain, sort_keys=False, default_flow_style=None, width=100)
    return f"```yaml\n{text}```"
