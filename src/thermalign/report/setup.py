"""The study as it was set up: protocols, variants, readings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Block = Mapping[str, Any]
"""A block of the configuration."""


READINGS = {
    "exclude": "own moment left out of the gallery",
    "keep": "own moment enrolled",
}
"""Reading of ``same_moment`` to its name."""


@dataclass(frozen=True)
class Condition:
    """One variant as a column of a table or a point of a figure.

    Attributes
    ----------
    name : as configured
    group, title : what is changed, and how far
    level : ``title`` as a number, or 0
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
    name, label : as configured, and as the page spells it
    paper : protocol of the paper whose printed figures belong beside it; 0 for none
    dataset : str
    readings : readings of ``same_moment`` that were scored, the headline first; empty if unknown
    series : equal for protocols that differ in nothing but their number of training subjects
    probe, gallery : Selection
    matcher : what of its matcher differs from the study's
    """

    name: str
    label: str = ""
    paper: int = 0
    dataset: str = ""
    readings: tuple[str, ...] = ()
    series: str = ""
    probe: Selection = Selection()
    gallery: Selection = Selection()
    matcher: Block = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        """Take the name as the label where there is none."""
        object.__setattr__(self, "label", self.label or self.name)

    @property
    def verified(self) -> str:
        """What names a protocol in a caption of verification: its label, and the reading."""
        return ", ".join([self.label, *(READINGS[r] for r in self.readings[:1] if r in READINGS)])


@dataclass(frozen=True)
class Displacements:
    """How annotated points were displaced; slopes are fitted up to a level, if configured."""

    range: str = ""
    kinds: tuple[str, ...] = ()
    linear_up_to: float | None = None


class Elsewhere(NamedTuple):
    """Another dataset that models were tested on: its name as such, dataset and modality."""

    name: str
    dataset: str = ""
    modality: str = ""


@dataclass(frozen=True)
class Setup:
    """The configuration as chapters need it.

    Attributes
    ----------
    protocols : by name
    normalisation : of a model's input, where it is stated; by model
    moved, resized : variants whose boxes are moved or resized, by rising level
    detectors : model that finds the boxes; by variant
    recordings : variants that are other recordings, alike ones side by side; by protocol
    variant_datasets : dataset of a recording; by variant
    elsewhere : other datasets that models were tested on; by name
    matcher : as configured
    ablation, sweep : what differs from it; by name
    displacements : Displacements
    metrics : names of further metrics
    seed : of whatever the evaluation draws
    simulated : whether any dataset comes from the built-in simulator
    imported : what other programs made of a row; by its name
    """

    protocols: dict[str, Protocol] = field(default_factory=dict)
    normalisation: dict[str, str] = field(default_factory=dict)
    moved: list[Condition] = field(default_factory=list)
    resized: list[Condition] = field(default_factory=list)
    detectors: dict[str, str] = field(default_factory=dict)
    recordings: dict[str, list[Condition]] = field(default_factory=dict)
    variant_datasets: dict[str, str] = field(default_factory=dict)
    elsewhere: dict[str, Elsewhere] = field(default_factory=dict)
    matcher: Block = field(default_factory=dict)
    ablation: dict[str, Block] = field(default_factory=dict)
    sweep: dict[str, Block] = field(default_factory=dict)
    displacements: Displacements = Displacements()
    metrics: tuple[str, ...] = ()
    seed: int = 0
    simulated: bool = False
    imported: dict[str, str] = field(default_factory=dict)

    @property
    def permuted(self) -> list[str]:
        """Matchers of the ablation that are fitted to permuted labels."""
        return [name for name, block in self.ablation.items() if "permutations" in block]

    def protocol(self, name: str) -> Protocol:
        """Return a protocol; one that is not configured has a name and nothing else."""
        return self.protocols.get(name, Protocol(name))
