"""The jobs of a study and how much work each has, as its configuration says.

Work is counted in a unit of the rule's own, which its cost is proportional to (``UNITS``). What
else decides the cost, such as the size of a network, is the job's ``kind``: a job is compared with
measured ones of its own kind alone.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from thermalign.catalogue import settings_of
from thermalign.config.checks import Training, trainings
from thermalign.plan.people import images_of, of_one, recorded

Block = Mapping[str, Any]

UNITS = {
    "simulate": "images + PERSON x people",
    "ingest": "images",
    "describe": "images",
    "fold": "images",
    "train": "steps x batch, or training images",
    "predict": "test images",
    "detect": "test images",
    "stress": "test images x variants",
    "annotated": "images",
    "align": "images",
    "train_network": "steps x people",
    "train_matcher": "training images",
    "score": "probes x people",
    "score_variants": "probes x people x variants",
    "measure": "probes x people x replicates",
    "ablate": "probes x people x matchers",
    "sweep": "probes x people x matchers",
    "displace": "probes x people x levels",
    "compare": "probes x people x replicates",
    "spread": "test images",
    "report": "test images",
    "pack": "test images",
}
"""Unit of work by rule."""

PERSON = 5
"""Images that cost as much to render as it costs to build a person. ASSUME: of two datasets, with 6
and 32 images a person, .026 and .017 core-seconds an image."""

COSTLY = frozenset(
    {"n_stages", "input_size", "width", "hidden", "passes", "mirrored", "padding", "neighbours"}
    | {"stages", "losses", "mined_faces", "blocks", "spread", "longest", "scene", "height"}
    | {"cascade_depth", "num_trees_per_cascade_level", "tree_depth", "feature_pool_size"}
    | {"oversampling_amount", "num_test_splits", "copies", "precision", "min_face"}
)
"""Settings of detectors that decide what a step or an image costs, besides the batch."""


NETWORK = "thermalign.networks.two_branch"
"""What a matcher's network is told."""


@dataclass(frozen=True)
class Job:
    """One job.

    Attributes
    ----------
    rule, name : str
        As in COSTS.
    work : float
        In the rule's unit.
    kind : str
        What else its cost depends on.
    size : float, or None
        What the files that it writes are proportional to; None: the work.
    """

    rule: str
    name: str
    work: float
    kind: str = ""
    size: float | None = None


@dataclass(frozen=True)
class Fold:
    """What one fold of a protocol has, on average over the draws of its people.

    Attributes
    ----------
    name : str
    train, test, probes, all : float
        Images of the probes' modality of training and of test people; probes; images of everybody
        who takes part.
    people : float
        Test people.
    frames : bool
        Whether images are whole frames: what a face costs that is cut from one is another matter.
    """

    name: str
    train: float
    test: float
    probes: float
    all: float
    people: float
    frames: bool

    @property
    def pairs(self) -> float:
        """Comparisons of a model's probes with enrolled people."""
        return self.probes * self.people


def jobs_of(study: Block) -> list[Job]:
    """Return every job of a checked configuration, in the order of the rules.

    Raises
    ------
    ValueError
        If a manifest cannot be read.
    """
    folds, models = list(_folds(study)), trainings(study)
    found = [*_data(study), *_networks(study)]
    for fold in folds:
        found += _of_fold(study, fold, models)
    tested = sum(fold.test for fold in folds) * len(models)
    replicates = study["evaluation"]["replicates"]
    pairs = sum(fold.pairs for fold in folds) * (len(models) + 1)
    rows = replicates * len(folds) * (len(models) + 1)
    found.append(Job("compare", "all", pairs * replicates, size=rows))
    found += [Job("spread", "all", tested, size=1), Job("report", "all", tested, size=1)]
    if "detector" in study:
        found.append(Job("pack", "all", folds[0].test))
    return found


def _data(study: Block) -> Iterator[Job]:
    described = {protocol["dataset"] for protocol in study["protocols"].values()}
    for name, block in study["datasets"].items():
        people, kind = recorded(study, name), "frames" if _frames(block) else ""
        images = images_of(people)
        rendered = images + PERSON * sum(its.subjects for its in people)
        chunks = block.get("chunks", 0) if block["adapter"] == "simulator" else 0
        for k in range(chunks):
            yield Job("simulate", f"{name}/{k}", rendered / chunks, kind, images / chunks)
        yield Job("ingest", name, images, kind)
        if name in described:
            yield Job("describe", name, images, kind)


