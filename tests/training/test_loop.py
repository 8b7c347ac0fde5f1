import copy
import math
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from thermalign.states import CurvePoint, State
from thermalign.training import loop
from thermalign.training import precision as precisions
from thermalign.training.checkpoint import Checkpoint
from thermalign.training.loop import keep, rate_at, restore
from thermalign.training.precision import Mixed

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Chosen:
    batch_size: int = 4
    learning_rate: float = 0.1
    schedule: str = "constant"
    validate_every: int = 2
    patience: int = 0
    precision: str = "float32"
    compile: bool = False


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
) -> list[CurvePoint]:
    with loop.session("number", 0, CPU, loop.Run(progress=progress)) as session:
        session.optimise(
            module,
            "only",
            steps,
            settings,
            loss=loss or module.loss,
            validate=None if errors is None else lambda: torch.tensor(next(errors)),
        )
    return session.curve


def test_the_minimum_is_found() -> None:
    module = Number()
    curve = run(module, 300, Chosen(validate_every=100))
    assert module.value.item() == pytest.approx(3, abs=0.01)
    assert [row.step for row in curve] == [100, 200, 300]
    assert curve[0].loss > curve[1].loss > curve[2].loss
    assert 0 < curve[0].core_seconds < curve[1].core_seconds
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
@pytest.mark.parametrize("every", [2, 100])
def test_a_loss_that_is_not_finite_stops_and_names_model_stage_and_step(
    bad: float, every: int
) -> None:
    module = Number()
    values = iter([1.0, 1.0, bad, *[1.0] * 20])
    with pytest.raises(ValueError, match=r"^number, only: the loss is (nan|inf) at step 3;"):
        run(
            module,
            20,
            Chosen(validate_every=every),
            loss=lambda: module.value * 0 + next(values),
        )


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


def test_the_error_of_the_state_kept_is_returned() -> None:
    with loop.session("number", 0, CPU, loop.Run(progress=False)) as session:
        for errors, expected in (((0.5, 0.2, 0.4), 0.2), (None, math.inf)):
            values = iter(errors or ())
            error = session.optimise(
                Number(),
                "only",
                6,
                Chosen(),
                loss=Number().loss,
                validate=None if errors is None else lambda v=values: torch.tensor(next(v)),
            )
            assert error == pytest.approx(expected)


def test_l2_is_added_to_the_gradient_of_kernels_alone() -> None:
    # A loss without slope: Adam's first step is the learning rate against the gradient's sign,
    # which l2 gives to kernels that are not 0; decoupled decay would move by rate x l2 x weight.
    net = nn.Sequential(nn.Conv2d(1, 1, 1), nn.Flatten(), nn.Linear(1, 1))
    for parameter in net.parameters():
        nn.init.constant_(parameter, 2.0)
    with loop.session("net", 0, CPU, loop.Run(progress=False)) as session:
        session.optimise(
            net,
            "only",
            1,
            Chosen(),
            loss=lambda: 0 * sum(p.sum() for p in net.parameters()),
            validate=None,
            l2=5e-4,
        )
    moved = {name: float(2 - p.detach()) for name, p in net.named_parameters()}
    expected = {"0.weight": 0.1, "0.bias": 0, "2.weight": 0, "2.bias": 0}
    assert moved == pytest.approx(expected, abs=1e-4)


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
    assert [rate_at(schedule, 4, step) for step in range(4)] == pytest.approx(expected)


def test_one_cycle_rises_for_a_quarter_and_falls_to_zero() -> None:
    rates = [rate_at("one_cycle", 400, step) for step in range(400)]
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
    monkeypatch.setattr(loop, "_LINE_EVERY", 0.0)
    run(Number(), 4, Chosen(), progress=True)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 4
    assert lines[0].startswith("number, only: step 1 of 4, loss 9.0000, ")
    assert lines[0].endswith("images/s")


def test_seeds_repeat_initialisation_and_draws() -> None:
    def draw(seed: int) -> tuple[Tensor, Tensor]:
        with loop.session("any", seed, CPU, loop.UNKEPT) as session:
            return nn.Linear(3, 2).weight.detach(), torch.rand(4, generator=session.generator)

    assert all(torch.equal(a, b) for a, b in zip(draw(5), draw(5), strict=True))
    assert not any(torch.equal(a, b) for a, b in zip(draw(5), draw(6), strict=True))


def test_a_state_of_other_settings_is_refused() -> None:
    state = State({"weight": torch.zeros(2, 3), "bias": torch.zeros(2)})
    with pytest.raises(ValueError, match="does not fit the settings"):
        restore(nn.Linear(4, 2), state, CPU, Chosen())


class KilledError(Exception):
    """Stands for the end of the process."""


