"""Dose-response: sentences, placement of detectors, curves."""

import math
import re
from dataclasses import replace

import pytest
from fake_matching import DISPLACEMENTS, KINDS
from fake_study import NAN, Rows

from thermalign.report.chapters.dose import dose_chapter, dose_finding
from thermalign.report.chapters.dose_curves import kinds
from thermalign.report.names import looks
from thermalign.report.page import render
from thermalign.report.summary import View

CONFIG = {"displacements": DISPLACEMENTS}
MODELS = ("annotated", "dan", "dan_seed1", "pbc", "mean_shape")


def view_of(rows):
    return View(rows.frame(), "own", looks=looks(MODELS, {"dan_seed1": ("dan", 1)}))


def curve(rows, subset="displacement=isotropic", start=0.1, **more):
    for level in (0.0, 0.1, 0.2):
        key = ("own", "annotated", subset)
        rows.add(key, "nmse", level, at=level)
        rows.add(key, "eer", start + level, at=level, **more)


def placed(rows, model, *, nmse=0.05, excess=0.02, ends=(0.01, 0.03)):
    key = ("own", model, "placement=isotropic")
    rows.add(key, "nmse", nmse, low=nmse - 0.01, high=nmse + 0.01)
    rows.add(key, "eer", 0.17, low=0.12, high=0.2)
    rows.add(key, "eer_predicted", 0.15 if math.isfinite(excess) else NAN)
    rows.add(key, "eer_excess", excess, low=ends[0], high=ends[1])


def slopes(rows, *, difference=(0.5, 0.2, 0.8), probit=(-2.0, -5.0, 1.0)):
    whole = ("own", "annotated", "displacement=isotropic")
    for modality, rise in (("thermal", 0.9), ("visible", 0.4)):
        rows.add((*whole[:2], f"{whole[2]}&modality={modality}"), "eer_slope", rise)
    for metric, (value, low, high) in (("eer_slope", difference), ("probit_slope", probit)):
        rows.add(whole, f"{metric}_difference", value, low=low, high=high)


def chapter_of(rows, config=CONFIG, seeds=None):
    return dose_chapter(view_of(rows), config, seeds=seeds or {})


def table(chapter, words):
    return next(t for t in chapter.tables if words in t.caption)


def spoken(panel):
    return re.search(r'aria-label="([^"]+)"', panel.svg)[1]


def test_no_displaced_points_no_section(study, read_page):
    assert chapter_of(Rows()) is None
    assert dose_finding([view_of(Rows())], CONFIG) == ""
    kept = study.summary[~study.summary["subset"].str.contains("displacement=|placement=")]
    page = read_page(render(replace(study, summary=kept)))
    assert "What landmark error costs" not in page.text()
    assert all(attrs.get("id") != "dose" for _, attrs in page.tags)


@pytest.mark.parametrize(
    ("ends", "verdict"),
    [
        ((0.01, 0.03), "worse than its NMSE"),
        ((-0.03, -0.01), "better than its NMSE"),
        ((-0.01, 0.03), "as predicted"),
        ((0.0, 0.03), "as predicted"),
        ((NAN, NAN), "no interval"),
    ],
)
def test_a_detector_leaves_the_curve_only_with_its_interval(ends, verdict):
    rows = Rows()
    curve(rows)
    placed(rows, "dan", ends=ends)
    row = table(chapter_of(rows), "NMSE predicts").bodies[0].rows[0]
    assert [cell.text for cell in row.cells] == [
        ".050",
        "17.0\u202f%",
        "15.0\u202f%",
        "+2.0",
        verdict,
    ]


def test_a_detector_beyond_the_curve_has_no_prediction_and_stands_at_the_edge():
    rows = Rows()
    curve(rows)
    placed(rows, "pbc", nmse=0.6, excess=NAN, ends=(NAN, NAN))
    chapter = chapter_of(rows)
    cells = table(chapter, "NMSE predicts").bodies[0].rows[0].cells
    assert [cell.text for cell in cells][2:] == ["–", "–", "beyond the curve"]
    assert ">PBC at .60</text>" in chapter.main[0].svg


def test_detectors_are_named_in_the_figure_each_once_over_its_seeds():
    rows = Rows()
    curve(rows)
    for model in ("dan", "dan_seed1", "mean_shape"):
        placed(rows, model)
    panel = chapter_of(rows, seeds={"dan_seed1": ("dan", 1)}).main[0]
    assert panel.svg.count(">DAN</text>") == 1
    assert panel.svg.count(">mean shape</text>") == 1
    assert "mean shape NMSE .050, EER 17.0" in spoken(panel)


