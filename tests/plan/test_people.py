"""People and images of datasets, counted by hand."""

from pathlib import Path

import pytest

from thermalign.config.sizes import sizes_of
from thermalign.plan.people import images_of, of_one, recorded, within
from trees import SIX, draw, xml

VOLUME = {"subjects": 4, "ranges": [1, 3], "baseline": 2, "expression": 1, "visible_ranges": [1]}
EVERY = {"modality": "thermal"}


def rendered(*volumes):
    block = {"adapter": "simulator", "chunks": 1, "settings": {"volumes": list(volumes)}}
    return {"data": ".", "datasets": {"faces": block}}


def listed(folder, *rows, **settings):
    (folder / "a.csv").write_text("\n".join(rows))
    block = {"adapter": "table", "folder": str(folder), "manifest": "a.csv", **settings}
    return {"data": ".", "datasets": {"faces": block | {"box": {"source": "given"}}}}


def test_a_rendered_person_has_the_images_of_its_volume():
    (people,) = recorded(rendered(VOLUME), "faces")
    assert images_of([people]) == pytest.approx(4 * (6 + 3))
    chosen = [
        {"modality": "visible"},
        EVERY,
        EVERY | {"ranges": [3], "sessions": ["1"]},
        EVERY | {"conditions": ["baseline"]},
        EVERY | {"images": 1},
        EVERY | {"sessions": ["2"]},
    ]
    assert [people.selected(role) for role in chosen] == pytest.approx([3, 6, 3, 4, 1, 0])


def test_thermal_images_of_a_rendered_person_are_spread_over_its_samples():
    (people,) = recorded(rendered(VOLUME | {"thermal_images": 30, "sessions": 2}), "faces")
    assert people.selected(EVERY) == pytest.approx(60)
    assert people.selected(EVERY | {"ranges": [1], "conditions": ["expression"]}) == pytest.approx(
        10
    )


def test_who_is_drawn_from_several_volumes_has_what_their_people_have_on_average():
    people = recorded(rendered(VOLUME, VOLUME | {"subjects": 12, "ranges": [1]}), "faces")
    assert of_one(people, EVERY) == pytest.approx((4 * 6 + 12 * 3) / 16)
    assert of_one(within(people, [2]), EVERY) == pytest.approx(3)


def test_a_manifest_says_what_ingest_reads_in_it(tmp_path):
    rows = (
        "image;person;kind;range",
        "a.png;anna;Thermal;2",
        "b.png;anna;VISIBLE;1.0",
        "",
        "c;ben;thermal;1",
    )
    columns = {"path": "image", "subject_id": "person", "modality": "kind"}
    (people,) = recorded(listed(tmp_path, *rows, columns=columns), "faces")
    assert (people.people, images_of([people])) == (2, 3)
    assert (people.selected(EVERY), people.selected(EVERY | {"ranges": [2]})) == (1, 0.5)


def test_defaults_of_a_manifest_hold(tmp_path):
    study = listed(tmp_path, "path,subject_id", "a,anna", "b,ben", defaults={"modality": "visible"})
    (people,) = recorded(study, "faces")
    assert (people.selected(EVERY), people.selected({"modality": "visible"})) == (0, 1)


def test_rows_that_are_left_out_do_not_count(tmp_path):
    (tmp_path / "bad.csv").write_text("row,reason\n2,blurred\n")
    rows = ("path,subject_id,modality", "a,anna,thermal", "b,anna,thermal", "c,ben,thermal")
    left = {"quarantine": "bad.csv", "leave_out": {"c": "a passer-by"}}
    assert images_of(recorded(listed(tmp_path, *rows, **left), "faces")) == 1
    with pytest.raises(ValueError, match=r"a\.csv: no image d, which is to be left out"):
        recorded(listed(tmp_path, *rows, leave_out={"d": "gone"}), "faces")


def test_a_person_of_several_volumes_is_one_person(tmp_path):
    rows = ("a,anna,1", "b,anna,2", "c,ben,2", "d,ben,2")
    study = listed(tmp_path, "path,subject_id,volume", *rows, defaults={"modality": "thermal"})
    people = recorded(study, "faces")
    assert sum(its.people for its in people) == 2
    assert sum(its.people for its in within(people, [1])) == 1
    assert of_one(within(people, [2]), EVERY) == pytest.approx(1.5)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (("path,subject_id", "a,anna"), "no column 'modality'"),
        (("path,subject_id,modality", "a,anna,ir"), r"a.csv row 2: modality is 'ir'; use one of"),
        (("path,subject_id,modality,range", "a,anna,thermal,near"), "row 2: range is 'near'"),
        (("path,person,modality", "a,anna,thermal"), "no column 'subject_id'"),
    ],
)
def test_what_ingest_would_refuse_is_refused(tmp_path, rows, words):
    with pytest.raises(ValueError, match=words):
        recorded(listed(tmp_path, *rows), "faces")


def test_a_manifest_that_is_not_there_is_named(tmp_path):
    study = listed(tmp_path, "path")
    Path(tmp_path, "a.csv").unlink()
    with pytest.raises(ValueError, match=r"a.csv: no such manifest; set data: or"):
        recorded(study, "faces")


def test_a_tree_is_counted_before_its_manifest_is_made(tmp_path):
    images = [f"0{n}/session_1/thermal_bmp/0{n}S1BNA{k}.bmp" for n in (1, 2) for k in (1, 2)]
    for seed, image in enumerate(images):
        draw(tmp_path / "carl" / image, seed)
    xml(tmp_path / "carl/Carl_annotations/01.xml", dict.fromkeys(images, SIX))
    block = {"adapter": "carl", "folder": "carl", "nose": "none", "box": {"source": "given"}}
    study = {"data": str(tmp_path), "results": str(tmp_path / "r"), "datasets": {"faces": block}}
    assert sizes_of(study, "faces")[0].images == 5  # four images and an annotation file
    (people,) = recorded(study, "faces")
    assert people.people == 2
    assert people.selected(EVERY | {"conditions": ["natural"]}) == pytest.approx(2)
    assert people.selected({"modality": "visible"}) == 0
    block["leave_out"] = {images[0]: "blurred"}
    assert images_of(recorded(study, "faces")) == 3
