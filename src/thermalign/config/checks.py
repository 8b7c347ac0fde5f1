"""What follows from a configuration, and what in it does not fit together.

Everything here takes a configuration whose every key and value is allowed by itself.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from thermalign.catalogue import (
    finds_faces,
    takes_a_state,
    trees,
)
from thermalign.config import across, blocks, imported, initial, networks, recordings
from thermalign.config.faults import nearest
from thermalign.config.initial import KEY, initial_of
from thermalign.config.keys import MODALITIES
from thermalign.config.paths import path_faults, place_faults

Study = Mapping[str, Any]


class Training(NamedTuple):
    """One training of a landmark model on a fold.

    Attributes
    ----------
    name : str
        Under models:.
    detector : str
        Module that is trained.
    seed : int
    settings : mapping
        Of the detector.
    initial : str
        Path of the state that it starts from; empty for none.
    """

    name: str
    detector: str
    seed: int
    settings: Mapping[str, Any]
    initial: str = ""


def trainings(study: Study) -> dict[str, Training]:
    """Return every training by its folder: a model's name, and its seed where it lists some.

    A model whose points are read from a file is none.

    Raises
    ------
    ValueError
        If two trainings would share a folder.
    """
    found: dict[str, Training] = {}
    for name, block in study["models"].items():
        if imported.KEY in block:
            continue
        detector = block.get("model", name)
        state = initial_of(block, detector)
        others = ("model", "seeds", KEY) if state else ("model", "seeds")
        settings = {key: its for key, its in block.items() if key not in others}
        for seed in block.get("seeds", [study["training_seed"]]):
            folder = f"{name}_seed{seed}" if "seeds" in block else name
            if folder in found:
                raise ValueError(
                    f"models.{name}: {folder} is a training of models.{found[folder].name} "
                    "already; rename one of them"
                )
            found[folder] = Training(name, detector, seed, settings, state)
    return found


def dataset_block(study: Study, name: str) -> dict[str, Any]:
    """Return a dataset's block; the folder of one that is read is resolved against ``data:``."""
    block = dict(study["datasets"][name])
    if "folder" in block:
        block["folder"] = str(Path(study["data"], block["folder"]))
    return block


def manifest_of(study: Study, name: str) -> Path | None:
    """Return the manifest that a dataset is read from; None for one that is rendered.

    That of a tree is made by rule ``adapt``.
    """
    if tree_of(study, name):
        return Path(study["results"], "data", name, "manifest.csv")
    block = dataset_block(study, name)
    return Path(block["folder"], block["manifest"]) if "manifest" in block else None


def tree_of(study: Study, name: str) -> Path | None:
    """Return the folder of a dataset whose manifest is made of a tree; None for any other."""
    block = dataset_block(study, name)
    return Path(block["folder"]) if block.get("adapter") in trees() else None


def faults(study: Study) -> Iterator[str]:
    """Yield a line for each thing that does not fit another, or cannot be a path."""
    yield from _names(study)
    yield from _variants(study)
    yield from blocks.faults(study)
    yield from _paths(study)
    yield from _taken_home(study)
    yield from across.faults(study)
    yield from recordings.faults(study)
    yield from networks.faults(study)


