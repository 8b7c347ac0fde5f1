"""What a study was set up to do, resolved once, and what its parts are called on the page."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from thermalign.schemas.keys import Subset

Block = Mapping[str, Any]
"""A block of the configuration."""

READINGS = {
    "exclude": "own moment left out of the gallery",
    "keep": "own moment enrolled",
}
"""Reading of ``same_moment`` to its name."""

SETTINGS = {
    "ambient_mean": "Room, °C",
    "netd": "NETD, K",
    "defocus": "Defocus, m",
    "sensor": "Camera",
}
"""Settings of the simulator to how a table spells them, with their units."""

BESIDE_SERIES = ("train_subjects", "paper")
"""Keys in which the protocols of a series may differ."""


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


def by_number(subsets: Iterable[Subset]) -> list[Subset]:
    """Sort subsets by the numbers, then the words, that they hold."""

    def key(subset: Subset) -> list[tuple[int, str]]:
        values = (str(value) for value in subset if value)
        return [(int(v), "") if v.isdecimal() else (0, v) for v in values]

    return sorted(subsets, key=key)


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


@dataclass(frozen=True)
class Selection:
    """Which images a protocol takes as probes or gallery; empty tuples take all."""

    modality: str = ""
    conditions: tuple[str, ...] = ()
    ranges: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Spell the modality and what narrows it."""
        narrowed = ("conditions", "ranges", "sessions")
        parts = [f"{n} {', '.join(getattr(self, n))}" for n in narrowed if getattr(self, n)]
        return "; ".join([self.modality, *parts])


@dataclass(frozen=True)
class Protocol:
    """A protocol as it was configured.

    Attributes
    ----------
    name, label : str
        As configured, and as the page spells it.
    paper : int
        Protocol of the paper whose printed figures belong beside it; 0 for none.
    dataset : str
    readings : tuple of str
        Readings of ``same_moment`` that were scored, the headline first; empty where unknown.
    series : str
        Equal for protocols that differ in nothing but their number of training subjects.
    probe, gallery : Selection
    """

    name: str
    label: str = ""
    paper: int = 0
    dataset: str = ""
    readings: tuple[str, ...] = ()
    series: str = ""
    probe: Selection = Selection()
    gallery: Selection = Selection()

    def __post_init__(self) -> None:
        """Take the name as the label where there is none."""
        object.__setattr__(self, "label", self.label or self.name)

    @property
    def verified(self) -> str:
        """What names a protocol in a caption of verification: its label, and the reading."""
        return ", ".join([self.label, *(READINGS[r] for r in self.readings[:1] if r in READINGS)])


@dataclass(frozen=True)
class Displacements:
    """How annotated points were displaced.

    ``linear_up_to`` is the level that slopes are fitted up to; None where nothing is configured.
    """

    range: str = ""
    kinds: tuple[str, ...] = ()
    linear_up_to: float | None = None


@dataclass(frozen=True)
class Setup:
    """The configuration as chapters need it.

    Attributes
    ----------
    protocols : dict of name to Protocol
    boxes : dict of dataset to its block ``box``
    models : dict of name to detector
    normalisation : dict of model to str
        Of a model's input, where it is stated.
    moved, resized : list of Condition
        Variants whose boxes are moved or resized, by rising level.
    detectors : dict of variant to the model that finds its boxes
    recordings : dict of protocol to list of Condition
        Variants that are other recordings; those that change one setting stand side by side.
    variant_datasets : dict of variant to the dataset that it is recorded in
    matcher : mapping
        The matcher as configured.
    ablation, sweep : dict of name to what differs from it
    displacements : Displacements
    seed : int
        Of whatever the evaluation draws.
    simulated : bool
        Whether any dataset comes from the built-in simulator.
    """

    protocols: dict[str, Protocol] = field(default_factory=dict)
    boxes: dict[str, Block] = field(default_factory=dict)
    models: dict[str, str] = field(default_factory=dict)
    normalisation: dict[str, str] = field(default_factory=dict)
    moved: list[Condition] = field(default_factory=list)
    resized: list[Condition] = field(default_factory=list)
    detectors: dict[str, str] = field(default_factory=dict)
    recordings: dict[str, list[Condition]] = field(default_factory=dict)
    variant_datasets: dict[str, str] = field(default_factory=dict)
    matcher: Block = field(default_factory=dict)
    ablation: dict[str, Block] = field(default_factory=dict)
    sweep: dict[str, Block] = field(default_factory=dict)
    displacements: Displacements = Displacements()
    seed: int = 0
    simulated: bool = False

    @property
    def permuted(self) -> list[str]:
        """Matchers of the ablation that are fitted to permuted labels."""
        return [name for name, block in self.ablation.items() if "permutations" in block]

    def protocol(self, name: str) -> Protocol:
        """Return a protocol; one that is not configured has a name and nothing else."""
        return self.protocols.get(name, Protocol(name))

    def protocols_of(self, dataset: str) -> list[str]:
        """Return the names of the protocols on a dataset; datasets may name images alike."""
        return [name for name, its in self.protocols.items() if its.dataset == dataset]


