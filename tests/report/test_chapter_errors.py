"""Landmark error: NMSE beside the paper's, by landmark and condition, other summaries, curves."""

import matplotlib as mpl
import numpy as np
from fake_study import NAN, Rows
from fake_view import by_head, cells, study_of, view_of

from thermalign.report.blocks import Paragraph
from thermalign.report.chapters import errors
from thermalign.report.looks import looks
from thermalign.report.setup import Protocol
from thermalign.report.views import View
from thermalign.schemas.keys import ALL, Subset

FIRST, SECOND = Protocol("p1", "Protocol 1", paper=1), Protocol("p2", "Protocol 2", paper=2)
KEY = ("own", "dan", ALL)
SPACE = "\u202f"


def test_the_nmse_table_shows_the_given_values_over_the_papers():
    rows = Rows()
    for reach, value in (("1", 0.0496), ("2", 0.0555), ("3", 0.0614)):
        key = ("p1", "dan", Subset(range=reach))
        rows.add(key, "nmse", value, low=value - 0.003, high=value + 0.003)
        rows.add(key, "nmse_sd", 0.021)
    rows.add(("p1", "dan", ALL), "nmse", 0.055)
    table = errors.nmse_table(view_of(rows, FIRST))
    assert table.columns == ["Range 1", "Range 2", "Range 3", "Average"]
    first, last = (table.bodies[0].rows[0].cells[i] for i in (0, 3))
    assert (first.text, first.detail) == (".050 ± .021", "[.047,\u00a0.053]")
    assert (last.text, last.detail) == (".055", "")
    printed = [".050 ± .02", ".056 ± .02", ".061 ± .02", ".056 ± .02"]
    assert by_head(table)["in the paper"] == printed
    assert table.notes[-1] == "The paper’s average is the plain mean of its three ranges."


def test_a_protocol_the_paper_does_not_have_is_not_compared_with_it():
    rows = Rows()
    rows.add(("p1", "dan", ALL), "nmse", 0.05)
    assert list(by_head(errors.nmse_table(view_of(rows, "p1")))) == ["DAN"]


def test_two_volumes_get_columns_of_their_own():
    rows = Rows()
    for subset in (
        Subset(volume="1", range="1"),
        Subset(volume="1", range="2"),
        Subset(volume="1"),
        Subset(volume="2"),
        Subset(range="1"),
        ALL,
    ):
        rows.add(("p2", "pbc", subset), "nmse", 0.1)
    table = errors.nmse_table(view_of(rows, SECOND))
    assert table.groups == [("Volume 1", 2), ("Volume 2", 1), ("All volumes", 1)]
    assert table.columns == ["Range 1", "Range 2", "All ranges", "Average"]
    assert by_head(table)["in the paper"] == [".073 ± .01", ".117 ± .02", "", ".211 ± .04"]


def test_a_subset_that_one_model_lacks_is_a_dash():
    rows = Rows()
    for model, reach in (("dan", "1"), ("dan", "2"), ("pbc", "1")):
        rows.add(("own", model, Subset(range=reach)), "nmse", 0.1)
    assert by_head(errors.nmse_table(view_of(rows)))["PBC"] == [".100", "–"]


def test_landmarks_conditions_and_missed_faces_share_a_table():
    rows = Rows()
    for subset in (
        ALL,
        Subset(landmark="nose_base"),
        Subset(condition="expression"),
        Subset(range="1", condition="baseline"),
    ):
        rows.add(("own", "dan", subset), "nmse", 0.035)
    rows.add(KEY, "failure_rate", 0.004)
    table = errors.detail_table(view_of(rows))
    assert table.groups == [("Landmark", 1), ("Condition", 1), ("Faces", 1)]
    assert table.columns == ["Nose base", "Expression", "not found"]
    assert by_head(table)["DAN"] == [".035", ".035", f"0.4{SPACE}%"]
    assert errors.detail_table(view_of(Rows())) is None


def test_only_the_lowest_of_several_models_is_set_bold():
    rows = Rows()
    for model, value in (("dan", 0.05), ("pbc", 0.2), ("mtcnn", 0.0502), ("mean_shape", NAN)):
        rows.add(("own", model, ALL), "nmse", value)
    body = errors.nmse_table(view_of(rows)).bodies[0]
    assert {row.head for row in body.rows if row.cells[0].tone == "best"} == {"DAN", "MTCNN"}


def test_the_nearest_patch_centre_stands_under_its_detector_alone():
    rows = Rows()
    for model in ("dan", "pbc"):
        rows.add(("own", model, ALL), "nmse", 0.15)
    rows.add(("own", "pbc", ALL), "nmse_best_cell", 0.039)
    table = errors.nmse_table(view_of(rows))
    assert [row.head for row in table.bodies[0].rows] == ["PBC", "nearest patch centre", "DAN"]
    assert cells(table, 0, 1) == [".039"]
    assert any("error in choosing" in note for note in table.notes)
    assert not any("in the paper" in note or "The paper" in note for note in table.notes)


