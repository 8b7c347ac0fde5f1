"""What one reading's scores show, from scores set by hand."""

import numpy as np
import pandas as pd
import pytest

from thermalign.evaluation.draws import MOST_VALUES, Draws, telling
from thermalign.evaluation.settings import Rates, Settings
from thermalign.evaluation.verification import evaluate
from thermalign.metrics.bootstrap import rate_replicates
from thermalign.schemas.keys import ALL, Subset

SETTINGS = Settings(
    replicates=60, seed=1, false_match_rates=Rates(start=0.1, count=3), tar_at_far=(0.5,)
)
NEAR, FAR = Subset(range="1"), Subset(range="2")
INF = np.inf
NOBODY = pd.DataFrame(columns=["image_id", "name", "value"])


def draws_of(people):
    images = pd.DataFrame({"subject_id": people})
    return Draws.of_fold(images, images, SETTINGS)


def comparisons(people, enrolled, score, *, probes=1, ranges=(1,)):
    """Compare ``probes`` images of everybody at every range with everybody enrolled."""
    rows = [
        (f"{p}-{r}-{k}", p, r, g, p == g, float(score(p, r, k, g)))
        for p in people
        for r in ranges
        for k in range(probes)
        for g in enrolled
    ]
    columns = ["image_id", "subject_id", "range", "gallery_id", "genuine", "score"]
    table = pd.DataFrame(rows, columns=columns)
    known = {"volume": 1, "condition": "baseline", "same_moment": "exclude"}
    return table.assign(probe_id=table["image_id"], **known)


def shown(table, people, *, thresholds=None, attributes=NOBODY, headline="exclude"):
    made = evaluate(
        table,
        draws_of(people),
        SETTINGS,
        thresholds=thresholds or {},
        attributes=attributes,
        headline=headline,
    )
    return {(m.subset, m.metric, m.at): m for m in made}


def right(p, r, k, g):
    return p == g


def noisy(seed, *, lost=()):
    """Return scores that overlap, and -inf for the images of ``lost``: (person, range, image)."""
    drawn = {}

    def score(p, r, k, g):
        rng = np.random.default_rng([seed, *map(ord, p + g), r, k])
        return (
            -INF if (p, r, k) in lost else drawn.setdefault((p, r, k, g), rng.normal() + (p == g))
        )

    return score


def test_a_subject_without_a_gallery_image_is_a_failure_to_enrol_and_its_probes_are_misses():
    figures = shown(comparisons("abcd", "abc", right, probes=20), list("abcd"))
    assert figures[ALL, "fte", 0].value == 0.25
    assert figures[ALL, "rank1", 0].value == 0.75  # of 80 probes, not of 60
    assert figures[ALL, "rank1", 0].n == 80
    assert figures[ALL, "cmc", 2].value == 0.75
    assert figures[ALL, "rank1_found", 0].value == 1
    assert figures[ALL, "rank1_found", 0].n == 60
    assert figures[ALL, "fta", 0].value == 0
    # pairs a, b, c, d -> the two or three others who are enrolled
    assert figures[ALL, "person_pairs", 0].value == 3 * 2 + 3
    assert (figures[ALL, "people", 0].value, figures[ALL, "people", 0].n) == (3, 60)


def test_failures_to_enrol_are_drawn_by_person():
    figures = shown(comparisons("abcd", "abc", right), list("abcd"))
    weights = draws_of(list("abcd")).weights
    drawn = figures[ALL, "fte", 0]
    np.testing.assert_allclose(drawn.replicates, weights[:, 3] / weights.sum(axis=1))
    assert drawn.subjects == 4


@pytest.mark.parametrize(("people", "enrolled"), [("abcdef", "a"), ("a", "abcdef")])
def test_one_person_on_a_side_has_no_interval(people, enrolled):
    table = comparisons(people, enrolled, noisy(3), probes=4)
    figures = shown(table, list("abcdef"), thresholds={0.0: 0.5})
    told = {m.metric for m in figures.values() if np.isfinite(m.value)}
    assert {"eer", "eer_found", "auc", "d_prime", "rank1", "fmr", "fnmr", "frr", "roc"} <= told
    for figure in figures.values():
        if figure.metric not in {"fte", "fta"}:
            assert np.isnan(figure.interval()).all(), figure.metric


