"""Look-ups in the SUMMARY table; nothing is computed here."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from thermalign.report.names import subset_parts

NOTHING = float("nan")


@dataclass(frozen=True)
class Value:
    """One row of SUMMARY: value, 95 % interval (NaN without one), spread over folds, count."""

    value: float
    low: float = NOTHING
    high: float = NOTHING
    fold_sd: float = NOTHING
    n: int = 0

    @property
    def known(self) -> bool:
        """Whether the metric has a value at all."""
        return math.isfinite(self.value)


class Summary:
    """The SUMMARY table, indexed by protocol, model, subset, metric and abscissa."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self._cells: dict[tuple[str, str, str, str], dict[float, Value]] = {}
        self.protocols = list(dict.fromkeys(str(p) for p in frame["protocol"]))
        self.models = sorted({str(m) for m in frame["model"]})
        columns = ["protocol", "model", "subset", "metric", "at", "value", "low", "high"]
        for row in frame[[*columns, "fold_sd", "n"]].itertuples(index=False, name=None):
            key = (str(row[0]), str(row[1]), str(row[2]), str(row[3]))
            value = Value(*(float(v) for v in row[5:9]), n=int(row[9]))
            self._cells.setdefault(key, {})[float(row[4])] = value

    def get(
        self, protocol: str, model: str, subset: str, metric: str, *, at: float | None = None
    ) -> Value | None:
        """Return one value, or None where the table has no such row.

        ``at`` may be left out where the metric has one abscissa.
        """
        points = self._cells.get((protocol, model, subset, metric), {})
        if at is None:
            return next(iter(points.values()), None)
        return points.get(at)

    def curve(
        self, protocol: str, model: str, subset: str, metric: str
    ) -> list[tuple[float, Value]]:
        """Return the known points of a curve by rising abscissa; empty without one."""
        points = self._cells.get((protocol, model, subset, metric), {})
        return [(at, value) for at, value in sorted(points.items()) if value.known]

    def abscissas(self, metric: str) -> list[float]:
        """Return every abscissa a metric was measured at, rising."""
        return sorted(
            {at for key, points in self._cells.items() if key[3] == metric for at in points}
        )

    def subsets(self, protocol: str, metric: str) -> list[str]:
        """Return the subsets that hold a known value of a metric for any model."""
        found = (
            key[2]
            for key, points in self._cells.items()
            if key[0] == protocol and key[3] == metric and any(v.known for v in points.values())
        )
        return list(dict.fromkeys(found))

    def models_with(self, protocol: str, metric: str) -> set[str]:
        """Return the models with a known value of a metric in any subset."""
        return {
            key[1]
            for key, points in self._cells.items()
            if key[0] == protocol and key[3] == metric and any(v.known for v in points.values())
        }

    def ranges(self, protocol: str, metric: str) -> list[str]:
        """Return the subsets ``range=k``, near to far."""
        return by_number(
            s for s in self.subsets(protocol, metric) if set(subset_parts(s)) == {"range"}
        )


def by_number(subsets: Iterable[str]) -> list[str]:
    """Sort subsets by the numbers, then the words, that they hold."""

    def key(subset: str) -> list[tuple[int, str]]:
        values = subset_parts(subset).values()
        return [(int(v), "") if v.isdecimal() else (0, v) for v in values]

    return sorted(subsets, key=key)