def test_detectors_that_crowd_the_curve_are_drawn_close_up_and_told_by_a_key():
    rows = Rows()
    curve(rows)
    for model, nmse in (("dan", 0.03), ("pbc", 0.035), ("mean_shape", 0.15)):
        placed(rows, model, nmse=nmse)
    whole, close = chapter_of(rows).main
    assert close.title == "Close up"
    assert [(look.label, text) for look, text in close.legend] == [
        ("PBC", "NMSE .035, EER 17.0\u202f%"),
        ("DAN", "NMSE .030, EER 17.0\u202f%"),
    ]
    assert ">close up</text>" in whole.svg
    assert ">mean shape</text>" in whole.svg
    assert ">DAN</text>" not in whole.svg


def test_trainings_of_one_model_alone_are_not_a_crowd():
    rows = Rows()
    curve(rows)
    for model in ("dan", "dan_seed1"):
        placed(rows, model, nmse=0.03)
    assert len(chapter_of(rows, seeds={"dan_seed1": ("dan", 1)}).main) == 1


def test_verdicts_gather_detectors_and_count_trainings_that_differ():
    rows, seeds = Rows(), {"dan_seed1": ("dan", 1), "dan_seed2": ("dan", 2)}
    curve(rows)
    placed(rows, "dan_seed1", ends=(-0.01, 0.05))
    placed(rows, "dan_seed2")
    placed(rows, "pbc")
    view = View(rows.frame(), "own", looks=looks(["annotated", "pbc", *seeds], seeds))
    assert dose_chapter(view, CONFIG, seeds=seeds).sentences == [
        "Detectors against the thermal curve (unadjusted): PBC, DAN (1 of 2 trainings) worse than "
        "its NMSE; DAN (1 of 2 trainings) as predicted."
    ]


def test_slopes_are_compared_on_both_scales_with_their_verdicts():
    rows = Rows()
    curve(rows)
    slopes(rows)
    said = chapter_of(rows).sentences[0]
    assert said.startswith(
        "Up to a displacement of .12, the equal error rate changes by +.90 percentage"
    )
    assert "by +.40 in visible probes of the same moments" in said
    assert "+.50 [.20,\u00a0.80] percentage points per .01, separable (unadjusted)" in said
    assert (
        "−2.00 [−5.00,\u00a01.00] normal deviates per interocular distance, not separable "
        "(unadjusted)"
    ) in said


@pytest.mark.parametrize(
    ("start", "low", "said"),
    [
        (0.0, NAN, "A visible curve at its floor of 0 cannot show a small slope"),
        (0.02, 0.0004, "A visible curve at its floor of 0 cannot show a small slope"),
        (0.02, 0.01, "above its floor of 0"),
    ],
)
def test_a_visible_curve_at_its_floor_is_said_to_hide_small_slopes(start, low, said):
    rows = Rows()
    curve(rows)
    curve(rows, "displacement=isotropic&modality=thermal")
    high = NAN if math.isnan(low) else 0.05
    curve(rows, "displacement=isotropic&modality=visible", start=start, low=low, high=high)
    assert [said in sentence for sentence in chapter_of(rows).sentences] == [True]


@pytest.mark.parametrize(
    ("highs", "said"),
    [
        ((0.05, 0.01), "From level to level the thermal curve nowhere falls by more than its"),
        ((0.05, -0.01), "The thermal curve falls, by more than its interval, at .20."),
    ],
)
def test_a_falling_curve_is_told(highs, said):
    rows = Rows()
    curve(rows)
    for level, high in zip((0.1, 0.2), highs, strict=True):
        key = ("own", "annotated", "displacement=isotropic")
        rows.add(key, "eer_rise", high - 0.02, at=level, low=high - 0.04, high=high)
    (sentence,) = chapter_of(rows).sentences
    assert sentence.startswith(said)


def test_every_kind_predicts_an_equal_error_rate_of_its_own():
    rows = Rows()
    curve(rows)
    curve(rows, "displacement=shift")
    placed(rows, "dan")
    key = ("own", "dan", "placement=shift")
    for metric, value in (("nmse", 0.05), ("eer", 0.17), ("eer_predicted", 0.18)):
        rows.add(key, metric, value)
    bodies = table(chapter_of(rows), "NMSE predicts").bodies
    assert [body.title for body in bodies] == ["By isotropic displacement", "By shift displacement"]
    assert bodies[1].rows[0].cells[2].text == "18.0\u202f%"


