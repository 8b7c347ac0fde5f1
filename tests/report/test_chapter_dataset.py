"""The data in tables: cards, and real faces beside a dataset's own."""

from dataclasses import replace

import pandas as pd
from fake_study import full_card
from fake_view import by_head

from thermalign.report.chapters.dataset import (
    card_table,
    chapter,
    likeness_table,
    temperature_table,
)


def cells(table, head):
    return by_head(table)[head]


def without(statistics):
    card = full_card()
    return replace(card, card=card.card[~card.card["statistic"].isin(statistics.split())])


def changed(statistic, value, *, whole=False):
    card = full_card()
    at = card.card["statistic"] == statistic
    at &= (card.card["modality"] == "") if whole else True
    card.card.loc[at, "value"] = value
    return card


def test_a_column_is_a_modality_and_range():
    table = card_table(full_card())
    assert table.columns == ["Range 1", "Range 2", "Range 1"]
    assert table.groups == [("Thermal", 2), ("Visible", 1)]
    assert cells(table, "Interocular distance (IOD), px") == [
        "87.0 ± 6.2",
        "44.0 ± 6.2",
        "87.0 ± 6.2",
    ]


def test_figures_are_printed_with_their_units():
    table = card_table(full_card())
    assert cells(table, "Whole image, mean")[0] == "31.5 ± 0.8\N{NARROW NO-BREAK SPACE}°C"
    assert cells(table, "Whole image, mean")[2] == "31.500 ± 0.800"
    assert cells(table, "File size")[0] == "49.3 ± 0.9 kB"
    assert cells(table, "Mean shape, NMSE")[0] == ".114 ± .050"
    assert cells(table, "Counts at 0")[0] == "0.04\N{NARROW NO-BREAK SPACE}%"
    assert "A pair takes 76.9 ± 1.2 kB." in table.notes[0]


def test_a_mean_that_rounds_to_zero_has_no_sign():
    assert cells(card_table(full_card()), "Roll, degrees")[0] == "0.0 ± 2.4"


def test_a_share_that_rounds_to_zero_is_not_called_zero():
    card = changed("low_saturated", 0.00003)
    card.card.loc[card.card["statistic"] == "high_saturated", "value"] = 0
    table = card_table(card)
    assert cells(table, "Counts at 0")[0] == "< 0.01\N{NARROW NO-BREAK SPACE}%"
    assert cells(table, "Counts at the greatest")[0] == "0\N{NARROW NO-BREAK SPACE}%"


def test_the_size_of_the_pixel_sample_is_said_where_pixels_were_read():
    assert "at most 200 images" in card_table(full_card()).notes[-1]
    card = full_card()
    pixels = card.card["statistic"].str.contains("mean$|p01$|p50$|p99$|saturated")
    notes = card_table(replace(card, card=card.card[~pixels])).notes
    assert not any("sample" in note for note in notes)
    assert all(notes)


def test_a_card_without_landmarks_leaves_geometry_out_and_says_so(study):
    card = changed("annotated", 0)
    plain = card.card[~card.card["unit"].isin(["px", "IOD", "degree"])]
    bare = replace(card, card=plain, likeness=card.likeness.iloc[:0])
    (part,) = chapter(replace(study, cards=[bare])).parts
    (table,) = part.blocks
    assert [body.title for body in table.bodies] == ["Images", "Pixels"]
    assert "No image has annotated points" in table.notes[1]


def test_a_card_in_part_annotated_says_that_geometry_is_of_that_part():
    table = card_table(changed("annotated", 60))
    assert cells(table, "Annotated images") == ["60"] * 3
    assert table.notes[1].startswith("Not every image is annotated")
    assert not any("annotated:" in note for note in card_table(full_card()).notes)


def test_thermal_images_without_degrees_are_printed_without():
    card = full_card()
    bare = card.card.replace({"unit": {"degree Celsius": "count"}})
    table = card_table(replace(card, card=bare))
    assert cells(table, "Whole image, mean")[0] == "31.5 ± 0.8"
    assert "in °C where their scale is known" in table.notes[-1]


def test_pixels_of_several_units_are_left_out():
    card = full_card()
    pixels = card.card["statistic"].str.match("image_|box_(mean|p)|low_|high_")
    mixed = (card.card["modality"] == "thermal") & (card.card["range"] == "2")
    table = card_table(replace(card, card=card.card[~(pixels & mixed)]))
    assert cells(table, "Whole image, mean")[1] == "–"
    assert "several units, what their pixels hold is left out" in table.notes[-1]


def test_degrees_below_zero_have_a_minus_and_a_rounded_zero_has_none():
    card = changed("image_p01", -12.34)
    card.card.loc[card.card["statistic"] == "image_p50", "value"] = -0.04
    found = cells(card_table(card), "Whole image, 1 / 50 / 99 %")
    assert found[0] == "−12.3 / 0.0 / 34.5"


