"""What a job asks a machine for: memory, time and GPUs, from the configuration alone.

A dataset's size is known before it exists: a rendered one's from its settings, any other's from the
lines of its manifest. No image is opened, so that a dry run stays cheap. Nothing here changes a
result or makes a job due.

What a rule takes is in NEEDS, fitted to the peaks in the cost lines of finished studies (the last
line of every log); the system test of SLURM holds the requests of a study against its peaks.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil
from typing import Any

from thermalign.catalogue import settings_of, takes_a_gpu
from thermalign.config.checks import Study, Training, trainings
from thermalign.config.imported import from_files
from thermalign.config.sizes import Size, joined, sizes_of

AROUND = 400
"""MB: Snakemake itself, which runs twice around a job on a cluster's node, and is counted there."""

HEADROOM = 1.25
"""Times what was measured that is asked for."""

STEP = 100
"""MB: requests are whole multiples, so that a few more images are no other request."""

HELD = 3.4
"""Bytes for each pixel that a detector keeps of an image: 2 as a 16-bit file stores it, and its mip
levels in float32. Of float32 files it is 5.4: a retry has room for that."""

KEPT = {"heatmap": 0.8, "ert": 0.5, "pbc": 0.4, "mean_shape": 0.4}
"""Shares of a frame that are kept around a face at 2.5 m, where it is largest; what is not named
keeps nearly all. Faces further away need less."""

AT_ONCE = {"train": 8600, "test": 750}
"""MB that kept pixels take at most: a training's further ones lie in a file (``tmpdir``), and test
images are predicted in parts."""


FACE, FACES = 54, 540
"""kB of an aligned face of 112 x 128 pixels with its descriptors, and MB that those of all images
take at most: beyond that they lie in files."""


WORKER = 200
"""MB of each process beside its own that ``ingest`` reads images in, where it has several cores."""


@dataclass(frozen=True)
class Need:
    """What the jobs of a rule take.

    Attributes
    ----------
    base : float, MB
        Of a job without images: what the step imports, batches, weights.
    images, train, test, paired, tried, pairs, figures : float, kB
        For each of :class:`Counts`.
    stacks : str
        Whose pixels it holds at HELD bytes: ``train``, ``test`` or nobody's.
    faces : bool
        Whether it keeps aligned faces and their descriptors.
    minutes : float
        Of a job without images.
    seconds : float
        For each image of its datasets.
    """

    base: float
    images: float = 0.0
    train: float = 0.0
    test: float = 0.0
    paired: float = 0.0
    tried: float = 0.0
    pairs: float = 0.0
    figures: float = 0.0
    stacks: str = ""
    faces: bool = False
    minutes: float = 20.0
    seconds: float = 0.05


NEEDS = {
    "simulate": Need(300, minutes=30, seconds=2.0),
    "adapt": Need(250, images=5),
    "ingest": Need(250, images=5, seconds=0.1),
    "fold": Need(250, images=5),
    "describe": Need(350, images=5, minutes=30),
    "train": Need(2500, train=20, stacks="train", minutes=720),
    "predict": Need(1700, test=5, stacks="test", minutes=60),
    "annotated": Need(250, images=5),
    "import_points": Need(250, images=5, test=5),
    "detect": Need(1700, test=20, stacks="test", minutes=60),
    "stress": Need(2100, test=10, stacks="test", minutes=60),
    "fold_across": Need(250, images=5),
    "import_points_across": Need(300, images=5, test=5),
    "predict_across": Need(1700, test=10, stacks="test", minutes=60),
    "enrol_across": Need(900, images=2, paired=110, pairs=0.3, minutes=60),
    "score_across": Need(900, images=2, pairs=0.6),
    "align": Need(800, images=2),
    "train_matcher": Need(500, images=2, paired=110, tried=0.3, faces=True, minutes=60),
    "train_network": Need(950, train=3.5, paired=110, faces=True, minutes=120),
    "score": Need(450, images=2, pairs=0.3, faces=True),
    "import_scores": Need(250, images=5, pairs=0.3),
    "measure": Need(600, images=2, pairs=0.4),
    "compare": Need(500, test=1, pairs=0.35, figures=10),
    "ablate": Need(500, images=2, paired=110, pairs=0.3, faces=True, minutes=60),
    "sweep": Need(500, images=2, paired=110, tried=0.3, faces=True, minutes=60),
    "displace": Need(500, images=2, pairs=0.8, stacks="test", faces=True, minutes=60),
    "score_variants": Need(450, images=2, pairs=0.3, faces=True),
    "spread": Need(250, images=3),
    "report": Need(400, images=3),
    "pack": Need(2500, minutes=60),
}
"""By rule. Fitted to the peaks of studies of 72 and of 1,440 thermal crops, and what matches or
measures to those of folds of 4,000 and 10,000 pairs (benchmarks/memory.py, docs/clusters.md). What
draws bootstrap samples holds a bounded number of weights at once: that is in its ``base``."""


