"""What the report says was left out."""

import pytest

from thermalign.report.chapters.left_out import notes
from thermalign.report.inputs import read_setup


def said(*models, probe="visible", gallery="visible", mapping="none", **more):
    protocol = {"probe": {"modality": probe, **more}, "gallery": {"modality": gallery}}
    matcher = {"mapping": mapping, "classifier": "cosine"}
    setup = read_setup({"protocols": {"own": protocol}, "matcher": matcher})
    return notes(setup.protocol("own"), list(models), setup.matcher)


@pytest.mark.parametrize(
    ("modality", "mapping", "words"),
    [
        ("visible", "none", "the classifier works on the descriptors themselves"),
        ("visible", "centring", "both sides are taken relative to the same mean of training"),
        ("visible", "dpm", "both sides pass the same DPM"),
        ("thermal", "dpm", "DPM, which maps visible descriptors, maps none"),
    ],
)
def test_one_modality_is_told_with_the_mapping_that_is_configured(modality, mapping, words):
    (line,) = said("annotated", "dan", probe=modality, gallery=modality, mapping=mapping)
    assert line.startswith(f"own: probes and gallery are both {modality} images")
    assert words in line
    assert "PLS" not in line


def test_nothing_is_claimed_of_a_mapping_that_the_report_does_not_know():
    (line,) = said("annotated", mapping="rotation")
    assert line.endswith("no second modality to map to (mapping: rotation).")


def test_two_modalities_with_annotated_points_leave_nothing_out():
    assert said("annotated", "dan", probe="thermal", mapping="dpm") == []


def test_probes_without_annotated_points_are_told_with_their_selection():
    (line,) = said("dan", probe="thermal", conditions=["profile"], ranges=[2])
    assert line.startswith(
        "own: probes (thermal; conditions profile; ranges 2) have no annotated points"
    )


def test_where_nothing_was_verified_it_is_not_blamed_on_points_or_modality():
    (line,) = said(conditions=["profile"])
    assert line == (
        "own: nothing was verified: the probe (visible; conditions profile) and the gallery "
        "(visible) of its test subjects give no genuine or no impostor comparison."
    )
