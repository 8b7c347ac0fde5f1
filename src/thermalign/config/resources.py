"""What a job asks a machine for: memory, time and GPUs, from the configuration alone.

A dataset's size is known before it exists: a rendered one's from its settings, any other's from the
lines of its manifest. No image is opened, so that a dry run stays cheap. Nothing here changes a
result or makes a job due.

What a rule takes is in NEEDS, fitted to the peaks in the cost lines of finished studies (the last
line of every log); the system test of SLURM holds the requests of a study against its peaks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil
from typing import Any

from thermalign.catalogue import settings_of, takes_a_gpu
from thermalign.config.checks import Study, Training, manifest_of, trainings
from thermalign.config.recordings import plans_of

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

AT_ONCE = {"train": 8600, "test": 1500}
"""MB that kept pixels take at most: a training's further ones lie in a file (``tmpdir``), and test
images are predicted in parts."""

FRAME = 640 * 480
"""Pixels of a rendered image that is no crop, and (ASSUME) of one whose header nobody has read."""


@dataclass(frozen=True)
class Need:
    """What the jobs of a rule take.

    Attributes
    ----------
    base : float, MB
        Of a job without images: what the step imports, batches, weights.
    images, train, test, faces, pairs, figures : float, kB
        For each of :class:`Counts`.
    stacks : str
        Whose pixels it holds at HELD bytes: ``train``, ``test`` or nobody's.
    minutes : float
        Of a job without images.
    seconds : float
        For each image of its datasets.
    """

    base: float
    images: float = 0.0
    train: float = 0.0
    test: float = 0.0
    faces: float = 0.0
    pairs: float = 0.0
    figures: float = 0.0
    stacks: str = ""
    minutes: float = 20.0
    seconds: float = 0.05


NEEDS = {
    "simulate": Need(300, minutes=30, seconds=2.0),
    "ingest": Need(250, images=5, seconds=0.1),
    "fold": Need(250, images=5),
    "describe": Need(350, images=5, minutes=30),
    "train": Need(2500, train=20, stacks="train", minutes=720),
    "predict": Need(2500, test=20, stacks="test", minutes=60),
    "annotated": Need(250, images=5),
    "detect": Need(2500, test=20, stacks="test", minutes=60),
    "stress": Need(2500, test=100, stacks="test", minutes=60),
    "fold_across": Need(250, images=5),
    "predict_across": Need(2500, test=20, stacks="test", minutes=60),
    "enrol_across": Need(550, train=250, faces=250, minutes=60),
    "score_across": Need(500, test=350),
    "align": Need(400, faces=250),
    "train_matcher": Need(550, train=320, minutes=60),
    "score": Need(450, test=400),
    "measure": Need(600, test=100, pairs=0.2),
    "compare": Need(400, test=10, pairs=0.2, figures=10),
    "ablate": Need(550, train=250, test=50, minutes=60),
    "sweep": Need(550, train=320, minutes=60),
    "displace": Need(550, test=550, minutes=60),
    "score_variants": Need(500, test=350),
    "spread": Need(250, test=5),
    "report": Need(300, test=5),
    "pack": Need(2500, minutes=60),
}
"""By rule. Fitted to the peaks of two studies, of 72 and of 1,440 thermal crops (docs/clusters.md).
What draws bootstrap samples holds a bounded number of weights at once: that is in its ``base``."""


@dataclass(frozen=True)
class Counts:
    """How much a job is given.

    Attributes
    ----------
    images : int
        Of the datasets that it reads, of both modalities.
    train, test : int
        Of the modality that detectors see, of the fold; of a job of the whole study, over all its
        folds and models.
    faces : int
        Images that are aligned: test images, or by annotated points all, of both modalities.
    pairs : int
        Rows of SCORES: probes times people, in every reading of ``same_moment``.
    figures : int
        Sets of bootstrap values: models times folds times replicates.
    stacked : float
        Pixels of one of its images that a detector keeps.
    """

    images: int = 0
    train: int = 0
    test: int = 0
    faces: int = 0
    pairs: int = 0
    figures: int = 0
    stacked: float = 0.0


@dataclass(frozen=True)
class Size:
    """How large a dataset is, or some volumes of one.

    Attributes
    ----------
    people : int
        0 where nobody knows.
    thermal, visible : int
        Images; of a manifest, whose rows are not read, all of them as either.
    images : int
        Of both.
    pixels : int
        Of an image.
    crop : bool
        Images are faces already, so that all of them is kept.
    """

    people: int
    thermal: int
    visible: int
    images: int
    pixels: int = FRAME
    crop: bool = False


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
        need, counts = NEEDS[rule], self.counts(job)
        kilobytes = sum(
            getattr(need, name) * getattr(counts, name)
            for name in ("images", "train", "test", "faces", "pairs", "figures")
        )
        held = 0.0
        if need.stacks:
            pixels = getattr(counts, need.stacks) * counts.stacked
            held = min(pixels * HELD / 1e6, AT_ONCE[need.stacks])
        asked = AROUND + HEADROOM * (need.base + kilobytes / 1e3 + held)
        return ceil(asked / STEP) * STEP * int(2 ** (attempt - 1))

    def runtime(self, rule: str, job: Mapping[str, str], attempt: int = 1) -> int:
        """Return minutes; every retry asks for as much again."""
        need, images = NEEDS[rule], self.counts(job).images
        if rule == "simulate":
            images = ceil(images / self.study["datasets"][job["dataset"]]["chunks"])
        return ceil(need.minutes + need.seconds * images / 60) * attempt

    def gpus(self, job: Mapping[str, str]) -> int:
        """Return the GPUs of a model's job: none where the model has no use for one."""
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
        if "dataset" in job:
            return Counts(images=joined(self.sizes[job["dataset"]]).images)
        if "protocol" in job:
            its = self._of_fold(job["protocol"], job.get("model", ""))
            return self._across(its, job["other"]) if "other" in job else its
        return self._of_study

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
            faces=size.images if model == "annotated" else test,
            pairs=test * split[1] * len(protocol["same_moment"]),
            figures=self.study["evaluation"]["replicates"],
            stacked=size.pixels * (1.0 if size.crop else KEPT.get(self._detector(model), 1.0)),
        )

    def _across(self, its: Counts, other: str) -> Counts:
        """Return how much a job of a fold is given that is tested on another dataset, all of it."""
        block = self.study["evaluate_on"][other]
        size = joined(self.sizes[block["dataset"]])
        seen = getattr(size, block["probe"]["modality"])
        return replace(
            its, images=its.images + size.images, test=seen, faces=size.images, stacked=size.pixels
        )

    @cached_property
    def _of_study(self) -> Counts:
        """Return how much a job of the whole study is given."""
        jobs = [
            self._of_fold(name, model)
            for name, protocol in self.study["protocols"].items()
            for model in (*self.models, "annotated")
            for _ in range(protocol["folds"])
        ]
        return Counts(
            images=sum(joined(size).images for size in self.sizes.values()),
            **{
                key: sum(getattr(its, key) for its in jobs)
                for key in ("train", "test", "pairs", "figures")
            },
        )

    def _detector(self, model: str) -> str:
        return self.models[model].detector if model in self.models else ""


