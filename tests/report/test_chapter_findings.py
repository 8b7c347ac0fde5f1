"""What findings say, and where there is little to say: every sentence is true of its tables."""

from dataclasses import replace

import pandas as pd
import pytest
from fake_matching import ABLATION, DISPLACEMENTS
from fake_study import NAN, Rows, visible_only_study
from fake_view import study_of

from thermalign.report.chapters.findings import ablation, chapter, dose, readings, sentences
from thermalign.report.views import Value
from thermalign.report.words import percent_number, separable, signed
from thermalign.schemas.keys import ALL, ANNOTATED, DISPLACEMENT, MATCHER, PLACEMENT, STUDY, Subset
from thermalign.schemas.measures import DIFFERENCES

NEAR = Subset(range="1")
ISOTROPIC = Subset(DISPLACEMENT, "isotropic", range="1")
LEFT_OUT = "own moment left out of the gallery"


def told(rows, *, differences=(), only=None, **more):
    frame = pd.DataFrame(list(differences), columns=DIFFERENCES.names)
    study = study_of(rows, differences=frame, **more)
    return sentences(study, [v for v in study.views if only is None or v.label in only])


def said_of(say, rows, **more):
    study = study_of(rows, **more)
    return say(study, study.views)


def pair(first, second, value, *, wide=0.01, p=0.001, holm=0.004, metric="eer", subset=ALL):
    key = {"dataset": "faces", "protocol": "own", **subset._asdict(), "metric": metric, "at": 0.0}
    key |= {"model_a": first, "model_b": second}
    figures = {"value": value, "low": value - wide, "high": value + wide, "n": 400}
    return key | figures | {"p": p, "p_holm": holm, "n_subjects": 30}


def unadjusted(first, second, value, low, high):
    row = pair(first, second, value, subset=NEAR, p=NAN, holm=NAN)
    return row | {"low": low, "high": high, "n_subjects": 0}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([Value(0.1, NAN, NAN, 9)], ""),
        ([Value(0.1, 0.05, 0.15, 9)], "separable (unadjusted)"),
        ([Value(0.1, -0.05, 0.25, 9)], "not separable (unadjusted)"),
        ([Value(0.1, 0.05, 0.15, 9, p=0.2)], "not separable after Holm’s adjustment"),
        ([Value(0.1, 0.05, 0.15, 9, p=0.049)], "separable after Holm’s adjustment"),
        ([Value(0.1, 0.05, 0.15, 9, p=0.05)], "not separable after Holm’s adjustment"),
        (
            [Value(0.1, 0.05, 0.15, 9, p=0.2), Value(0.1, 0.05, 0.15, 9)],
            "separable in 1 of 2 (unadjusted)",
        ),
    ],
)
def test_separable_says_whether_it_is_adjusted(values, said):
    assert separable(values) == said


def test_what_is_printed_as_zero_has_no_sign():
    assert [signed(value, percent_number) for value in (0.0004, 0.0, -0.0004)] == ["0.0"] * 3
    assert signed(0.001, percent_number) == "+0.1"


def test_findings_turn_differences_towards_the_model():
    rows = Rows()
    for model, rate in ((ANNOTATED, 0.144), ("dan", 0.152)):
        rows.add(("own", model, NEAR), "eer", rate)
    said = told(rows, differences=[unadjusted(ANNOTATED, "dan", -0.008, -0.021, 0.005)])
    assert said[0] == "No landmark error was measured."
    assert said[-1].endswith(
        "+0.8 [−0.5,\u00a02.1] points over annotated points, not separable (unadjusted)."
    )


def test_trainings_of_a_model_share_a_line_of_the_findings():
    rows, seeds = Rows(), {"dan_seed1": ("dan", 1), "dan_seed2": ("dan", 2)}
    for model, rate in (("dan_seed1", 0.152), ("dan_seed2", 0.161)):
        rows.add(("own", model, NEAR), "eer", rate)
    pairs = [
        unadjusted("dan_seed1", ANNOTATED, 0.008, -0.005, 0.021),
        unadjusted("dan_seed2", ANNOTATED, 0.017, 0.004, 0.03),
    ]
    assert told(rows, differences=pairs, seeds=seeds)[1:] == [
        "DAN (over 2 training seeds): equal error rate\u00a015.2\u202f% to 16.1\u202f% at "
        "Range\u00a01; +0.8 to +1.7 points over annotated points, separable in 1 of 2 "
        "(unadjusted).",
        "Pairs of models that are separable (unadjusted): 1 of 2 in equal error rate at Range 1.",
    ]


