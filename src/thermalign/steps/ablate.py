"""Take the matcher of a fold apart: every part left out or exchanged, on the annotated points."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from thermalign import tables
from thermalign.provenance import stamp
from thermalign.schemas.dataset import IMAGES
from thermalign.schemas.matching import FACES
from thermalign.steps._descriptors import Descriptors
from thermalign.steps._inputs import read_fold
from thermalign.steps._matcher import Mapping, Matcher, enrol, fit_mapping, read_matcher
from thermalign.steps._measured import Measured, write_measured
from thermalign.steps._measures import Draws, by_range, comparisons_of
from thermalign.steps._rates import difference_of, eer_of, measurable
from thermalign.steps._scores import probes_of, table_of

STUDY = "study"
"""Name of the matcher as it is configured."""

DESCRIBES = ("dog", "features")
MAPS = (*DESCRIBES, "mapping", "dpm")


def run(
    *,
    images: Path,
    folds: Path,
    faces: Path,
    matcher: Path,
    protocol: str,
    fold: int,
    model: str,
    settings: dict[str, Any],
    ablation: dict[str, Any],
    seed: int,
    evaluation: dict[str, Any],
    metrics: Path,
    replicates: Path,
    code: str,
) -> None:
    """Write the METRICS of the configured matcher and of every variation of it.

    ``eer``; ``eer_above_study``, its difference to the configured matcher's on the same draws; and
    ``shared_subjects``: how many test subjects something was fitted to, which must be none, of the
    ``n`` subjects it was fitted to. All as subset ``matcher=NAME``, all ranges and each.

    Parameters
    ----------
    images, folds : Path of the tables
    faces : Path of FACES aligned by annotated points
    matcher : Path of what ``train_matcher`` wrote
    protocol, fold, model : wildcards
    settings : as in :func:`thermalign.steps.train_matcher.run`
    ablation : name -> keys of ``settings`` that differ, or ``permuted: true``
    seed : int
    evaluation : the ``evaluation:`` block
    metrics, replicates : Path of METRICS, REPLICATES
    code : str
    """
    rows = read_fold(images, folds)
    test = rows[rows["role"] == "test"]
    matchers = _Matchers(rows, tables.read(faces, FACES), settings, seed=[seed, fold])
    matchers.take(settings, read_matcher(matcher))
    draws = Draws.of_fold(test, tables.read(images, IMAGES), evaluation)
    measured: list[Measured] = []
    study: dict[str, Measured] = {}
    for name, changes in {STUDY: {}, **ablation}.items():
        made, comparisons = matchers.compare(changes)
        known = comparisons_of(comparisons, test)
        shared = len(made.fitted_on() & set(test["subject_id"]))
        fits = len(made.fitted_on())
        measured.append(Measured(f"matcher={name}", "shared_subjects", shared, fits))
        rates = {r.subset: r for r in _rates(name, known, draws)}
        measured += rates.values()
        study = study or rates
        beside = (study[s.replace(f"={name}", f"={STUDY}", 1)] for s in rates)
        measured += [
            difference_of("eer_above_study", own, its)
            for own, its in zip(rates.values(), beside, strict=True)
            if name != STUDY
        ]
    key = {"protocol": protocol, "fold": fold, "model": model}
    metadata = stamp(code, {**settings, "ablation": ablation, "evaluation": evaluation})
    write_measured(measured, key, metadata, metrics=metrics, replicates=replicates)


class _Matchers:
    """Variations of a fold's matcher, which share descriptors and mappings where they may."""

    def __init__(
        self,
        rows: pd.DataFrame,
        faces: pd.DataFrame,
        settings: dict[str, Any],
        *,
        seed: list[int],
    ) -> None:
        self.rows = rows[rows["image_id"].isin(faces["image_id"])]
        self.faces, self.settings, self.seed = faces, settings, seed
        self.described: dict[str, Descriptors] = {}
        self.mappings: dict[str, Mapping] = {}

    def take(self, settings: dict[str, Any], matcher: Matcher) -> None:
        """Take a mapping that another step fitted."""
        self.mappings[_key(settings, MAPS)] = matcher.mapping

    def compare(self, changes: dict[str, Any]) -> tuple[Matcher, pd.DataFrame]:
        """Return the changed matcher, and its SCORES of the probes."""
        its = {**self.settings, **{k: v for k, v in changes.items() if k != "permuted"}}
        described = self.described.setdefault(_key(its, DESCRIBES), Descriptors(self.faces, its))
        key = _key(its, MAPS)
        if key not in self.mappings:
            self.mappings[key] = fit_mapping(self.rows, described, its, seed=self.seed[0])
        permuted = changes.get("permuted", False)
        matcher = enrol(
            self.rows, described, self.mappings[key], its, seed=self.seed, permuted=permuted
        )
        probes = probes_of(self.rows, its)
        scores = matcher.score(described.of(list(probes["image_id"])), its["probe"]["modality"])
        return matcher, table_of(probes, matcher.subjects, scores)


def _key(settings: dict[str, Any], names: tuple[str, ...]) -> str:
    return json.dumps([settings[name] for name in names], sort_keys=True)


def _rates(name: str, comparisons: pd.DataFrame, draws: Draws) -> Iterator[Measured]:
    for part, rows in by_range(comparisons):
        if measurable(rows):
            subset = f"matcher={name}" if part == "all" else f"matcher={name}&{part}"
            yield eer_of(subset, rows, draws)
