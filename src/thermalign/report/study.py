"""The whole of what the page knows."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import pandas as pd

from thermalign.report.exhibits import DatasetCard, Example, Picture
from thermalign.report.looks import Look, looks
from thermalign.report.setup import Setup
from thermalign.report.views import Pair, Value, View
from thermalign.schemas.keys import DISPLACEMENT, PLACEMENT, SUBSET, Subset


@dataclass(frozen=True)
class Study:
    """Everything the report shows; see :mod:`thermalign.schemas` for the tables.

    Attributes
    ----------
    title : str
    config : the whole configuration, as the page lists it
    setup : the same, resolved
    summary, differences, spread, costs, curves : SUMMARY, DIFFERENCES, SPREAD, COSTS, CURVES
    seeds : training -> (name under ``models:``, training seed), where a model has several
    parameters : model, detector, configured, paper: counts of trainable parameters
    examples : faces as models saw them
    dataset : dataset, volume, range, condition, modality, subjects, images
    boxes : a sentence per dataset: which face box was used
    cards : one per dataset
    pictures : a face of each protocol under the variants
    commit : str
    versions : of software, by name
    """

    title: str
    config: dict[str, Any]
    setup: Setup
    summary: pd.DataFrame
    differences: pd.DataFrame
    spread: pd.DataFrame
    seeds: dict[str, tuple[str, int]]
    costs: pd.DataFrame
    curves: pd.DataFrame
    parameters: pd.DataFrame
    examples: list[Example]
    dataset: pd.DataFrame
    boxes: list[str]
    cards: list[DatasetCard]
    pictures: list[Picture]
    commit: str
    versions: dict[str, str]

    @cached_property
    def looks(self) -> dict[str, Look]:
        """The look of every model that anything is known of, in the order of the page."""
        tables = (self.summary, self.curves, self.parameters, self.spread)
        names = [str(name) for table in tables for name in table["model"]]
        made = looks([*names, *(example.model for example in self.examples)], self.seeds)
        for name in made.keys() & self.setup.imported.keys():
            label = f"{made[name].label} ({self.setup.imported[name]})"
            made[name] = replace(made[name], label=label)
        return made

    @cached_property
    def views(self) -> list[View]:
        """A view of every protocol that anything is known of: as configured, then any others."""
        named = [*self.summary["protocol"], *self.curves["protocol"]]
        present = [*map(str, named), *(example.protocol for example in self.examples)]
        configured = [name for name in self.setup.protocols if name in present]
        names = dict.fromkeys([*configured, *present])
        return [View(self.summary, self.setup.protocol(p), looks=self.looks) for p in names]

    def pairs(self, protocol: str) -> list[Pair]:
        """Return the compared pairs of a protocol, in the order of the table.

        Two trainings with different seeds are no pair.
        """
        return self._pairs.get(protocol, [])

    @cached_property
    def _pairs(self) -> dict[str, list[Pair]]:
        protocols = map(str, self.differences["protocol"].unique())
        return {protocol: self._read_pairs(protocol) for protocol in protocols}

    def _read_pairs(self, protocol: str) -> list[Pair]:
        mine = self.differences[self.differences["protocol"] == protocol]
        key, figures = "metric at model_a model_b p n_subjects", "value low high n p_holm"
        columns = [*SUBSET, *key.split(), *figures.split()]
        found = []
        for number, *row in mine[columns].itertuples(name=None):
            metric, at, first, second, p, people, *its = row[len(SUBSET) :]
            if len({self.seeds[m][1] for m in (first, second) if m in self.seeds}) < 2:
                subset = Subset(*row[: len(SUBSET)])
                value = replace(Value(*its), source=f"differences {number}")
                found.append(Pair(subset, metric, at, first, second, value, p, people))
        return found

    def kinds(self, view: View) -> list[str]:
        """Return the kinds of displacement with a curve: as configured, then any others."""
        ordered = [*self.setup.displacements.kinds, *view.settings(DISPLACEMENT, "eer")]
        return [kind for kind in dict.fromkeys(ordered) if view.response("eer", kind)]

    def main_kind(self, view: View) -> str:
        """Return the first kind that detectors are placed on, or else the first with a curve."""
        kinds, placed = self.kinds(view), view.settings(PLACEMENT, "eer")
        return next((kind for kind in kinds if kind in placed), next(iter(kinds), ""))

    def base(self, model: str) -> str:
        """Return the name under ``models:`` of a training; any other model's own."""
        return self.seeds[model][0] if model in self.seeds else model

    def bases(self, models: Iterable[str]) -> list[str]:
        """Return the models of trainings, each once: all its seeds share one line."""
        return list(dict.fromkeys(map(self.base, models)))
