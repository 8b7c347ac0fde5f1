"""Settings as frozen dataclasses: declared with their ranges, read from a mapping, refused by name.

``thermalign.catalogue`` reads what is declared here from the syntax tree, so that no model is
imported to check a configuration.
"""

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, field, fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

S = TypeVar("S")

Relations = tuple[tuple[str, str], ...]

SEED = 2**32 - 1
"""Highest seed of a random draw."""

WRITTEN: dict[Any, type] = {Path: str, float: int}
"""How a value of a type may be written, too."""


def setting(
    default: Any = MISSING,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
    multiple_of: int = 1,
    unit: str = "",
    source: str = "",
    costs: bool = False,
) -> Any:
    """Declare a field of settings. Its meaning stands in the docstring of its class.

    Parameters
    ----------
    default : value
        Without one the configuration must give it.
    low, high : float, optional
        Inclusive limits; each element of a tuple or of a mapping counts.
    choices : tuple of str
        All allowed texts; empty for any.
    multiple_of : int
    unit : str
        Empty for a pure number or text.
    source : str
        Where the default comes from; empty for our own choice.
    costs : bool
        Whether what a step, an image or a training face takes depends on it, so that measured costs
        hold for its value alone (:mod:`thermalign.plan`).
    """
    limits = {"low": low, "high": high, "choices": choices, "multiple_of": multiple_of}
    metadata = {**limits, "unit": unit, "source": source, "costs": costs}
    if isinstance(default, dict):
        return field(default_factory=default.copy, metadata=metadata)
    return field(default=default, metadata=metadata)


def check(settings: Any) -> None:
    """Refuse settings outside what :func:`setting` declares; for ``__post_init__``.

    A class says in ``RELATIONS`` how its settings must fit each other: see :func:`unmet`.

    Raises
    ------
    ValueError
        Naming the setting, its value and what is allowed.
    """
    for its in fields(settings):
        if "choices" not in its.metadata:
            continue
        for each in _elements(getattr(settings, its.name)):
            _check_value(its.name, each, its.metadata)
    values = {its.name: getattr(settings, its.name) for its in fields(settings)}
    for message in unmet(getattr(settings, "RELATIONS", ()), values):
        raise ValueError(message)


def unmet(relations: Relations, values: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is to be said of each relation between settings that does not hold.

    Parameters
    ----------
    relations : pairs of a condition and a message
        Expressions over names of settings, the message as an f-string has them. They are literals
        of our own source: the configuration is checked by them without importing their class.
    values : setting -> value
    """
    names: dict[str, Any] = {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}
    names["__builtins__"] = {"len": len, "set": set}
    for condition, message in relations:
        if not eval(condition, names):
            yield eval(f"f{message!r}", names)


def _elements(value: Any) -> Iterator[Any]:
    """Yield the numbers and texts of a value; settings within it have declarations of their own."""
    if isinstance(value, tuple):
        yield from value
    elif isinstance(value, Mapping):
        yield from value.values()
    elif value is not None and not is_dataclass(value):
        yield value


def _check_value(name: str, value: Any, allowed: Mapping[str, Any]) -> None:
    if allowed["choices"] and value not in allowed["choices"]:
        raise ValueError(f"{name} is {value!r}; give one of {', '.join(allowed['choices'])}")
    low, high = allowed["low"], allowed["high"]
    if (low is not None and not value >= low) or (high is not None and not value <= high):
        given = [
            f"{word} {end:g}"
            for word, end in (("at least", low), ("at most", high))
            if end is not None
        ]
        shown = f"{low:g} to {high:g}" if len(given) == 2 else given[0]
        raise ValueError(f"{name} is {value}; give {shown}")
    if allowed["multiple_of"] > 1 and value % allowed["multiple_of"]:
        raise ValueError(f"{name} is {value}; give a multiple of {allowed['multiple_of']}")


def parse(cls: type[S], mapping: Mapping[str, object], where: str) -> S:
    """Build frozen settings from a mapping, such as a block of the configuration.

    Parameters
    ----------
    cls : a frozen dataclass
        Its fields are int, float, bool, str, Path, None, other such dataclasses, tuples of these,
        or mappings of names to them.
    mapping : field name -> value
        What is left out keeps its default. A list stands for a tuple, an int for a float, a text
        for a path.
    where : str
        How messages call the mapping, such as ``models.dan``.

    Returns
    -------
    cls

    Raises
    ------
    ValueError
        If a key is unknown or missing, or a value has the wrong type or is out of range.
    """
    if not isinstance(mapping, Mapping):
        raise ValueError(f"{where} is {mapping!r}; give keys and values")
    hints = get_type_hints(cls)
    allowed = {f.name: f for f in fields(cls)}  # type: ignore[arg-type]
    for key in mapping:
        if key not in allowed:
            raise ValueError(f"{where}: unknown setting {key!r}; allowed: {', '.join(allowed)}")
    for name, its in allowed.items():
        if name not in mapping and its.default is MISSING and its.default_factory is MISSING:
            raise ValueError(f"{where}: {name} is missing; allowed keys: {', '.join(allowed)}")
    values = {key: _convert(value, hints[key], f"{where}.{key}") for key, value in mapping.items()}
    try:
        made = cls(**values)
        check(made)
    except ValueError as error:
        raise ValueError(f"{where}: {error}; allowed keys: {', '.join(allowed)}") from error
    return made


def _convert(value: object, kind: Any, where: str) -> object:
    if isinstance(kind, UnionType):
        return _convert_any(value, get_args(kind), where)
    if get_origin(kind) is tuple:
        return _convert_list(value, get_args(kind), where)
    if get_origin(kind) is Mapping and isinstance(value, Mapping):
        of = get_args(kind)[1]
        return {str(key): _convert(its, of, f"{where}.{key}") for key, its in value.items()}
    if is_dataclass(kind) and isinstance(kind, type):
        return parse(kind, value, where)  # type: ignore[arg-type]
    if type(value) is WRITTEN.get(kind):
        return kind(value)
    if get_origin(kind) is Mapping or type(value) is not kind:
        raise ValueError(f"{where} is {value!r}; give a value of type {kind.__name__}")
    return value


def _convert_any(value: object, kinds: tuple[Any, ...], where: str) -> object:
    """Take None, or a value of one of several plain types."""
    if value is None and NoneType in kinds:
        return None
    others = [kind for kind in kinds if kind is not NoneType]
    if len(others) == 1:
        return _convert(value, others[0], where)
    for kind in others:
        if type(value) is kind:
            return value
    names = " or ".join(kind.__name__ for kind in others)
    raise ValueError(f"{where} is {value!r}; give a value of type {names}")


def _convert_list(value: object, kinds: tuple[Any, ...], where: str) -> tuple[object, ...]:
    wanted = [kind for kind in kinds if kind is not Ellipsis]
    any_length = Ellipsis in kinds
    if isinstance(value, list | tuple) and (any_length or len(wanted) == len(value)):
        each = wanted * len(value) if any_length else wanted
        return tuple(
            _convert(v, kind, f"{where}[{n}]")
            for n, (v, kind) in enumerate(zip(value, each, strict=True))
        )
    length = "" if any_length else f"{len(wanted)} "
    raise ValueError(f"{where} is {value!r}; give a list of {length}{wanted[0].__name__}")
