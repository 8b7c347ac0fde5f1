"""What does not fit about networks of matchers: whom they are trained on, and who names them."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from thermalign.config.faults import nearest
from thermalign.config.recordings import people_of

Block = Mapping[str, Any]

MAPPING = "two_branch"
"""The mapping that applies a network."""


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
    """Yield networks of people that a protocol tests, and matchers without theirs."""
    for name, block in study["networks"].items():
        yield from _people(study, f"networks.{name}.dataset", block["dataset"])
    for where, block in _matchers(study):
        named = block.get(MAPPING, {}).get("network", "")
        if block["mapping"] == MAPPING and not named:
            yield f"{where}: mapping is {MAPPING}; give {MAPPING}: {{network: NAME}}"
        elif named and named not in study["networks"]:
            near = nearest(named, study["networks"])
            yield f"{where}.{MAPPING}.network: no network {named!r}; {near}"


def _matchers(study: Block) -> Iterator[tuple[str, Block]]:
    """Yield where a matcher stands, and all of its keys."""
    yield "matcher", study["matcher"]
    for name, protocol in study["protocols"].items():
        own = matcher_of(study, name)
        if "matcher" in protocol:
            yield f"protocols.{name}.matcher", own
        for group in ("ablation", "sweep"):
            for other, block in study[group].items():
                yield f"{group}.{other}", {**own, **block}


def _people(study: Block, where: str, name: str) -> Iterator[str]:
    """Yield protocols that test people of a dataset."""
    if name not in study["datasets"]:
        yield f"{where}: no dataset {name!r}; {nearest(name, study['datasets'])}"
        return
    own = people_of(study["datasets"][name])
    for protocol, its in study["protocols"].items():
        other = study["datasets"].get(its["dataset"])
        if other is None:
            continue
        if its["dataset"] == name:
            yield (
                f"{where}: protocol {protocol} tests people of {name}, whom the network would have "
                "seen; give it a dataset of its own"
            )
        elif own & people_of(other):
            yield (
                f"{where}: {name} has {len(own & people_of(other))} of the people of "
                f"{its['dataset']}, whom protocol {protocol} tests; give it another seed"
            )
