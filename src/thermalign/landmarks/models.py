"""Detectors by contract: what each offers; load one by name, predict with it, count it."""

import importlib
import importlib.util
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields, replace
from functools import partial
from types import ModuleType
from typing import Any, Protocol, cast

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from thermalign.cut import Cut, cut_images
from thermalign.geometry import Floats
from thermalign.images import Pictures
from thermalign.landmarks.calibration import Calibration, calibrated
from thermalign.landmarks.contract import Detections, Faces
from thermalign.landmarks.uncertainty import examples_of, look_again, room
from thermalign.records import Located
from thermalign.settings import parse
from thermalign.states import State
from thermalign.training.loop import UNKEPT, Run
from thermalign.warp import ImageStack


class Detector(Protocol):
    """What every module or package of :mod:`thermalign.landmarks` that is a detector has.

    It may have more, which is looked for by name:

    - ``network(settings) -> nn.Module``, untrained: what parameters are counted on; a detector
      without one has none.
    - ``detect(state, stack, settings) -> Detections``: faces found in whole images, without boxes.
      Raises ValueError where the settings have trained nothing that finds faces.
    - ``FINDS``, beside it: a literal, the settings that do train it; without it all do.
    - ``grid(settings) -> dict``, as :mod:`thermalign.metrics.reach` takes it, where points lie on a
      grid: then reach and error can be told apart.
    - ``initial``, a keyword of ``fit``: a State of the same detector to start from, not from random
      weights; see :mod:`thermalign.landmarks.fine_tuning`.
    - ``portable(state, settings) -> Portable``: what other runtimes need to predict the same; see
      :mod:`thermalign.landmarks.portable`.
    - ``PAPER``: True of the paper's detectors, at whose defaults it prints parameters.
    - ``EXTRA``: the optional dependency that it imports where it is used, and the package's extra
      that installs it.
    """

    Settings: type
    """A frozen dataclass of :func:`thermalign.settings.setting`, with a default for everything."""

    def reach(self, settings: Any) -> float:
        """Return how far beyond a face box it looks, in sides of the box; infinite: everywhere."""

    def fit(
        self, train: Faces, validation: Faces, settings: Any, *, seed: int, run: Run = UNKEPT
    ) -> State:
        """Train on annotated faces.

        Parameters
        ----------
        train, validation : Faces
            Validation faces choose the state that is kept; without any the last one is kept.
        settings : its Settings
        seed : int
            The same seed gives the same state. The caller's random state stays as it was.
        run : Run
            Its progress and checkpoint, neither of which changes the state.

        Returns
        -------
        State
            Its notes have ``precision``; the last stage of its curve has a validation NMSE.

        Raises
        ------
        ValueError
            If there are no training faces, or a loss is not finite.
        """

    def predict(
        self, state: State, stack: ImageStack, boxes: Tensor, settings: Any
    ) -> tuple[Tensor, Tensor]:
        """Find the landmarks of each face in its box.

        Parameters
        ----------
        state : State
        stack : ImageStack of N images
        boxes : (N, 4) float, pixels, (x, y, width, height)
        settings : its Settings

        Returns
        -------
        points : (N, L, 2) float32, pixels, (x, y)
        covariance : (N, L, 2, 2) float32, square pixels
            How far each point may be off by the detector's own account (a map's spread, say):
            second moments around the point, raw, not calibrated. NaN where it tells nothing of its
            own; then :mod:`thermalign.landmarks.uncertainty` asks it again about the same face.

        Raises
        ------
        ValueError
            If the boxes do not fit the images, or the state does not fit the settings.
        """


def load_model(detector: str, settings: Mapping[str, Any], name: str) -> tuple[Detector, Any]:
    """Return the module of a detector and its checked settings.

    Parameters
    ----------
    detector : str
        Module or package of landmarks.
    settings : mapping
        Its block of the configuration.
    name : str
        Of the model, for messages.

    Raises
    ------
    ValueError
        If a setting is unknown or of another type, or the detector's optional dependency is not
        installed.
    """
    module = _import(detector)
    extra = getattr(module, "EXTRA", None)
    if extra and importlib.util.find_spec(extra) is None:
        raise ValueError(
            f"models: {name}: {extra} is not installed; pip install 'thermalign[{extra}]', "
            "or take the model out of the configuration"
        )
    return cast(Detector, module), parse(module.Settings, settings, f"models: {name}")


def cut_to_look(
    module: Detector,
    state: State,
    images: Pictures | Iterable[Floats],
    boxes: Floats,
    settings: Any,
    *,
    least: float = 0.0,
) -> Cut:
    """Cut images to what `predict_cut` looks at.

    Parameters
    ----------
    module : Detector
    state : State
    images : Pictures, or N arrays (height, width)
        Each may go once its part is cut.
    boxes : (N, 4) float, pixels, (x, y, width, height)
    settings : its Settings
    least : float
        How far beyond its sides a box is kept at least, in sides.

    Raises
    ------
    ValueError
        If a box is not finite.
    """
    reach = max(module.reach(settings), least)
    return cut_images(images, boxes, reach, room(boxes, reach) if state.calibration else 0.0)


def predict_cut(module: Detector, state: State, cut: Cut, settings: Any) -> Located:
    """Predict landmarks in parts of images and bring them back to the images.

    What is known of their errors is NaN if the state has no calibration; then the detector looks
    once.

    Returns
    -------
    Located
        Points in pixels of the images.
    """
    look = partial(_look, module, state, settings)
    with torch.inference_mode():
        if not state.calibration:
            points, _ = look(cut.stack, cut.boxes)
            return Located.unknown((points + cut.origins[:, None]).cpu().numpy())
        points, raw = look_again(look, cut.stack, cut.boxes)
    calibration = Calibration(**{k: v.numpy() for k, v in state.calibration.items()})
    points = points + cut.origins[:, None]
    return calibration.located(points.cpu().double().numpy(), raw.cpu().double().numpy())


