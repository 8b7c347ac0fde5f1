"""How models look, wherever they appear."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Look:
    """How a model appears wherever it appears.

    Attributes
    ----------
    label : str
    colour : hexadecimal; Okabe and Ito's palette, told apart with any colour vision
    dash : lengths of strokes and gaps in line widths, none for a solid line: not colour alone
    key : by which the page switches it on and off, the same for all trainings of a model; a letter
        and digits, whatever the model is called; empty for what is no model
    """

    label: str
    colour: str
    dash: tuple[float, ...] = ()
    key: str = ""


_KNOWN = {
    "annotated": Look("annotated points", "#111111"),
    "mtcnn": Look("MTCNN", "#009e73", (5, 1.5)),
    "pbc": Look("PBC", "#d55e00", (3, 1.2, 1, 1.2)),
    "dan": Look("DAN", "#0072b2"),
    "heatmap": Look("heatmap network", "#cc79a7", (8, 1.5)),
    "ert": Look("regression trees", "#7b4fa3", (2, 1)),
}


_MEAN_SHAPE = Look("mean shape", "#8a8a8a", (1, 1.2))


_SPARE_COLOURS = ("#e69f00", "#56b4e9", "#6a9a2d", "#8c6d31", "#b5123c")


_SPARE_DASHES: tuple[tuple[float, ...], ...] = ((), (4, 1.5), (1.5, 1), (6, 1, 1, 1))


def looks(
    models: Iterable[str], seeds: Mapping[str, tuple[str, int]] | None = None
) -> dict[str, Look]:
    """Return the look of every model, in the order in which tables and legends list them.

    Annotated points (the ceiling), the paper's models in its order, heatmaps, the classical peer,
    others by name, the mean shape (the floor); a model's trainings by seed, alike but for labels.

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
    listed: dict[str, Look] = {}
    for i, (name, plain) in enumerate(ordered.items()):
        look = replace(plain, key=f"look{i}")
        mine = {training: seed for training, (model, seed) in repeated.items() if model == name}
        named = {t: replace(look, label=f"{look.label}, seed {seed}") for t, seed in mine.items()}
        listed |= {name: look} | named
    return listed