def test_many_protocols_share_their_findings():
    rows = Rows()
    for protocol, value in (("a", 0.05), ("b", 0.06), ("c", 0.07)):
        rows.add((protocol, "dan", ALL), "nmse", value)
        rows.add((protocol, "pbc", ALL), "nmse", 0.065)
    (part,) = chapter(study_of(rows)).parts
    assert part.title == "a, b, c"
    assert part.blocks[0].items == [
        "Lowest NMSE: DAN in 2 of 3 protocols; PBC in 1 of 3 protocols.",
        "PBC (over 3 protocols): NMSE\u00a0.065.",
        "DAN (over 3 protocols): NMSE\u00a0.050 to .070.",
        "No equal error rate was measured.",
    ]


def test_a_lone_model_is_not_called_the_lowest():
    rows = Rows()
    rows.add(("own", "dan", ALL), "nmse", 0.05, n=1440)
    said = told(rows)
    assert said[0] == "DAN has an NMSE of .050 over 1,440 test images of all folds."


def test_findings_count_after_holms_adjustment():
    rows = Rows()
    for model in (ANNOTATED, "dan", "pbc"):
        rows.add(("own", model, ALL), "eer", 0.1)
    pairs = [
        pair(ANNOTATED, "dan", -0.02, holm=0.06),
        pair(ANNOTATED, "pbc", -0.2, holm=0.003),
        pair("dan", "pbc", -0.18, holm=NAN, p=NAN, wide=NAN),
    ]
    said = told(rows, differences=pairs)
    assert "not separable after Holm’s adjustment" in next(s for s in said if s.startswith("DAN"))
    assert next(s for s in said if s.startswith("PBC")).endswith("points over annotated points.")
    assert said[-1] == (
        "Pairs of models that are separable after Holm’s adjustment: 1 of 2 in equal error rate."
    )


def test_faces_that_the_lowest_error_leaves_out_are_told():
    rows = Rows()
    for model, error, lost in (("dan", 0.04, 0.5), ("pbc", 0.05, 0.0)):
        rows.add(("own", model, ALL), "nmse", error, n=100)
        rows.add(("own", model, ALL), "failure_rate", lost)
    assert told(rows)[0] == (
        "DAN has the lowest NMSE: .040 over 100 test images of all folds; faces that it did not "
        "find, 50.0\u202f%, have none."
    )


def test_error_of_a_part_alone_is_not_called_unmeasured():
    rows = Rows()
    rows.add(("own", "dan", Subset(volume="1")), "nmse", 0.04)
    assert "No landmark error was measured." not in told(rows)


def test_one_protocol_of_several_is_named_with_its_lowest_error():
    rows = Rows()
    for model, error in (("dan", 0.04), ("pbc", 0.05)):
        rows.add(("a", model, ALL), "nmse", error, n=100)
    rows.add(("b", "dan", ALL), "eer", 0.1)
    said = told(rows)
    assert said[0] == "DAN has the lowest NMSE: .040 over 100 test images of all folds in a."
    assert said[2] == (
        "DAN (over 2 protocols): NMSE\u00a0.040 (1 of 2); equal error rate\u00a010.0\u202f% "
        "(1 of 2)."
    )


def test_a_protocol_with_one_model_has_no_lowest():
    rows = Rows()
    for protocol in ("a", "b", "c"):
        rows.add((protocol, "dan", ALL), "nmse", 0.04)
    assert not any("Lowest" in sentence for sentence in told(rows))
    rows.add(("c", "pbc", ALL), "nmse", 0.03)
    assert told(rows)[0] == "Lowest NMSE: PBC in 1 of 1 protocols."


def test_a_difference_that_is_not_a_number_is_not_told():
    rows = Rows()
    for model in (ANNOTATED, "dan", "pbc"):
        rows.add(("own", model, ALL), "eer", 0.1)
    said = told(rows, differences=[pair(ANNOTATED, "dan", NAN, wide=NAN, p=NAN, holm=NAN)])
    assert not any("points over" in sentence or "nan" in sentence for sentence in said)


def test_a_study_without_protocols_has_no_findings():
    (block,) = chapter(study_of(Rows())).blocks
    assert block.text == "No metric was measured."


