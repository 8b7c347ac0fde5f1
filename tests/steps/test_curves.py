"""Figures of a dose-response curve, from made-up scores."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import linregress, norm

from thermalign.metrics.verification import eer
from thermalign.steps._dose import Curve, measure_curve, measure_difference
from thermalign.steps._measures import Draws

SUBJECTS = [f"s{k}" for k in range(8)]
LEVELS = [0.0, 0.1, 0.2, 0.4]
IMAGES = pd.DataFrame({"subject_id": SUBJECTS, "image_id": SUBJECTS})
DRAWS = Draws.of_fold(IMAGES, IMAGES, {"replicates": 100, "seed": 1})


def scores(level, *, loss):
    """Return comparisons of every subject with every one, the genuine ones worse by ``loss``."""
    rng = np.random.default_rng(5)
    rows = [(a, b, a == b, rng.normal() + 3 * (a == b)) for a in SUBJECTS for b in SUBJECTS]
    table = pd.DataFrame(rows, columns=["subject_id", "gallery_id", "genuine", "score"])
    table["score"] -= loss * level * table["genuine"]
    return table.assign(image_id=table["subject_id"], error=level)


def curve(loss, subset="displacement=isotropic"):
    made = Curve(subset, LEVELS, [scores(level, loss=loss) for level in LEVELS])
    return list(measure_curve(made, DRAWS, linear_up_to=0.2))


def test_every_level_has_its_error_and_its_rate():
    figures = {(m.metric, m.at): m.value for m in curve(10.0)}
    for level in LEVELS:
        table = scores(level, loss=10.0)
        assert figures["nmse", level] == pytest.approx(level)
        assert figures["eer", level] == eer(table["score"].to_numpy(), table["genuine"].to_numpy())


def test_rises_stand_at_the_level_they_lead_to_and_add_up():
    figures = curve(10.0)
    rises = {m.at: m for m in figures if m.metric == "eer_rise"}
    rates = {m.at: m for m in figures if m.metric == "eer"}
    assert list(rises) == LEVELS[1:]
    total = sum(rise.value for rise in rises.values())
    assert total == pytest.approx(rates[0.4].value - rates[0.0].value)
    np.testing.assert_allclose(rises[0.1].replicates, rates[0.1].replicates - rates[0.0].replicates)


def test_slopes_are_those_of_the_levels_near_zero():
    figures = curve(10.0)
    rates = [m.value for m in figures if m.metric == "eer"][:3]
    slopes = {m.metric: m.value for m in figures if "slope" in m.metric}
    assert slopes["eer_slope"] == pytest.approx(linregress(LEVELS[:3], rates).slope)
    deviates = norm.ppf(np.clip(rates, 0.5 / 8, 1 - 0.5 / 8))
    assert slopes["probit_slope"] == pytest.approx(linregress(LEVELS[:3], deviates).slope)


def test_the_difference_of_two_curves_is_paired():
    steep, flat = curve(10.0, "a&modality=thermal"), curve(0.0, "a&modality=visible")
    difference = {m.metric: m for m in measure_difference("a", steep, flat)}
    assert set(difference) == {"eer_slope_difference", "probit_slope_difference"}
    own = difference["eer_slope_difference"]
    pair = [next(m for m in side if m.metric == "eer_slope") for side in (steep, flat)]
    assert own.value == pytest.approx(pair[0].value - pair[1].value)
    np.testing.assert_allclose(own.replicates, pair[0].replicates - pair[1].replicates)
    assert own.subset == "a"
    assert pair[1].value == pytest.approx(0, abs=1e-12)


def test_probes_of_nobody_enrolled_have_no_curve():
    strangers = [scores(level, loss=1.0).assign(genuine=False) for level in LEVELS]
    assert not list(measure_curve(Curve("a", LEVELS, strangers), DRAWS, linear_up_to=0.2))
