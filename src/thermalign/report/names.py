"""What protocols, models and subsets are called in the report, and how each model is drawn."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from thermalign.report.paper import protocol_number


@dataclass(frozen=True)
class Look:
    """How a model appears wherever it appears.

    Attributes
    ----------
    label : str
    colour : str
        Hexadecimal; Okabe and Ito's palette, told apart with any colour vision.
    dash : tuple of float
        Lengths of strokes and gaps in line widths; empty for a solid line, so that curves are
        told apart without colour too.
    """

    label: str
    colour: str
    dash: tuple[float, ...] = ()


_KNOWN = {
    "annotated": Look("annotated points", "#111111"),
    "mtcnn": Look("MTCNN", "#009e73", (5, 1.5)),
    "pbc": Look("PBC", "#d55e00", (3, 1.2, 1, 1.2)),
    "dan": Look("DAN", "#0072b2"),
    "ert": Look("regression trees", "#7b4fa3", (2, 1)),
}
READINGS = {
    "exclude": "own moment left out of the gallery",
    "keep": "own moment enrolled",
}
"""Reading of ``same_moment`` to its name."""

_MEAN_SHAPE = Look("mean shape", "#8a8a8a", (1, 1.2))
_SPARE_COLOURS = ("#cc79a7", "#e69f00", "#56b4e9", "#6a9a2d", "#8c6d31")
_SPARE_DASHES: tuple[tuple[float, ...], ...] = ((), (4, 1.5), (1.5, 1), (6, 1, 1, 1))


def looks(
    models: Iterable[str], seeds: Mapping[str, tuple[str, int]] | None = None
) -> dict[str, Look]:
    """Return the look of every model, in the order in which tables and legends list them.

    Annotated points (the ceiling) come first, then the paper's models in its order, then their
    classical peer and others by name, then the mean shape (the floor). Trainings of one model stand
    after it by seed and share its line: what tells them apart is their label.

    Parameters
    ----------
    models : names
    seeds : name under ``models:`` and training seed, by the name of a training; optional
    """
    repeated = dict(sorted((seeds or {}).items(), key=lambda item: item[1][1]))
    names = {repeated[name][0] if name in repeated else name for name in models}
    others = sorted(names - _KNOWN.keys() - {"mean_shape"})
    ordered = {name: look for name, look in _KNOWN.items() if name in names}
    for i, name in enumerate(others):
        dash = _SPARE_DASHES[i // len(_SPARE_COLOURS) % len(_SPARE_DASHES)]
        ordered[name] = Look(name, _SPARE_COLOURS[i % len(_SPARE_COLOURS)], dash)
    if "mean_shape" in names:
        ordered["mean_shape"] = _MEAN_SHAPE
    listed = {}
    for name, look in ordered.items():
        listed[name] = look
        for training, (model, seed) in repeated.items():
            if model == name:
                listed[training] = replace(look, label=f"{look.label}, seed {seed}")
    return listed


def protocol_label(protocol: str) -> str:
    """Spell a protocol: ``protocol1`` is Protocol 1, any other name stays as configured."""
    bare = re.fullmatch(r"p(rotocol)?_?[12]", protocol)
    return f"Protocol {protocol_number(protocol)}" if bare else protocol


def subset_parts(subset: str) -> dict[str, str]:
    """Split ``volume=1&range=2`` into its columns and values; ``all`` has none."""
    pairs = (part.partition("=") for part in subset.split("&") if "=" in part)
    return {column: value for column, _, value in pairs}


def subset_label(subset: str) -> str:
    """Spell a subset of images: ``volume=1&range=2`` is Volume 1, Range 2."""
    parts = subset_parts(subset)
    if not parts:
        return "All images" if subset == "all" else subset
    return ", ".join(_part_label(column, value) for column, value in parts.items())


def _part_label(column: str, value: str) -> str:
    if column in ("landmark", "condition"):
        return value.replace("_", " ").capitalize()
    if column == "same_moment":
        return READINGS[value].capitalize() if value in READINGS else value
    if column == "attribute":
        name, _, its = value.partition(":")
        return f"{name.replace('_', ' ').capitalize()}: {its.replace('_', ' ')}"
    return f"{column.replace('_', ' ').capitalize()} {value}"


def slug(text: str) -> str:
    """Return a name that is safe in an identifier of the page, one to one."""
    return "".join(c if c.isalnum() and c.isascii() else f"_{ord(c):x}_" for c in text)
