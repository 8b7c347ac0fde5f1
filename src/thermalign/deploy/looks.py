"""Whether a face looks thermal, white-hot: not visible, and not white-cold."""

import numpy as np
import numpy.typing as npt

from thermalign.cut import Cut
from thermalign.geometry import Floats

Booleans = npt.NDArray[np.bool_]

LOOK = 0.3
"""How far beyond a face box an aligned face reaches, in sides of the box."""

REGIONS: dict[str, tuple[tuple[float, float, float], ...]] = {}


def is_thermal(cut: Cut, points: Floats) -> Booleans:
    raise NotImplementedError
