"""Rejecting probes, from scores, errors and expectations set by hand."""

import numpy as np
import pandas as pd
import pytest

from thermalign.evaluation.draws import Draws
from thermalign.evaluation.rejection import evaluate
from thermalign.evaluation.settings import Settings
from thermalign.metrics.verification import eer
from thermalign.schemas.keys import REJECTION, Subset

PEOPLE = [f"s{k}" for k in range(6)]
EACH = 5  # probes a person: two at range 1, three at range 2


def at(setting, share, reach=""):
    return Subset(experiment=REJECTION, setting=setting, level=share, range=reach)


@pytest.fixture
def fold():
    """Probes of which the worst points have the worst scores, and expectations near the truth."""
    rng = np.random.default_rng(0)
    probes = [(f"{p}-{k}", p, 1 if k < 2 else 2) for p in PEOPLE for k in range(EACH)]
    table = pd.DataFrame(probes, columns=["image_id", "subject_id", "range"])
    table["error"] = rng.gamma(2.0, 0.02, len(table))
    table["told"] = table["error"] * np.exp(rng.normal(0, 0.3, len(table)))
    rows = table.merge(pd.DataFrame({"gallery_id": PEOPLE}), how="cross")
    genuine = (rows["subject_id"] == rows["gallery_id"]).to_numpy()
    score = np.where(genuine, 2.0 - 25 * rows["error"], 0.0) + rng.normal(0, 0.6, len(rows))
    comparisons = rows.assign(probe_id=rows["image_id"], genuine=genuine, score=score)
    return table, comparisons


def predictions(table):
    both = [table["image_id"], table["image_id"]]
    half = pd.concat([0.9 * table["told"], 1.1 * table["told"]])
    return pd.DataFrame({"image_id": pd.concat(both), "expected_error": half})


def measured(table, comparisons, shares=(0.1, 0.2), errors=None):
    draws = Draws.of_fold(table, table, Settings(replicates=60, seed=1))
    errors = table if errors is None else errors
    made = list(evaluate(comparisons, predictions(table), errors, draws, shares))
    keys = [(m.subset, m.metric) for m in made]
    assert len(set(keys)) == len(keys)
    return dict(zip(keys, made, strict=True))


def test_the_probes_with_the_highest_expected_error_go(fold):
    table, comparisons = fold
    made = measured(*fold)
    kept = set(table.nsmallest(24, "told")["image_id"])  # 6 of 30 are rejected
    rest = comparisons[comparisons["probe_id"].isin(kept)]
    least = made[at("confidence", 0.2), "eer_found"]
    expected = eer(rest["score"].to_numpy(), rest["genuine"].to_numpy())
    assert least.value == pytest.approx(expected)
    assert least.n == len(rest)
    every = np.where(comparisons["probe_id"].isin(kept), comparisons["score"], -np.inf)
    whole = made[at("confidence", 0.2), "eer"]
    assert whole.value == pytest.approx(eer(every, comparisons["genuine"].to_numpy()))
    assert whole.n == len(comparisons)
    accepted = table[table["image_id"].isin(kept)]["error"]
    assert made[at("confidence", 0.2), "nmse"].value == pytest.approx(accepted.mean())


@pytest.mark.parametrize("setting", ["confidence", "random", "true_error"])
def test_the_share_is_what_is_not_acquired(fold, setting):
    made = measured(*fold, shares=(0.05, 0.1))
    for share in (0.05, 0.1):  # one and a half probes: the second goes in part
        assert made[at(setting, share), "fta"].value == pytest.approx(share)
        assert made[at(setting, share), "fta"].n == 30


def test_by_range_it_is_told_whom_it_hits(fold):
    made = measured(*fold)
    gone = fold[0].nlargest(6, "told")
    for reach, n in (("1", 12), ("2", 18)):
        expected = (gone["range"] == int(reach)).sum() / n
        assert made[at("confidence", 0.2, reach), "fta"].value == pytest.approx(expected)
    assert (at("random", 0.2, "1"), "fta") not in made


def test_rejection_at_random_changes_nothing_among_accepted_probes(fold):
    table, comparisons = fold
    made = measured(*fold)
    before = eer(comparisons["score"].to_numpy(), comparisons["genuine"].to_numpy())
    random = made[at("random", 0.2), "eer_found"]
    assert random.value == pytest.approx(before)
    assert made[at("random", 0.2), "nmse"].value == pytest.approx(table["error"].mean())
    assert made[at("random", 0.2), "eer"].value > before