def test_of_two_people_every_draw_of_both_is_the_same_so_rates_of_them_have_no_interval():
    figures = shown(comparisons("ab", "ab", noisy(3), probes=4), ["a", "b"], thresholds={0: 0.5})
    for metric in ("eer", "auc", "d_prime", "fmr", "far"):
        assert np.isnan(figures[ALL, metric, 0].interval()).all()
    assert 0 < figures[ALL, "fnmr", 0].value < 1
    assert np.isfinite(figures[ALL, "fnmr", 0].interval()).all()  # misses are of one person each
    three = shown(comparisons("abc", "abc", noisy(3), probes=4), list("abc"))
    assert three[ALL, "eer", 0].subjects == 3
    assert np.isfinite(three[ALL, "auc", 0].interval()).all()


def test_rates_with_and_without_failures_have_names_of_their_own():
    lost = {("a", 1, 0), ("b", 1, 1)}
    table = comparisons("abcde", "abcde", noisy(1, lost=lost), probes=4)
    found = table[table["score"] > -INF]
    figures, others = shown(table, list("abcde")), shown(found, list("abcde"))
    assert figures[ALL, "fta", 0].value == 2 / 20
    for metric in ("eer", "auc"):
        again, alone = figures[ALL, f"{metric}_found", 0], others[ALL, metric, 0]
        assert again.value == alone.value
        assert again.n == alone.n == 18 * 5
        np.testing.assert_array_equal(again.replicates, alone.replicates)
    assert figures[ALL, "auc", 0].value < figures[ALL, "auc_found", 0].value
    assert figures[ALL, "d_prime", 0].value == others[ALL, "d_prime", 0].value
    for at in (key[2] for key in others if key[:2] == (ALL, "roc")):
        assert figures[ALL, "roc_found", at].value == others[ALL, "roc", at].value
    assert figures[ALL, "roc", 1.0].value == 18 / 20
    assert figures[ALL, "roc_found", 1.0].value == 1


def test_failures_to_acquire_are_counted_by_range():
    table = comparisons("abc", "abc", noisy(1, lost={("a", 2, 0)}), ranges=(1, 2))
    figures = shown(table, list("abc"))
    values = [figures[part, "fta", 0].value for part in (ALL, NEAR, FAR)]
    assert values == pytest.approx([1 / 6, 0, 1 / 3])
    assert figures[FAR, "rank1_found", 0].n == 2


def test_where_nothing_was_acquired_rates_of_it_are_not_numbers_and_the_others_are_the_worst():
    table = comparisons("abc", "abc", lambda *_: -INF)
    figures = shown(table, list("abc"), thresholds={0.0: 0.5})
    for metric in ("eer_found", "auc_found", "d_prime", "rank1_found", "fmr", "fnmr", "fmr_bound"):
        assert np.isnan(figures[ALL, metric, 0].value), metric
        assert figures[ALL, metric, 0].n == 0
    worst = {"eer": 1, "auc": 0, "rank1": 0, "frr": 1, "far": 0, "fta": 1}
    assert {metric: figures[ALL, metric, 0].value for metric in worst} == worst
    assert figures[ALL, "person_pairs", 0].value == 0
    assert np.isnan(figures[ALL, "tar_at_far", 0.5].value)


def test_without_impostors_rates_are_not_numbers_and_say_so():
    figures = shown(comparisons("a", "a", right, probes=3), ["a", "b"])
    for metric in ("eer", "eer_found", "auc", "auc_found", "d_prime"):
        assert np.isnan(figures[ALL, metric, 0].value)
    assert figures[ALL, "person_pairs", 0].value == 0
    assert figures[ALL, "fte", 0].value == 0.5


def test_scores_of_nobody_show_nothing():
    assert not shown(comparisons("", "", right), ["a", "b"])


