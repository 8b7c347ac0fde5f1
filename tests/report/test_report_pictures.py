import base64
import re

import cv2
import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from fake_study import NAN, TEMPLATE, Rows, face_pixels, full_curves

from thermalign.report.chapters.errors import ced_panels
from thermalign.report.chapters.rates import roc_panels
from thermalign.report.chapters.training import MOST_POINTS, price_panel, training_panels
from thermalign.report.faces import Example, albums, draw_face, images
from thermalign.report.names import looks
from thermalign.report.summary import View


def example(**changes):
    given = {"protocol": "p1", "model": "dan", "subject_id": "s1", "range": 1, "nmse": 0.05}
    given |= {"pixels": face_pixels(0), "annotated": TEMPLATE, "predicted": TEMPLATE + 1}
    return Example(**(given | {"kind": "typical"} | changes))


def decoded(pixels):
    (image,) = images([example(pixels=pixels)]).values()
    data = base64.b64decode(re.search(r"base64,([^\"]+)", image)[1])
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)


def test_points_are_drawn_at_their_own_pixels():
    svg = draw_face(example(predicted=TEMPLATE + 0.5), "DAN").svg
    assert svg.startswith('<svg viewBox="-0.5 -0.5 112 128"')
    assert '<circle class="annotated" cx="33.00" cy="42.00"' in svg
    assert '<circle class="predicted" cx="33.50" cy="42.50"' in svg
    assert re.findall(r">(\d)</text>", svg) == ["1", "2", "3", "4", "5"]


def test_a_face_that_was_not_found_shows_no_predicted_point():
    for predicted in (None, np.full((5, 2), NAN)):
        face = draw_face(example(predicted=predicted, nmse=NAN), "DAN")
        assert "predicted" not in face.svg
        assert face.detail == "no face found"


def test_a_point_beyond_the_picture_is_counted():
    points = TEMPLATE.copy()
    points[4] = (500.0, 20.0)
    assert draw_face(example(predicted=points), "DAN").detail == "NMSE .050; 1 outside"


def test_a_face_without_annotation_is_called_so():
    face = draw_face(example(annotated=None, nmse=NAN), "DAN")
    assert "annotated" not in face.svg.partition("<use")[2]
    assert face.detail == "not annotated"


def test_contrast_is_stretched_whatever_the_unit():
    celsius, counts = face_pixels(0), 100 * (face_pixels(0) + 273.15)
    assert decoded(celsius).shape == (128, 112)
    assert np.abs(decoded(celsius).astype(int) - decoded(counts).astype(int)).max() <= 1
    assert decoded(celsius).min() == 0
    assert decoded(celsius).max() == 255


@pytest.mark.parametrize("value", [0.0, 7.0, NAN])
def test_a_picture_without_contrast_is_still_a_picture(value):
    assert decoded(np.full((20, 10), value)).shape == (20, 10)


def test_large_pictures_are_reduced_and_small_ones_kept():
    assert decoded(face_pixels(0, (680, 340))).shape == (170, 85)
    assert decoded(face_pixels(0, (40, 30))).shape == (40, 30)


def test_albums_go_from_typical_to_worst_and_models_in_table_order():
    given = [example(model=m, kind=k) for k in ("worst", "typical") for m in ("dan", "mtcnn")]
    found = albums(given, "p1", looks=looks(["dan", "mtcnn", "pbc"]))
    assert [album.title for album in found] == ["Typical faces", "Worst faces"]
    assert [strip.look.label for strip in found[0].strips] == ["MTCNN", "DAN"]
    assert albums(given, "p2", looks=looks(["dan"])) == []


def test_the_worst_face_leads_its_strip_and_a_missed_one_is_the_worst():
    given = [example(kind="worst", nmse=e, subject_id=str(e)) for e in (0.2, NAN, 0.7)]
    (album,) = albums(given, "p1", looks=looks(["dan"]))
    titles = [face.title.partition(",")[0] for face in album.strips[0].faces]
    assert titles == ["nan", "0.7", "0.2"]


