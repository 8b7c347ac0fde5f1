"""Landmarks displaced by a known amount, and figures of a dose-response curve of made-up scores."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import linregress, norm

from thermalign.evaluation.displacement import (
    KINDS,
    SLOPES,
    displace,
    measure_curve,
    measure_difference,
)
from thermalign.evaluation.draws import Draws
from thermalign.evaluation.settings import Settings
from thermalign.geometry import LANDMARKS, interocular_distance
from thermalign.metrics.verification import d_prime, eer
from thermalign.schemas.keys import DISPLACEMENT, Subset

FACE = np.array([[20.0, 30], [40, 30], [30, 40], [22, 50], [38, 50]])  # 20 px between the eyes
MANY = np.repeat(FACE[None], 4000, axis=0)
NAMES = [f"face{n}" for n in range(len(MANY))]


def ways(points):
    return np.linalg.norm(points - FACE, axis=-1) / 20


@pytest.mark.parametrize("kind", KINDS)
def test_level_zero_moves_nothing(kind):
    moved = displace(MANY[:3], NAMES[:3], kind=kind, level=0)
    np.testing.assert_allclose(moved, MANY[:3], atol=1e-12)


def test_isotropic_noise_goes_the_level_on_the_mean_in_every_direction():
    moved = displace(MANY, NAMES, kind="isotropic", level=0.1)
    assert ways(moved).mean() == pytest.approx(0.1, rel=0.02)
    way = (moved - FACE) / 20
    # sd of a coordinate whose vector has mean length .1: .1 / sqrt(pi / 2)
    np.testing.assert_allclose(way.std(axis=(0, 1)), 0.0798, rtol=0.02)
    assert np.abs(np.corrcoef(way.reshape(len(way), -1).T) - np.eye(10)).max() < 0.06


def test_a_shift_moves_every_landmark_alike_by_exactly_the_level():
    moved = displace(MANY, NAMES, kind="shift", level=0.1)
    np.testing.assert_allclose(ways(moved), 0.1)
    np.testing.assert_allclose(np.ptp(moved - FACE, axis=1), 0, atol=1e-9)
    assert np.abs((moved - FACE).mean(axis=(0, 1))).max() < 0.1  # px: in all directions


@pytest.mark.parametrize("kind", ["rotation", "scale"])
def test_turning_and_resizing_go_the_level_on_the_mean_of_every_face(kind):
    moved = displace(MANY[:50], NAMES[:50], kind=kind, level=0.2)
    np.testing.assert_allclose(ways(moved).mean(axis=1), 0.2)
    np.testing.assert_allclose(moved.mean(axis=1), MANY[:50].mean(axis=1))


def test_a_rotation_keeps_distances_and_a_scaling_keeps_angles_and_both_go_both_ways():
    turned = displace(MANY[:50], NAMES[:50], kind="rotation", level=0.2)
    np.testing.assert_allclose(interocular_distance(turned), 20)
    resized = displace(MANY[:50], NAMES[:50], kind="scale", level=0.2)
    eyes = resized[:, 1] - resized[:, 0]
    np.testing.assert_allclose(eyes[:, 1], 0, atol=1e-9)
    slants = (turned[:, 1] - turned[:, 0])[:, 1]
    for signs in (slants, eyes[:, 0] - 20):
        assert 0.2 < (signs > 0).mean() < 0.8


@pytest.mark.parametrize("landmark", LANDMARKS)
def test_one_landmark_moves_alone(landmark):
    moved = displace(MANY, NAMES, kind=landmark, level=0.1)
    went = ways(moved)
    assert went[:, LANDMARKS.index(landmark)].mean() == pytest.approx(0.1, rel=0.03)
    assert np.delete(went, LANDMARKS.index(landmark), axis=1).max() == 0


@pytest.mark.parametrize("kind", ["isotropic", "shift", "nose_base"])
def test_levels_of_a_face_lie_on_a_line(kind):
    near, far = (displace(MANY[:5], NAMES[:5], kind=kind, level=at) for at in (0.1, 0.2))
    np.testing.assert_allclose(far - FACE, 2 * (near - FACE))


def test_a_draw_depends_on_the_name_and_not_on_neighbours_nor_on_where_the_face_is():
    first = displace(MANY[:3], ["a", "b", "c"], kind="isotropic", level=0.1)
    other = displace(3 * MANY[:1] + 7, ["b"], kind="isotropic", level=0.1)
    np.testing.assert_allclose((other[0] - 3 * FACE - 7) / 3, first[1] - FACE)
    again = displace(MANY[:1], ["b"], kind="isotropic", level=0.1, seed=1)
    assert np.abs(again - first[1]).max() > 0.01


def test_an_unknown_kind_or_a_negative_level_is_refused():
    with pytest.raises(ValueError, match=r"kind 'wobble'.*use one of"):
        displace(MANY[:1], ["a"], kind="wobble", level=0.1)
    with pytest.raises(ValueError, match=r"level -0\.1"):
        displace(MANY[:1], ["a"], kind="shift", level=-0.1)


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
