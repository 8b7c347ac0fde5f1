"""The mean shape: the floor that every detector has to beat.

It looks at no pixel: the training faces' mean landmarks, in units of their boxes, placed in the
box of each face.
"""

from dataclasses import dataclass

from torch import Tensor

from thermalign.geometry import from_box_units, to_box_units
from thermalign.landmarks.contract import Faces, unannotated, untold
from thermalign.states import State
from thermalign.training.loop import UNKEPT, Run
from thermalign.warp import ImageStack


@dataclass(frozen=True)
class Settings:
    """None: the mean has no hyper-parameter."""


def reach(settings: Settings) -> float:
    """Return how far beyond a face box the mean shape looks: not at all."""
    return 0.0


def fit(
    train: Faces, validation: Faces, settings: Settings, *, seed: int, run: Run = UNKEPT
) -> State:
    """Average the training landmarks; the state is ``mean_shape`` (L, 2), fractions of the box.

    Raises
    ------
    ValueError
        If there are no training faces.
    """
    if len(train) == 0:
        raise ValueError("mean_shape: there are no training faces")
    shape = to_box_units(train.points.double(), train.boxes.double()).mean(0)
    return State({"mean_shape": shape.float().cpu()}, notes={"precision": "float32"})


def predict(
    state: State, stack: ImageStack, boxes: Tensor, settings: Settings
) -> tuple[Tensor, Tensor]:
    """Place the mean shape in each box; it tells no covariance."""
    boxes = unannotated(stack, boxes).boxes
    points = from_box_units(state.tensors["mean_shape"].to(boxes.device), boxes)
    return points, untold(points)
