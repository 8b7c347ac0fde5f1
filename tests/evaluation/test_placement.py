"""Detectors on the dose-response curve."""

import numpy as np
import pandas as pd
import pytest

from thermalign.evaluation.displacement import Settings
from thermalign.evaluation.over_folds import Replicates
from thermalign.evaluation.placement import placements
from thermalign.metrics.intervals import POSITIVE, RATE
from thermalign.schemas.keys import ANNOTATED, DISPLACEMENT, KEY, PLACEMENT, Subset

LEVELS = (0.0, 0.1, 0.2)
DISPLACEMENTS = Settings(range=1, kinds=("isotropic",), levels=LEVELS, linear_up_to=0.1)
CURVE, OWN = Subset(DISPLACEMENT, "isotropic", range="1"), Subset(range="1")
PLACED = Subset(PLACEMENT, "isotropic", range="1")


def study(*, nmse=0.15, eer=0.3, curve=(0.1, 0.2, 0.4), spread=0.01):
    """Return SUMMARY and replicates of a curve, measured at its levels, and of one detector."""
    figures = [(ANNOTATED, CURVE._replace(level=at), "nmse", at) for at in LEVELS]
    figures += [
        (ANNOTATED, CURVE._replace(level=at), "eer", value)
        for at, value in zip(LEVELS, curve, strict=True)
    ]
    figures += [("m", OWN, "nmse", nmse), ("m", OWN, "eer", eer), (ANNOTATED, OWN, "eer", curve[0])]
    rows = [("d", "p", model, *its, metric, 0.0, value) for model, its, metric, value in figures]
    summary = pd.DataFrame(rows, columns=[*KEY, "value"])
    summary = summary.assign(low=0.0, high=1.0, fold_sd=0.0, n=100, n_folds=2)
    draws = np.random.default_rng(0).normal(0, spread, 200)
    replicates = {
        tuple(key): Replicates(value + draws, 30, RATE)
        if "eer" in key
        else Replicates(value + 0 * draws, 30, POSITIVE)
        for *key, value in rows
    }
    return summary, replicates


def placed(**changes):
    rows = list(placements(*study(**changes), DISPLACEMENTS))
    assert {Subset(*(row[name] for name in Subset._fields)) for row in rows} == {PLACED}
    return {(row["model"], row["metric"]): row for _, row in pd.DataFrame(rows).iterrows()}


def test_a_detector_stands_between_the_levels_its_error_lies_between():
    table = placed()
    assert table["m", "nmse"]["value"] == 0.15
    assert table["m", "eer"]["value"] == 0.3
    assert table["m", "eer_predicted"]["value"] == pytest.approx(0.3)  # of .2 and .4
    assert table["m", "eer_excess"]["value"] == pytest.approx(0)


def test_what_the_curve_and_the_detector_share_leaves_the_difference():
    table = placed(eer=0.35)
    row = table["m", "eer_excess"]
    # the same draws move both: none tells how far the difference would move
    assert row["value"] == pytest.approx(0.05)
    assert row[["low", "high"]].isna().all()
    assert np.ptp(table["m", "eer_predicted"][["low", "high"]]) > 0.02


def test_an_error_beyond_the_last_level_is_not_extrapolated():
    table = placed(nmse=0.25)
    for metric in ("eer_predicted", "eer_excess"):
        assert table["m", metric][["value", "low", "high"]].isna().all()


def test_the_annotated_points_are_the_curve_and_are_not_placed_on_it():
    assert {model for model, _ in placed()} == {"m"}


def test_a_protocol_without_a_curve_places_nobody():
    summary, replicates = study()
    kept = {key: made for key, made in replicates.items() if DISPLACEMENT not in key}
    assert not list(placements(summary, kept, DISPLACEMENTS))