def test_simulated_faces_are_called_simulated(study):
    (warning,) = chapter(study).blocks
    assert warning.tone == "warning"
    assert "absolute figures say nothing about real people" in warning.text
    assert chapter(visible_only_study()).blocks == []


def test_the_lowest_error_is_that_of_a_model_and_not_of_its_luckiest_seed(study):
    said = sentences(study, study.views)
    assert said[0] == "Lowest NMSE: DAN in 5 of 5 protocols."


def test_the_lowest_error_of_a_lone_protocol_is_a_mean_over_seeds(study):
    lone = replace(study, summary=study.summary[study.summary["protocol"] == "n10"])
    said = sentences(lone, [view for view in lone.views if view.label == "n10"])
    assert said[0].startswith("DAN has the lowest NMSE: .090")  # its first seed alone has .086
    assert said[0].endswith("over 480 test images of all folds, mean over training seeds.")
    assert "DAN (over 3 training seeds): NMSE\N{NO-BREAK SPACE}.086 to .095." in said


RATES = {"annotated": (0.128, 0.067), "dan": (0.175, 0.099), "ert": (0.176, 0.121)}
"""Model to its equal error rate with the own moment left out, and with it enrolled."""


def read(*protocols):
    """What is said of protocols, each with rates of every model under both readings."""
    rows, names = Rows(), ("own", "other")[: len(protocols)]
    for name, rates in zip(names, protocols, strict=True):
        for model, both in rates.items():
            for reading, rate in zip(("", "keep"), both, strict=True):
                key = (name, model, Subset(same_moment=reading, range="1"))
                rows.add(key, "eer", rate, low=rate - 0.01, high=rate + 0.01)
    block = {"same_moment": ["exclude", "keep"]}
    return readings(study_of(rows, config={"protocols": dict.fromkeys(names, block)}).views)


@pytest.mark.parametrize(
    ("rates", "order"),
    [
        (RATES, "the order of the others stays the same"),
        (
            RATES | {"ert": (0.17, 0.121)},
            "the order of the others changes from regression trees, DAN to DAN, regression trees",
        ),
    ],
)
def test_the_finding_says_both_rates_and_whether_the_order_changes(rates, order):
    assert read(rates) == (
        "equal error rate with annotated points, Range 1: 12.8\u202f% [11.8,\u00a013.8] with the "
        f"{LEFT_OUT}, 6.7\u202f% [5.7,\u00a07.7] with the own moment enrolled; {order}."
    )


def test_without_annotated_points_or_without_a_contest_only_the_rest_is_said():
    assert read({"dan": (0.175, 0.099)}) == ""
    two = {"dan": (0.175, 0.099), "ert": (0.176, 0.121)}
    assert read(two) == "the order of the others stays the same."
    assert "order" not in read({"annotated": (0.128, 0.067)})


def test_over_several_protocols_changed_orders_are_counted():
    said = read(RATES, RATES | {"ert": (0.17, 0.121)})
    assert said.endswith("; the order of the others changes in 1 of 2 protocols.")


def displaced(rows, protocol="own"):
    for level in (0.0, 0.1, 0.2):
        key = (protocol, ANNOTATED, ISOTROPIC._replace(level=level))
        rows.add(key, "nmse", level)
        rows.add(key, "eer", 0.1 + level)


def slope(rows, metric, value, *ends, protocol="own"):
    low, high = ends or (NAN, NAN)
    rows.add((protocol, ANNOTATED, ISOTROPIC), metric, value, low=low, high=high)


def placed(rows, model, *ends, excess=0.02):
    key = ("own", model, Subset(PLACEMENT, "isotropic", range="1"))
    for metric in ("nmse", "eer"):
        rows.add(key, metric, 0.1)
    low, high = ends or (NAN, NAN)
    rows.add(key, "eer_excess", excess, low=low, high=high)


DISPLACED = {"config": {"displacements": DISPLACEMENTS}}


def test_the_finding_counts_detectors_off_the_curve():
    rows = Rows()
    displaced(rows)
    slope(rows, "eer_slope", 0.95, 0.75, 1.15)
    slope(rows, "eer_slope_difference", 0.5, 0.2, 0.8)
    placed(rows, "dan", 0.01, 0.03)
    placed(rows, "pbc", -0.01, 0.03)
    placed(rows, "mean_shape", excess=NAN)
    said = said_of(dose, rows, **DISPLACED)
    assert said.startswith(
        "landmark error costs .95 [.75,\u00a01.15] points of EER per .01 of NMSE"
    )
    assert said.endswith(
        "1 of 2 detectors within the curve are off the EER that it predicts (unadjusted)."
    )


