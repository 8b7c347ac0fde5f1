"""The calibration of a state: on what it says that it was made."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from thermalign.geometry import from_box_units
from thermalign.landmarks.contract import Faces, untold
from thermalign.landmarks.models import calibrate_state
from thermalign.states import State
from thermalign.warp import ImageStack

UNITS = torch.tensor([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.75], [0.65, 0.75]])


class Blind:
    """Finds a face where its box says, but none whose first pixel is above ``limit``."""

    def __init__(self, limit: float) -> None:
        self.limit = limit

    def predict(
        self, state: State, stack: ImageStack, boxes: torch.Tensor, settings: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        points = from_box_units(UNITS, boxes)
        for n in range(len(stack)):
            if max(stack.image(n)[0, 0], stack.image(n)[0, -1]) > self.limit:
                points[n] = torch.nan
        return points, untold(points)


def note(faces: Faces, people: list[str], *, limit: float = 1e9) -> object:
    state = calibrate_state(Blind(limit), State({}), faces, None, people=people)  # type: ignore[arg-type]
    return state.notes["calibration"]


def test_it_counts_images_that_were_looked_at_and_found(
    toy_faces: Callable[..., Faces], monkeypatch: pytest.MonkeyPatch
) -> None:
    faces = toy_faces(9)
    people = list("aaabbbccc")
    assert note(faces, people) == "9 images of 3 people"
    assert note(faces, ["a"] * 9) == "9 images of 1 person"
    assert note(faces.first(1), ["a"]) == "1 image of 1 person"
    corners = [max(faces.stack.image(n)[0, [0, -1]].tolist()) for n in range(9)]
    kept = sorted(corners)[3]
    found = [n for n in range(9) if corners[n] <= kept]
    who = len({people[n] for n in found})
    assert note(faces, people, limit=kept) == f"4 images of {who} people"
    assert note(faces, people, limit=-1e9) == "none: no validation face was found"
    assert note(faces.first(0), []) == "none: no validation"
    monkeypatch.setattr("thermalign.landmarks.uncertainty._MOST", 5)
    assert note(faces, people) == "5 images of 3 people"
