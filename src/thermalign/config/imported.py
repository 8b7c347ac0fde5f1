"""Rows of a study that other programs made: files of points or of scores, named by ``from:``.

A model with ``from:`` has the points of that file instead of a training, a matcher its scores. One
file may serve all folds, or the name says for which it is: ``{dataset}``, ``{protocol}`` and
``{fold}`` in it stand for theirs. Points whose file is one of a dataset are tested on other
datasets, too: ``{dataset}`` is theirs then.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Formatter
from typing import Any, NamedTuple

from thermalign.config import across

KEY = "from"
"""Of a block: the file of points or of scores."""

DATASET = "dataset"
PLACES = (DATASET, "protocol", "fold")
"""What braces in the file's name may hold."""

RATE = re.compile(r"0|0?\.[0-9]+")
"""A false match rate as a key."""

POINTS, SCORES = "models", "matchers"
"""Blocks whose entries are read from files of points and of scores."""

Study = Mapping[str, Any]


class Imported(NamedTuple):
    """A row of the study that is read from files.

    Attributes
    ----------
    block : ``POINTS`` or ``SCORES``
    pattern : str
        Name of its file, or files.
    thresholds : score by false match rate, as it is configured
    """

    block: str
    pattern: str
    thresholds: Mapping[str, float]


def from_files(study: Study, block: str = "") -> dict[str, Imported]:
    """Return every row that is read from files by its name, or those of one block."""
    return {
        name: Imported(of, its[KEY], its.get("thresholds", {}))
        for of in ((block,) if block else (POINTS, SCORES))
        for name, its in study.get(of, {}).items()
        if KEY in its
    }


def visiting(study: Study) -> dict[str, Imported]:
    """Return the rows of points that other datasets are tested with, by name."""
    return {
        name: its
        for name, its in from_files(study, POINTS).items()
        if not _fault(its.pattern)
        and DATASET in (part[1] for part in Formatter().parse(its.pattern))
    }


def file_of(pattern: str, study: Study, protocol: str, fold: int, *, other: str = "") -> str:
    """Return the file of a row on a fold, or on another dataset by its name in ``evaluate_on:``."""
    block = study["evaluate_on"][other] if other else study["protocols"][protocol]
    dataset = block["dataset"]
    return pattern.format(dataset=dataset, protocol=protocol, fold=fold)


def roles_of(study: Study, protocol: str, other: str = "") -> dict[str, Any]:
    """Return who is enrolled by a protocol, or for it elsewhere, and who is compared with whom.

    Parameters
    ----------
    study : mapping
    protocol : str
    other : str
        Name under ``evaluate_on:``; empty at home.
    """
    block = study["protocols"][protocol]
    its = study["evaluate_on"][other] if other else block
    roles = {key: its[key] for key in ("gallery", "probe", "same_moment")}
    if other:  # one reading
        roles["same_moment"] = [its["same_moment"]]
    if "images" in its["gallery"]:  # drawn by the protocol's seed
        roles["gallery"] = {**its["gallery"], "seed": block["seed"]}
    return roles


def files(study: Study) -> Iterator[tuple[str, str]]:
    """Yield the key and each file of rows whose names have no faults, each file once."""
    for name, its in from_files(study).items():
        if not _fault(its.pattern):
            every = (
                file_of(its.pattern, study, protocol, fold)
                for protocol, block in study["protocols"].items()
                for fold in range(block["folds"])
            )
            yield from ((f"{its.block}.{name}.{KEY}", file) for file in dict.fromkeys(every))


def files_across(study: Study) -> Iterator[tuple[str, str, str]]:
    """Yield the key, who asks for it, and each file of points of other datasets, each file once."""
    for name, its in visiting(study).items():
        every = {
            file_of(its.pattern, study, protocol, fold, other=other): f"evaluate_on.{other}"
            for protocol, other in across.evaluations(study)
            for fold in range(study["protocols"][protocol]["folds"])
        }
        yield from ((f"{POINTS}.{name}.{KEY}", asks, file) for file, asks in every.items())


def faults(study: Study, trainings: Mapping[str, Any]) -> Iterator[str]:
    """Yield names of files that mean nothing, thresholds of no rate, rows of a name that is taken.

    Parameters
    ----------
    study : a configuration whose every key and value is allowed by itself
    trainings : every training of a model by its folder
    """
    taken = dict(trainings)
    for name, its in from_files(study).items():
        if what := _fault(its.pattern):
            yield f"{its.block}.{name}.{KEY}: {its.pattern!r} {what}"
        for rate in (r for r in its.thresholds if not RATE.fullmatch(r)):
            what = "is no false match rate; write one below 1, quoted: '0.01'"
            yield f"{its.block}.{name}.thresholds: {rate!r} {what}"
    for block in (POINTS, SCORES):
        mine = from_files(study, block)
        for name in (name for name in mine if name in taken):
            yield f"{block}.{name}: models: has a row of that name already; rename one of them"
        taken |= mine


def place_faults(study: Study) -> Iterator[str]:
    """Yield files that are not there."""
    for where, file in files(study):
        if not Path(file).is_file():
            yield f"{where}: {file}: no such file; correct it, or write the file first"
    here = {file for _, file in files(study)}
    for where, asks, file in files_across(study):
        if file not in here and not Path(file).is_file():
            yield (
                f"{where}: {file}: no such file, and {asks} asks for it; write it, or name files "
                f"without {{{DATASET}}}: the row is then tested at home alone"
            )


def _fault(pattern: str) -> str:
    """Say what is wrong with the name of a file; nothing if all is right."""
    known = ", ".join(f"{{{place}}}" for place in PLACES)
    try:
        parts = [(its, spec or change) for _, its, spec, change in Formatter().parse(pattern)]
    except ValueError:
        return f"has a brace without its other half; write {known} or no brace"
    for its, how in parts:
        if its is not None and (its not in PLACES or how):
            return f"has braces that mean nothing; {known} stand for those of a job"
    return ""
