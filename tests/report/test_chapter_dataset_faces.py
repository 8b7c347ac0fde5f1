"""The faces of the data: histograms, and what is said below contact sheets."""

import base64
from dataclasses import replace

import cv2
import numpy as np
import pytest
from fake_study import full_card

from thermalign.report.chapters import dataset_faces
from thermalign.report.chapters.dataset_faces import (
    MOST_BYTES,
    chapter,
    contact_caption,
    histogram_panels,
    look_of,
    marked_caption,
    sheet,
)


def without(statistics):
    card = full_card()
    return replace(card, card=card.card[~card.card["statistic"].isin(statistics.split())])


def changed(**values):
    card = full_card()
    for statistic, value in values.items():
        at = (card.card["modality"] == "") & (card.card["statistic"] == statistic)
        card.card.loc[at, "value"] = value
    return card


def test_captions_say_what_the_sheets_show():
    card = full_card()
    assert contact_caption(card).startswith(
        "The first image by name of 6 of 6 kinds (modality, range and condition), for 20 of 60 "
        "subjects"
    )
    assert marked_caption(card).startswith(
        "Images shown: 12, of 6 of 6 kinds (modality, range and condition) and 12 subjects, with"
    )
    for caption in (contact_caption(card), marked_caption(card)):
        assert caption.endswith("Thermal colours span −2 to 37 °C and clip beyond.")


def test_captions_claim_no_more_than_the_sheets_show():
    card = changed(contact_kinds=4, contact_subjects=60, marked_kinds=5, marked_subjects=11)
    assert "of 4 of 6 kinds" in contact_caption(card)
    assert "60 of 60 subjects" in contact_caption(card)
    assert "Images shown: 12, of 5 of 6 kinds" in marked_caption(card)
    assert "and 11 subjects" in marked_caption(card)


def test_points_are_said_to_be_drawn_where_there_are_any():
    said = [marked_caption(changed(annotated=count)) for count in (240, 100, 0)]
    assert all("where there are any, the annotated points." in words for words in said[:2])
    assert "points" not in said[2]


def test_a_sheet_without_a_bar_says_how_its_thermal_images_are_stretched():
    card = without("colour_low colour_high")
    for caption in (contact_caption(card), marked_caption(card)):
        assert caption.endswith("are grey, each between its own percentiles 1 and 99.")


def test_lines_of_a_histogram_can_be_told_apart():
    looks = [look_of(column) for column in full_card().columns]
    assert len({(look.colour, look.dash) for look in looks}) == len(looks)
    assert looks[2].label == "Visible, Range 1"


def test_nine_ranges_of_both_modalities_can_be_told_apart():
    columns = [(modality, str(k)) for modality in ("thermal", "visible") for k in range(1, 10)]
    looks = [look_of(column) for column in columns]
    assert len({(look.colour, look.dash) for look in looks}) == 18


def test_a_histogram_draws_its_last_bin_to_its_end(monkeypatch):
    card = full_card()
    bins = card.card["statistic"] == "roll_histogram"
    last = card.card.loc[bins, "at"].max()
    card.card.loc[bins, "value"] = (card.card.loc[bins, "at"] == last).astype(float)
    figures = []
    monkeypatch.setattr(dataset_faces, "panel", lambda figure, **_: figures.append(figure))
    histogram_panels(card)
    axes = next(f.axes[0] for f in figures if f.axes[0].get_xlabel() == "Roll, degrees")
    width = last - card.card.loc[bins & (card.card["at"] < last), "at"].max()
    for line in axes.patches:
        top = line.get_path().vertices[line.get_path().vertices[:, 1] == 1, 0]
        np.testing.assert_allclose([top.min(), top.max()], [last, last + width])
    assert len(axes.patches) == 3
    assert axes.get_xlim()[1] > last + width / 2


def test_every_card_has_its_sheets(study):
    (part,) = chapter(study).parts
    assert [block.kind for block in part.blocks] == ["panels", "sheet", "sheet"]
    assert chapter(replace(study, cards=[])) is None


def test_a_large_sheet_is_embedded_small_and_at_its_own_size():
    noise = np.random.default_rng(0).integers(0, 255, (900, 900, 3)).astype(np.uint8)
    made = sheet(cv2.imencode(".png", noise)[1].tobytes(), title="A <b>", caption="c")
    kind, _, text = made.address.partition(";base64,")
    data = base64.b64decode(text)
    assert kind == "data:image/jpeg"
    assert len(data) <= MOST_BYTES
    assert cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR).shape == (900, 900, 3)
    assert (made.width, made.height) == (900, 900)


def test_what_is_no_image_is_refused():
    with pytest.raises(ValueError, match="does not open as an image"):
        sheet(b"text", title="Contact sheet", caption="")
