"""The settings of every detector: refused by name, and alike where they mean the same."""

import dataclasses
import importlib
import re

import pytest

from thermalign.catalogue import detectors
from thermalign.landmarks import dan, ert, mtcnn, pbc
from thermalign.landmarks.normalise import Normalisation
from thermalign.settings import parse
from thermalign.training.loop import Optimisation

SHARED = [name for protocol in (Optimisation, Normalisation) for name in vars(protocol)]


@pytest.mark.parametrize("name", [n for n in SHARED if not n.startswith("_")])
def test_a_setting_that_detectors_share_has_one_type_and_one_range(name: str) -> None:
    found = set()
    for detector in detectors():
        its = importlib.import_module(f"thermalign.landmarks.{detector}").Settings
        for field in dataclasses.fields(its):
            if field.name == name:
                limits = [field.metadata[key] for key in ("low", "high", "choices", "multiple_of")]
                found.add((field.type, *limits))
    assert len(found) == 1


@pytest.mark.parametrize(
    ("model", "mapping", "message"),
    [
        (dan, {"input_size": 60}, "input_size is 60; give a multiple of 16"),
        (dan, {"learning_rate": 0.0}, "learning_rate is 0.0"),
        (dan, {"normalisation": "none"}, "normalisation is 'none'; give one of percentile"),
        (mtcnn, {"window": [40, 20]}, "window is 40, 20; give the lower value first"),
        (dan, {"earlier_stages": "frozen"}, "earlier_stages is 'frozen'; give one of eval, train"),
        (dan, {"shift_unit": "box"}, "shift_unit is 'box'; give one of face, pixel"),
        (dan, {"precision": "auto"}, "precision is 'auto'; give one of float32, bfloat16"),
        (mtcnn, {"init": "he"}, "init is 'he'; give one of xavier, default"),
        (mtcnn, {"l2": -1}, "l2 is -1.0; give 0 to 1"),
        (mtcnn, {"weight_decay": 0.1}, "unknown setting 'weight_decay'"),
        (mtcnn, {"mirrored": 1}, "mirrored is 1; give a value of type bool"),
        (mtcnn, {"schedule": "step"}, "schedule is 'step'; give one of constant, cosine"),
        (pbc, {"padding": "full"}, "padding is 'full'; give one of valid, same"),
        (pbc, {"steps": 0}, "steps is 0; give 1 to"),
        (ert, {"nu": 0}, "nu is 0.0; give 0.0001 to 1"),
    ],
)
def test_models_refuse_what_they_cannot_run(
    model: object, mapping: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        parse(model.Settings, mapping, "models.x")  # type: ignore[attr-defined]
