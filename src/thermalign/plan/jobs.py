"""The jobs of a study and how much work each has, as its configuration says.

Work is counted in a unit of the rule's own, which its cost is proportional to (``UNITS``). What
else decides the cost, such as the size of a network, is the job's ``kind``: a job is compared with
measured ones of its own kind alone.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from thermalign.catalogue import Setting, settings_of, trees
from thermalign.config import across
from thermalign.config.checks import Training, trainings
from thermalign.config.imported import POINTS, SCORES, from_files, visiting
from thermalign.plan.people import Recorded, images_of, of_one, recorded, within

Block = Mapping[str, Any]
Datasets = Mapping[str, list[Recorded]]

UNITS = {
    "simulate": "images + PERSON x people",
    "adapt": "images",
    "ingest": "images",
    "describe": "images",
    "fold": "images",
    "train": "steps x batch, or training images",
    "predict": "test images",
    "detect": "test images",
    "stress": "test images x variants",
    "annotated": "images",
    "import_points": "test images",
    "fold_across": "images",
    "import_points_across": "test images",
    "predict_across": "test images",
    "enrol_across": "training and other images",
    "score_across": "probes x people",
    "align": "images",
    "train_network": "steps x people",
    "train_matcher": "training images",
    "score": "probes x people",
    "import_scores": "probes x people",
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
    everybody = {name: recorded(study, name) for name in study["datasets"]}
    folds, models = list(_folds(study, everybody)), trainings(study)
    found = [*_data(study, everybody), *_networks(study)]
    for fold in folds:
        found += [*_of_fold(study, fold, models), *_across(study, everybody, fold, models)]
    placed, matched = (len(from_files(study, block)) for block in (POINTS, SCORES))
    tested = sum(fold.test for fold in folds) * (len(models) + placed)
    replicates = study["evaluation"]["replicates"]
    compared = len(models) + placed + matched + 1
    pairs = sum(fold.pairs for fold in folds) * compared
    rows = replicates * len(folds) * compared
    found.append(Job("compare", "all", pairs * replicates, size=rows))
    found += [Job("spread", "all", tested, size=1), Job("report", "all", tested, size=1)]
    if "detector" in study:
        found.append(Job("pack", "all", folds[0].test))
    return found


def _data(study: Block, everybody: Datasets) -> Iterator[Job]:
    described = {protocol["dataset"] for protocol in study["protocols"].values()}
    described |= {*across.datasets(study)}
    for name, block in study["datasets"].items():
        people, kind = everybody[name], "frames" if _frames(block) else ""
        images = images_of(people)
        rendered = images + PERSON * sum(its.people for its in people)
        chunks = block.get("chunks", 0) if block["adapter"] == "simulator" else 0
        for k in range(chunks):
            yield Job("simulate", f"{name}/{k}", rendered / chunks, kind, images / chunks)
        if block["adapter"] in trees():
            yield Job("adapt", name, images, kind)
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


def _folds(study: Block, everybody: Datasets) -> Iterator[Fold]:
    for name, protocol in study["protocols"].items():
        block = study["datasets"][protocol["dataset"]]
        people = within(everybody[protocol["dataset"]], protocol["volumes"])
        if not people:
            raise ValueError(
                f"protocols.{name}.volumes: {protocol['dataset']} has no image of "
                f"{protocol['volumes']}; name volumes of its manifest"
            )
        modality = {"modality": protocol["probe"]["modality"]}
        train, test = protocol["train_subjects"], protocol["test_subjects"]
        everything = images_of(people) / sum(its.people for its in people)
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
    for model in from_files(study, POINTS):
        yield Job("import_points", f"{fold.name}/{model}", fold.test)
        yield Job("align", f"{fold.name}/{model}", fold.probes, kind)
        yield from _scored(study, fold, model)
    for model in from_files(study, SCORES):
        yield from _scored(study, fold, model, rule="import_scores")
    for rule, count in _aside(study).items():
        yield Job(rule, fold.name, fold.pairs * count, size=replicates * count)


def _across(
    study: Block, everybody: Datasets, fold: Fold, models: Mapping[str, Training]
) -> Iterator[Job]:
    """Yield the jobs that test a fold's models on other datasets, on all of their people."""
    protocol, replicates = fold.name.split("/")[0], study["evaluation"]["replicates"]
    for name in (name for its, name in across.evaluations(study) if its == protocol):
        block = study["evaluate_on"][name]
        people, frames = everybody[block["dataset"]], _frames(study["datasets"][block["dataset"]])
        tested = sum(its.people for its in people)
        seen, probes = (
            tested * of_one(people, role)
            for role in ({"modality": block["probe"]["modality"]}, block["probe"])
        )
        yield Job("fold_across", f"{fold.name}/{name}", images_of(people))
        if "gallery" in block:
            yield Job("enrol_across", f"{fold.name}/{name}", fold.train + images_of(people))
        for model, training in models.items():
            job, kind = f"{fold.name}/{model}/{name}", cost_kind(training, frames=frames)
            yield Job("predict_across", job, seen, kind, replicates)
            if "gallery" in block:
                yield Job("score_across", job, probes * tested, size=replicates)
        for model in visiting(study):
            job = f"{fold.name}/{model}/{name}"
            yield Job("import_points_across", job, seen, size=replicates)
            if "gallery" in block:
                yield Job("score_across", job, probes * tested, size=replicates)


def _scored(study: Block, fold: Fold, model: str, *, rule: str = "score") -> Iterator[Job]:
    readings = len(study["protocols"][fold.name.split("/")[0]]["same_moment"])
    pairs, replicates = fold.pairs * readings, study["evaluation"]["replicates"]
    yield Job(rule, f"{fold.name}/{model}", pairs)
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
    return {its.name: training.settings.get(its.name, its.default) for its in _declared(training)}


def cost_kind(training: Training, *, frames: bool) -> str:
    """Return detector and settings that decide what a step or an image of a training costs."""
    declared = {its.name for its in _declared(training) if its.costs}
    costly = {name: its for name, its in complete(training).items() if name in declared}
    return json.dumps([training.detector, costly, frames], sort_keys=True)


def _declared(training: Training) -> tuple[Setting, ...]:
    return settings_of(f"thermalign.landmarks.{training.detector}").settings


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
