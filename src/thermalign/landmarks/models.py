"""Landmark models by contract: load them, count them, predict with them in parts of images."""

import importlib
import importlib.util
import math
from collections.abc import Iterable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, as_tensor, nn

from thermalign.geometry import Floats
from thermalign.settings import parse
from thermalign.states import State
from thermalign.warp import ImageStack, stack_images


def load_model(detector: str, settings: dict[str, Any], name: str) -> tuple[ModuleType, Any]:
    """Return the module of a detector and its checked settings.

    Raises
    ------
    ValueError
        If a setting is unknown or of another type, or the detector's optional dependency (its
        ``EXTRA``, if it has one) is not installed.
    """
    module = importlib.import_module(f"thermalign.landmarks.{detector}")
    extra = getattr(module, "EXTRA", None)
    if extra and importlib.util.find_spec(extra) is None:
        raise ValueError(
            f"models: {name}: {extra} is not installed; pip install 'thermalign[{extra}]', "
            "or take the model out of the configuration"
        )
    return module, parse(module.Settings, settings, f"models: {name}")


def device() -> torch.device:
    """Return the GPU where there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


_MARGIN = 32  # px kept around what is asked for: PBC's surroundings, neighbours of samples


_LEAST = 64  # px kept on either side of a box's centre: the least that PBC sees of a small box


@dataclass(frozen=True)
class Cut:
    """Parts of N images, each in coordinates of its own.

    Attributes
    ----------
    stack : ImageStack of N parts
    boxes : (N, 4) float32, pixels of the parts, (x, y, width, height)
    origins : (N, 2) float32, pixels of the images, (x, y)
        The top-left pixels of the parts: part coordinates plus these are image coordinates.
    """

    stack: ImageStack
    boxes: Tensor
    origins: Tensor


def cut_images(images: Iterable[Floats], boxes: Floats, reach: float) -> Cut:
    """Cut images to their face boxes and what a model sees beyond them.

    Where a model looks further, the border of the part repeats, as an image's own border does.

    Parameters
    ----------
    images : N arrays (height, width)
        Each may go once its part is cut.
    boxes : (N, 4) float, pixels, (x, y, width, height)
    reach : float
        How far beyond its sides a box is kept, in sides; infinite for whole images.

    Returns
    -------
    Cut

    Raises
    ------
    ValueError
        If a box is not finite.
    """
    if not np.isfinite(boxes).all():
        n = int(np.flatnonzero(~np.isfinite(boxes).all(axis=1))[0])
        raise ValueError(f"the face box of image {n} is {boxes[n].tolist()}; give finite numbers")
    parts, corners = [], []
    for image, box in zip(images, boxes, strict=True):
        rows, columns = _span(image, box, reach)
        parts.append(image[rows, columns].copy())
        corners.append((columns.start, rows.start))
    origins = np.array(corners, np.float32)
    stack = stack_images(parts, device())
    moved = boxes - np.pad(origins, ((0, 0), (0, 2)))
    return Cut(
        stack,
        as_tensor(moved.astype(np.float32)).to(stack.device),
        as_tensor(origins).to(stack.device),
    )


def predict_cut(module: ModuleType, state: State, cut: Cut, settings: Any) -> tuple[Floats, Floats]:
    """Predict landmarks in parts of images and bring them back to the images.

    Returns
    -------
    points : (N, L, 2) float64, pixels of the images, (x, y)
    confidence : (N, L) float64
    """
    with torch.inference_mode():
        points, confidence = module.predict(state, cut.stack, cut.boxes, settings)
    points = points + cut.origins[:, None]
    return points.cpu().double().numpy(), confidence.cpu().double().numpy()


def _span(image: Floats, box: Floats, reach: float) -> tuple[slice, slice]:
    """Return the rows and columns kept; at least one pixel, wherever the box lies."""
    if math.isinf(reach):
        return slice(0, image.shape[0]), slice(0, image.shape[1])
    spans = []
    for at, side, length in zip(box[1::-1], box[:1:-1], image.shape, strict=True):
        half = max((0.5 + reach) * side + _MARGIN, _LEAST)
        low, high = math.floor(at + side / 2 - half), math.ceil(at + side / 2 + half)
        low = min(max(low, 0), length - 1)
        spans.append(slice(low, max(min(high, length), low + 1)))
    return spans[0], spans[1]


def parameter_counts(models: dict[str, dict[str, Any]]) -> pd.DataFrame:
    """Return model, detector, configured and paper: parameters as the paper counts them.

    ``paper`` is the count at the detector's default settings, which are the paper's.

    Raises
    ------
    ValueError
        If a model's settings are not its detector's.
    """
    rows = []
    for name, block in models.items():
        settings = {key: value for key, value in block.items() if key != "seeds"}
        detector = settings.pop("model", name)
        module = importlib.import_module(f"thermalign.landmarks.{detector}")
        parsed = parse(module.Settings, settings, f"models: {name}")
        configured, paper = (
            printed_parameters(module.network(s)) for s in (parsed, module.Settings())
        )
        rows.append((name, detector, configured, paper))
    return pd.DataFrame(rows, columns=["model", "detector", "configured", "paper"])


def printed_parameters(module: nn.Module) -> int:
    """Count parameters by the one convention that reproduces every printed total.

    A convolution counts its weights and one parameter per output channel, whether that is its bias
    or the shift of the batch normalisation behind it. A dense layer counts its weights without
    bias. Slopes of PReLU, scales and running statistics are not counted.

    Parameters
    ----------
    module : nn.Module

    Returns
    -------
    int

    Source
    ------
    Poster et al., CVPR Workshops 2019, Tables 1 to 4; the convention is inferred from the totals.
    """
    total = 0
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            total += layer.weight.numel() + layer.out_channels
        elif isinstance(layer, nn.Linear):
            total += layer.weight.numel()
    return total
