"""Detectors on the dose-response curve."""

import numpy as np
import pandas as pd
import pytest

from thermalign.evaluation.over_folds import KEY, Replicates
from thermalign.evaluation.placement import placements

LEVELS = (0.0, 0.1, 0.2)
DISPLACEMENTS = {"range": 1, "kinds": ["isotropic"]}
CURVE = "displacement=isotropic"


def study(*, nmse=0.15, eer=0.3, curve=(0.1, 0.2, 0.4), spread=0.01):
    """Return SUMMARY and replicates of a curve, measured at its levels, and of one detector."""
    rows = [("p", "annotated", CURVE, "nmse", at, at) for at in LEVELS]
    rows += [
        ("p", "annotated", CURVE, "eer", at, value) for at, value in zip(LEVELS, curve, strict=True)
    ]
    rows += [("p", "m", "range=1", "nmse", 0.0, nmse), ("p", "m", "range=1", "eer", 0.0, eer)]
    rows += [("p", "annotated", "range=1", "eer", 0.0, curve[0])]
    summary = pd.DataFrame(rows, columns=[*KEY, "value"])
    summary = summary.assign(low=0.0, high=1.0, fold_sd=0.0, n=100, n_folds=2)
    draws = np.random.default_rng(0).normal(0, spread, 200)
    replicates = {
        tuple(key): Replicates(value + (draws if key[3] == "eer" else 0 * draws), 30)
        for *key, value in rows
    }
    return summary, replicates


def placed(**changes):
    rows = placements(*study(**changes), DISPLACEMENTS)
    return pd.DataFrame(rows).set_index(["model", "subset", "metric"])


def test_a_detector_stands_between_the_levels_its_error_lies_between():
    table = placed()
    at = ("m", "placement=isotropic")
    assert table.loc[(*at, "nmse"), "value"] == 0.15
    assert table.loc[(*at, "eer"), "value"] == 0.3
    assert table.loc[(*at, "eer_predicted"), "value"] == pytest.approx(0.3)  # of .2 and .4
    assert table.loc[(*at, "eer_excess"), "value"] == pytest.approx(0)


def test_what_the_curve_and_the_detector_share_leaves_the_difference():
    table = placed(eer=0.35)
    row = table.loc[("m", "placement=isotropic", "eer_excess")]
    # the same draws move both: none tells how far the difference would move
    assert row["value"] == pytest.approx(0.05)
    assert row[["low", "high"]].isna().all()
    assert np.ptp(table.loc[("m", "placement=isotropic", "eer_predicted"), ["low", "high"]]) > 0.02


def test_an_error_beyond_the_last_level_is_not_extrapolated():
    table = placed(nmse=0.25).loc[("m", "placement=isotropic")]
    assert (
        table.loc[["eer_predicted", "eer_excess"], ["value", "low", "high"]].isna().all(axis=None)
    )


def test_the_annotated_points_are_the_curve_and_are_not_placed_on_it():
    assert set(placed().index.get_level_values("model")) == {"m"}


def test_a_protocol_without_a_curve_places_nobody():
    summary, replicates = study()
    kept = {key: made for key, made in replicates.items() if key[2] != CURVE}
    assert not list(placements(summary, kept, DISPLACEMENTS))