def predict_pictures(
    module: Detector, state: State, pictures: Pictures, boxes: Floats, settings: Any
) -> Located:
    """Predict landmarks in images that are read and cut some at a time.

    Parameters
    ----------
    module : Detector
    state : State
    pictures : N Pictures
    boxes : (N, 4) float, pixels, (x, y, width, height)
    settings : its Settings

    Raises
    ------
    ValueError
        If a box is not finite.
    """
    return Located.joined(
        [
            predict_part(module, state, pictures[some], boxes[some], settings)
            for some in pictures.parts()
        ]
    )


def predict_part(
    module: Detector, state: State, pictures: Pictures, boxes: Floats, settings: Any
) -> Located:
    """Predict landmarks as :func:`predict_pictures` does, in images that are cut together."""
    return predict_cut(
        module, state, cut_to_look(module, state, pictures, boxes, settings), settings
    )


def detect_pictures(
    module: Detector, state: State, pictures: Pictures, settings: Any
) -> Detections:
    """Find faces in whole images that are read some at a time; the module has ``detect``."""
    parts = []
    for some in pictures.parts():
        anywhere = np.zeros((len(pictures[some]), 4))  # of whole images boxes cut nothing off
        with torch.inference_mode():
            found = cast(Any, module).detect(
                state, cut_images(pictures[some], anywhere, math.inf).stack, settings
            )
        parts.append(replace(found, index=found.index + some.start))
    names = [its.name for its in fields(Detections)]
    return Detections(*(torch.cat([getattr(part, n) for part in parts]) for n in names))


def calibrate_state(
    module: Detector, state: State, validation: Faces, settings: Any, *, people: Sequence[str]
) -> State:
    """Return a trained state with the calibration of its errors on validation faces.

    Its tensors stay as they are. Without validation faces it has no calibration. A note
    (``calibration``) says why, or on how many images and people it was calibrated: of those that
    were looked at, the ones whose face was found.

    Parameters
    ----------
    module : Detector
    state : State
    validation : Faces
        Of M images, as they are.
    settings : its Settings
    people : M names
        Who is shown.
    """
    if not len(validation):
        return _noted(state, "none: no validation")
    with torch.inference_mode():
        examples = examples_of(partial(_look, module, state, settings), validation, people).found()
    found = calibrated(examples)
    if found is None:
        return _noted(state, "none: no validation face was found")
    tensors = {name: torch.from_numpy(value) for name, value in asdict(found).items()}
    images, who = (len(set(each.tolist())) for each in (examples.images, examples.people))
    told = f"{images} image{'s' * (images != 1)} of {who} {'person' if who == 1 else 'people'}"
    return replace(_noted(state, told), calibration=tensors)


def constant_of(state: State) -> dict[str, Any]:
    """Return ``constant`` and ``constant_tail`` of a state's calibration, as lists, if it has them.

    They are what could be said of its errors without looking at a face.
    """
    names = ("constant", "constant_tail")
    return {name: its.tolist() for name, its in state.calibration.items() if name in names}


def _noted(state: State, told: str) -> State:
    return replace(state, notes={**state.notes, "calibration": told})


def _look(
    module: Detector, state: State, settings: Any, stack: ImageStack, boxes: Tensor
) -> tuple[Tensor, Tensor]:
    return module.predict(state, stack, boxes, settings)


def count_parameters(detector: str, settings: Any) -> dict[str, int]:
    """Return how many parameters a detector has: ``configured``, and what the ``paper`` prints.

    That is the count at the detector's defaults, which are the paper's settings; 0 for a detector
    that the paper does not have, or without parameters. See :func:`printed_parameters`.
    """
    module = _import(detector)
    counts = {"configured": 0, "paper": 0}
    if hasattr(module, "network"):
        with torch.device("meta"):  # no memory for weights
            counts["configured"] = printed_parameters(module.network(settings))
            if getattr(module, "PAPER", False):
                counts["paper"] = printed_parameters(module.network(module.Settings()))
    return counts


def parameter_counts(models: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Return model, detector, configured and paper of the configuration's ``models``.

    Counts as of :func:`count_parameters`; a model whose points are read from a file has none.

    Raises
    ------
    ValueError
        If a model's settings are not its detector's.
    """
    rows = []
    for name, block in models.items():
        if "from" in block:
            continue
        detector = block.get("model", name)
        module = _import(detector)
        others = {"model", "seeds", "init"} - {its.name for its in fields(module.Settings)}
        settings = {key: value for key, value in block.items() if key not in others}
        parsed = parse(module.Settings, settings, f"models: {name}")
        rows.append({"model": name, "detector": detector, **count_parameters(detector, parsed)})
    return pd.DataFrame(rows, columns=["model", "detector", "configured", "paper"])


def printed_parameters(module: nn.Module) -> int:
    """Count parameters by the one convention that reproduces every printed total.

    A convolution counts its weights and one parameter per output channel, whether that is its bias
    or the shift of the batch normalisation behind it. A dense layer counts its weights without
    bias. Slopes of PReLU, scales and running statistics are not counted.

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


def _import(detector: str) -> ModuleType:
    return importlib.import_module(f"thermalign.landmarks.{detector}")
