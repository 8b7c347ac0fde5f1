import pandas as pd
import pytest
from fake_study import NAN, Rows, empty

from thermalign.report.cells import fraction, number, percent
from thermalign.report.chapters.cost import cost_table, parameter_table
from thermalign.report.chapters.differences import difference_tables, interval_bar, verdict
from thermalign.report.chapters.errors import detail_table, nmse_table
from thermalign.report.chapters.findings import Sources, Told, finding
from thermalign.report.chapters.verification import eer_table, operating_table
from thermalign.report.names import looks, protocol_label, subset_label
from thermalign.report.paper import published
from thermalign.report.summary import Value, View
from thermalign.schemas.descriptions import COSTS
from thermalign.schemas.measures import DIFFERENCES, SPREAD

OLDER = [name for name in DIFFERENCES.names if name not in ("p", "p_holm", "n_subjects")]
MODELS = ("annotated", "dan", "mean_shape", "mtcnn", "pbc")


def view_of(rows, protocol="protocol1"):
    return View(rows.frame(), protocol, looks=looks(MODELS))


def found(*views, differences=None, seeds=None):
    rows = empty(DIFFERENCES) if differences is None else differences
    sources = Sources(rows, empty(SPREAD), config={}, seeds=seeds or {})
    return finding([Told(view, view) for view in views], sources).sentences


def texts(table):
    return {
        row.head: [cell.text for cell in row.cells] for body in table.bodies for row in body.rows
    }


def test_fractions_are_printed_as_the_paper_prints_them():
    assert fraction(0.0501) == ".050"
    assert fraction(1.25) == "1.250"
    assert fraction(-0.0125) == "−.013" or fraction(-0.0125) == "−.012"
    assert fraction(-0.0001) == ".000"
    assert fraction(NAN) == "–"
    assert fraction(0.9999) == "1.000"


def test_rates_and_counts_are_printed_with_their_units():
    assert percent(0.1234) == "12.3\u202f%"
    assert number(23022592) == "23,022,592"
    assert [number(v) for v in (5.5, 68.42, 917.4, 72)] == ["5.50", "68.4", "917", "72"]


def test_the_nmse_table_shows_the_given_values_over_the_papers():
    rows = Rows()
    for subset, value in (("range=1", 0.0496), ("range=2", 0.0555), ("range=3", 0.0614)):
        key = ("protocol1", "dan", subset)
        rows.add(key, "nmse", value, low=value - 0.003, high=value + 0.003)
        rows.add(key, "nmse_sd", 0.021)
    rows.add(("protocol1", "dan", "all"), "nmse", 0.055)
    table = nmse_table(view_of(rows))
    assert table.columns == ["Range 1", "Range 2", "Range 3", "Average"]
    assert texts(table)["DAN"][0] == ".050 ± .021"
    assert table.bodies[0].rows[0].cells[0].detail == "[.047,\u00a0.053]"
    assert texts(table)["DAN"][3] == ".055"
    assert table.bodies[0].rows[0].cells[3].detail == ""
    assert texts(table)["in the paper"] == [".050 ± .02", ".056 ± .02", ".061 ± .02", ".056 ± .02"]


def test_a_protocol_the_paper_does_not_have_is_not_compared_with_it():
    rows = Rows()
    rows.add(("own_faces", "dan", "all"), "nmse", 0.05)
    assert list(texts(nmse_table(view_of(rows, "own_faces")))) == ["DAN"]


def test_two_volumes_get_columns_of_their_own():
    rows = Rows()
    for subset in (
        "volume=1&range=1",
        "volume=1&range=2",
        "volume=1",
        "volume=2",
        "range=1",
        "all",
    ):
        rows.add(("protocol2", "pbc", subset), "nmse", 0.1)
    table = nmse_table(view_of(rows, "protocol2"))
    assert table.groups == [("Volume 1", 2), ("Volume 2", 1), ("All volumes", 1)]
    assert table.columns == ["Range 1", "Range 2", "All ranges", "Average"]
    assert texts(table)["in the paper"] == [".073 ± .01", ".117 ± .02", "", ".211 ± .04"]


def test_a_subset_that_one_model_lacks_is_a_dash():
    rows = Rows()
    for model, subset in (("dan", "range=1"), ("dan", "range=2"), ("pbc", "range=1")):
        rows.add(("own", model, subset), "nmse", 0.1)
    assert texts(nmse_table(view_of(rows, "own")))["PBC"] == [".100", "–"]


