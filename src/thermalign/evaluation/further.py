"""Metrics beside the study's own: modules of ``metrics`` that ``evaluation: metrics:`` names.

Such a module has ``SCALE``, that its interval is made on (``RATE``, ``POSITIVE`` or
``DIFFERENCE`` of :mod:`thermalign.metrics.intervals`), and one of two functions:

- ``of_errors(errors, weights) -> float``: of the errors (N,) of found faces, interocular distances;
- ``of_scores(score, genuine, weights) -> float``: of M comparisons, with -inf for a face
  that was not aligned.

``weights`` say how often each image or comparison stands in a draw of the test subjects: once for
the value itself. Nothing else lists such a module. Measured over all images and every range.
"""

from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd

from thermalign.catalogue import further_metrics
from thermalign.evaluation.compared import Compared
from thermalign.evaluation.draws import Draws
from thermalign.evaluation.measured import Measured
from thermalign.geometry import Floats
from thermalign.schemas.keys import Subset

ERRORS, SCORES = "of_errors", "of_scores"


def of_errors(
    names: Sequence[str], subset: Subset, rows: pd.DataFrame, draws: Draws
) -> Iterator[Measured]:
    """Yield every named metric of landmark errors.

    Parameters
    ----------
    names : modules of ``metrics``; those without ``of_errors`` are passed over
    subset : Subset
    rows : DataFrame with ``error`` and ``subject_id``
        NaN where no face was found: such images are left out.
    draws : Draws
    """
    found = rows[rows["error"].notna()]
    errors, people = found["error"].to_numpy(), found["subject_id"].nunique()
    weights = draws.weights[:, draws.columns(found["subject_id"])]
    for name in _having(names, ERRORS):
        metric = import_module(f"thermalign.metrics.{name}")
        value = _value(metric.of_errors, errors, weights=np.ones(len(errors)))
        drawn = [_value(metric.of_errors, errors, weights=w) for w in weights if len(errors)]
        yield Measured(subset, name, value, len(found), np.array(drawn), people, scale=metric.SCALE)


def of_scores(names: Sequence[str], subset: Subset, part: Compared) -> Iterator[Measured]:
    """Yield every named metric of comparisons of both classes.

    A genuine comparison is drawn with its person, an impostor one with both of its people.
    """
    if not part.measurable:
        return
    for name in _having(names, SCORES):
        metric = import_module(f"thermalign.metrics.{name}")
        its = part.score, part.genuine
        value = _value(metric.of_scores, *its, weights=np.ones(len(part)))
        drawn = (_counts(part, people) for people in part.weights)  # one draw of them at a time
        replicates = np.array([_value(metric.of_scores, *its, weights=w) for w in drawn])
        people = max(part.subjects, 1)
        yield Measured(subset, name, value, len(part), replicates, people, scale=metric.SCALE)


def _counts(part: Compared, people: Floats) -> Floats:
    """Return how often each comparison is drawn (M,), of how often each person is (S,)."""
    own = people[part.probe]
    return np.where(part.genuine, own, own * people[part.gallery])


def names_of_errors(names: Sequence[str]) -> list[str]:
    """Return those of some names that are metrics of landmark errors."""
    return _having(names, ERRORS)


def _having(names: Sequence[str], function: str) -> list[str]:
    known = further_metrics(function)
    return [name for name in names if name in known]


def _value(metric: Callable[..., float], *values: Any, weights: Floats) -> float:
    return float(metric(*values, weights)) if len(weights) else float("nan")