def test_other_summaries_of_error_are_folded_with_their_thresholds():
    rows = Rows()
    for at, missed, area in ((0.08, 0.2, 0.5), (0.1, 0.1, 0.6)):
        rows.add(KEY, "failure_at", missed, at=at)
        rows.add(KEY, "ced_auc", area, at=at)
    rows.add(KEY, "nmse_box_diagonal", 0.012)
    table = errors.summary_table(view_of(rows))
    assert table.columns == [".08", ".10", ".08", ".10", "box diagonal"]
    assert cells(table) == [f"20.0{SPACE}%", f"10.0{SPACE}%", ".500", ".600", ".012"]
    assert table.folded
    assert errors.summary_table(view_of(Rows())) is None


def test_attributes_of_people_stand_side_by_side_and_what_never_happens_is_left_out():
    rows = Rows()
    for name, value in (("glasses", "yes"), ("glasses", "no"), ("skin_tone", "very_dark")):
        key = ("own", "dan", Subset(attribute=name, attribute_value=value))
        rows.add(key, "nmse", 0.05)
        rows.add(key, "failure_rate", 0.0)
    view = view_of(rows)
    table = errors.person_table(view)
    assert table.groups == [("Glasses", 2), ("Skin tone", 1)]
    assert table.columns == ["no", "yes", "very dark"]
    assert [body.title for body in table.bodies] == ["NMSE"]
    assert view.subsets("nmse") == []
    assert errors.person_table(view_of(Rows())) is None
    rows.add(key, "failure_rate", 0.1)
    assert [body.title for body in errors.person_table(view_of(rows)).bodies] == [
        "NMSE",
        "Faces not found",
    ]


def test_a_protocol_without_landmark_error_says_so():
    rows = Rows()
    rows.add(KEY, "eer", 0.2)
    (part,) = errors.chapter(study_of(rows)).parts
    (block,) = part.blocks
    assert isinstance(block, Paragraph)
    assert block.text.startswith("No landmark error was measured in own")


def ced_view(*subsets):
    rows = Rows()
    for subset in subsets:
        for at in np.linspace(0, 1, 11):
            rows.add(("own", "dan", subset), "ced", float(at), at=float(at))
    return View(rows.frame(), "own", looks=looks(["dan", "pbc"])), study_of(rows)


def panels_of(*subsets):
    view, study = ced_view(*subsets)
    (figure,) = errors.ced(study, view)
    return figure.panels


def test_error_curves_start_with_all_images():
    panels = panels_of(ALL, Subset(range="1"), Subset(range="2"))
    assert [panel.title for panel in panels] == ["All images", "Range 1", "Range 2"]


def test_further_metrics_stand_in_one_table_by_range():
    rows = Rows()
    for reach, value in (("1", 0.04), ("2", 0.05), ("", 0.045)):
        key = ("own", "dan", Subset(range=reach))
        rows.add(key, "median_error", value, low=value - 0.01, high=value + 0.01)
    rows.add(("own", "mean_shape", ALL), "median_error", 0.2)
    rows.add(KEY, "not_named", 0.3)
    study = study_of(rows, config={"evaluation": {"metrics": ["median_error"]}})
    table = errors.chapter(study).parts[0].blocks[-1]
    assert table.caption == "Further measures of error, own"
    assert table.groups == [("Median error", 3)]
    assert table.columns == ["Range 1", "Range 2", "All images"]
    assert by_head(table) == {
        "DAN": [".040", ".050", ".045"],
        "mean shape": ["–", "–", ".200"],
    }
    assert table.notes[0].startswith(
        "Of the errors of found faces, in interocular distances (IOD)."
    )


def test_a_further_metric_that_was_not_measured_has_no_table():
    rows = Rows()
    rows.add(KEY, "nmse", 0.05)
    study = study_of(rows, config={"evaluation": {"metrics": ["median_error"]}})
    captions = [getattr(block, "caption", "") for block in errors.chapter(study).parts[0].blocks]
    assert not [caption for caption in captions if "Further" in caption]


def test_one_range_needs_no_panel_beside_all_images():
    assert [panel.title for panel in panels_of(ALL, Subset(range="1"))] == ["All images"]


def test_curves_keep_the_colour_of_their_model_and_are_spoken():
    (panel,) = panels_of(ALL)
    assert looks(["dan"])["dan"].colour in panel.svg
    assert panel.alt.endswith(f"DAN 20.0{SPACE}% below .20.")


def test_drawings_do_not_depend_on_the_users_matplotlib_settings():
    before = panels_of(ALL)
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "black", "svg.hashsalt": None}):
        assert panels_of(ALL) == before