def curve_view():
    rows = Rows()
    for subset in ("all", "range=1", "range=2"):
        for at in np.linspace(0, 1, 11):
            rows.add(("p1", "dan", subset), "ced", float(at), at=float(at))
            rows.add(("p1", "dan", subset), "roc", float(at), at=float(at))
    rows.add(("p1", "dan", "range=1"), "eer", 0.123)
    return View(rows.frame(), "p1", looks=looks(["dan", "pbc"]))


def test_error_curves_start_with_all_images_and_roc_curves_with_range_1():
    view = curve_view()
    assert [p.title for p in ced_panels(view)] == ["All images", "Range 1", "Range 2"]
    assert [p.title for p in roc_panels(view)] == ["Range 1", "Range 2", "All images"]


def test_roc_legends_carry_the_equal_error_rate():
    legends = [[text for _, text in panel.legend] for panel in roc_panels(curve_view())]
    assert legends == [["EER 12.3\u202f%"], ["no EER"], ["no EER"]]


def test_curves_keep_the_colour_of_their_model():
    (first, *_) = ced_panels(curve_view())
    assert looks(["dan"])["dan"].colour in first.svg


def test_one_range_needs_no_panel_beside_all_images():
    rows = Rows()
    for subset in ("all", "range=1"):
        for at in (0.0, 0.5, 1.0):
            rows.add(("p1", "dan", subset), "ced", at, at=at)
    view = View(rows.frame(), "p1", looks=looks(["dan"]))
    assert [panel.title for panel in ced_panels(view)] == ["All images"]
    assert roc_panels(view) == []


def test_training_curves_of_any_length_stay_small():
    steps = np.arange(100_000)
    frame = pd.DataFrame(
        {"protocol": "p1", "fold": 0, "model": "dan", "stage": "one", "step": steps}
    )
    frame = frame.assign(loss=np.exp(-steps / 3e4), validation_nmse=NAN)
    (panel,) = training_panels(frame, "p1", looks=looks(["dan"]), seeds={})
    assert len(panel.svg) < 100 * MOST_POINTS
    assert "not measured" in panel.svg


def test_stages_of_a_model_are_named_behind_each_other():
    panels = training_panels(full_curves(), "protocol1", looks=looks(["dan", "pbc"]), seeds={})
    assert [panel.title for panel in panels] == ["PBC", "DAN"]
    assert ">stage1<" in panels[1].svg
    assert ">stage2<" in panels[1].svg
    assert "mathdefault" not in panels[1].svg


def test_accuracy_is_drawn_over_processor_time_for_every_model_that_was_validated():
    curves = full_curves()
    lost = curves["model"] == "pbc"
    curves.loc[lost, "validation_nmse"] = float("nan")
    (panel,) = price_panel(curves, "protocol1", looks=looks(["dan", "mtcnn", "pbc"]))
    assert "DAN .052 after " in panel.svg
    assert [look.label for look, _ in panel.legend] == ["MTCNN", "DAN"]
    assert "PBC" not in panel.svg
    assert price_panel(curves[lost], "protocol1", looks=looks(["pbc"])) == []


def test_trainings_of_one_model_share_a_panel():
    one = full_curves().query("model == 'pbc'")
    both = pd.concat([one.assign(model=f"pbc_seed{k}") for k in (1, 2)])
    seeds = {f"pbc_seed{k}": ("pbc", k) for k in (1, 2)}
    (alone,) = training_panels(one, "protocol1", looks=looks(["pbc"]), seeds={})
    (panel,) = training_panels(both, "protocol1", looks=looks(["pbc"], seeds), seeds=seeds)
    assert panel.title == "PBC"
    lines = 2 * 3  # loss and validation of three folds
    assert panel.svg.count("<path") == alone.svg.count("<path") + lines


def test_drawings_do_not_depend_on_the_users_matplotlib_settings():
    before = ced_panels(curve_view())
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "black", "svg.hashsalt": None}):
        assert ced_panels(curve_view()) == before
