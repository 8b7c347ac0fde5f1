"""Where detectors lie on the dose-response curve: their EER, and the one their NMSE predicts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from thermalign.evaluation.displacement import Settings
from thermalign.evaluation.over_folds import Key, Replicates
from thermalign.evaluation.paired import beside, mean_of
from thermalign.evaluation.study import EER, NMSE, Fold, Place
from thermalign.geometry import Floats
from thermalign.metrics.dose import predicted
from thermalign.schemas.keys import ANNOTATED, DISPLACEMENT, KEY, PLACEMENT, Subset


def placements(
    summary: pd.DataFrame, replicates: Mapping[Key, Replicates], displacements: Settings
) -> Iterator[dict[str, Any]]:
    """Yield rows of SUMMARY that place every model on the curve of every kind of displacement.

    As experiment PLACEMENT, setting KIND, of the range of the displacements and over all folds:
    ``nmse`` and ``eer`` of the model; ``eer_predicted``, the EER of points displaced to the same
    NMSE, linearly between levels and NaN beyond the last; ``eer_excess``, the EER minus the
    predicted one. Every draw reads its own curve, so that intervals hold the uncertainty of both.

    Parameters
    ----------
    summary : DataFrame of SUMMARY
        Metrics over folds, those of ``displace`` among them.
    replicates : of the same metrics
    displacements : Settings
    """
    points = summary.set_index([*KEY])
    own = Subset(range=str(displacements.range))
    for (protocol, dataset), rows in summary.groupby(["protocol", "dataset"]):
        for kind in displacements.kinds:
            asked = own._replace(experiment=DISPLACEMENT, setting=kind)
            figures = [
                [
                    (dataset, protocol, ANNOTATED, *asked._replace(level=level), metric, 0.0)
                    for level in displacements.levels
                ]
                for metric in (NMSE, EER)
            ]
            if not all(key in replicates for key in figures[1]):
                continue
            curve = Curve.of(points, replicates, *figures)
            place = own._replace(experiment=PLACEMENT, setting=kind)
            for model in rows["model"].unique():
                keys = [(dataset, protocol, model, *own, metric, 0.0) for metric in (NMSE, EER)]
                if model != ANNOTATED and all(key in replicates for key in keys):
                    yield from _place(points, replicates, keys, curve, place)


@dataclass(frozen=True)
class Curve:
    """EER over NMSE of one kind of displacement: the measured curve, and one of every draw.

    Attributes
    ----------
    doses, rates : (T,) float
        NMSE and EER, by rising level.
    drawn_doses, drawn_rates : (R, T) float
    """

    doses: Floats
    rates: Floats
    drawn_doses: Floats
    drawn_rates: Floats

    @classmethod
    def of(
        cls,
        points: pd.DataFrame,
        replicates: Mapping[Key, Replicates],
        doses: Sequence[Key],
        rates: Sequence[Key],
    ) -> "Curve":
        """Look the figures up: NMSE and EER of every level, in ``points`` by KEY."""
        value = [np.array([points.loc[key, "value"] for key in side]) for side in (doses, rates)]
        drawn = [
            np.stack([replicates[key].values for key in side], axis=-1) for side in (doses, rates)
        ]
        return cls(*value, *drawn)

    def at(self, value: float, drawn: Floats) -> tuple[float, Floats]:
        """Return the EER at an NMSE, and at the NMSE of every draw (R,) on its own curve."""
        point = predicted(np.array([value]), self.doses, self.rates[None])
        return float(point[0]), predicted(drawn, self.drawn_doses, self.drawn_rates)


def _place(
    points: pd.DataFrame,
    replicates: Mapping[Key, Replicates],
    keys: Sequence[Key],
    curve: Curve,
    place: Subset,
) -> Iterator[dict[str, Any]]:
    """Yield the rows of a model whose NMSE and EER have ``keys``."""
    nmse, eer = (points.loc[key] for key in keys)
    value, drawn = curve.at(nmse["value"], replicates[keys[0]].values)
    its = replicates[keys[1]]
    foreseen = Replicates(drawn, its.subjects, its.scale)
    excess = its.minus(foreseen)
    shared = {**dict(zip(KEY, keys[0], strict=True)), **place._asdict()}
    for metric, row in ((NMSE, nmse), (EER, eer)):
        yield {**shared, "metric": metric, **{str(k): v for k, v in row.items()}}
    for metric, at, made in (
        ("eer_predicted", value, foreseen),
        ("eer_excess", eer["value"] - value, excess),
    ):
        low, high = made.interval(at)
        figures = {"value": at, "low": low, "high": high, "fold_sd": np.nan}
        yield {**shared, "metric": metric, **figures, "n": eer["n"], "n_folds": eer["n_folds"]}


def on_annotated(
    summary: pd.DataFrame,
    replicates: Mapping[Key, Replicates],
    protocols: Mapping[str, Sequence[Fold]],
    displacements: Settings,
) -> tuple[pd.DataFrame, dict[Key, Replicates]]:
    """Return SUMMARY and replicates with every model's figures on the probes of the curve.

    Displaced are annotated points of probes: where some probes of the range have none, a model's
    own EER is one of other images, and its NMSE where some annotated images are no probes.

    Parameters
    ----------
    summary : DataFrame of SUMMARY
    replicates : of its metrics
    protocols : folds by protocol
    displacements : Settings
    """
    changed, made = summary.set_index([*KEY]).sort_index(), dict(replicates)
    subset = Subset(range=str(displacements.range))
    datasets = dict(zip(summary["protocol"], summary["dataset"], strict=True))
    for protocol, folds in protocols.items():
        for model in {m for fold in folds for m in fold.models} - {ANNOTATED}:
            its = [fold for fold in folds if model in fold.models]
            errors = [figure for fold in its if (figure := fold.on_probes(model, subset))]
            for metric, found in (
                (EER, beside(folds, model, ANNOTATED, Place(subset, EER))),
                (NMSE, mean_of(errors) if len(errors) == len(its) else None),
            ):
                key = (datasets.get(protocol, ""), protocol, model, *subset, metric, 0.0)
                if found and key in changed.index:
                    value, n, made[key] = found
                    before = changed.loc[key, ["value"]].to_numpy(np.float64)
                    if not np.allclose(value, before, rtol=1e-12, atol=0):
                        changed.loc[key, "fold_sd"] = np.nan  # it was that of all its images
                    ends = made[key].interval(value)
                    changed.loc[key, ["value", "n", "low", "high"]] = value, n, *ends
    return changed.reset_index()[summary.columns], made
