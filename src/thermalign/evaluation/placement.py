"""Where detectors lie on the dose-response curve: their EER, and the one their NMSE predicts."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from thermalign.evaluation.draws import ANNOTATED
from thermalign.evaluation.over_folds import KEY, Key, Replicates
from thermalign.evaluation.paired import beside, mean_of
from thermalign.evaluation.trials import EER, NMSE, Fold
from thermalign.geometry import Floats
from thermalign.metrics.dose import predicted
from thermalign.metrics.intervals import SCALES


def placements(
    summary: pd.DataFrame, replicates: Mapping[Key, Replicates], displacements: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    """Yield rows of SUMMARY that place every model on the curve of every kind of displacement.

    As subset ``placement=KIND``, of the range of the displacements and over all folds: ``nmse`` and
    ``eer`` of the model; ``eer_predicted``, the EER of points displaced to the same NMSE, linearly
    between levels and NaN beyond the last; ``eer_excess``, the EER minus the predicted one. Every
    draw reads its own curve, so that intervals hold the uncertainty of both.

    Parameters
    ----------
    summary : DataFrame of SUMMARY
        Metrics over folds, those of ``displace`` among them.
    replicates : of the same metrics
    displacements : the ``displacements:`` block
    """
    points = summary.set_index(KEY)
    own = f"range={displacements['range']}"
    for protocol, models in summary.groupby("protocol")["model"].unique().items():
        for kind in displacements["kinds"]:
            curve = _Curve(points, replicates, protocol, f"displacement={kind}")
            for model in models:
                keys = [(protocol, model, own, metric, 0.0) for metric in ("nmse", "eer")]
                if model != ANNOTATED and all(key in replicates for key in keys) and curve.known:
                    yield from _place(points, replicates, keys, curve, f"placement={kind}")


def on_annotated(
    summary: pd.DataFrame,
    replicates: Mapping[Key, Replicates],
    protocols: Mapping[str, Sequence[Fold]],
    displacements: dict[str, Any],
) -> tuple[pd.DataFrame, dict[Key, Replicates]]:
    """Return SUMMARY and replicates with every model's figures on the probes of the curve.

    Displaced are annotated points of probes: where some probes of the range have none, a model's
    own EER is one of other images, and its NMSE where some annotated images are no probes.
    """
    changed, made = summary.set_index(KEY).sort_index(), dict(replicates)
    subset = f"range={displacements['range']}"
    for protocol, folds in protocols.items():
        for model in {m for fold in folds for m in fold.models} - {ANNOTATED}:
            its = [fold for fold in folds if model in fold.models]
            errors = [figure for fold in its if (figure := fold.on_probes(model, subset))]
            for metric, found in (
                (EER, beside(folds, model, ANNOTATED, (subset, EER, 0.0))),
                (NMSE, mean_of(errors) if len(errors) == len(its) else None),
            ):
                key = (protocol, model, subset, metric, 0.0)
                if found and key in changed.index:
                    value, n, made[key] = found
                    before = changed.loc[key, ["value"]].to_numpy(np.float64)
                    if not np.allclose(value, before, rtol=1e-12, atol=0):
                        changed.loc[key, "fold_sd"] = np.nan  # it was that of all its images
                    ends = made[key].interval(value, scale=SCALES[metric])
                    changed.loc[key, ["value", "n", "low", "high"]] = value, n, *ends
    return changed.reset_index()[summary.columns], made


class _Curve:
    """EER over NMSE of one kind of displacement: the measured curve, and one of every draw."""

    def __init__(
        self,
        points: pd.DataFrame,
        replicates: Mapping[Key, Replicates],
        protocol: Any,
        subset: str,
    ) -> None:
        keys = [k for k in replicates if (k[0], k[1], k[2]) == (protocol, ANNOTATED, subset)]
        rising = sorted(keys, key=lambda key: key[4])
        sides = [[key for key in rising if key[3] == metric] for metric in ("nmse", "eer")]
        self.known = bool(sides[1])
        self.value = [np.array([points.loc[key, "value"] for key in side]) for side in sides]
        self.drawn = [
            np.stack([replicates[key].values for key in side], axis=-1) for side in sides if side
        ]

    def at(self, value: float, drawn: Floats) -> tuple[float, Floats]:
        """Return the EER at an NMSE, and at the NMSE of every draw."""
        point = predicted(np.array([value]), self.value[0], self.value[1][None])
        return float(point[0]), predicted(drawn, self.drawn[0], self.drawn[1])


def _place(
    points: pd.DataFrame,
    replicates: Mapping[Key, Replicates],
    keys: list[Key],
    curve: _Curve,
    subset: str,
) -> Iterator[dict[str, Any]]:
    nmse, eer = (points.loc[key] for key in keys)
    value, drawn = curve.at(nmse["value"], replicates[keys[0]].values)
    foreseen = Replicates(drawn, replicates[keys[1]].subjects)
    excess = replicates[keys[1]].minus(foreseen)
    shared = {"protocol": keys[0][0], "model": keys[0][1], "subset": subset, "at": 0.0}
    for metric, row in (("nmse", nmse), ("eer", eer)):
        yield {**shared, "metric": metric, **{str(k): v for k, v in row.items()}}
    for metric, at, made in (
        ("eer_predicted", value, foreseen),
        ("eer_excess", eer["value"] - value, excess),
    ):
        low, high = made.interval(at, scale=SCALES[metric])
        figures = {"value": at, "low": low, "high": high, "fold_sd": np.nan}
        yield {**shared, "metric": metric, **figures, "n": eer["n"], "n_folds": eer["n_folds"]}
