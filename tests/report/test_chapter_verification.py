"""Verification: equal error rates, failures, both readings, conditions, attributes."""

from dataclasses import replace

from fake_study import NAN, Rows, configured
from fake_view import cells, study_of, texts, view_of

from thermalign.report.chapters.verification import (
    chapter,
    condition_table,
    eer_table,
    failure_tables,
    nothing_failed,
    person_table,
    reading_tables,
)
from thermalign.report.layout import people_words
from thermalign.report.page import render
from thermalign.report.setup import Protocol
from thermalign.schemas.keys import ALL, OTHER_PROTOCOL, Subset

KEY = ("own", "dan", ALL)
SPACE = "\u202f"
LEFT_OUT = "own moment left out of the gallery"
RATES = {"annotated": (0.128, 0.067), "dan": (0.175, 0.099), "ert": (0.176, 0.121)}
"""Model to its equal error rate with the own moment left out, and with it enrolled."""


def both(readings=("exclude", "keep")):
    rows = Rows()
    for model, pair in RATES.items():
        for reading, rate in zip(("", "keep"), pair, strict=True):
            for reach in ("", "1", "2"):
                key = ("own", model, Subset(same_moment=reading, range=reach))
                rows.add(key, "eer", rate, low=rate - 0.01, high=rate + 0.01)
                rows.add(key, "rank1", 0.9 - rate)
    return view_of(rows, Protocol("own", readings=readings), models=RATES)


def acquired(rows, fta, fte=0.0):
    rows.add(KEY, "fte", fte)
    rows.add(KEY, "fta", fta)
    rows.add(KEY, "eer", 0.2)
    rows.add(KEY, "eer_found", 0.15)
    return rows


def test_annotated_points_lead_the_table_of_equal_error_rates():
    rows = Rows()
    for model in ("mean_shape", "dan", "annotated"):
        rows.add(("own", model, ALL), "eer", 0.144, low=0.1, high=0.2)
    table = eer_table(view_of(rows))
    assert [row.head for row in table.bodies[0].rows] == ["annotated points", "DAN", "mean shape"]
    assert table.bodies[0].rows[0].cells[0].detail == "[10.0,\u00a020.0]"
    assert eer_table(view_of(Rows())) is None


def test_conditions_stand_beside_each_other_over_all_ranges_and_at_each():
    rows = Rows()
    for reach in ("", "1", "2"):
        for condition, rate in (("baseline", 0.1), ("expression", 0.2)):
            rows.add(("own", "dan", Subset(range=reach, condition=condition)), "eer", rate)
    for reach in ("1", "2"):
        rows.add(("own", "dan", Subset(range=reach)), "eer", 0.15)
    table = condition_table(view_of(rows))
    assert table.groups == [("All ranges", 2), ("Range 1", 2), ("Range 2", 2)]
    assert table.columns == ["Baseline", "Expression"] * 3
    assert cells(table) == [f"10.0{SPACE}%", f"20.0{SPACE}%"] * 3


def test_one_condition_makes_no_table():
    rows = Rows()
    rows.add(("own", "dan", Subset(condition="baseline")), "eer", 0.1)
    assert condition_table(view_of(rows)) is None


def test_where_nothing_failed_a_sentence_stands_for_the_table():
    rows = acquired(Rows(), 0.0)
    assert failure_tables(view_of(rows)) == []
    sentence = chapter(study_of(rows)).parts[0].blocks[1].text
    assert sentence.endswith("(FAR = FMR, FRR = FNMR).")


def test_where_failures_are_unknown_it_is_not_said_that_nothing_failed():
    rows = Rows()
    rows.add(KEY, "eer", 0.2)
    assert not nothing_failed(view_of(rows))
    rows.add(KEY, "fta", 0.0)
    assert not nothing_failed(view_of(rows))
    rows.add(KEY, "fte", NAN)
    assert not nothing_failed(view_of(rows))


def test_failures_stand_under_their_names_with_rates_both_ways():
    view = view_of(acquired(Rows(), 0.1, fte=0.04))
    (table,) = failure_tables(view)
    assert table.columns == ["FTE", "FTA", "EER", "EER"]
    assert table.groups == [("", 2), ("With failures: FAR, FRR", 1), ("Without: FMR, FNMR", 1)]
    assert cells(table) == [f"{rate}{SPACE}%" for rate in ("4.0", "10.0", "20.0", "15.0")]
    assert view.failed
    assert not nothing_failed(view)


def test_a_failure_at_one_range_alone_is_a_failure():
    rows = acquired(Rows(), 0.0)
    for reach, lost in (("1", 0.0), ("2", 0.3)):
        rows.add(("own", "dan", Subset(range=reach)), "fta", lost)
    shown, folded = failure_tables(view_of(rows))
    assert [body.title for body in shown.bodies] == ["All images"]
    assert [body.title for body in folded.bodies] == ["Range 1", "Range 2"]
    assert folded.columns == ["FTA"]


def test_captions_of_verification_name_the_headline_reading():
    view = both()
    assert view.verified == f"own, {LEFT_OUT}"
    assert view.other.verified == "own, own moment enrolled"
    assert LEFT_OUT in eer_table(view).caption
    assert both(readings=()).verified == "own"


def test_rows_of_another_reading_never_reach_the_main_tables():
    view = both()
    assert view.subsets("eer") == [ALL, Subset(range="1"), Subset(range="2")]
    assert cells(eer_table(view)) == [f"12.8{SPACE}%"] * 3


