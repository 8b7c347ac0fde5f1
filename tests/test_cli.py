"""Commands for people, on results that are made up."""

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from thermalign import tables
from thermalign.cli import app
from thermalign.images import quantise
from thermalign.schemas.dataset import FOLDS, IMAGES
from thermalign.schemas.matching import FACES

KEY = {"protocol": "p1", "fold": 0}
ROLES = {"i0": "train", "i1": "test", "i2": "test", "i3": "test"}
ALIGNED = ["i3", "i0", "i1"]  # i2 was not found


def face(name):
    """Return a face (3, 2) in degrees whose extremes say which it is."""
    return 20 + 5 * int(name[1]) + np.arange(6.0).reshape(3, 2)


@pytest.fixture
def study(tmp_path):
    results = tmp_path / "results"
    folder = results / "p1" / "fold0"
    columns = dict.fromkeys(IMAGES.names, "")
    columns |= {"volume": 1, "range": 1, "width": 9, "height": 9, "bit_depth": 16}
    columns |= {"scale": 1.0, "offset": 0.0}
    images = [
        columns | {"image_id": name, "subject_id": f"s{name}", "modality": modality}
        for name, modality in zip(ROLES, ["visible", "visible", "thermal", "thermal"], strict=True)
    ]
    tables.write(results / "data" / "simulated" / "images.parquet", pd.DataFrame(images), IMAGES)
    roles = [(name, role, False) for name, role in ROLES.items()] + [("i0", "train", True)]
    folds = pd.DataFrame(roles, columns=["image_id", "role", "flipped"]).assign(**KEY)
    tables.write(folder / "folds.parquet", folds, FOLDS)
    stored = [quantise(face(name)) for name in ALIGNED]
    faces = pd.DataFrame(stored, columns=["pixels", "scale", "offset"])
    faces = faces.assign(image_id=ALIGNED, width=2, height=3, model="m", **KEY)
    tables.write(folder / "m" / "faces.parquet", faces, FACES)
    config = "models: {m: {}}\nprotocols: {p1: {dataset: simulated}}\n"
    (tmp_path / "study.yaml").write_text(config)
    return tmp_path


def export(study, *, protocol="p1", model="m"):
    arguments = ["faces", str(study / "results"), protocol, "0", model, str(study / "out.npz")]
    return CliRunner().invoke(app, [*arguments, "--configfile", str(study / "study.yaml")])


def test_exported_faces_are_in_degrees_beside_who_they_show(study):
    done = export(study)
    assert done.exit_code == 0, done.output
    assert "3 aligned faces" in done.output
    with np.load(study / "out.npz") as arrays:
        assert list(arrays["image_id"]) == ["i0", "i1", "i3"]
        assert list(arrays["subject_id"]) == ["si0", "si1", "si3"]
        assert list(arrays["modality"]) == ["visible", "visible", "thermal"]
        assert list(arrays["role"]) == ["train", "test", "test"]
        assert arrays["images"].dtype == np.float32
        expected = [face(name) for name in ("i0", "i1", "i3")]
        np.testing.assert_allclose(arrays["images"], expected, atol=1e-4)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"protocol": "p9"}, r"no protocol 'p9' in .* use one of \['p1'\]"),
        ({"model": "dan"}, r"dan/faces.parquet: no such table; run the study"),
    ],
)
def test_what_is_not_there_is_named_and_nothing_is_written(study, wrong, message):
    error = export(study, **wrong).exception
    with pytest.raises(ValueError, match=message):
        raise error
    assert not (study / "out.npz").exists()


def test_a_model_without_aligned_faces_is_refused(study):
    path = study / "results" / "p1" / "fold0" / "m" / "faces.parquet"
    tables.write(path, tables.read(path, FACES)[:0], FACES)
    with pytest.raises(ValueError, match="holds no aligned face"):
        raise export(study).exception
