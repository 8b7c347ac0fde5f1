"""The model card of a detector to take home, in Markdown, every figure from a table."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jinja2
import pandas as pd
import yaml

from thermalign.deploy.faces import LARGEST_ERROR, SMALLEST
from thermalign.evaluation.measured import Measured
from thermalign.evaluation.packed import LEAST
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
    steps : int
        Of the training, all its stages together.
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
    steps: int
    core_seconds: float
    data: Mapping[str, Any]
    people: Mapping[str, tuple[int, int]]
    measured: Sequence[Measured]

    @property
    def is_simulated(self) -> bool:
        """Whether it is known to have been trained on simulated people alone."""
        return self.data.get("adapter") == "simulator" and "init" not in self.metadata


@dataclass(frozen=True)
class Run:
    """Another run of the same two models.

    Attributes
    ----------
    trainings : list of (dataset, steps, core-seconds)
        Of the model that places landmarks and of the one that finds faces.
    metrics : DataFrame of METRICS
        Of all test people, and of all recorded faces.
    """

    trainings: list[tuple[str, int, float]]
    metrics: pd.DataFrame


@dataclass(frozen=True)
class Card:
    """All that a card tells.

    Attributes
    ----------
    landmarks, finder : Part
    recorded : name of a dataset of recorded faces, and what was measured there; or None
    onnx : bytes of the ONNX file, or why there is none
    versions : mapping of software to version
    others : sequence of Run
        Whose figures stand beside.
    """

    landmarks: Part
    finder: Part
    recorded: tuple[str, Sequence[Measured]] | None
    onnx: int | str
    versions: Mapping[str, str]
    others: Sequence[Run] = ()


def card_text(card: Card) -> str:
    """Return the card as Markdown."""
    parts = {"landmarks": card.landmarks, "faces": card.finder}
    name, tried = card.recorded or ("", ())
    loader = jinja2.PackageLoader("thermalign.deploy", ".")
    # Markdown, not a page: nothing is to be escaped
    template = jinja2.Environment(loader=loader, undefined=jinja2.StrictUndefined).get_template(
        TEMPLATE
    )
    told = {
        "files": _files(card),
        "no_onnx": card.onnx if isinstance(card.onnx, str) else "",
        "people": _people(parts),
        "data": {
            its.dataset: {"simulated": its.data.get("adapter") == "simulator"}
            | {"settings": _yaml(its.data)}
            for its in parts.values()
        },
        "training": _training(parts),
        "settings": {part: _yaml(_settings(its)) for part, its in parts.items()},
        "landmarks_on": _tested(card.landmarks),
        "landmarks": _landmarks(card.landmarks.measured),
        "finder_on": _tested(card.finder),
        "found": _found(card.finder.measured),
        "recorded_name": name,
        "recorded": _recorded(tried) if card.recorded else "",
        "others": _others(card) if card.others else "",
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
    if isinstance(card.onnx, int):
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
        started = its.metadata.get("init", "random weights")[:14]
        cost = f"{its.steps:,}", f"{its.core_seconds:,.0f}"
        rows.append((name, settings["model"], settings["seed"], *cost, *told, started))
    return _table((*head, "calibrated on", "started from"), rows)


def _settings(its: Part) -> dict[str, Any]:
    return {k: v for k, v in its.metadata["settings"].items() if k not in ("model", "seed")}


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


def _others(card: Card) -> str:
    """Return both trainings of every run with their figures of all, those of this card first."""
    ours = [(its.dataset, its.steps, its.core_seconds) for its in (card.landmarks, card.finder)]
    figures = [*card.landmarks.measured, *card.finder.measured]
    tried = _of_all(card.recorded[1] if card.recorded else (), "nmse")
    told = [_figure(_of_all(figures, name), 3) for name in _COMPARED]
    rows = [_run("this one", ours, [*told, _figure(tried, 3)])]
    for n, run in enumerate(card.others, 1):
        simulated = run.metrics["dataset"].isin([dataset for dataset, *_ in run.trainings])
        told = [_told(run.metrics[simulated], name) for name in _COMPARED]
        told.append(_told(run.metrics[~simulated], "nmse"))
        rows.append(_run(f"other {n}", run.trainings, told))
    head = ("run", "steps", "core-seconds", "NMSE", "faces found", "false alarms an image")
    return _table((*head, "NMSE of recorded faces"), rows)


def _run(name: str, trainings: Sequence[tuple[str, int, float]], told: list[str]) -> list[str]:
    steps, costs = (" + ".join(f"{its[k]:,.0f}" for its in trainings) for k in (1, 2))
    return [name, steps, costs, *told]


def _of_all(measured: Iterable[Measured], metric: str) -> Measured | None:
    return next((m for m in measured if m.subset == ALL and m.metric == metric), None)


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
    plain = json.loads(json.dumps({k: v for k, v in settings.items() if k != "folder"}))
    text = yaml.safe_dump(plain, sort_keys=False, default_flow_style=None, width=100)
    return f"```yaml\n{text}```"