def check_places(study: Study, project: str | Path) -> None:
    """Refuse folders that cannot be used, and files in use that are not there or not right.

    Parameters
    ----------
    study : a checked configuration
    project : folder of the Snakefile

    Raises
    ------
    ValueError
        A line for each.
    """
    lines = [*path_faults("the folder of thermalign", str(project))]
    results = Path(study["results"])
    lines += place_faults("results", results, lambda: not results.exists() or results.is_dir())
    used = {protocol["dataset"] for protocol in study["protocols"].values()}
    used |= {its["dataset"] for its in study["variants"].values() if "dataset" in its}
    used |= {its["dataset"] for its in study["networks"].values()}
    used |= {*across.datasets(study)}
    if recorded := study.get("detector", {}).get("recorded"):
        used.add(recorded["dataset"])
    for name in sorted(used):
        if tree := tree_of(study, name):
            lines += place_faults(f"datasets.{name}", tree, tree.is_dir, "folder")
        elif manifest := manifest_of(study, name):
            lines += place_faults(f"datasets.{name}", manifest, manifest.is_file)
            block = dataset_block(study, name)
            left_out = block.get("quarantine")
            if left_out and not Path(block["folder"], left_out).is_file():
                lines.append(f"datasets.{name}.quarantine: {left_out}: no such file; correct it")
    if beside := study.get("detector", {}).get("beside"):
        file = Path(beside, "metrics.parquet")
        if not file.is_file():
            lines.append(f"detector.beside: {file}: no such table; name a folder that pack wrote")
        elif Path(beside).resolve() == Path(results, "detector").resolve():
            lines.append(f"detector.beside: {beside}: is this study's own; name another run's")
    folds = sum(protocol["folds"] for protocol in study["protocols"].values())
    started = {its.name: its for its in trainings(study).values() if its.initial}
    for name, its in started.items():
        path = Path(its.initial)
        where = f"models.{name}.{KEY}"
        if folds > 1 and path.is_relative_to(results):
            lines.append(
                f"{where}: {path}: is trained on one fold of this study and may have seen those "
                "tested in others; name a state from elsewhere, or study one protocol and one fold"
            )
        lines += initial.faults(where, path, its.detector, results)
    lines += imported.place_faults(study)
    if lines:
        raise ValueError("\n".join(lines))


def _names(study: Study) -> Iterator[str]:
    """Yield protocols of no dataset, and trainings that share a folder."""
    for name, protocol in study["protocols"].items():
        if (its := protocol["dataset"]) not in study["datasets"]:
            near = nearest(its, study["datasets"])
            yield f"protocols.{name}.dataset: no dataset {its!r}; {near}"
        if not protocol["same_moment"]:
            yield f"protocols.{name}.same_moment: is empty; give exclude, keep or both"
        count, share = protocol["train_subjects"], protocol["validation_share"]
        if round(share * count) >= count:
            yield (
                f"protocols.{name}.validation_share: {share} holds out all {count} "
                "train_subjects; lower it"
            )
        yield from _rejected(f"protocols.{name}.reject", protocol)
    try:
        yield from imported.faults(study, trainings(study))
    except ValueError as error:
        yield str(error)


def _rejected(where: str, protocol: Study) -> Iterator[str]:
    """Yield shares of probes that do not rise, or that no model is sure enough to choose."""
    shares = protocol["reject"]
    if shares != sorted(shares):
        yield f"{where}: {shares} do not rise; sort them"
    if shares and not protocol["validation_share"]:
        yield (
            f"{where}: no model has a confidence without validation subjects to calibrate it on; "
            "raise validation_share, or leave reject out"
        )


def _variants(study: Study) -> Iterator[str]:
    """Yield variants that are not one thing, or name what is not there or shows other people."""
    datasets = study["datasets"]
    for name, block in study["variants"].items():
        where = f"variants.{name}"
        if len(block) != 1:
            yield f"{where}: has {len(block)} keys; give one of shift, scale, detector, dataset"
        if block.get("shift") == 0:
            yield f"{where}.shift: 0 moves nothing; give more, or leave the variant out"
        if block.get("scale") == 1:
            yield f"{where}.scale: 1 changes nothing; give another, or leave the variant out"
        if "detector" in block:
            yield from _model(study, f"{where}.detector", block["detector"], finds=True)
        if "dataset" in block and block["dataset"] not in datasets:
            near = nearest(block["dataset"], datasets)
            yield f"{where}.dataset: no dataset {block['dataset']!r}; {near}"
        elif "dataset" in block:
            yield from _other_people(study, f"{where}.dataset", block["dataset"])


