"""What the report says was left out."""

import pandas as pd
import pytest

from thermalign.steps.report import notes


def summary(*models):
    rows = [("own", model, "eer") for model in models]
    return pd.DataFrame(rows, columns=["protocol", "model", "metric"])


def config(probe="visible", gallery="visible", mapping="none", **more):
    protocol = {"probe": {"modality": probe, **more}, "gallery": {"modality": gallery}}
    return {"protocols": {"own": protocol}, "matcher": {"mapping": mapping, "classifier": "cosine"}}


@pytest.mark.parametrize(
    ("modality", "mapping", "said"),
    [
        ("visible", "none", "the classifier works on the descriptors themselves"),
        ("visible", "centring", "both sides are taken relative to the same mean of training"),
        ("visible", "dpm", "both sides pass the same DPM"),
        ("thermal", "dpm", "DPM, which maps visible descriptors, maps none"),
    ],
)
def test_one_modality_is_told_with_the_mapping_that_is_configured(modality, mapping, said):
    (line,) = notes(config(modality, modality, mapping), summary("annotated", "dan"))
    assert line.startswith(f"own: probes and gallery are both {modality} images")
    assert said in line
    assert "PLS" not in line


def test_two_modalities_with_annotated_points_leave_nothing_out():
    assert notes(config("thermal", mapping="dpm"), summary("annotated", "dan")) == []


def test_probes_without_annotated_points_are_told_with_their_selection():
    (line,) = notes(config("thermal", conditions=["profile"], ranges=[2]), summary("dan"))
    assert line.startswith(
        "own: probes (thermal; conditions profile; ranges 2) have no annotated points"
    )


def test_where_nothing_was_verified_it_is_not_blamed_on_points_or_modality():
    (line,) = notes(config(conditions=["profile"]), summary())
    assert line == (
        "own: nothing was verified: the probe (visible; conditions profile) and the gallery "
        "(visible) of its test subjects give no genuine or no impostor comparison."
    )
