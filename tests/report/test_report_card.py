from dataclasses import replace

import numpy as np
from fake_study import full_card

from thermalign.report.chapters import dataset
from thermalign.report.chapters.dataset import (
    Card,
    absent,
    card_chapter,
    contact_caption,
    look_of,
    marked_caption,
)
from thermalign.report.chapters.dataset_table import card_table, likeness_table


def cells(table, head):
    (row,) = [row for body in table.bodies for row in body.rows if row.head == head]
    return [cell.text for cell in row.cells]


def without(statistics="", modality=""):
    frame = full_card().card
    kept = ~frame["statistic"].isin(statistics.split()) if statistics else frame["n"] > 0
    return Card(frame[kept & ~frame["subset"].str.contains(modality or "\0", regex=False)])


def test_a_column_is_a_modality_and_range():
    table = card_table(Card(full_card().card), "faces")
    assert table.columns == ["Range 1", "Range 2", "Range 1"]
    assert table.groups == [("Thermal", 2), ("Visible", 1)]
    assert cells(table, "Interocular distance (IOD), px") == [
        "87.0 ± 6.2",
        "44.0 ± 6.2",
        "87.0 ± 6.2",
    ]


def test_figures_are_printed_with_their_units():
    table = card_table(Card(full_card().card), "faces")
    assert cells(table, "Whole image, mean")[0] == "31.5 ± 0.8\N{NARROW NO-BREAK SPACE}°C"
    assert cells(table, "Whole image, mean")[2] == "31.500 ± 0.800"
    assert cells(table, "File size")[0] == "49.3 ± 0.9 kB"
    assert cells(table, "Mean shape, NMSE")[0] == ".114 ± .050"
    assert cells(table, "Counts at 0")[0] == "0.04\N{NARROW NO-BREAK SPACE}%"
    assert "A pair takes 76.9 ± 1.2 kB." in table.notes[0]


def test_a_mean_that_rounds_to_zero_has_no_sign():
    assert cells(card_table(Card(full_card().card), "faces"), "Roll, degrees")[0] == "0.0 ± 2.4"


def test_a_share_that_rounds_to_zero_is_not_called_zero():
    frame = full_card().card
    frame.loc[frame["statistic"] == "low_saturated", "value"] = 0.00003
    frame.loc[frame["statistic"] == "high_saturated", "value"] = 0
    table = card_table(Card(frame), "faces")
    assert cells(table, "Counts at 0")[0] == "< 0.01\N{NARROW NO-BREAK SPACE}%"
    assert cells(table, "Counts at the greatest")[0] == "0\N{NARROW NO-BREAK SPACE}%"


def test_the_size_of_the_pixel_sample_is_said():
    assert "at most 200 images" in card_table(Card(full_card().card), "faces").notes[-1]


def test_a_card_without_landmarks_leaves_geometry_out_and_says_so():
    frame = full_card().card
    plain = frame[~frame["unit"].isin(["px", "IOD", "degree"])].copy()
    plain.loc[plain["statistic"] == "annotated", "value"] = 0
    chapter = card_chapter(replace(full_card(), card=plain, likeness=full_card().likeness.iloc[:0]))
    assert [body.title for body in chapter.table.bodies] == ["Images", "Pixels"]
    assert chapter.panels == []
    assert chapter.likeness is None
    assert "No image has annotated points" in chapter.absent[0]


def test_a_card_in_part_annotated_says_how_much():
    frame = full_card().card
    frame.loc[frame["statistic"] == "annotated", "value"] = 60
    assert absent(Card(frame))[0].startswith("60 of 240 images have annotated points")


def test_a_card_without_thermal_images_says_so():
    assert absent(without(modality="thermal")) == [
        "There are no thermal images, so there are no temperatures."
    ]


def test_thermal_images_without_degrees_are_said_to_have_none():
    frame = full_card().card.replace({"unit": {"degree Celsius": "count"}})
    (sentence,) = absent(Card(frame))
    assert sentence.startswith("Thermal, Range 1; Thermal, Range 2: no scale to degrees Celsius")


def test_images_of_several_units_are_said_to_be_left_out():
    frame = full_card().card
    pixels = frame["statistic"].str.match("image_|box_(mean|p)|low_|high_")
    card = Card(frame[~(pixels & (frame["subset"] == "modality=thermal&range=2"))])
    assert absent(card) == [
        "Thermal, Range 2: images of several units, so what their pixels hold is left out."
    ]
    assert cells(card_table(card, "faces"), "Whole image, mean")[1] == "–"


def test_degrees_below_zero_have_a_minus_and_a_rounded_zero_has_none():
    frame = full_card().card
    frame.loc[frame["statistic"] == "image_p01", "value"] = -12.34
    frame.loc[frame["statistic"] == "image_p50", "value"] = -0.04
    found = cells(card_table(Card(frame), "faces"), "Whole image, 1 / 50 / 99 %")
    assert found[0] == "−12.3 / 0.0 / 34.5"


def test_a_whole_card_has_nothing_to_excuse():
    assert absent(Card(full_card().card)) == []


def test_a_missing_figure_is_shown_as_missing():
    assert cells(card_table(without("roll"), "faces"), "Roll, degrees") == ["–"] * 3