def test_landmarks_conditions_and_missed_faces_share_a_table():
    rows = Rows()
    for subset in (
        "all",
        "landmark=nose_base",
        "condition=expression",
        "range=1&condition=baseline",
    ):
        rows.add(("own", "dan", subset), "nmse", 0.035)
    rows.add(("own", "dan", "all"), "failure_rate", 0.004)
    table = detail_table(view_of(rows, "own"))
    assert table.groups == [("Landmark", 1), ("Condition", 1), ("Faces", 1)]
    assert table.columns == ["Nose base", "Expression", "not found"]
    assert texts(table)["DAN"] == [".035", ".035", "0.4\u202f%"]
    assert detail_table(view_of(Rows(), "own")) is None


def test_only_the_lowest_of_several_models_is_set_bold():
    rows = Rows()
    for model, value in (("dan", 0.05), ("pbc", 0.2), ("mtcnn", 0.0502), ("mean_shape", NAN)):
        rows.add(("own", model, "all"), "nmse", value)
    body = nmse_table(view_of(rows, "own")).bodies[0]
    assert {row.head for row in body.rows if row.cells[0].tone == "best"} == {"DAN", "MTCNN"}


def test_too_few_comparisons_are_said_and_not_printed_as_a_rate():
    rows = Rows()
    rows.add(("own", "annotated", "all"), "tar_at_far", 0.62, at=0.01, n=900)
    rows.add(("own", "annotated", "all"), "tar_at_far", NAN, at=0.001, n=900)
    table = operating_table(view_of(rows, "own"))
    assert table.columns == ["TAR at FAR 0.1\u202f%", "TAR at FAR 1.0\u202f%", "Rank-1"]
    assert texts(table)["annotated points"] == ["n too small", "62.0\u202f%", "–"]


def test_annotated_points_lead_the_table_of_equal_error_rates():
    rows = Rows()
    for model in ("mean_shape", "dan", "annotated"):
        rows.add(("own", model, "all"), "eer", 0.144, low=0.1, high=0.2)
    table = eer_table(view_of(rows, "own"))
    assert [row.head for row in table.bodies[0].rows] == ["annotated points", "DAN", "mean shape"]
    assert table.bodies[0].rows[0].cells[0].detail == "[10.0,\u00a020.0]"
    assert eer_table(view_of(Rows(), "own")) is None


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.01, 0.02, "B lower"),
        (-0.02, -0.01, "A lower"),
        (-0.01, 0.01, "not separable"),
        (0.0, 0.01, "not separable"),
        (NAN, NAN, "no interval"),
    ],
)
def test_only_an_interval_that_leaves_out_zero_separates(low, high, said):
    value = Value((low + high) / 2, low, high, 10)
    assert verdict(value, first="A", second="B") == said


def test_differences_beyond_the_main_subset_are_folded_away():
    rows = [
        ("own", subset, "eer", 0.0, "dan", "annotated", 0.012, 0.002, 0.022, 100, 0.02, 0.04, 30)
        for subset in ("all", "range=1", "range=2")
    ]
    frame = pd.DataFrame(rows, columns=DIFFERENCES.names)
    shown, folded = difference_tables(frame, "own", looks=looks(MODELS))
    counts = "; n = 100, up to 30 people a fold"
    assert [body.title for body in shown.bodies] == [f"Equal error rate, Range 1{counts}"]
    assert [body.title for body in folded.bodies][-1] == f"Equal error rate, Range 2{counts}"
    assert folded.folded == "All other subsets (2)"
    cells = [cell.text for cell in shown.bodies[0].rows[0].cells]
    assert cells == ["+1.2", "[0.2,\u00a02.2]", "", ".040", "annotated points lower"]
    assert shown.bodies[0].rows[0].cells[3].hint == "unadjusted: p .020"
    assert difference_tables(frame, "other", looks={}) == []


def test_an_interval_is_drawn_around_zero_in_the_middle():
    bar = interval_bar(0.0, (-1.0, 1.0), limit=1.0)
    assert 'x1="4.0" x2="146.0"' in bar
    assert 'cx="75.0"' in bar
    assert "separable" not in bar
    assert "nan" not in interval_bar(NAN, (NAN, NAN), limit=0.0)


def test_costs_are_summed_and_memory_is_the_largest_jobs():
    rows = [
        ("train", "a", 10.0, 9.0, 1.0, 500.0, "cpu"),
        ("train", "b", 30.0, 41.0, 3.0, 800.0, "cpu"),
    ]
    table = cost_table(pd.DataFrame(rows, columns=COSTS.names))
    assert texts(table)["train"] == ["2", "50", "40", "10\u202f%", "800", "cpu"]
    assert texts(table)["All rules"] == texts(table)["train"]