def _model(study: Study, where: str, name: str, *, finds: bool = False) -> Iterator[str]:
    """Yield that a training is none of the study's, or finds no faces though it should."""
    try:
        known = trainings(study)
    except ValueError:
        return  # told already
    if name in imported.from_files(study):
        yield f"{where}: {name} is read from a file and runs on no image; name one that is trained"
    elif name not in known:
        yield f"{where}: no model {name!r}; {nearest(name, known)}"
    elif finds and not finds_faces(known[name].detector, known[name].settings):
        yield (
            f"{where}: {name} finds no faces in whole images; name a model that does, an mtcnn "
            "with stages: full for example"
        )


def _taken_home(study: Study) -> Iterator[str]:
    """Yield models, folds and datasets of ``detector:`` that are not there or cannot serve."""
    block = study.get("detector")
    if block is None:
        return
    for part in ("landmarks", "finder"):
        its, where = block[part], f"detector.{part}"
        if its["protocol"] not in study["protocols"]:
            near = nearest(its["protocol"], study["protocols"])
            yield f"{where}.protocol: no protocol {its['protocol']!r}; {near}"
        elif (shown := study["protocols"][its["protocol"]]["probe"]["modality"]) != MODALITIES[0]:
            yield (
                f"{where}.protocol: {its['protocol']} trains on {shown} images, but both models of "
                f"a detector are of {MODALITIES[0]} ones; name a protocol whose probe is that"
            )
        elif its["fold"] >= (folds := study["protocols"][its["protocol"]]["folds"]):
            yield f"{where}.fold: {its['fold']} of {folds} folds; they count from 0"
        elif part == "landmarks" and not study["protocols"][its["protocol"]]["validation_share"]:
            yield (
                f"{where}.protocol: {its['protocol']} has no validation subjects, so the model "
                "would say nothing of its errors; raise validation_share"
            )
    yield from _model(study, "detector.landmarks.model", block["landmarks"]["model"])
    yield from _model(study, "detector.finder.model", block["finder"]["model"], finds=True)
    yield from path_faults("detector.beside", block.get("beside", "."))
    if "recorded" in block:
        yield from _recorded(study, "detector.recorded", block["recorded"])


def _recorded(study: Study, where: str, block: Study) -> Iterator[str]:
    name = block["dataset"]
    if name not in study["datasets"]:
        yield f"{where}.dataset: no dataset {name!r}; {nearest(name, study['datasets'])}"
        return
    known = study["datasets"][name].get("attributes", [])
    if block["by"] not in known:
        yield (
            f"{where}.by: {block['by']!r} is no attribute of {name}; name a column of its manifest "
            f"that datasets.{name}.attributes lists"
        )


def _other_people(study: Study, where: str, name: str) -> Iterator[str]:
    """Yield protocols whose people a rendered dataset does not show."""
    for protocol, its in study["protocols"].items():
        own = study["datasets"].get(its["dataset"], {})
        other = study["datasets"][name]
        people = [
            (block.get("seed"), *map(block.get("settings", {}).get, ("volumes", "subject_seeds")))
            for block in (other, own)
        ]
        if "chunks" in other and people[0] != people[1]:
            yield (
                f"{where}: {name} has another seed, other volumes or subject_seeds than "
                f"{its['dataset']} of protocol {protocol}, so it shows other people; give it "
                "the same"
            )


def _paths(study: Study) -> Iterator[str]:
    for key in ("results", "data"):
        yield from path_faults(key, study[key])
    for name, block in study["datasets"].items():
        for key in ("folder", "manifest"):
            yield from path_faults(f"datasets.{name}.{key}", block.get(key, "."))
    for name, block in study["models"].items():
        if imported.KEY not in block and takes_a_state(block.get("model", name)):
            yield from path_faults(f"models.{name}.{KEY}", block.get(KEY, "."))
    for where, file in imported.files(study):
        yield from path_faults(where, file)