def changed(**values):
    frame = full_card().card
    for statistic, value in values.items():
        at = (frame["subset"] == "all") & (frame["statistic"] == statistic)
        frame.loc[at, "value"] = value
    return Card(frame)


def test_captions_say_what_the_sheets_show():
    card = changed()
    assert contact_caption(card).startswith(
        "The first image by name of every modality, range and condition, for 20 of 60 subjects: "
    )
    assert "12 images of every modality, range and condition, each of another subject, with" in (
        marked_caption(card)
    )
    for caption in (contact_caption(card), marked_caption(card)):
        assert caption.endswith("Thermal colours span −2 to 37 °C and clip beyond.")


def test_captions_claim_no_more_than_the_sheets_show():
    card = changed(contact_kinds=4, contact_subjects=60, marked_kinds=5, marked_subjects=11)
    assert contact_caption(card).startswith(
        "The first image by name of 4 of 6 kinds (modality, range and condition), for every "
    )
    assert marked_caption(card).startswith(
        "12 images of 5 of 6 kinds (modality, range and condition) with the face box"
    )


def test_points_are_said_to_be_drawn_where_there_are_any():
    said = [marked_caption(changed(annotated=count)) for count in (240, 100, 0)]
    assert "given and the annotated points." in said[0]
    assert "given and the annotated points where there are any." in said[1]
    assert "points" not in said[2]


def test_a_sheet_without_a_bar_says_how_its_thermal_images_are_stretched():
    card = without("colour_low colour_high")
    for caption in (contact_caption(card), marked_caption(card)):
        assert caption.endswith(
            "Thermal images are grey, each between its own percentiles 1 and 99."
        )
    visible = without("colour_low colour_high", "thermal")
    assert contact_caption(visible).endswith("so that far faces are enlarged.")


def test_only_verdicts_that_fail_stand_out():
    table = likeness_table(full_card().likeness, "faces")
    shown = [(row.cells[-1].text, row.cells[-1].tone) for row in table.bodies[0].rows]
    assert shown == [
        ("agrees", "words"),
        ("set by the camera", "words"),
        ("both differ", "words best"),
        ("set by how boxes are drawn", "words"),
        ("too few subjects", "words"),
    ]


def test_what_is_not_judged_has_no_difference_on_the_page():
    rows = likeness_table(full_card().likeness, "faces").bodies[0].rows
    shown = [[cell.text for cell in row.cells[2:4]] for row in rows]
    assert shown == [["−0.08", "0.89"], ["", ""], ["−0.08", "0.89"], ["", ""], ["−0.08", "0.89"]]


def test_a_difference_that_rounds_to_zero_has_no_minus():
    frame = full_card().likeness.assign(difference=-0.001)
    assert likeness_table(frame, "faces").bodies[0].rows[0].cells[2].text == "+0.00"


def test_limits_of_a_verdict_are_said_below_it():
    (note,) = likeness_table(full_card().likeness, "faces").notes
    assert "within 1 real SD" in note
    assert "a factor of 1.5; fewer than 10 subjects are not judged" in note
    assert "even real faces, in set poses, can fail it" in note


def test_differences_from_real_faces_carry_their_sign():
    row = likeness_table(full_card().likeness, "faces").bodies[0].rows[0]
    assert [cell.text for cell in row.cells[:4]] == [
        "1.056 ± 0.092",
        "1.049 ± 0.082",
        "−0.08",
        "0.89",
    ]


def test_lines_of_a_histogram_can_be_told_apart():
    looks = [look_of(subset) for subset in Card(full_card().card).columns]
    assert len({(look.colour, look.dash) for look in looks}) == len(looks)
    assert [look.label for look in looks][2] == "Visible, Range 1"


def test_nine_ranges_of_both_modalities_can_be_told_apart():
    subsets = [f"modality={m}&range={k}" for m in ("thermal", "visible") for k in range(1, 10)]
    looks = [look_of(subset) for subset in subsets]
    assert len({(look.colour, look.dash) for look in looks}) == 18


def test_a_histogram_draws_its_last_bin_to_its_end(monkeypatch):
    frame = full_card().card
    bins = frame["statistic"] == "roll_histogram"
    last = frame.loc[bins, "at"].max()
    frame.loc[bins, "value"] = (frame.loc[bins, "at"] == last).astype(float)
    figures = []
    monkeypatch.setattr(dataset, "to_svg", lambda figure, **_: figures.append(figure) or "")
    dataset.histogram_panels(Card(frame), "faces")
    axes = next(f.axes[0] for f in figures if f.axes[0].get_xlabel() == "Roll, degrees")
    width = last - frame.loc[bins & (frame["at"] < last), "at"].max()
    for line in axes.patches:
        top = line.get_path().vertices[line.get_path().vertices[:, 1] == 1, 0]
        np.testing.assert_allclose([top.min(), top.max()], [last, last + width])
    assert len(axes.patches) == 3
    assert axes.get_xlim()[1] > last + width / 2


def test_where_no_pixels_were_read_no_sample_is_told():
    card = full_card().card
    bare = card[~card["statistic"].str.contains("mean$|p01$|p50$|p99$|saturated")]
    notes = card_table(Card(bare), "faces").notes
    assert not any("sample" in note for note in notes)
    assert all(notes)