def test_detectors_without_an_interval_are_not_counted_as_on_the_curve():
    rows = Rows()
    displaced(rows)
    placed(rows, "dan")
    assert said_of(dose, rows, **DISPLACED) == ""


def test_several_protocols_share_one_finding_of_dose():
    rows = Rows()
    for protocol, rise in (("a", 0.95), ("b", 0.65)):
        displaced(rows, protocol)
        slope(rows, "eer_slope", rise, protocol=protocol)
        ends = (rise - 0.7, rise - 0.1)
        slope(rows, "eer_slope_difference", rise - 0.4, *ends, protocol=protocol)
        slope(rows, "probit_slope_difference", -2.0, -5.0, 1.0, protocol=protocol)
    assert said_of(dose, rows, **DISPLACED) == (
        "landmark error costs .65 to .95 points of EER per .01 of NMSE in thermal probes; "
        "thermal − visible +.25 to +.55 percentage points per .01, separable in 1 of 2 "
        "(unadjusted); −2.00 normal deviates per interocular distance, separable in 0 of 2 "
        "(unadjusted)."
    )


def test_the_finding_rests_on_d_prime_where_there_is_one():
    rows = Rows()
    displaced(rows)
    slope(rows, "d_prime_slope", -6.0, -7.0, -5.0)
    slope(rows, "eer_slope", 0.95)
    slope(rows, "eer_slope_difference", 0.5, 0.2, 0.8)
    slope(rows, "d_prime_slope_difference", 6.0, 2.0, 10.0)
    assert said_of(dose, rows, **DISPLACED) == (
        "landmark error changes d′ of thermal probes by −6.00 [−7.00,\u00a0−5.00] per interocular "
        "distance of NMSE; it costs .95 points of EER per .01 of NMSE; thermal − visible +6.00 "
        "[2.00,\u00a010.00] of d′ per interocular distance, separable (unadjusted)."
    )


def matcher(rows, name, metric, value, *ends, protocol="own"):
    low, high = ends or (NAN, NAN)
    rows.add((protocol, ANNOTATED, Subset(MATCHER, name)), metric, value, low=low, high=high)


def two_matchers():
    rows = Rows()
    matcher(rows, "pls", "eer", 0.17, 0.14, 0.2)
    matcher(rows, "pls", "eer_above_study", 0.03, 0.01, 0.05)
    matcher(rows, STUDY, "eer", 0.14, 0.11, 0.17)
    return rows


COMPARED = {"config": {"ablation": ABLATION}}


def test_the_finding_names_every_matcher_and_the_control():
    rows = two_matchers()
    matcher(rows, "cosine", "eer", 0.15)
    matcher(rows, "cosine", "eer_above_study", 0.01, -0.01, 0.03)
    matcher(rows, "permuted", "eer", 0.49, 0.46, 0.53)
    assert said_of(ablation, rows, **COMPARED) == (
        "other matchers against the configured one, in points of EER: "
        "pls\u00a0+3.0 [1.0,\u00a05.0]; cosine\u00a0+1.0 [−1.0,\u00a03.0], not separable "
        "(unadjusted); permuted labels give 49.0\u202f% [46.0,\u00a053.0]."
    )


def test_several_protocols_share_one_finding_of_matchers():
    rows = two_matchers()
    matcher(rows, "pls", "eer_above_study", 0.05, -0.01, 0.11, protocol="other")
    matcher(rows, "permuted", "eer", 0.52, 0.46, 0.58, protocol="other")
    assert said_of(ablation, rows, **COMPARED) == (
        "other matchers against the configured one, in points of EER: "
        "pls\u00a0+3.0 to +5.0, separable in 1 of 2 (unadjusted); "
        "permuted labels give 52.0\u202f% [46.0,\u00a058.0]."
    )


def test_what_was_not_measured_is_not_said():
    rows = Rows()
    rows.add(("own", ANNOTATED, ALL), "nmse", 0.1)
    assert said_of(dose, rows) == said_of(ablation, rows) == ""
