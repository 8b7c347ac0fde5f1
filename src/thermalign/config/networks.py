"""What does not fit about networks of matchers: whom they are trained on, and who names them."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from thermalign.config.faults import nearest
from thermalign.config.recordings import people_of

Block = Mapping[str, Any]

MAPPING = "two_branch"
"""The mapping that applies a network."""

DESCRIBED = ("dog", "features")
"""Blocks of a matcher that say what a face is described by."""


def matcher_of(study: Block, protocol: str) -> dict[str, Any]:
    """Return the matcher of a protocol: the study's, with what the protocol says otherwise."""
    return {**study["matcher"], **study["protocols"][protocol].get("matcher", {})}


def firsts(study: Block) -> dict[str, str]:
    """Return by protocol the first one that differs from it in nothing but the matcher.

    The first itself is in it where there is another.
    """
    alike: dict[str, list[str]] = {}
    for name, block in study["protocols"].items():
        shared = {key: its for key, its in block.items() if key not in ("matcher", "paper")}
        alike.setdefault(json.dumps(shared, sort_keys=True), []).append(name)
    return {name: names[0] for names in alike.values() if len(names) > 1 for name in names}


def network_of(block: Block) -> str:
    """Return the network that a matcher applies; empty for none."""
    applied = block.get("mapping") == MAPPING
    return str(block.get(MAPPING, {}).get("network", "")) if applied else ""


def faults(study: Block) -> Iterator[str]:
    """Yield networks of people that are tested, and matchers without theirs; each line once."""
    yield from dict.fromkeys([*_people(study), *_matchers(study)])


def _own(study: Block) -> Iterator[tuple[str, Block]]:
    """Yield where the study's matcher and protocols' own stand, and all of their keys."""
    yield "matcher", study["matcher"]
    for name in (n for n, its in study["protocols"].items() if "matcher" in its):
        yield f"protocols.{name}.matcher", matcher_of(study, name)


def _varied(study: Block) -> Iterator[tuple[str, Block]]:
    """Yield the same of the variations of every protocol's matcher."""
    for name in study["protocols"]:
        for group in ("ablation", "sweep"):
            for other, block in study[group].items():
                yield f"{group}.{other}", {**matcher_of(study, name), **block}


def _matchers(study: Block) -> Iterator[str]:
    """Yield what is wrong with matchers; with their variations, if nothing is."""
    wrong = [line for its in _own(study) for line in _matcher(study, *its)]
    yield from wrong or (line for its in _varied(study) for line in _matcher(study, *its))


def _matcher(study: Block, where: str, block: Block) -> Iterator[str]:
    """Yield that a matcher lacks its network, or has other descriptors than that is trained on."""
    named = block.get(MAPPING, {}).get("network", "")
    if block["mapping"] == MAPPING and not named:
        yield f"{where}: mapping is {MAPPING}; give {MAPPING}: {{network: NAME}}"
    elif named and named not in study["networks"]:
        near = nearest(named, study["networks"])
        yield f"{where}.{MAPPING}.network: no network {named!r}; {near}"
    elif network := network_of(block):
        for part in (part for part in DESCRIBED if block[part] != study["matcher"][part]):
            yield (
                f"{where}.{part}: is not the study's, which network {network} is trained with; "
                "leave it out"
            )


def _people(study: Block) -> Iterator[str]:
    """Yield networks of no dataset, and of people that a protocol or another dataset tests."""
    known = study["datasets"]
    tested = [(f"protocol {p}", its["dataset"]) for p, its in study["protocols"].items()]
    tested += [
        (f"evaluate_on.{name}", its["dataset"])
        for name, its in study["evaluate_on"].items()
        if "gallery" in its
    ]
    for name, block in study["networks"].items():
        where, dataset = f"networks.{name}.dataset", block["dataset"]
        if dataset not in known:
            yield f"{where}: no dataset {dataset!r}; {nearest(dataset, known)}"
            continue
        own = people_of(known[dataset])
        for who, other in tested:
            if other == dataset:
                yield (
                    f"{where}: {who} tests people of {dataset}, whom the network would have "
                    "seen; give it a dataset of its own"
                )
            elif shared := own & people_of(known.get(other, {})):
                yield (
                    f"{where}: {dataset} has {len(shared)} of the people of {other}, whom "
                    f"{who} tests; give it another seed"
                )