def test_what_confidence_brings_is_told_beside_random_rejection_by_the_same_draws(fold):
    made = measured(*fold)
    for metric in ("eer_found", "nmse"):
        its, other = (made[at(name, 0.2), metric] for name in ("confidence", "random"))
        above = made[at("confidence", 0.2), f"{metric}_above_random"]
        assert above.value == pytest.approx(its.value - other.value)
        np.testing.assert_allclose(above.replicates, its.replicates - other.replicates)
    best = made[at("true_error", 0.2), "nmse_above_random"]
    assert best.value <= made[at("confidence", 0.2), "nmse_above_random"].value < 0


def test_equally_sure_probes_are_rejected_as_at_random(fold):
    table, comparisons = fold
    made = measured(table.assign(told=0.18), comparisons)
    for metric in ("eer", "eer_found", "fta", "nmse"):
        both = [made[at(name, 0.1), metric].value for name in ("confidence", "random")]
        assert both[0] == pytest.approx(both[1])
    assert not len(made[at("random", 0.1), "fta"].replicates)
    assert len(measured(*fold)[at("confidence", 0.1), "fta"].replicates) == 60


def test_probes_that_were_not_acquired_come_before_those_that_are_rejected(fold):
    table, comparisons = fold
    lost = comparisons["probe_id"] == "s0-0"
    gone = table["image_id"] == "s0-0"
    table = table.assign(told=table["told"].mask(gone), error=table["error"].mask(gone))
    scores = comparisons["score"].mask(lost, -np.inf)
    made = measured(table, comparisons.assign(score=scores), shares=(0.2,))
    for setting in ("confidence", "random", "true_error"):
        assert made[at(setting, 0.2), "fta"].value == pytest.approx((1 + 0.2 * 29) / 30)


def test_without_a_confidence_nothing_is_told(fold):
    table, comparisons = fold
    assert measured(table.assign(told=np.nan), comparisons) == {}
    assert measured(*fold, shares=()) == {}
    assert measured(table, comparisons[:0]) == {}


def test_a_probe_of_which_no_error_is_expected_is_the_first_to_go(fold):
    table, comparisons = fold
    surest = table["told"].idxmin()
    made = measured(table.assign(told=table["told"].drop(surest)), comparisons)
    kept = set(table.drop(surest).nsmallest(24, "told")["image_id"])  # and five more are rejected
    rest = comparisons[comparisons["probe_id"].isin(kept)]
    least = made[at("confidence", 0.2), "eer_found"]
    assert least.n == len(rest)
    assert least.value == pytest.approx(eer(rest["score"].to_numpy(), rest["genuine"].to_numpy()))
    accepted = table[table["image_id"].isin(kept)]["error"]
    assert made[at("confidence", 0.2), "nmse"].value == pytest.approx(accepted.mean())


def test_probes_of_which_no_error_is_expected_are_equally_unsure(fold):
    table, comparisons = fold
    unknown = table["range"] == 2  # 18 of 30, so that 6 of 18 go, each with the same probability
    made = measured(table.assign(told=table["told"].mask(unknown)), comparisons)
    assert made[at("confidence", 0.2, "1"), "fta"].value == 0
    assert made[at("confidence", 0.2, "2"), "fta"].value == pytest.approx(6 / 18)
    errors = table["error"]
    mean = (errors[~unknown].sum() + errors[unknown].sum() * 12 / 18) / 24
    assert made[at("confidence", 0.2), "nmse"].value == pytest.approx(mean)


def test_where_a_probe_is_not_annotated_nothing_is_rejected_by_its_true_error(fold):
    table, comparisons = fold
    made = measured(table, comparisons, errors=table[1:])
    assert {subset.setting for subset, _ in made} == {"confidence", "random"}
    assert made[at("random", 0.2), "nmse"].value == pytest.approx(table["error"][1:].mean())


def test_annotated_points_without_errors_have_no_mean_error(fold):
    made = measured(*fold, errors=fold[0][:0])
    assert np.isnan(made[at("confidence", 0.1), "nmse"].value)
    assert (at("confidence", 0.1), "nmse_above_random") not in made