def test_a_true_accept_rate_takes_thirty_false_accepts_of_person_pairs():
    few = shown(comparisons("abcdefgh", "abcdefgh", right), list("abcdefgh"))
    assert few[ALL, "person_pairs", 0].value == 56
    assert few[ALL, "person_pairs_needed", 0.5].value == 60
    assert few[ALL, "person_pairs_needed", 0.5].n == 56
    assert np.isnan(few[ALL, "tar_at_far", 0.5].value)
    assert len(few[ALL, "tar_at_far", 0.5].replicates) == 0
    many = shown(comparisons("abcdefghi", "abcdefghi", right), list("abcdefghi"))
    assert many[ALL, "tar_at_far", 0.5].value == 1  # 72 pairs


def test_pairs_of_lost_probes_are_no_support():
    lost = {("a", 1, 0)}
    figures = shown(comparisons("abc", "abc", noisy(1, lost=lost)), list("abc"))
    assert figures[ALL, "person_pairs", 0].value == 4
    assert figures[ALL, "person_pairs", 0].n == 6
    assert figures[ALL, "people", 0].value == 3  # genuine comparisons, failures included


def by_hand(p, r, k, g):
    """At a threshold of 1: a is missed once and lost once, b is taken for a once."""
    if (p, k) == ("a", 1):
        return -INF
    if (p, k) == ("a", 2):
        return 0
    return 2 if p == g or (p, k, g) == ("b", 0, "a") else 0


def test_errors_at_a_threshold_from_training_people_by_hand():
    table = comparisons("ab", "ab", by_hand, probes=3)
    figures = shown(table, ["a", "b"], thresholds={0.0: 1.0, 0.5: 1.0, 0.1: 3.0})
    rates = {m: figures[ALL, m, 0.0].value for m in ("fmr", "fnmr", "far", "frr")}
    assert rates == pytest.approx({"fmr": 1 / 5, "fnmr": 1 / 5, "far": 1 / 6, "frr": 2 / 6})
    counts = {m: figures[ALL, m, 0.0].n for m in rates}
    assert counts == {"fmr": 5, "fnmr": 5, "far": 6, "frr": 6}
    assert figures[ALL, "threshold", 0.1].value == 3.0
    # a rate set for .5 would take 60 pairs of people and rests on 2; misses rest on people
    assert np.isnan([figures[ALL, m, 0.5].value for m in ("fmr", "far")]).all()
    assert figures[ALL, "fnmr", 0.5].value == pytest.approx(1 / 5)
    assert np.isnan(figures[ALL, "fmr_bound", 0.5].value)
    assert figures[ALL, "fmr_bound", 0.1].value == 1  # none of 2 pairs: at most 3 / 2
    assert (NEAR, "threshold", 0.0) not in figures


def test_a_threshold_that_training_people_could_not_set_has_no_errors():
    table = comparisons("ab", "ab", by_hand, probes=3)
    figures = shown(table, ["a", "b"], thresholds={0.0: np.nan})
    for metric in ("fmr", "fnmr", "far", "frr", "threshold", "fmr_bound"):
        assert np.isnan(figures[ALL, metric, 0.0].value)
        assert len(figures[ALL, metric, 0.0].replicates) == 0


def test_the_other_reading_has_all_images_and_each_range_and_no_bands():
    table = comparisons("abc", "abc", noisy(2), ranges=(1, 2))
    figures = shown(table, list("abc"), thresholds={0.0: 0.5}, headline="keep")
    every = {Subset(same_moment="exclude", range=reach) for reach in ("", "1", "2")}
    assert {key[0] for key in figures} == every
    assert not {"cmc", "roc_found", "fmr", "threshold"} & {key[1] for key in figures}
    assert all(len(m.replicates) == 0 for m in figures.values() if m.metric == "roc")
    far = Subset(same_moment="exclude", range="2")
    for metric in ("eer", "eer_found", "auc", "d_prime", "rank1", "fta"):
        assert len(figures[far, metric, 0].replicates) == SETTINGS.replicates


def told(*rows):
    return pd.DataFrame(rows, columns=["image_id", "name", "value"])


