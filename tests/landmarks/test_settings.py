import re
from dataclasses import dataclass

import pytest

from thermalign.landmarks import dan, ert, mtcnn, pbc
from thermalign.settings import check_choices, check_ranges, parse


@dataclass(frozen=True)
class Example:
    steps: int = 3
    rate: float = 0.5
    mode: str = "slow"
    loud: bool = False
    window: tuple[float, float] = (20.0, 40.0)
    widths: tuple[int, ...] = (1, 2)

    def __post_init__(self) -> None:
        check_ranges(self, steps=(1, 10), rate=(0, 1), widths=(1, 9))
        check_choices(self, mode=("slow", "fast"))


def test_an_empty_mapping_gives_the_defaults() -> None:
    assert parse(Example, {}, "models.example") == Example()


def test_values_take_the_fields_types() -> None:
    found = parse(Example, {"rate": 1, "window": [0, 1.5], "widths": [4]}, "models.example")
    assert found == Example(rate=1.0, window=(0.0, 1.5), widths=(4,))
    assert isinstance(found.rate, float)
    assert isinstance(found.window[0], float)


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"step": 3}, "models.x: unknown setting 'step'; allowed: steps, rate, mode"),
        ({"steps": 2.5}, "models.x.steps is 2.5; give a value of type int"),
        ({"steps": True}, "models.x.steps is True; give a value of type int"),
        ({"rate": "0.1"}, "models.x.rate is '0.1'; give a value of type float"),
        ({"loud": 1}, "models.x.loud is 1; give a value of type bool"),
        ({"window": [1]}, "models.x.window is [1]; give a list of 2 float"),
        ({"window": 3.0}, "models.x.window is 3.0; give a list of 2 float"),
        ({"widths": [1, "2"]}, "models.x.widths[1] is '2'; give a value of type int"),
        ({"steps": 11}, "models.x: steps is 11; give 1 to 10; allowed keys: steps, rate"),
        ({"rate": float("nan")}, "models.x: rate is nan; give 0 to 1"),
        ({"widths": [1, 10]}, "models.x: widths is 10; give 1 to 9"),
        ({"mode": "quick"}, "models.x: mode is 'quick'; give one of slow, fast"),
    ],
)
def test_wrong_settings_are_refused_with_their_key(
    mapping: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        parse(Example, mapping, "models.x")


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