def sizes_of(study: Study, dataset: str) -> list[Size]:
    """Return the sizes of a dataset's volumes, known before it exists.

    Parameters
    ----------
    study : mapping
    dataset : str
        Rendered, or read from a manifest, whose lines are counted.
    """
    if manifest := manifest_of(study, dataset):
        lines = manifest.read_bytes().count(b"\n") if manifest.is_file() else 0
        return [Size(people=0, thermal=lines, visible=lines, images=lines)]
    block = study["datasets"][dataset]
    declared = settings_of("thermalign.simulator.settings").settings
    settings = {its.name: its.default for its in declared} | dict(block["settings"])
    crop = not settings["frames"]
    pixels = settings["crop_height"] * settings["crop_width"] if crop else FRAME
    return [_rendered(plan, pixels, crop=crop) for plan in plans_of(block)]


def _rendered(plan: Mapping[str, Any], pixels: int, *, crop: bool) -> Size:
    """Return the size of a rendered volume."""
    samples = plan["baseline"] + plan["expression"]
    sessions = plan["subjects"] * plan["sessions"]
    thermal = sessions * (plan["thermal_images"] or len(plan["ranges"]) * samples)
    visible = sessions * len(plan["visible_ranges"]) * samples
    return Size(plan["subjects"], thermal, visible, thermal + visible, pixels, crop)


def joined(sizes: Sequence[Size]) -> Size:
    """Return the size of several volumes together."""
    people, thermal, visible, images = (
        sum(getattr(size, key) for size in sizes)
        for key in ("people", "thermal", "visible", "images")
    )
    pixels, crop = max(size.pixels for size in sizes), all(size.crop for size in sizes)
    return Size(people, thermal, visible, images, pixels, crop)