def test_a_missing_figure_is_shown_as_missing():
    assert cells(card_table(without("roll")), "Roll, degrees") == ["–"] * 3


def test_only_verdicts_that_fail_stand_out():
    table = likeness_table(full_card())
    shown = [(row.cells[-1].text, row.cells[-1].tone) for row in table.bodies[0].rows]
    assert shown == [
        ("agrees", "words"),
        ("set by the camera", "words"),
        ("both differ", "words best"),
        ("set by how boxes are drawn", "words"),
        ("too few subjects", "words"),
    ]


def test_what_is_not_judged_has_no_difference_on_the_page():
    rows = likeness_table(full_card()).bodies[0].rows
    shown = [[cell.text for cell in row.cells[2:4]] for row in rows]
    assert shown == [["−0.08", "0.89"], ["", ""], ["−0.08", "0.89"], ["", ""], ["−0.08", "0.89"]]


def test_a_difference_that_rounds_to_zero_has_no_minus():
    card = full_card()
    table = likeness_table(replace(card, likeness=card.likeness.assign(difference=-0.001)))
    assert table.bodies[0].rows[0].cells[2].text == "+0.00"


def test_limits_of_a_verdict_are_said_below_it():
    (note,) = likeness_table(full_card()).notes
    assert "within 1 real SD" in note
    assert "a factor of 1.5; fewer than 10 subjects are not judged" in note
    assert "even real faces, in set poses, can fail it" in note


def test_differences_from_real_faces_carry_their_sign():
    row = likeness_table(full_card()).bodies[0].rows[0]
    assert [cell.text for cell in row.cells[:4]] == [
        "1.056 ± 0.092",
        "1.049 ± 0.082",
        "−0.08",
        "0.89",
    ]


def warm(region, *verdicts, difference=0.5):
    """Return rows of LIKENESS of a region, one per camera."""
    row = full_card().likeness.iloc[0].to_dict() | {
        "range": "1",
        "statistic": region,
        "unit": "degree Celsius",
        "real_mean": 35.69,
        "real_sd": 0.5,
        "mean": 35.64,
        "n": 57,
        "difference": difference,
        "near_mean": 0.6,
        "near_spread": 1.25,
    }
    return [row | {"source": f"camera {k}", "verdict": v} for k, v in enumerate(verdicts, 1)]


def warm_card(*rows):
    card = full_card()
    return replace(card, likeness=pd.concat([card.likeness, pd.DataFrame(rows)]))


def test_temperatures_have_a_row_per_region_and_a_column_per_camera():
    card = warm_card(
        *warm("forehead_centre", "agrees", "mean differs"),
        *warm("face_max", "agrees", "agrees", difference=-0.001),
    )
    table = temperature_table(card)
    assert table.columns[:3] == ["camera 1", "camera 2", "Range 1 (57 people)"]
    shown = [cell.text for cell in table.bodies[0].rows[0].cells]
    real = "35.69 ± 0.50"
    assert shown[:4] == [real, real, "35.64 ± 0.08", "+0.25 / +0.25"]
    assert shown[5] == "agrees / mean differs"
    assert cells(table, "Face, hottest")[3] == "+0.00 / +0.00"
    tones = [row.cells[-1].tone for row in table.bodies[0].rows]
    assert tones == ["words best", "words"]
    assert "within 0.3 K of each other and the SDs within a factor of 1.25" in table.notes[1]


def test_a_dataset_without_degrees_has_no_table_of_temperatures():
    assert temperature_table(full_card()) is None
    card = warm_card(*warm("face_max", "agrees", "agrees"))
    proportions = likeness_table(card)
    assert len(proportions.bodies[0].rows) == len(full_card().likeness)
    alone = card.likeness[card.likeness["unit"] == "degree Celsius"]
    assert likeness_table(replace(card, likeness=alone)) is None


def test_what_was_left_out_and_what_the_audit_found_is_told_below_the_card():
    assert "audit" not in card_table(full_card()).notes[0]
    card = full_card()
    row = card.card[card.card["modality"] == ""].iloc[0]
    found = {"found_outlier": 3, "found_quarantined": 1}
    more = [{**row, "statistic": name, "value": count, "at": 0.0} for name, count in found.items()]
    both = replace(card, card=pd.concat([card.card, pd.DataFrame(more)], ignore_index=True))
    assert (
        card_table(both)
        .notes[0]
        .endswith(
            " 1 record was left out, each with a reason. The audit found: 3 outlier. "
            f"data/{card.name}/audit.html shows them."
        )
    )