class Noisy(Mixed):
    """Two layers with dropout and batch statistics, trained on draws: every kind of state."""

    def __init__(self, dropout: float = 0.5) -> None:
        super().__init__()
        drop = nn.Dropout(dropout)
        self.first = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), drop)
        self.second = nn.Linear(8, 1)

    def forward(self, x: Tensor) -> Tensor:
        with self.trunk_precision(x):
            features = self.first(x).float()
        out: Tensor = self.second(features)
        return out


def fit_noisy(checkpoint: Checkpoint | None, *, die_at: int = 10**9) -> tuple[Noisy, list[float]]:
    """Train in two stages of 40 steps; ``die_at`` counts the batches of both."""
    settings = Chosen(learning_rate=0.01, validate_every=10, patience=3, schedule="cosine")
    batches = 0
    with loop.session("noisy", 1, CPU, loop.Run(progress=False, checkpoint=checkpoint)) as s:
        model = Noisy()

        def loss() -> Tensor:
            nonlocal batches
            batches += 1
            if batches == die_at:
                raise KilledError
            x = torch.randn((16, 4), generator=s.generator)
            return (model(x)[:, 0] - x.sum(1)).square().mean()

        def validate() -> Tensor:
            x = torch.linspace(-1, 1, 40).view(10, 4)
            return (model(x)[:, 0] - x.sum(1)).abs().mean()

        for stage in ("first", "second"):
            s.optimise(model, stage, 40, settings, loss=loss, validate=validate)
    return model, [v for row in s.curve for v in (row.step, row.loss, row.validation_nmse)]


@pytest.fixture
def written_always(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Checkpoint, "due", lambda self: True)


@pytest.mark.usefixtures("written_always")
@pytest.mark.parametrize("die_at", [5, 17, 33, 41, 55, 79])
def test_a_killed_training_goes_on_bit_for_bit(tmp_path: Path, die_at: int) -> None:
    whole, curve = fit_noisy(None)
    path = tmp_path / "checkpoint.pt"
    with pytest.raises(KilledError):
        fit_noisy(Checkpoint(path, "key"), die_at=die_at)
    again, same_curve = fit_noisy(Checkpoint(path, "key"))
    assert same_curve == curve
    assert all(torch.equal(a, again.state_dict()[k]) for k, a in whole.state_dict().items())


@pytest.mark.usefixtures("written_always")
def test_a_resumed_training_does_not_begin_anew(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    with pytest.raises(KilledError):
        fit_noisy(Checkpoint(path, "key"), die_at=60)
    with pytest.raises(KilledError):  # 59 batches were drawn, 21 are left
        fit_noisy(Checkpoint(path, "key"), die_at=21)
    fit_noisy(Checkpoint(path, "key"), die_at=22)
    with pytest.raises(KilledError):
        fit_noisy(Checkpoint(path, "another"), die_at=79)


def train_one(
    precision: str, *, dropout: float = 0.5, compiled: bool = False
) -> tuple[Noisy, Tensor, float]:
    settings = Chosen(precision=precision, learning_rate=0.01, compile=compiled)
    with loop.session("noisy", 1, CPU, loop.Run(progress=False)) as s:
        model = Noisy(dropout)

        def loss() -> Tensor:
            x = torch.randn((16, 4), generator=s.generator)
            return (model(x)[:, 0] - x.sum(1)).square().mean()

        s.optimise(model, "only", 3, settings, loss=loss, validate=None)
    return model, torch.rand(2, generator=s.generator), s.curve[-1].loss


@pytest.mark.parametrize(("precision", "low"), [("float32", False), ("bfloat16", True)])
def test_a_network_trains_in_the_named_precision_and_its_state_notes_it(
    precision: str, low: bool
) -> None:
    trained = train_one(precision)[0]
    assert trained.low == low
    state = keep(trained, [], Chosen(precision=precision), stages=2)
    assert state.notes == {"precision": precision, "stages": 2}
    assert precision in precisions.asked().split(" and ")


def test_bfloat16_changes_the_trunk_and_not_the_type_of_the_output() -> None:
    model = Noisy().eval()
    x = torch.randn(16, 4)
    exact = model(x).detach()
    model.low = True
    rough = model(x).detach()
    assert rough.dtype == torch.float32
    assert 0 < float((rough - exact).abs().max()) < 0.05


def test_a_model_predicts_in_bfloat16_only_where_it_is_named() -> None:
    state = State(copy.deepcopy(Noisy().state_dict()))
    low = {
        p: restore(Noisy(), state, CPU, Chosen(precision=p)).low for p in ("float32", "bfloat16")
    }
    assert low == {"float32": False, "bfloat16": True}


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")
def test_a_compiled_network_trains_as_it_would_otherwise() -> None:
    # Without dropout, whose draws differ.
    compiled, plain = (train_one("float32", dropout=0, compiled=c) for c in (True, False))
    assert compiled[0].state_dict().keys() == plain[0].state_dict().keys()
    assert compiled[2] == pytest.approx(plain[2], rel=1e-4)
    assert compiled[0]._compiled_call_impl is not None
