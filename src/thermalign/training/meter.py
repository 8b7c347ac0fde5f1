"""Progress of a training on standard error."""

import sys
import time

from tqdm import tqdm

_LINE_EVERY = 10.0  # seconds between lines where there is no terminal


class Meter:
    """Report loss and speed on stderr: a bar on a terminal, else a line now and then."""

    def __init__(self, name: str, steps: int, *, begin: int, batch_size: int, show: bool) -> None:
        self._name, self._steps, self._begin = name, steps, begin
        self._batch_size = batch_size
        terminal = sys.stderr.isatty()
        self._lines = show and not terminal
        self._bar = tqdm(
            total=steps, initial=begin, desc=name, unit="step", disable=not (show and terminal)
        )
        self._start = self._last = time.monotonic()

    def __enter__(self) -> "Meter":
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def update(self, step: int, loss: float) -> None:
        """Show the loss after ``step`` steps and the examples trained on per second."""
        now = time.monotonic()
        speed = (step - self._begin) * self._batch_size / max(now - self._start, 1e-9)
        status = f"loss {loss:.4f}, {speed:.0f} images/s"
        self._bar.set_postfix_str(status, refresh=False)
        self._bar.update(step - self._bar.n)
        if self._lines and now - self._last >= _LINE_EVERY:
            self._last = now
            print(
                f"{self._name}: step {step} of {self._steps}, {status}", file=sys.stderr, flush=True
            )
