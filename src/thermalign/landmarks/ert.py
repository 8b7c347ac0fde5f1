"""An ensemble of regression trees, the classical peer: what a detector without a network reaches.

dlib grows the trees and walks them; this file gives it crops and takes points back. dlib is an
optional dependency and is loaded where it is used, so that settings can be read without it.
"""

import math
import tempfile
import time
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from thermalign.geometry import LANDMARKS, box_to_crop, from_box_units, to_box_units
from thermalign.landmarks import normalise
from thermalign.landmarks.augment import Augmentation, augmented
from thermalign.landmarks.contract import (
    Faces,
    chunks,
    point_error,
    unannotated,
    untold,
)
from thermalign.landmarks.normalise import WINDOW_RISES, NormalisedFaces
from thermalign.settings import check, setting
from thermalign.states import CurvePoint, State
from thermalign.training.loop import UNKEPT, Run, derived_seed
from thermalign.warp import ImageStack

EXTRA = "dlib"
"""The optional dependency: what is imported, and the package's extra that installs it."""

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Settings:
    """Hyper-parameters by dlib's names; defaults are dlib 20.0's where it has them.

    Attributes
    ----------
    cascade_depth : int
        Levels of the cascade.
    num_trees_per_cascade_level : int
        Trees of each level.
    tree_depth : int
        Splits from root to leaf.
    nu : float
        Share of a tree's answer that is used (shrinkage).
    oversampling_amount : int
        Initial shapes per example.
    oversampling_translation_jitter : float
        Of an initial shape, at most.
    feature_pool_size : int
        Pixels that a level's trees compare.
    feature_pool_region_padding : float
        Around the landmarks. dlib has 0, with which trees see half of each eye if there are five
        landmarks. ASSUME: the best of 0, .2 and .5 on validation subjects.
    lambda_param : float
        Pixels farther apart are compared less often.
    num_test_splits : int
        Random splits that a node chooses from.
    width : int
        Of a face box in a crop. ASSUME.
    height : int
        As above; the default box has 1 : 1.25. ASSUME.
    copies : int
        Crops of each training face, each augmented by itself.
    margin : int
        Around the box, so that pixels beyond it can be compared. ASSUME.
    normalisation : str
        Between which values the input is scaled; see ``landmarks/normalise.py``. dlib
        compares 8-bit grey values as they are.
    window : tuple of float
        Lowest and highest value of ``normalisation: window``.
    augment : Augmentation
        How training faces are varied; see ``landmarks/augment/settings.py``.
    """

    cascade_depth: int = setting(10, low=1, high=1000, source="dlib", costs=True)
    num_trees_per_cascade_level: int = setting(500, low=1, high=100_000, source="dlib", costs=True)
    tree_depth: int = setting(4, low=1, high=12, source="dlib", costs=True)
    nu: float = setting(0.1, low=1e-4, high=1, source="dlib")
    oversampling_amount: int = setting(20, low=1, high=10_000, source="dlib", costs=True)
    oversampling_translation_jitter: float = setting(
        0.0, low=0, high=1, unit="boxes", source="dlib"
    )
    feature_pool_size: int = setting(400, low=2, high=100_000, source="dlib", costs=True)
    feature_pool_region_padding: float = setting(0.2, low=0, high=2, unit="boxes")
    lambda_param: float = setting(0.1, low=1e-3, high=100, unit="boxes", source="dlib")
    num_test_splits: int = setting(20, low=1, high=10_000, source="dlib", costs=True)
    width: int = setting(128, low=16, high=1024, unit="px", costs=True)
    height: int = setting(160, low=16, high=1024, unit="px", costs=True)
    copies: int = setting(1, low=1, high=1000, costs=True)
    margin: int = setting(16, low=0, high=1024, unit="px")
    normalisation: str = setting("percentile", choices=("percentile", "window", "histogram"))
    window: tuple[float, float] = setting((20.0, 40.0), low=-273.15, high=3000, unit="degrees C")
    augment: Augmentation = field(default_factory=Augmentation)

    RELATIONS = (WINDOW_RISES,)

    def __post_init__(self) -> None:
        check(self)


def reach(settings: Settings) -> float:
    """Return how far beyond a face box the crops show, in sides of the box."""
    return max(settings.margin / settings.width, settings.margin / settings.height)


def fit(
    train: Faces, validation: Faces, settings: Settings, *, seed: int, run: Run = UNKEPT
) -> State:
    """Grow the trees on crops around the boxes.

    The state is ``predictor`` (B,) uint8, the file that dlib writes. Its curve is one point: the
    number of trees, training and validation NMSE; nothing is chosen by validation faces, and no
    checkpoint is kept, since dlib tells nothing before its last tree. The same seed gives the same
    bytes with the same number of threads; with another number dlib adds in another order, and the
    last bits differ.

    Raises
    ------
    ValueError
        If there are no training faces.

    Source
    ------
    Kazemi and Sullivan, CVPR 2014; King, JMLR 10, 2009 (dlib). Differs from it in: crops are
    resampled to one size and normalised first; training points are rounded to a crop's pixels.
    """
    if len(train) == 0:
        raise ValueError("ert: there are no training faces")
    began = time.process_time()
    data = normalise.prepare(train, settings)
    images, shapes = _examples(data, settings, seed=seed)
    grown = _dlib().train_shape_predictor(images, shapes, _options(settings, seed))
    seconds = time.process_time() - began
    state = State({"predictor": _write(grown)}, notes={"precision": "float32"})  # dlib's floats
    held_out = math.nan
    if len(validation):
        held_out = _error(grown, normalise.prepare(validation, settings), settings)
    trees = settings.cascade_depth * settings.num_trees_per_cascade_level
    loss = _error(grown, data, settings)
    state.curve.append(CurvePoint("trees", trees, loss, held_out, seconds))
    return state