@dataclass(frozen=True)
class Counts:
    """How much a job is given.

    Attributes
    ----------
    images : int
        Of the datasets that it reads, of both modalities.
    train, test : int
        Of the modality that detectors see, of the fold; of a job of the whole study, over all its
        folds and models. Of a network the described faces, copies included.
    paired : int
        Training images of the modality with fewer: a mapping learns from pairs of both.
    tried : int
        Comparisons of training people, half of whom are enrolled at a time, for thresholds.
    pairs : int
        Rows of SCORES: probes times people, in every reading of ``same_moment``. Of a job of the
        whole study, those of one model on all folds of the protocol with most.
    figures : int
        Sets of bootstrap values: models times folds times replicates.
    stacked : float
        Pixels of one of its images that a detector keeps.
    """

    images: int = 0
    train: int = 0
    test: int = 0
    paired: int = 0
    tried: int = 0
    pairs: int = 0
    figures: int = 0
    stacked: float = 0.0


COUNTED = ("images", "train", "test", "paired", "tried", "pairs", "figures")
"""What both have of each name."""


def taken(need: Need, counts: Counts) -> float:
    """Return the MB that a step takes at its peak."""
    kilobytes = sum(getattr(need, name) * getattr(counts, name) for name in COUNTED)
    held = min(counts.images * FACE / 1e3, FACES) if need.faces else 0.0
    if need.stacks:
        pixels = getattr(counts, need.stacks) * counts.stacked
        held += min(pixels * HELD / 1e6, AT_ONCE[need.stacks])
    return need.base + kilobytes / 1e3 + held


