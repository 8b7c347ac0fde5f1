"""Settings as frozen dataclasses: declared with their ranges, read from a mapping, refused by name.

``thermalign.config`` reads what is declared here from the syntax tree, so that no model is imported
to check a configuration: every argument of :func:`setting` is a literal.
"""

from collections.abc import Mapping
from dataclasses import field, fields
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

S = TypeVar("S")


def setting(
    default: Any,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
    multiple_of: int = 1,
    unit: str = "",
    source: str = "",
) -> Any:
    """Declare a field of settings. Its meaning stands in the docstring of its class.

    Parameters
    ----------
    default : value
    low, high : float, optional
        Inclusive limits; each element of a tuple counts.
    choices : tuple of str
        All allowed texts; empty for any.
    multiple_of : int
    unit : str
        Empty for a pure number or text.
    source : str
        Where the default comes from; empty for our own choice.
    """
    limits = {"low": low, "high": high, "choices": choices, "multiple_of": multiple_of}
    return field(default=default, metadata={**limits, "unit": unit, "source": source})


def check(settings: Any) -> None:
    """Refuse settings outside what :func:`setting` declares; for ``__post_init__``.

    Raises
    ------
    ValueError
        Naming the setting, its value and what is allowed.
    """
    for its in fields(settings):
        if "choices" not in its.metadata:
            continue
        value, allowed = getattr(settings, its.name), its.metadata
        for each in value if isinstance(value, tuple) else (value,):
            _check_value(its.name, each, allowed)


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
        Its fields are int, float, bool, str or tuples of these.
    mapping : field name -> value
        What is left out keeps its default. A list stands for a tuple, an int for a float.
    where : str
        How messages call the mapping, such as ``models.dan``.

    Returns
    -------
    cls

    Raises
    ------
    ValueError
        If a key is unknown, or a value has the wrong type or is out of range.
    """
    hints = get_type_hints(cls)
    allowed = [f.name for f in fields(cls)]  # type: ignore[arg-type]
    for key in mapping:
        if key not in allowed:
            raise ValueError(f"{where}: unknown setting {key!r}; allowed: {', '.join(allowed)}")
    values = {key: _convert(value, hints[key], f"{where}.{key}") for key, value in mapping.items()}
    try:
        return cls(**values)
    except ValueError as error:
        raise ValueError(f"{where}: {error}; allowed keys: {', '.join(allowed)}") from error


def _convert(value: object, kind: Any, where: str) -> object:
    if get_origin(kind) is tuple:
        kinds = [k for k in get_args(kind) if k is not Ellipsis]
        if isinstance(value, list | tuple) and (len(kinds) == 1 or len(kinds) == len(value)):
            repeated = kinds * len(value) if len(kinds) == 1 else kinds
            return tuple(
                _convert(v, k, f"{where}[{n}]")
                for n, (v, k) in enumerate(zip(value, repeated, strict=True))
            )
        length = "" if len(kinds) == 1 else f"{len(kinds)} "
        raise ValueError(f"{where} is {value!r}; give a list of {length}{kinds[0].__name__}")
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not kind:
        raise ValueError(f"{where} is {value!r}; give a value of type {kind.__name__}")
    return value
