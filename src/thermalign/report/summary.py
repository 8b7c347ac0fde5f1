"""Look-ups in the SUMMARY table, one protocol at a time; nothing is computed here."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from thermalign.report.names import Look, protocol_label, subset_parts


@dataclass(frozen=True)
class Value:
    """One row of SUMMARY or DIFFERENCES.

    Attributes
    ----------
    value, low, high : float
        The 95 % interval is NaN without one.
    n : int
        Images or comparisons, of all folds.
    p : float
        Of a difference: adjusted by Holm's method; NaN without one.
    """

    value: float
    low: float
    high: float
    n: int
    p: float = math.nan

    @property
    def known(self) -> bool:
        """Whether the metric has a value at all."""
        return math.isfinite(self.value)

    @property
    def bounded(self) -> bool:
        """Whether the value has an interval."""
        return math.isfinite(self.low) and math.isfinite(self.high)

    @property
    def apart(self) -> bool:
        """Whether a difference is separable: adjusted where it has a p, else by its interval."""
        if math.isfinite(self.p):
            return self.p < LEVEL
        return self.bounded and (self.low > 0 or self.high < 0)


LEVEL = 0.05
"""Level below which an adjusted p is significant."""

CONTROLLED = (
    "variant",
    "matcher",
    "sweep",
    "displacement",
    "placement",
    "same_moment",
    "attribute",
    "protocol",
)
"""Columns of subsets that change something on purpose; they have sections of their own."""


def as_configured(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of SUMMARY that change nothing on purpose."""
    return frame[~frame["subset"].str.startswith(tuple(f"{name}=" for name in CONTROLLED))]


class View:
    """One protocol of the SUMMARY table, and the models in the order and look of the page.

    Attributes
    ----------
    protocol, label : str
        As configured, and as the page spells it.
    looks : dict of model to Look
    readings : tuple of str
        Readings of ``same_moment`` that were scored, the headline first; empty where unknown.
    """

    def __init__(
        self,
        frame: pd.DataFrame,
        protocol: str,
        *,
        looks: dict[str, Look],
        readings: tuple[str, ...] = (),
    ) -> None:
        self.protocol, self.label, self.looks = protocol, protocol_label(protocol), looks
        self.readings = readings
        self._cells: dict[tuple[str, str, str], dict[float, Value]] = {}
        columns = ["model", "subset", "metric", "at", "value", "low", "high", "n"]
        rows = frame.loc[frame["protocol"] == protocol, columns]
        for model, subset, metric, at, *figures in rows.itertuples(index=False, name=None):
            value, low, high, n = figures
            points = self._cells.setdefault((str(model), str(subset), str(metric)), {})
            points[float(at)] = Value(value, low, high, int(n))

    def get(self, model: str, metric: str, *, subset: str, at: float | None = None) -> Value | None:
        """Return one value, or None where the table has no such row.

        ``at`` may be left out where the metric has one abscissa.
        """
        points = self._cells.get((model, subset, metric), {})
        return next(iter(points.values()), None) if at is None else points.get(at)

    def known(self, metric: str, *, subset: str) -> dict[str, Value]:
        """Return the known values of a metric by model, in the order of the page."""
        found = {model: self.get(model, metric, subset=subset) for model in self.looks}
        return {model: value for model, value in found.items() if value and value.known}

    def curves(self, metric: str, *, subset: str) -> dict[str, list[tuple[float, Value]]]:
        """Return by model the known points of a curve, by rising abscissa."""
        found = {model: self.curve(model, metric, subset=subset) for model in self.looks}
        return {model: points for model, points in found.items() if points}

    def curve(self, model: str, metric: str, *, subset: str) -> list[tuple[float, Value]]:
        """Return the known points of one curve by rising abscissa; empty without any."""
        points = self._cells.get((model, subset, metric), {})
        return [(at, value) for at, value in sorted(points.items()) if value.known]

    def abscissas(self, metric: str) -> list[float]:
        """Return every abscissa a metric was measured at, rising."""
        return sorted(
            {at for key, points in self._cells.items() if key[2] == metric for at in points}
        )

    def models(self, *metrics: str) -> list[str]:
        """Return the models with a known value of any of the metrics, in the order of the page."""
        found = {model for model, _, metric in self._measured() if metric in metrics}
        return [model for model in self.looks if model in found]

    def subsets(self, *metrics: str) -> list[str]:
        """Return the subsets with a known value of any of the metrics."""
        return list(dict.fromkeys(s for _, s, metric in self._measured() if metric in metrics))

    def ranges(self, *metrics: str) -> list[str]:
        """Return the subsets ``range=k``, near to far; none where there is but one range."""
        return self._split("range", metrics)

    def volumes(self, *metrics: str) -> list[str]:
        """Return the subsets ``volume=k``; none where there is but one volume."""
        return self._split("volume", metrics)

    def _split(self, column: str, metrics: tuple[str, ...]) -> list[str]:
        found = by_number(s for s in self.subsets(*metrics) if set(subset_parts(s)) == {column})
        return found if len(found) > 1 else []

    def attributes(self, *metrics: str) -> list[str]:
        """Return the subsets ``attribute=name:value`` of people, by name."""
        return sorted(s for s in self.subsets(*metrics) if set(subset_parts(s)) == {"attribute"})

    def _measured(self) -> Iterable[tuple[str, str, str]]:
        return (key for key, points in self._cells.items() if any(v.known for v in points.values()))


def by_number(subsets: Iterable[str]) -> list[str]:
    """Sort subsets by the numbers, then the words, that they hold."""

    def key(subset: str) -> list[tuple[int, str]]:
        values = subset_parts(subset).values()
        return [(int(v), "") if v.isdecimal() else (0, v) for v in values]

    return sorted(subsets, key=key)
