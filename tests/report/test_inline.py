"""A drawing in the page takes the page's colours, and no name from another drawing."""

import re

import pytest

from thermalign.report.drawing import axes_of, curve, panel, style
from thermalign.report.inline import DARK, inline, palettes, switches
from thermalign.report.looks import looks
from thermalign.report.views import Value

LOOKS = looks(["dan", "pbc", "annotated", "mean_shape", "mine", "heatmap", "ert", "mtcnn"])


@pytest.fixture(scope="module")
def drawn():
    with style():
        figure, axes = axes_of()
        curve(axes, [(x, Value(x, x, x, 1)) for x in (0.0, 0.5, 1.0)], LOOKS["dan"], marker="o")
        return inline(panel(figure, title="", alt="").svg, 7)


def test_what_belongs_to_a_model_is_switched_with_it(drawn):
    assert drawn.count(f'data-model="{LOOKS["dan"].key}"') == 2  # the line and its band
    assert 'data-model="look' in drawn


def test_every_reference_has_its_target_and_bears_the_drawings_number(drawn):
    wanted = set(re.findall(r'(?:href="#|url\(#)([^")]+)', drawn))
    assert wanted
    assert set(re.findall(r' id="([^"]+)"', drawn)) == wanted
    assert all(name.startswith("d7-") for name in wanted)


def test_no_colour_is_left_that_a_dark_ground_would_not_change(drawn):
    assert "var(--c0072b2)" in drawn
    assert not re.findall(r"#[0-9a-f]{6}\b", drawn)


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("look", LOOKS.values(), ids=lambda look: look.label)
def test_every_model_stands_out_on_a_dark_ground(look):
    assert contrast(DARK[look.colour], "#1b1b1d") >= 4.5


def test_both_palettes_name_the_same_colours():
    light, dark = (re.findall(r"--c[0-9a-f]{6}", its) for its in palettes())
    assert light == dark


def test_switches_hide_by_key_protocol_and_reading():
    rules = switches(LOOKS.values(), 2, ["exclude", "keep"])
    key = LOOKS["dan"].key
    assert f'html:has(#show-{key}:not(:checked)) [data-model~="{key}"]{{display:none}}' in rules
    assert '[data-protocol]:not([data-protocol="1"]){display:none}' in rules
    assert '[data-reading]:not([data-reading="keep"]){display:none}' in rules