def test_both_readings_stand_side_by_side():
    view = both()
    theirs, table = reading_tables(view, view.other)
    assert table.groups == [("Range 1", 2), ("Range 2", 2), ("All images", 2)]
    assert table.columns == ["left out", "enrolled"] * 3
    assert [body.title for body in table.bodies] == ["Equal error rate", "Rank-1"]
    first, second = texts(table, 0)[0], texts(table, 1)[1]
    assert first == ["annotated points", *[f"12.8{SPACE}%", f"6.7{SPACE}%"] * 3]
    assert second == ["DAN", *[f"72.5{SPACE}%", f"80.1{SPACE}%"] * 3]
    assert "The paper leaves open which" in table.notes[0]
    assert table.folded == "Both readings side by side"
    assert theirs.reading == "keep"
    assert theirs.bodies[0].rows[0].cells[0].detail == "[5.7,\u00a07.7]"


def test_a_headline_that_keeps_the_moment_turns_the_columns():
    view = both()
    assert reading_tables(view.other, view)[1].columns[:2] == ["enrolled", "left out"]


def test_one_reading_alone_is_told_to_be_left_open():
    enrolled = both().other
    assert "The paper leaves open which" in eer_table(enrolled).notes[-1]
    assert "leaves open" not in reading_tables(both(), enrolled)[0].notes[-1]
    assert "leaves open" not in eer_table(both(readings=())).notes[-1]


def test_people_and_pairs_are_counted_together_or_not_at_all():
    rows = Rows()
    rows.add(("own", "dan", ALL), "people", 30.0)
    assert people_words(view_of(rows), ALL) == ""
    for model, pairs in (("dan", 870.0), ("pbc", 812.0)):
        rows.add(("own", model, ALL), "person_pairs", pairs)
    words = "30 people, 812 to 870 ordered person pairs per fold"
    assert people_words(view_of(rows), ALL) == words


def people(names):
    rows = Rows()
    for name, value in names:
        subset = Subset(attribute=name, attribute_value=value)
        rows.add(("own", "dan", subset), "eer", 0.2)
        rows.add(("own", "dan", subset._replace(range="1")), "eer", 0.9)
    return view_of(rows)


def test_attributes_of_people_stand_side_by_side_and_in_no_other_table():
    view = people((("glasses", "yes"), ("glasses", "no"), ("skin_tone", "very_dark")))
    table = person_table(view)
    assert table.groups == [("Glasses", 2), ("Skin tone", 1)]
    assert table.columns == ["no", "yes", "very dark"]
    assert cells(table) == [f"20.0{SPACE}%"] * 3
    assert view.subsets("eer") == []


def test_many_values_of_attributes_are_folded_away():
    names = [("cap", str(k)) for k in range(7)]
    assert person_table(people(names)).folded
    assert not person_table(people(names[:6])).folded


def test_a_protocol_without_verification_says_so():
    rows = Rows()
    rows.add(KEY, "nmse", 0.05)
    (block,) = chapter(study_of(rows)).parts[0].blocks
    assert block.text == "own has no verification: no equal error rate was measured."


def test_the_page_shows_both_readings_only_where_both_were_scored(study, outline, read_page):
    captions = [text for path, text in outline.texts if "caption" in path]
    verified_by = [c for c in captions if c.startswith(("Equal error rate by", "Operating points"))]
    assert len(verified_by) >= 6
    assert all("own moment" in caption for caption in verified_by)
    assert sum(caption.startswith("Both readings") for caption in captions) == 2
    assert outline.text().count("is no replication") == 4
    protocols = study.config["protocols"]
    bare = {name: {"dataset": "faces", "paper": b.get("paper", 0)} for name, b in protocols.items()}
    rows = study.summary
    one = rows[(rows["same_moment"] == "") & (rows["experiment"] != OTHER_PROTOCOL)]
    page = read_page(
        render(configured(replace(study, summary=one), study.config | {"protocols": bare}))
    )
    assert "own moment" not in page.text().partition("How to reproduce")[0]
    assert "replication" not in page.text()


def test_the_page_has_failures_thresholds_and_attributes_only_where_they_were_measured(
    study, outline, read_page
):
    words = ("Failures, and rates", "thresholds set on training", "by attributes of", "d′")
    text = outline.text("main")
    assert all(word in text for word in words)
    new = ("fte", "fta", "fmr", "fnmr", "far", "frr", "fmr_bound", "auc", "auc_found", "d_prime")
    new += ("d_prime_slope", "d_prime_slope_difference", "eer_found", "rank1_found", "roc_found")
    new += ("person_pairs", "person_pairs_needed", "people", "nmse_best_cell", "failure_at")
    new += ("ced_auc", "nmse_box_diagonal", "nmse_box_size", "nmse_eye_mouth", "shared_people")
    rows = study.summary
    kept = rows[~rows["metric"].isin(new) & (rows["attribute"] == "")]
    differences = study.differences.assign(p=NAN, p_holm=NAN, n_subjects=0)
    text = read_page(render(replace(study, summary=kept, differences=differences))).text("main")
    assert not [word for word in words[:3] if word in text]
    assert "Every test subject could be enrolled" not in text
    assert "Holm" not in text
    assert "unadjusted" in text
