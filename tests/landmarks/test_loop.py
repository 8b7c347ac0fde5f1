import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn

from thermalign.landmarks import _loop
from thermalign.landmarks._data import State


@dataclass(frozen=True)
class Chosen:
    batch_size: int = 4
    learning_rate: float = 0.1
    schedule: str = "constant"
    validate_every: int = 2
    patience: int = 0


class Number(nn.Module):
    """One parameter, to be brought to 3."""

    def __init__(self) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.zeros(()))

    def loss(self) -> Tensor:
        return (self.value - 3).square()


def run(
    module: Number,
    steps: int,
    settings: Chosen,
    *,
    loss: Callable[[], Tensor] | None = None,
    errors: Iterator[float] | None = None,
    progress: bool = False,
) -> list[_loop.CurvePoint]:
    return _loop.optimise(
        module,
        _loop.Stage(model="number", name="only", steps=steps),
        settings,
        loss=loss or module.loss,
        validate=None if errors is None else lambda: torch.tensor(next(errors)),
        progress=progress,
    )


def test_the_minimum_is_found() -> None:
    module = Number()
    curve = run(module, 300, Chosen(validate_every=100))
    assert module.value.item() == pytest.approx(3, abs=0.01)
    assert [row.step for row in curve] == [100, 200, 300]
    assert curve[0].loss > curve[1].loss > curve[2].loss
    assert not module.training


def test_the_last_step_ends_the_curve_even_between_validations() -> None:
    assert [row.step for row in run(Number(), 5, Chosen())] == [2, 4, 5]


def test_the_curve_averages_the_losses_since_the_row_before() -> None:
    module = Number()
    values = iter([1.0, 3.0, 5.0, 9.0])
    curve = run(module, 4, Chosen(), loss=lambda: 0 * module.value + next(values))
    assert [row.loss for row in curve] == [2, 7]
    assert all(math.isnan(row.validation_nmse) for row in curve)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_stops_and_names_model_stage_and_step(bad: float) -> None:
    module = Number()
    values = iter([1.0, 1.0, bad])
    with pytest.raises(ValueError, match=r"^number, only: the loss is (nan|inf) at step 3;"):
        run(module, 9, Chosen(), loss=lambda: module.value * 0 + next(values))


def test_the_state_with_the_lowest_validation_error_is_kept() -> None:
    module = Number()
    seen: list[float] = []

    def errors() -> Iterator[float]:
        for error in (0.5, 0.2, 0.4, 0.2):
            seen.append(module.value.item())
            yield error

    curve = run(module, 8, Chosen(), errors=errors())
    assert [row.validation_nmse for row in curve] == pytest.approx([0.5, 0.2, 0.4, 0.2])
    assert module.value.item() == seen[1]


def test_patience_stops_early() -> None:
    errors = iter([0.5, 0.2, 0.4, 0.3, 0.1])
    curve = run(Number(), 100, Chosen(patience=2), errors=errors)
    assert [row.step for row in curve] == [2, 4, 6, 8]


def test_without_validation_patience_does_not_stop() -> None:
    assert len(run(Number(), 40, Chosen(patience=1))) == 20


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("constant", [1, 1, 1, 1]),
        ("cosine", [1, 0.5 + 0.5 / 2**0.5, 0.5, 0.5 - 0.5 / 2**0.5]),
    ],
)
def test_schedules_follow_their_formula(schedule: str, expected: list[float]) -> None:
    assert [_loop._rate(schedule, 4, step) for step in range(4)] == pytest.approx(expected)


def test_one_cycle_rises_for_a_quarter_and_falls_to_zero() -> None:
    rates = [_loop._rate("one_cycle", 400, step) for step in range(400)]
    assert rates[0] < 0.001
    assert max(rates) == rates[100] == 1
    assert rates[:101] == sorted(rates[:101])
    assert rates[100:] == sorted(rates[100:], reverse=True)
    assert rates[-1] < 0.001


def test_progress_is_a_line_now_and_then_where_there_is_no_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run(Number(), 3, Chosen(), progress=True)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(_loop, "_LINE_EVERY", 0.0)
    run(Number(), 3, Chosen(), progress=True)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("number only: step 1 of 3, loss 9.0000, ")
    assert lines[0].endswith("images/s")


def test_seeds_repeat_initialisation_and_draws() -> None:
    def draw(seed: int) -> tuple[Tensor, Tensor]:
        with _loop.seeded(seed, torch.device("cpu")) as generator:
            return nn.Linear(3, 2).weight.detach(), torch.rand(4, generator=generator)

    assert all(torch.equal(a, b) for a, b in zip(draw(5), draw(5), strict=True))
    assert not any(torch.equal(a, b) for a, b in zip(draw(5), draw(6), strict=True))


def test_a_state_of_other_settings_is_refused() -> None:
    state = State({"weight": torch.zeros(2, 3), "bias": torch.zeros(2)})
    with pytest.raises(ValueError, match="does not fit the settings"):
        _loop.restore(nn.Linear(4, 2), state, torch.device("cpu"))
