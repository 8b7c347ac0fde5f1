import re
from dataclasses import dataclass

import pytest

from thermalign.settings import check, parse, setting


@dataclass(frozen=True)
class Example:
    steps: int = setting(3, low=1, high=10)
    rate: float = setting(0.5, low=0, high=1)
    mode: str = setting("slow", choices=("slow", "fast"))
    loud: bool = setting(False)
    window: tuple[float, float] = setting((20.0, 40.0))
    widths: tuple[int, ...] = setting((1, 2), low=1, high=9)

    def __post_init__(self) -> None:
        check(self)


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