def test_rates_by_attribute_are_of_its_probes_against_everybody():
    table = comparisons("abcd", "abcd", noisy(4, lost={("a", 2, 0)}), ranges=(1, 2))
    worn = told(
        *((i, "glasses", "yes" if i[0] in "ab" else "no") for i in table["image_id"].unique())
    )
    figures = shown(table, list("abcd"), attributes=telling(worn, table["image_id"]))
    no, yes = (Subset(attribute="glasses", attribute_value=value) for value in ("no", "yes"))
    names = {key[0] for key in figures if key[0].attribute}
    assert names == {its._replace(range=reach) for its in (no, yes) for reach in ("", "1", "2")}
    theirs = table[table["subject_id"].isin(["a", "b"])]
    alone = shown(theirs, list("abcd"))
    for part in ("eer", "fta"):
        one, other = figures[yes, part, 0], alone[ALL, part, 0]
        assert (one.value, one.n, one.subjects) == (other.value, other.n, 2)
        np.testing.assert_array_equal(one.replicates, other.replicates)
    assert figures[yes._replace(range="2"), "fta", 0].value == 0.5
    assert figures[no, "fta", 0].value == 0


def test_an_attribute_that_does_not_part_the_probes_is_no_subset():
    images = [f"i{k}" for k in range(MOST_VALUES + 1)]
    rows = [(i, "one", "yes") for i in images] + [(i, "id", i) for i in images]
    rows += [(i, "two", "yes" if i == "i0" else "no") for i in images]
    rows += [("elsewhere", "one", "no")]
    assert set(telling(told(*rows), images)["name"]) == {"two"}


def test_too_many_values_are_said_so_in_the_log(capsys):
    images = [f"i{k}" for k in range(MOST_VALUES + 1)]
    telling(told(*((i, "age", i) for i in images)), images)
    assert "attribute age has 13 values" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "value"), [("a&b", "x"), ("a", "x=y"), ("a:b", "x:&=z")])
def test_an_attribute_may_be_called_anything(name, value):
    table = comparisons("abcd", "abcd", noisy(4))
    words = told(*((i, name, value if i[0] in "ab" else "other") for i in table["image_id"]))
    figures = shown(
        table,
        list("abcd"),
        attributes=telling(words.drop_duplicates(), table["image_id"]),
    )
    assert figures[Subset(attribute=name, attribute_value=value), "eer", 0].n == 8


def test_a_subset_that_is_everything_once_more_has_its_figures_without_new_draws(monkeypatch):
    made = []

    def counted(*arrays, **rest):
        made.append(len(arrays[0]))
        return rate_replicates(*arrays, **rest)

    monkeypatch.setattr("thermalign.metrics.bootstrap.rate_replicates", counted)
    people = list("abcdef")
    glasses = [(f"{p}-1-0", "glasses", "yes" if p < "d" else "no") for p in people]
    glasses = pd.DataFrame(glasses, columns=NOBODY.columns)
    table = comparisons(people, people, noisy(4))
    figures = shown(table, people, attributes=glasses)
    assert made == [36, 18, 18]  # all, and both values of the attribute
    for subset in (NEAR, Subset(volume="1"), Subset(condition="baseline")):
        names = {(metric, at) for its, metric, at in figures if its == subset}
        assert {("eer", 0), ("auc", 0), ("tar_at_far", 0.5), ("rank1", 0)} <= names
        for name in names:
            one, all_of_it = figures[subset, *name], figures[ALL, *name]
            np.testing.assert_equal(one.value, all_of_it.value)
            if len(one.replicates):
                np.testing.assert_array_equal(one.replicates, all_of_it.replicates)
    assert (NEAR, "roc_found", 1.0) in figures
    assert (Subset(volume="1"), "roc_found", 1.0) not in figures


def test_replicates_are_those_of_the_comparisons():
    people = list("abcd")
    table = comparisons(people, people, noisy(5), probes=3)
    figures, draws = shown(table, people), draws_of(people)
    columns = [draws.columns(table[side]) for side in ("subject_id", "gallery_id")]
    four = table["score"].to_numpy(), table["genuine"].to_numpy(), *columns
    expected, _ = rate_replicates(*four, weights=draws.weights, at=np.empty(0))
    np.testing.assert_array_equal(figures[ALL, "eer", 0].replicates, expected)