def test_a_parameter_count_the_paper_does_not_print_is_a_dash():
    frame = pd.DataFrame(
        [("mean_shape", "none", 10.0, NAN)], columns=["model", "detector", "configured", "paper"]
    )
    assert texts(parameter_table(frame, looks(["mean_shape"]))) == {
        "mean shape": ["none", "10", "–"]
    }


def test_findings_turn_differences_towards_the_model():
    rows = Rows()
    for model, rate in (("annotated", 0.144), ("dan", 0.152)):
        rows.add(("own", model, "range=1"), "eer", rate)
    frame = pd.DataFrame(
        [("own", "range=1", "eer", 0.0, "annotated", "dan", -0.008, -0.021, 0.005, 100)],
        columns=OLDER,
    )
    said = found(view_of(rows, "own"), differences=frame)
    assert said[0] == "No landmark error was measured."
    assert said[-1].endswith(
        "+0.8 [−0.5,\u00a02.1] points over annotated points, not separable (unadjusted)."
    )


def test_trainings_of_a_model_share_a_line_of_the_findings():
    rows, seeds = Rows(), {"dan_seed1": ("dan", 1), "dan_seed2": ("dan", 2)}
    for model, rate in (("dan_seed1", 0.152), ("dan_seed2", 0.161)):
        rows.add(("own", model, "range=1"), "eer", rate)
    pairs = [("dan_seed1", 0.008, -0.005, 0.021), ("dan_seed2", 0.017, 0.004, 0.03)]
    frame = pd.DataFrame(
        [("own", "range=1", "eer", 0.0, model, "annotated", *ends, 9) for model, *ends in pairs],
        columns=OLDER,
    )
    view = View(rows.frame(), "own", looks=looks(MODELS, seeds))
    said = found(view, differences=frame, seeds=seeds)
    assert said[1:] == [
        "DAN (over 2 training seeds): equal error rate\u00a015.2\u202f% to 16.1\u202f% at "
        "Range\u00a01; +0.8 to +1.7 points over annotated points, separable in 1 of 2 "
        "(unadjusted).",
        "Pairs of models that are separable (unadjusted): 1 of 2 in equal error rate at Range 1.",
    ]


def test_many_protocols_share_their_findings():
    rows = Rows()
    for protocol, value in (("a", 0.05), ("b", 0.06), ("c", 0.07)):
        rows.add((protocol, "dan", "all"), "nmse", value)
        rows.add((protocol, "pbc", "all"), "nmse", 0.065)
    views = [view_of(rows, protocol) for protocol in "abc"]
    assert found(*views) == [
        "Lowest NMSE: DAN in 2 of 3 protocols; PBC in 1 of 3 protocols.",
        "PBC (over 3 protocols): NMSE\u00a0.065.",
        "DAN (over 3 protocols): NMSE\u00a0.050 to .070.",
        "No equal error rate was measured.",
    ]


def test_a_lone_model_is_not_called_the_lowest():
    rows = Rows()
    rows.add(("own", "dan", "all"), "nmse", 0.05, n=1440)
    said = found(view_of(rows, "own"))
    assert said[0] == "DAN has an NMSE of .050 over 1,440 test images of all folds."


def test_models_keep_colour_and_order_whatever_else_is_configured():
    alone, among = looks(["dan"]), looks(["zeta", "mean_shape", "dan", "alpha", "annotated"])
    assert alone["dan"] == among["dan"]
    assert list(among) == ["annotated", "dan", "alpha", "zeta", "mean_shape"]
    many = looks([f"m{i:02d}" for i in range(18)])
    assert len({(look.colour, look.dash) for look in many.values()}) == 18


def test_names_are_spelt_out():
    assert subset_label("volume=1&range=2") == "Volume 1, Range 2"
    assert subset_label("landmark=left_mouth_corner") == "Left mouth corner"
    assert [protocol_label(p) for p in ("p1", "protocol_2", "p1_seed7")] == [
        "Protocol 1",
        "Protocol 2",
        "p1_seed7",
    ]


def test_published_figures_are_found_by_range_and_average():
    assert published("protocol1", "pbc", subset="range=3").nmse == 0.716
    assert published("p2", "mtcnn", subset="all").nmse == 0.097
    assert published("protocol2", "dan", subset="volume=1&range=2").nmse == 0.045
    assert published("protocol2", "dan", subset="volume=2") is None
    assert published("protocol1", "mean_shape", subset="all") is None
    assert published("protocol3", "dan", subset="all") is None
