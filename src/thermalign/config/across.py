"""Other datasets that trained models are tested on: which models, whose people, what cannot be."""

from collections.abc import Iterator, Mapping
from typing import Any

from thermalign.catalogue import constant
from thermalign.config import recordings
from thermalign.config.faults import nearest

Block = Mapping[str, Any]

APART, SAME, OTHERS = "apart", "same", "others"
"""What equal names in two datasets say: see ``people`` of :mod:`thermalign.config.keys`."""


def evaluations(study: Block) -> Iterator[tuple[str, str]]:
    """Yield protocol and name under ``evaluate_on:`` of every test elsewhere."""
    for name, block in study.get("evaluate_on", {}).items():
        yield from ((protocol, name) for protocol in block["protocols"] or study["protocols"])


def datasets(study: Block) -> list[str]:
    """Return the datasets that models are tested on elsewhere, each once, by name."""
    return sorted({block["dataset"] for block in study.get("evaluate_on", {}).values()})


def people(study: Block, protocol: str, name: str) -> str:
    """Return what an equal name in a protocol's dataset and in another one says, where tested.

    A dataset shows its own people, rendered datasets the same if seed and number of anybody are in
    both, else others, and a rendered one never those of a recorded one.
    """
    block = study["evaluate_on"][name]
    own, other = study["protocols"][protocol]["dataset"], block["dataset"]
    return _known(study, own, other) or str(block["people"])


def _known(study: Block, own: str, other: str) -> str:
    """Return what equal names in two datasets say, as far as the configuration tells; or ""."""
    if own == other:
        return SAME
    both = [recordings.people_of(study["datasets"][name]) for name in (own, other)]
    if all(both):
        return SAME if both[0] & both[1] else OTHERS
    return OTHERS if any(both) else ""


def faults(study: Block) -> Iterator[str]:
    """Yield a line for each thing under ``evaluate_on:`` that is not there or cannot be tested."""
    for name, block in study.get("evaluate_on", {}).items():
        where = f"evaluate_on.{name}"
        known, dataset = study["datasets"], block["dataset"]
        unknown = [p for p in block["protocols"] if p not in study["protocols"]]
        for protocol in unknown:
            near = nearest(protocol, study["protocols"])
            yield f"{where}.protocols: no protocol {protocol!r}; {near}"
        yield from _landmarks(where, block["landmarks"])
        if dataset not in known:
            yield f"{where}.dataset: no dataset {dataset!r}; {nearest(dataset, known)}"
            continue
        if "chunks" in known[dataset]:
            yield from _selections(where, block, known[dataset])
        for protocol, its in evaluations(study):
            if its == name and not unknown:
                yield from _people(study, where, protocol, name)


def _landmarks(where: str, asked: list[str]) -> Iterator[str]:
    known = constant("thermalign.geometry", "LANDMARKS")
    for landmark in asked:
        if landmark not in known:
            yield f"{where}.landmarks: no landmark {landmark!r}; {nearest(landmark, known)}"


def _selections(where: str, block: Block, dataset: Block) -> Iterator[str]:
    """Yield probes and galleries that a rendered dataset does not have."""
    roles = {role: block[role] for role in ("probe", "gallery") if role in block}
    yield from recordings.unselected(where, roles, recordings.plans_of(dataset), block["dataset"])


def _people(study: Block, where: str, protocol: str, name: str) -> Iterator[str]:
    """Yield what is said of people and contradicts the seeds of rendered datasets."""
    block, own = study["evaluate_on"][name], study["protocols"][protocol]["dataset"]
    if own not in study["datasets"]:
        return  # told already
    known = _known(study, own, block["dataset"])
    if known and block["people"] not in (APART, known):
        told = "the same people as" if known == SAME else "other people than"
        yield (
            f"{where}.people: {block['people']}, but {block['dataset']} shows {told} {own} of "
            f"protocol {protocol}; leave people out"
        )