def test_without_a_visible_control_only_the_thermal_curve_is_drawn():
    rows = Rows()
    curve(rows)
    chapter = chapter_of(rows)
    assert [panel.title for panel in chapter.main] == ["Thermal probes"]
    assert chapter.sentences == []
    assert "Visible control" not in chapter.caption
    assert "10.0\u202f% at .000" in spoken(chapter.main[0])


def test_the_caption_says_how_many_comparisons_a_level_has():
    rows = Rows()
    curve(rows, n=14400)
    for modality in ("thermal", "visible"):
        curve(rows, f"displacement=isotropic&modality={modality}", n=10800)
    caption = chapter_of(rows).caption
    assert "probes of Range 1" in caption
    assert "n = 14,400 comparisons per level" in caption
    assert "thermal 10,800, visible 10,800" in caption


def test_kinds_follow_the_configuration_and_share_axes(study):
    view = View(study.summary, "protocol1", looks=looks(study.summary["model"]))
    assert kinds(view, study.config) == list(KINDS)
    assert kinds(view, {"displacements": {"kinds": ["shift", "absent"]}})[:2] == [
        "shift",
        "isotropic",
    ]
    panels = dose_chapter(view, study.config, seeds={}).kinds
    assert [panel.title for panel in panels] == [
        "Isotropic",
        "Shift",
        "Scale",
        "Rotation",
        "Right eye",
    ]
    ticks = {tuple(re.findall(r">([\d.]+)\u202f%</text>", panel.svg)) for panel in panels}
    assert len(ticks) == 1


def test_every_level_has_its_figures_in_a_table():
    rows = Rows()
    curve(rows)
    curve(rows, "displacement=isotropic&modality=visible", start=0.0)
    shown = table(chapter_of(rows), "in numbers").bodies[0].rows
    assert [row.head for row in shown] == [".00", ".10", ".20"]
    assert [cell.text for cell in shown[1].cells] == [
        ".100",
        "20.0\u202f%",
        "–",
        "10.0\u202f%",
    ]


def test_the_finding_counts_detectors_off_the_curve():
    rows = Rows()
    curve(rows)
    slopes(rows)
    key = ("own", "annotated", "displacement=isotropic")
    rows.add(key, "eer_slope", 0.95, low=0.75, high=1.15)
    placed(rows, "dan")
    placed(rows, "pbc", ends=(-0.01, 0.03))
    placed(rows, "mean_shape", nmse=0.5, excess=NAN, ends=(NAN, NAN))
    said = dose_finding([view_of(rows)], CONFIG)
    assert said.startswith(
        "landmark error costs .95 [.75,\u00a01.15] points of EER per .01 of NMSE"
    )
    assert said.endswith(
        "1 of 2 detectors within the curve are off the EER that it predicts (unadjusted)."
    )


def test_several_protocols_share_one_finding():
    first, second = Rows(), Rows()
    for rows, rise in ((first, 0.95), (second, 0.65)):
        curve(rows)
        slopes(rows, difference=(rise - 0.4, rise - 0.7, rise - 0.1))
        rows.add(("own", "annotated", "displacement=isotropic"), "eer_slope", rise)
    assert dose_finding([view_of(first), view_of(second)], CONFIG) == (
        "landmark error costs .65 to .95 points of EER per .01 of NMSE in thermal probes; "
        "thermal − visible +.25 to +.55 percentage points per .01, separable in 1 of 2 "
        "(unadjusted); −2.00 normal deviates per interocular distance, separable in 0 of 2 "
        "(unadjusted)."
    )


def sensitivities(rows, *, difference=(6.0, 2.0, 10.0)):
    """Add d' at every level, which visible probes lose twice as fast, and its slopes."""
    for modality, slope in (("", -6.0), ("&modality=thermal", -7.0), ("&modality=visible", -13.0)):
        key = ("own", "annotated", f"displacement=isotropic{modality}")
        rows.add(key, "d_prime_slope", slope, low=slope - 1, high=slope + 1)
        for level in (0.0, 0.1, 0.2):
            rows.add(key, "d_prime", 2.0 + slope * level, at=level)
    value, low, high = difference
    whole = ("own", "annotated", "displacement=isotropic")
    rows.add(whole, "d_prime_slope_difference", value, low=low, high=high)