def read_setup(config: Block) -> Setup:
    """Resolve the whole configuration.

    Parameters
    ----------
    config : mapping
        As checked before the study; blocks that it lacks are empty.
    """
    datasets, variants = config.get("datasets", {}), config.get("variants", {})
    displaced = config.get("displacements", {})
    protocols = _protocols(config.get("protocols", {}))
    recorded = {name: b["dataset"] for name, b in variants.items() if "dataset" in b}
    blocks = config.get("models", {}).items()
    return Setup(
        protocols=protocols,
        boxes={name: b.get("box", {}) for name, b in datasets.items()},
        models={name: str(b.get("model", name)) for name, b in blocks},
        normalisation={m: str(b["normalisation"]) for m, b in blocks if "normalisation" in b},
        moved=_boxes(variants, "shift", "Box moved, of its side"),
        resized=_boxes(variants, "scale", "Box resized, times"),
        detectors={name: str(b["detector"]) for name, b in variants.items() if "detector" in b},
        recordings={p.name: _recordings(p, recorded, datasets) for p in protocols.values()},
        variant_datasets=recorded,
        matcher=config.get("matcher", {}),
        ablation=config.get("ablation", {}),
        sweep=config.get("sweep", {}),
        displacements=Displacements(
            range=str(displaced.get("range", "")),
            kinds=tuple(map(str, displaced.get("kinds", ()))),
            linear_up_to=displaced.get("linear_up_to"),
        ),
        seed=int(config.get("evaluation", {}).get("seed", 0)),
        simulated=any(
            "simulator" in (b.get("adapter"), b.get("source")) for b in datasets.values()
        ),
    )


def _protocols(blocks: Block) -> dict[str, Protocol]:
    papers = [int(block.get("paper", 0)) for block in blocks.values()]
    found = {}
    for (name, block), paper in zip(blocks.items(), papers, strict=True):
        shared = {key: value for key, value in block.items() if key not in BESIDE_SERIES}
        found[name] = Protocol(
            name,
            label=f"Protocol {paper}" if paper and papers.count(paper) == 1 else name,
            paper=paper,
            dataset=str(block.get("dataset", "")),
            readings=tuple(map(str, block.get("same_moment", ()))),
            series=json.dumps(shared, sort_keys=True),
            probe=_selection(block.get("probe", {})),
            gallery=_selection(block.get("gallery", {})),
        )
    return found


def _selection(block: Block) -> Selection:
    narrowed = (tuple(map(str, block.get(n) or ())) for n in ("conditions", "ranges", "sessions"))
    return Selection(str(block.get("modality", "")), *narrowed)


def _boxes(variants: Block, kind: str, group: str) -> list[Condition]:
    found = [
        Condition(name, group, f"{block[kind]:.2f}".removeprefix("0"), float(block[kind]))
        for name, block in variants.items()
        if kind in block
    ]
    return sorted(found, key=lambda c: (c.level, c.name))


def _recordings(protocol: Protocol, named: Mapping[str, str], datasets: Block) -> list[Condition]:
    own = _flat(datasets.get(protocol.dataset, {}))
    found = []
    for name, dataset in named.items():
        other = _flat(datasets[dataset])
        changed = [key for key in {*own, *other} if own.get(key) != other.get(key)]
        found.append(_recording(name, {key: other.get(key) for key in changed}))
    return sorted(found, key=lambda c: (c.group == "", c.group, c.level, c.name))


def _recording(name: str, changed: Block) -> Condition:
    if len(changed) != 1:
        return Condition(name, "", name)
    key, value = next(iter(changed.items()))
    number = float(value) if isinstance(value, int | float) else 0.0
    return Condition(name, SETTINGS.get(key, key), f"{value}", number)


def _flat(block: Block) -> dict[str, Any]:
    return {**block, "settings": None, **block.get("settings", {})}