def _networks(study: Block) -> Iterator[Job]:
    """Yield the trainings of matchers' networks; each is of a kind of its own."""
    told = {its.name: its.default for its in settings_of(NETWORK).settings}
    for name, block in study.get("networks", {}).items():
        its = told | dict(block)
        kind = json.dumps([its[key] for key in ("components", "hidden", "copies")])
        yield Job("train_network", name, its["steps"] * its["batch_size"], kind, size=1)


def _folds(study: Block) -> Iterator[Fold]:
    for name, protocol in study["protocols"].items():
        block = study["datasets"][protocol["dataset"]]
        people = recorded(study, protocol["dataset"])
        if len(people) > 1 or block["adapter"] == "simulator":
            people = [people[volume - 1] for volume in protocol["volumes"]]
        modality = {"modality": protocol["probe"]["modality"]}
        train, test = protocol["train_subjects"], protocol["test_subjects"]
        everything = images_of(people) / sum(its.subjects for its in people)
        for k in range(protocol["folds"]):
            yield Fold(
                f"{name}/fold{k}",
                train * of_one(people, modality),
                test * of_one(people, modality),
                test * of_one(people, protocol["probe"]),
                (train + test) * everything,
                test,
                _frames(block),
            )


def _of_fold(study: Block, fold: Fold, models: Mapping[str, Training]) -> Iterator[Job]:
    kind = "frames" if fold.frames else ""
    variants, replicates = study.get("variants") or {}, study["evaluation"]["replicates"]
    finders = {its["detector"] for its in variants.values() if "detector" in its}
    if "detector" in study:
        finders.add(study["detector"]["finder"]["model"])
    yield Job("fold", fold.name, fold.all)
    yield Job("annotated", fold.name, fold.all)
    yield Job("train_matcher", fold.name, fold.train, size=fold.people)
    yield Job("align", f"{fold.name}/annotated", fold.all, kind)
    yield from _scored(study, fold, "annotated")
    for model, training in models.items():
        name, of = f"{fold.name}/{model}", cost_kind(training, frames=fold.frames)
        yield Job("train", name, _training(training, fold), of, size=1)
        yield Job("predict", name, fold.test, of)
        yield Job("align", name, fold.probes, kind)
        yield from _scored(study, fold, model)
        if model in finders:
            yield Job("detect", name, fold.test, of)
        if variants:
            yield Job("stress", name, fold.test * len(variants), of)
            work, rows = fold.pairs * len(variants), replicates * len(variants)
            yield Job("score_variants", name, work, kind, rows)
    for rule, count in _aside(study).items():
        yield Job(rule, fold.name, fold.pairs * count, size=replicates * count)


def _scored(study: Block, fold: Fold, model: str) -> Iterator[Job]:
    readings = len(study["protocols"][fold.name.split("/")[0]]["same_moment"])
    pairs, replicates = fold.pairs * readings, study["evaluation"]["replicates"]
    yield Job("score", f"{fold.name}/{model}", pairs)
    yield Job("measure", f"{fold.name}/{model}", pairs * replicates, size=replicates)


def _aside(study: Block) -> dict[str, int]:
    """Return how often the experiments beside the models compare a fold's faces."""
    found = {}
    if moved := study.get("displacements"):
        found["displace"] = len(moved["kinds"]) * len(moved["levels"])
    for rule, block in (("ablate", "ablation"), ("sweep", "sweep")):
        if variations := study.get(block):
            found[rule] = sum(1 + its.get("permutations", 0) for its in variations.values())
    return found


def _frames(block: Block) -> bool:
    return bool(block.get("settings", {}).get("frames", False))


def complete(training: Training) -> dict[str, Any]:
    """Return the settings of a training with the defaults of its detector."""
    declared = settings_of(f"thermalign.landmarks.{training.detector}").settings
    return {its.name: training.settings.get(its.name, its.default) for its in declared}


def cost_kind(training: Training, *, frames: bool) -> str:
    """Return detector and settings that decide what a step or an image of a training costs."""
    costly = {key: its for key, its in complete(training).items() if key in COSTLY}
    return json.dumps([training.detector, costly, frames], sort_keys=True)


def _training(training: Training, fold: Fold) -> float:
    """Return the work of a training: faces that its steps see, else the images it learns from."""
    settings = complete(training)
    only = settings.get("stages") == "onet"  # of MTCNN: its other networks are not trained
    steps = sum(
        its
        for key, its in settings.items()
        if key == "steps" or (key.endswith("_steps") and not only)
    )
    return float(steps * settings["batch_size"]) if steps else fold.train