def with_control(**more):
    rows = Rows()
    for modality, start in (("", 0.1), ("&modality=thermal", 0.1), ("&modality=visible", 0.0)):
        curve(rows, f"displacement=isotropic{modality}", start=start, **more)
    slopes(rows, probit=(NAN, NAN, NAN))
    sensitivities(rows)
    return rows


def test_sensitivity_is_told_by_d_prime_first():
    said = chapter_of(with_control()).sentences
    assert said[0] == (
        "Up to a displacement of .12, d′ changes by −7.00 per interocular distance of NMSE in "
        "thermal probes, and by −13.00 in visible probes of the same moments. Thermal − visible: "
        "+6.00 [2.00,\u00a010.00] of d′ per interocular distance, separable (unadjusted)."
    )
    assert said[1].startswith("Up to a displacement of .12, the equal error rate changes by +.90")
    assert "normal deviates" not in said[1]
    assert said[2].endswith(
        "At its floor of 0 the rate cannot show a small slope; d′ has no floor."
    )


def test_the_finding_rests_on_d_prime_where_there_is_one():
    rows = with_control()
    rows.add(("own", "annotated", "displacement=isotropic"), "eer_slope", 0.95)
    assert dose_finding([view_of(rows)], CONFIG) == (
        "landmark error changes d′ of thermal probes by −6.00 [−7.00,\u00a0−5.00] per interocular "
        "distance of NMSE; it costs .95 points of EER per .01 of NMSE; thermal − visible +6.00 "
        "[2.00,\u00a010.00] of d′ per interocular distance, separable (unadjusted)."
    )


def test_a_slope_that_is_not_a_number_is_missing_and_said_why():
    rows = with_control()
    for modality, slope in (("thermal", 3.0), ("visible", NAN)):
        key = ("own", "annotated", f"displacement=isotropic&modality={modality}")
        rows.add(key, "probit_slope", slope)
    steep = table(chapter_of(rows), "How steeply")
    assert [body.title.partition(" ")[0] for body in steep.bodies] == ["d′", "Percentage", "Normal"]
    assert [cell.text for cell in steep.bodies[2].rows[0].cells] == ["–", "3.00", "–", "–"]
    assert steep.notes[1].startswith("A missing slope in normal deviates")
    assert len(table(chapter_of(with_control()), "How steeply").notes) == 1


def test_the_control_is_drawn_by_d_prime_and_by_rate():
    panels = chapter_of(with_control()).main
    assert [panel.title for panel in panels[1:]] == [
        "Visible control, the same moments: d′",
        "Visible control, the same moments: EER",
    ]
    assert "visible 2.00 at .000, .70 at .100" in spoken(panels[1])
    assert [text for _, text in panels[1].legend] == ["2.00 to .60", "2.00 to −.60"]


@pytest.mark.parametrize(
    ("readings", "said"),
    [
        (("exclude", "keep"), "thermal and visible probes of the same moments, none meeting its"),
        (("keep",), "only the moments whose visible image is not enrolled"),
        ((), "only the moments whose visible image is not enrolled"),
    ],
)
def test_the_caption_says_which_moments_the_control_is_of(readings, said):
    rows = with_control()
    view = View(rows.frame(), "own", looks=looks(MODELS), readings=readings)
    assert said in dose_chapter(view, CONFIG, seeds={}).caption


def test_a_caption_does_not_speak_of_what_is_not_drawn():
    rows = Rows()
    curve(rows)
    caption = chapter_of(rows).caption
    assert "detectors" not in caption
    assert "dotted frame" not in caption


def test_detectors_without_an_interval_are_not_counted_as_on_the_curve():
    rows = Rows()
    curve(rows)
    placed(rows, "dan", ends=(NAN, NAN))
    assert dose_finding([view_of(rows)], CONFIG) == ""
    assert "DAN without an interval" in chapter_of(rows).sentences[0]


def test_a_rise_without_an_interval_leaves_it_open_whether_the_curve_falls():
    rows = Rows()
    curve(rows)
    key = ("own", "annotated", "displacement=isotropic")
    rows.add(key, "eer_rise", 0.02, at=0.1, low=0.01, high=0.03)
    rows.add(key, "eer_rise", -0.02, at=0.2)
    assert chapter_of(rows).sentences == []
