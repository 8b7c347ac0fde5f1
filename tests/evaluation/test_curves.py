"""Figures of a dose-response curve, from made-up scores."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import linregress, norm

from thermalign.evaluation.displacement import SLOPES, measure_curve, measure_difference
from thermalign.evaluation.draws import Draws
from thermalign.evaluation.settings import Settings
from thermalign.metrics.verification import d_prime, eer
from thermalign.schemas.keys import DISPLACEMENT, Subset

LEVELS = [0.0, 0.1, 0.2, 0.4]
CURVE = Subset(DISPLACEMENT, "isotropic", range="1")


def names(people):
    return [f"s{k}" for k in range(people)]


def scores(level, *, loss, gap=3.0, people=8):
    """Return comparisons of every subject with every one, the genuine ones worse by ``loss``."""
    rng, everyone = np.random.default_rng(5), names(people)
    rows = [(a, b, a == b, rng.normal() + gap * (a == b)) for a in everyone for b in everyone]
    table = pd.DataFrame(rows, columns=["subject_id", "gallery_id", "genuine", "score"])
    table["score"] -= loss * level * table["genuine"]
    each = table["subject_id"]
    return table.assign(image_id=each, probe_id=each, error=level)


def drawn(people=8):
    known = pd.DataFrame({"subject_id": names(people), "image_id": names(people)})
    return Draws.of_fold(known, known, Settings(replicates=100, seed=1))


def curve(loss, subset=CURVE, **of_scores):
    made = {level: scores(level, loss=loss, **of_scores) for level in LEVELS}
    return list(measure_curve(subset, made, drawn(of_scores.get("people", 8)), linear_up_to=0.2))


def test_every_level_has_its_error_and_its_rate():
    figures = {(m.metric, m.subset.level): m.value for m in curve(10.0)}
    for level in LEVELS:
        table = scores(level, loss=10.0)
        assert figures["nmse", level] == pytest.approx(level)
        assert figures["eer", level] == eer(table["score"].to_numpy(), table["genuine"].to_numpy())


def test_rises_stand_at_the_level_they_lead_to_and_add_up():
    figures = curve(10.0)
    rises = {m.subset.level: m for m in figures if m.metric == "eer_rise"}
    rates = {m.subset.level: m for m in figures if m.metric == "eer"}
    assert list(rises) == LEVELS[1:]
    total = sum(rise.value for rise in rises.values())
    assert total == pytest.approx(rates[0.4].value - rates[0.0].value)
    np.testing.assert_allclose(rises[0.1].replicates, rates[0.1].replicates - rates[0.0].replicates)


def test_slopes_are_those_of_the_levels_near_zero():
    figures = curve(10.0, people=24)
    rates = [m.value for m in figures if m.metric == "eer"][:3]
    assert min(rates) > 0
    slopes = {m.metric: m.value for m in figures if "slope" in m.metric}
    assert slopes["eer_slope"] == pytest.approx(linregress(LEVELS[:3], rates).slope)
    expected = linregress(LEVELS[:3], norm.ppf(rates)).slope
    assert slopes["probit_slope"] == pytest.approx(expected)


def test_a_slope_of_deviates_is_unknown_where_a_fitted_rate_is_zero():
    figures = curve(1.0, gap=8.0)
    assert [m.value for m in figures if m.metric == "eer"] == [0.0] * len(LEVELS)
    slopes = {m.metric: m for m in figures if "slope" in m.metric}
    assert np.isnan(slopes["probit_slope"].value)
    assert np.isnan(slopes["probit_slope"].interval()).all()
    assert slopes["eer_slope"].value == 0


def test_a_slope_of_deviates_has_no_interval_where_the_draws_that_went_far_are_clipped():
    figures = curve(10.0, gap=3.5, people=12)
    rates = [m for m in figures if m.metric == "eer"][:3]
    assert min(rate.value for rate in rates) > 0
    clipped = np.any([rate.replicates == 0 for rate in rates], axis=0).mean()
    assert 0.05 < clipped < 0.5
    slopes = {m.metric: m for m in figures if "slope" in m.metric}
    assert np.isfinite(slopes["probit_slope"].value)
    assert np.isnan(slopes["probit_slope"].interval()).all()
    assert np.isfinite(slopes["eer_slope"].interval()).all()


def test_sensitivity_is_seen_where_the_error_rate_lies_on_its_floor():
    # genuine scores lose 5 a level of 1; the spread within genuine and impostor scores stays
    figures = curve(5.0, gap=8.0)
    table = scores(0.0, loss=5.0, gap=8.0)
    spread = [table.loc[table["genuine"] == side, "score"].var(ddof=0) for side in (True, False)]
    (made,) = (m for m in figures if m.metric == "d_prime_slope")
    assert made.value == pytest.approx(-5 / np.sqrt(np.mean(spread)))
    assert (made.replicates < 0).all()
    low, high = made.interval()
    assert low < made.value < high < 0


def test_d_prime_stands_at_every_level():
    figures = {m.subset.level: m for m in curve(10.0) if m.metric == "d_prime"}
    assert list(figures) == LEVELS
    table = scores(0.2, loss=10.0)
    assert figures[0.2].value == d_prime(table["score"].to_numpy(), table["genuine"].to_numpy())
    assert (figures[0.2].n, figures[0.2].subjects) == (64, 8)


def test_a_level_at_which_no_face_can_be_aligned_has_no_d_prime_and_the_others_stay():
    levels = {level: scores(level, loss=10.0) for level in LEVELS}
    levels[0.4]["score"] = -np.inf
    made = list(measure_curve(CURVE, levels, drawn(), linear_up_to=0.2))
    figures = {(m.metric, m.subset.level): m for m in made}
    lost = figures["d_prime", 0.4]
    assert (np.isnan(lost.value), lost.n) == (True, 0)
    assert np.isnan(lost.interval()).all()
    assert figures["eer", 0.4].value == 1
    assert np.isfinite(figures["d_prime_slope", 0.0].interval()).all()


def test_the_difference_of_two_curves_is_paired():
    steep, flat = (
        curve(loss, CURVE._replace(modality=modality))
        for loss, modality in ((10.0, "thermal"), (0.0, "visible"))
    )
    difference = {m.metric: m for m in measure_difference(CURVE, steep, flat)}
    assert list(difference) == [f"{metric}_difference" for metric in SLOPES]
    for metric in ("eer_slope", "d_prime_slope"):
        own = difference[f"{metric}_difference"]
        pair = [next(m for m in side if m.metric == metric) for side in (steep, flat)]
        assert own.value == pytest.approx(pair[0].value - pair[1].value)
        np.testing.assert_allclose(own.replicates, pair[0].replicates - pair[1].replicates)
        assert own.subset == CURVE
        assert pair[1].value == pytest.approx(0, abs=1e-12)


def test_probes_of_nobody_enrolled_have_no_curve():
    strangers = {level: scores(level, loss=1.0).assign(genuine=False) for level in LEVELS}
    assert not list(measure_curve(CURVE, strangers, drawn(), linear_up_to=0.2))
