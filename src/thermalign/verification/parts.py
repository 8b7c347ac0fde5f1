"""The mapping and the classifier that a ``matcher:`` block names, loaded by name.

What they have stands in :mod:`thermalign.verification.contract`.
"""

from collections.abc import Mapping
from dataclasses import fields
from importlib import import_module
from types import ModuleType
from typing import Any, NamedTuple

from thermalign.settings import parse


class Part(NamedTuple):
    """A mapping or a classifier: the name of its module, and its parsed settings."""

    name: str
    settings: Any


def load(name: str) -> ModuleType:
    """Return the module of a mapping or a classifier."""
    return import_module(f"thermalign.verification.{name}")


def within_one(name: str) -> bool:
    """Return whether a mapping brings together images of one modality, too."""
    return bool(getattr(load(name), "WITHIN", False))


def mapping_of(block: Mapping[str, Any]) -> Part:
    """Return the mapping that a ``matcher:`` block names.

    Raises
    ------
    ValueError
        If its own block has an unknown or a wrong value.
    """
    name = block["mapping"]
    return Part(name, parse(load(name).Settings, block.get(name, {}), f"matcher.{name}"))


def classifier_of(block: Mapping[str, Any]) -> Part:
    """Return the classifier that a ``matcher:`` block names.

    Raises
    ------
    ValueError
        If a setting is unknown or wrong.
    """
    name = block["classifier"]
    settings = load(name).Settings
    beside = {f.name: block[f.name] for f in fields(settings) if f.name in block}
    return Part(name, parse(settings, {**beside, **block.get(name, {})}, f"matcher ({name})"))