class Requests:
    """What the jobs of a study ask for.

    A job is given by its wildcards. ``attempt`` counts from 1.
    """

    def __init__(self, study: Study, *, gpus: int = 0) -> None:
        """Keep a study as :func:`thermalign.config.models.check_study` returns it.

        Parameters
        ----------
        study : mapping
        gpus : int
            That jobs may hold at the same time, wherever they run.
        """
        self.study, self.there = study, gpus

    def memory(self, rule: str, job: Mapping[str, str], attempt: int = 1) -> int:
        """Return MB; every retry asks for twice as much."""
        asked = AROUND + HEADROOM * (taken(NEEDS[rule], self.counts(job)) + self._workers(rule))
        return ceil(asked / STEP) * STEP * int(2 ** (attempt - 1))

    def runtime(self, rule: str, job: Mapping[str, str], attempt: int = 1) -> int:
        """Return minutes; every retry asks for as much again."""
        need, images = NEEDS[rule], self.counts(job).images
        if rule == "simulate":
            images = ceil(images / self.study["datasets"][job["dataset"]]["chunks"])
        return ceil(need.minutes + need.seconds * images / 60) * attempt

    def gpus(self, job: Mapping[str, str]) -> int:
        """Return the GPUs of a model's or a network's job: none where it has no use for one."""
        if "network" in job:
            return min(1, self.there)
        return min(1, self.there) if takes_a_gpu(self.models[job["model"]].detector) else 0

    @cached_property
    def models(self) -> dict[str, Training]:
        """Every training by its folder."""
        return trainings(self.study)

    @cached_property
    def sizes(self) -> dict[str, list[Size]]:
        """Every dataset's volumes; one of a dataset that is read from a manifest."""
        return {name: sizes_of(self.study, name) for name in self.study["datasets"]}

    def counts(self, job: Mapping[str, str]) -> Counts:
        """Return how much a job is given."""
        if "network" in job:
            return self._of_network(self.study["networks"][job["network"]])
        if "dataset" in job:
            return Counts(images=joined(self.sizes[job["dataset"]]).images)
        if "protocol" in job:
            its = self._of_fold(job["protocol"], job.get("model", ""))
            return self._across(its, job["other"]) if "other" in job else its
        return self._of_study

    def _of_network(self, block: Mapping[str, Any]) -> Counts:
        """Return how much the training of a matcher's network is given: aligned copies, too."""
        declared = settings_of("thermalign.networks.two_branch").settings
        settings = {its.name: its.default for its in declared} | dict(block)
        size = joined(self.sizes[block["dataset"]])
        fewer = min(size.thermal, size.visible)
        first = size.people * settings["whitened_by"] if size.people else fewer
        described = size.images * (1 + settings["copies"])
        return Counts(images=size.images, train=described, paired=min(fewer, first))

    def _workers(self, rule: str) -> float:
        """Return the MB of the processes that a job starts, as many as it has cores."""
        cores = self.study["threads"]["ingest"] if rule == "ingest" else 1
        return float(WORKER * cores) if cores > 1 else 0.0

    def _of_fold(self, name: str, model: str) -> Counts:
        """Return how much a job of one fold is given."""
        protocol = self.study["protocols"][name]
        volumes = self.sizes[protocol["dataset"]]
        some = [volumes[k - 1] for k in protocol["volumes"]] if len(volumes) > 1 else volumes
        size = joined(some)
        split = [protocol[f"{role}_subjects"] for role in ("train", "test")]
        everybody = max(size.people, sum(split))
        seen = getattr(size, protocol["probe"]["modality"])
        train, test = (ceil(seen * people / everybody) for people in split)
        others = {v["dataset"] for v in self.study.get("variants", {}).values() if "dataset" in v}
        return Counts(
            images=sum(joined(self.sizes[d]).images for d in {protocol["dataset"], *others}),
            train=train,
            test=test,
            paired=ceil(min(size.thermal, size.visible) * split[0] / everybody),
            tried=ceil(train * split[0] / 2),
            pairs=test * split[1] * len(protocol["same_moment"]),
            figures=self.study["evaluation"]["replicates"],
            stacked=size.pixels * (1.0 if size.crop else KEPT.get(self._detector(model), 1.0)),
        )

    def _across(self, its: Counts, other: str) -> Counts:
        """Return how much a job of a fold is given that is tested on another dataset, all of it.

        Nobody counts comparisons beforehand where nobody knows how many people a dataset has.
        """
        block = self.study["evaluate_on"][other]
        size = joined(self.sizes[block["dataset"]])
        seen = getattr(size, block["probe"]["modality"])
        return replace(
            its,
            images=its.images + size.images,
            test=seen,
            pairs=seen * size.people,
            stacked=size.pixels,
        )

    @cached_property
    def _of_study(self) -> Counts:
        """Return how much a job of the whole study is given."""
        jobs = [
            self._of_fold(name, model)
            for name, protocol in self.study["protocols"].items()
            for model in (*self.models, *from_files(self.study), "annotated")
            for _ in range(protocol["folds"])
        ]
        return Counts(
            images=sum(joined(size).images for size in self.sizes.values()),
            pairs=max(
                its["folds"] * self._of_fold(name, "").pairs
                for name, its in self.study["protocols"].items()
            ),
            **{key: sum(getattr(its, key) for its in jobs) for key in ("train", "test", "figures")},
        )

    def _detector(self, model: str) -> str:
        return self.models[model].detector if model in self.models else ""