def predict(
    state: State, stack: ImageStack, boxes: Tensor, settings: Settings
) -> tuple[Tensor, Tensor]:
    """Walk the trees in each box.

    Crops are warped in batches; dlib takes one face at a time, tens of microseconds each.

    It rounds points to whole pixels of the crop, and tells no covariance.
    """
    data = normalise.prepare(unannotated(stack, boxes), settings)
    points = _predict(_read(state.tensors["predictor"]), data, settings)
    return points, untold(points)


def to_grey(crops: Tensor) -> Tensor:
    """Map normalised values to the 8 bits that dlib reads, rounded: -1.4 to 0 and 1.4 to 255.

    Parameters
    ----------
    crops : (K, 1, H, W) float32, within -1.4 and 1.4

    Returns
    -------
    (K, 1, H, W) uint8
    """
    share = (crops + normalise.OVERSHOOT) / (2 * normalise.OVERSHOOT)
    return (255 * share).round().to(torch.uint8)


def _examples(
    data: NormalisedFaces, settings: Settings, *, seed: int
) -> tuple[list[Bytes], list[Any]]:
    """Return the crops to train on and the points of each for dlib."""
    device = data.faces.stack.device
    generator = torch.Generator(device).manual_seed(derived_seed(seed, 0))
    images: list[Bytes] = []
    shapes: list[Any] = []
    for some in chunks(data.faces) * settings.copies:
        varied = augmented(data, some, settings.augment, generator)
        images += _crops(varied, torch.arange(len(some), device=device), settings)
        shapes += _shapes(varied.faces, settings)
    return images, shapes


def _dlib() -> Any:
    """Import dlib where it is needed."""
    import dlib  # noqa: PLC0415  # optional, see EXTRA

    return dlib


def _box(settings: Settings) -> tuple[int, int, int, int]:
    """Return where every face box lies in its crop, (x, y, width, height), pixels."""
    return settings.margin, settings.margin, settings.width, settings.height


def _crops(data: NormalisedFaces, rows: Tensor, settings: Settings) -> list[Bytes]:
    """Return crops that hold the box at `_box`, one (H, W) array per example."""
    matrices = box_to_crop(data.faces.boxes[rows], settings.width, settings.height)
    matrices[..., 2] += settings.margin
    width, height = (size + 2 * settings.margin for size in (settings.width, settings.height))
    crops = data.crops(rows, matrices, width=width, height=height)
    return list(to_grey(crops)[:, 0].cpu().numpy())


def _rectangle(settings: Settings) -> Any:
    """Return `_box` as dlib says it: by its first and its last pixel."""
    x, y, width, height = _box(settings)
    return _dlib().rectangle(x, y, x + width - 1, y + height - 1)


def _shapes(faces: Faces, settings: Settings) -> list[Any]:
    """Return the annotated points of each crop for dlib, rounded to its pixels."""
    dlib = _dlib()
    units = to_box_units(faces.points, faces.boxes)
    box = torch.tensor([_box(settings)], device=units.device)
    points = from_box_units(units, box).round().int().tolist()
    rectangle = _rectangle(settings)
    return [
        [dlib.full_object_detection(rectangle, [dlib.point(x, y) for x, y in face])]
        for face in points
    ]


def _options(settings: Settings, seed: int) -> Any:
    """Return the settings as dlib's options; PyTorch says how many threads there are."""
    options = _dlib().shape_predictor_training_options()
    for name, value in asdict(settings).items():
        if hasattr(options, name):
            setattr(options, name, value)
    options.random_seed = str(seed)
    options.num_threads = torch.get_num_threads()
    return options


def _write(predictor: Any) -> Tensor:
    """Return the file that dlib writes of a predictor, (B,) uint8."""
    with tempfile.NamedTemporaryFile(suffix=".dat") as file:
        predictor.save(file.name)
        return torch.from_numpy(np.fromfile(file.name, np.uint8))


def _read(content: Tensor) -> Any:
    """Return the predictor of a file's bytes (B,) uint8."""
    with tempfile.NamedTemporaryFile(suffix=".dat") as file:
        content.numpy().tofile(file.name)
        return _dlib().shape_predictor(file.name)


def _error(predictor: Any, data: NormalisedFaces, settings: Settings) -> float:
    rows = torch.arange(len(data), device=data.faces.stack.device)
    return float(point_error(_predict(predictor, data, settings), data.faces, rows))


def _predict(predictor: Any, data: NormalisedFaces, settings: Settings) -> Tensor:
    rectangle = _rectangle(settings)
    found = [
        [(part.x, part.y) for part in predictor(crop, rectangle).parts()]
        for rows in chunks(data.faces)
        for crop in _crops(data, rows, settings)
    ]
    boxes = data.faces.boxes
    points = torch.tensor(found, dtype=torch.float32, device=boxes.device)
    points = points.view(-1, len(LANDMARKS), 2)
    return from_box_units(to_box_units(points, boxes.new_tensor([_box(settings)])), boxes)
