"""The variants of a study: their order, what they are called, and their levels."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from thermalign.report.cells import fraction

NONE = "none"
"""Name of the condition that the detectors were trained for."""

KNOWN = {
    "ambient_mean": "Room, °C",
    "netd": "NETD, K",
    "defocus": "Defocus, m",
    "sensor": "Camera",
}
"""Settings of the simulator to how a table spells them, with their units."""


@dataclass(frozen=True)
class Condition:
    """One variant as a column of a table or a point of a figure.

    Attributes
    ----------
    name : str
        As configured.
    group, title : str
        What is changed, and how far.
    level : float
        ``title`` as a number, or 0.
    """

    name: str
    group: str
    title: str
    level: float = 0.0


def moved_boxes(config: Mapping[str, Any], kind: str) -> list[Condition]:
    """Return the variants of one kind, ``shift`` or ``scale``, by rising level."""
    group = {"shift": "Box moved, of its side", "scale": "Box resized, times"}[kind]
    found = [
        Condition(name, group, fraction(block[kind], digits=2), float(block[kind]))
        for name, block in config.get("variants", {}).items()
        if kind in block
    ]
    return sorted(found, key=lambda c: (c.level, c.name))


def detectors(config: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return variant and model of every variant whose boxes a model finds."""
    blocks = config.get("variants", {}).items()
    return [(name, block["detector"]) for name, block in blocks if "detector" in block]


def recordings(config: Mapping[str, Any], protocol: str) -> list[Condition]:
    """Return the variants that are other recordings, those that change one setting side by side."""
    blocks = config.get("variants", {}).items()
    named = {name: block["dataset"] for name, block in blocks if "dataset" in block}
    if not named:
        return []
    datasets = config["datasets"]
    own = _flat(datasets.get(config["protocols"].get(protocol, {}).get("dataset"), {}))
    found = []
    for name, dataset in named.items():
        other = _flat(datasets[dataset])
        changed = [key for key in {*own, *other} if own.get(key) != other.get(key)]
        found.append(_recording(name, {key: other.get(key) for key in changed}))
    return sorted(found, key=lambda c: (c.group == "", c.group, c.level, c.name))


def _recording(name: str, changed: dict[str, Any]) -> Condition:
    if len(changed) != 1:
        return Condition(name, "", name)
    key, value = next(iter(changed.items()))
    number = float(value) if isinstance(value, int | float) else 0.0
    return Condition(name, KNOWN.get(key, key), f"{value}", number)


def _flat(block: Mapping[str, Any]) -> dict[str, Any]:
    return {**block, "settings": None, **block.get("settings", {})}
