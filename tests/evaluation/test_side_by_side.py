"""Matchers side by side: which figures are compared, with which, and what an interval rests on."""

import numpy as np
import pandas as pd
import pytest

from thermalign.evaluation.over_folds import Replicates
from thermalign.evaluation.side_by_side import above_first
from thermalign.metrics.intervals import RATE
from thermalign.schemas.keys import ALL, ANNOTATED, DISPLACEMENT, KEY, Subset

SLOPE = Subset(DISPLACEMENT, "isotropic", same_moment="keep", range="1")
DRAWN = np.random.default_rng(1).normal(0.2, 0.02, 200)
NOISE = np.random.default_rng(2).normal(0, 0.001, 200)
FIRSTS = {"a": "a", "b": "a"}


def figures(*rows):
    """SUMMARY and replicates of rows (protocol, model, subset, metric, value, draws)."""
    keys = [
        ("d", protocol, model, *subset, metric, 0.0) for protocol, model, subset, metric, *_ in rows
    ]
    table = pd.DataFrame(keys, columns=[*KEY]).assign(value=[r[4] for r in rows], n=9, n_folds=2)
    drawn = {k: Replicates(r[5], 20, RATE) for k, r in zip(keys, rows, strict=True)}
    return table, drawn


def test_a_figure_is_compared_with_that_of_the_first_protocol_on_the_same_draws():
    rows = figures(
        ("a", ANNOTATED, ALL, "eer", 0.2, DRAWN),
        ("b", ANNOTATED, ALL, "eer", 0.15, DRAWN - 0.05 + NOISE),
    )
    (found,) = above_first(*rows, FIRSTS)
    assert (found["protocol"], found["metric"], found["n_folds"]) == ("b", "eer_above_first", 2)
    ends = found["value"], found["low"], found["high"]
    assert ends == pytest.approx((-0.05, -0.05, -0.05), abs=0.004)  # draws move together


def test_slopes_of_every_reading_are_compared_and_nothing_of_detectors_or_of_parts():
    rows = figures(
        *(
            (protocol, model, subset, metric, 0.2, DRAWN)
            for protocol in "ab"
            for model, subset, metric in (
                (ANNOTATED, SLOPE, "eer_slope"),
                (ANNOTATED, SLOPE._replace(level=0.1), "eer"),
                (ANNOTATED, Subset(condition="baseline"), "eer"),
                ("dan", ALL, "eer"),
                (ANNOTATED, Subset(range="2", same_moment="keep"), "rank1"),
            )
        )
    )
    found = [(its["metric"], its["same_moment"]) for its in above_first(*rows, FIRSTS)]
    assert found == [("eer_slope_above_first", "keep"), ("rank1_above_first", "keep")]


def test_protocols_that_stand_alone_are_compared_with_nothing():
    rows = figures(
        ("a", ANNOTATED, ALL, "eer", 0.2, DRAWN), ("b", ANNOTATED, ALL, "eer", 0.1, DRAWN)
    )
    assert not list(above_first(*rows, {}))
    assert not list(above_first(*figures(("b", ANNOTATED, ALL, "eer", 0.1, DRAWN)), FIRSTS))
