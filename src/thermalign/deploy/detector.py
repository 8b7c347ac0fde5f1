"""A trained model of any detector: landmarks in face boxes, faces in whole images."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from thermalign.catalogue import check_detector
from thermalign.cut import Cut
from thermalign.failures import is_explained, one_line
from thermalign.geometry import LANDMARKS, Floats, Integers
from thermalign.landmarks.contract import Detections
from thermalign.landmarks.models import Detector, cut_to_look, load_model, predict_cut
from thermalign.records import Located
from thermalign.states import State, read_metadata, read_state
from thermalign.warp import ImageStack

Shapes = Mapping[str, tuple[int, ...]]

CALIBRATION: Shapes = {
    **dict.fromkeys(("gain", "floor", "constant_tail"), (len(LANDMARKS),)),
    **dict.fromkeys(("pixel", "shared", "tail", "ratio"), (1,)),
    "constant": (len(LANDMARKS), 2, 2),
}
"""Shapes of :class:`thermalign.landmarks.calibration.Calibration`."""

_ONE_LOOK = {"passes": 1, "mirrored": False}

LATER = ("constant", "constant_tail")
"""What calibrations of earlier versions lack."""


@dataclass(frozen=True)
class TrainedDetector:
    """A detector with what it learnt: see :func:`load_detector`.

    Attributes
    ----------
    path : Path of the state that it was read from
    module : its module of :mod:`thermalign.landmarks`
    settings : the module's Settings
    state : State
    modality : str
        Of the images that it was trained on; empty where its state does not say.
    """

    path: Path
    module: Detector
    settings: Any
    state: State
    modality: str = ""

    @property
    def finds_faces(self) -> bool:
        """Whether it can find faces in whole images, as its detector says of its settings."""
        wanted: dict[str, Any] = getattr(self.module, "FINDS", {})
        trained = all(getattr(self.settings, name) == its for name, its in wanted.items())
        return trained and hasattr(self.module, "detect")

    def predict(self, images: Iterable[Floats], boxes: Floats) -> Located:
        """Find the landmarks of one face in each image.

        Parameters
        ----------
        images : N arrays (height, width) float32
            In the units that it was trained in; each may go once it was looked at.
        boxes : (N, 4) float, pixels, (x, y, width, height)

        Returns
        -------
        Located
            What is known of errors is calibrated on validation faces; NaN without any in training.

        Raises
        ------
        ValueError
            If a box is not finite, or the state does not fit its settings.
        """
        return self.predict_cut(self.cut(images, boxes))

    def cut(self, images: Iterable[Floats], boxes: Floats, *, least: float = 0.0) -> Cut:
        """Cut images to what `predict_cut` looks at, and to ``least`` sides beyond each box."""
        return cut_to_look(self.module, self.state, images, boxes, self.settings, least=least)

    def predict_cut(self, cut: Cut) -> Located:
        """Predict in parts of images; points are pixels of the images."""
        with self._told():
            return predict_cut(self.module, self.state, cut, self.settings)

    def surer_than_of_inverse(self, cut: Cut, expected: Floats, rows: Integers) -> Floats:
        """Return log(e' / e) of faces ``rows`` (K,), whose errors ``expected`` are (N, L).

        With e what is expected of a face and e' what :meth:`TrainedDetector.error_of_inverse` says.
        """
        return np.asarray(np.log(self.error_of_inverse(cut, rows) / expected[rows].mean(1)))

    def error_of_inverse(self, cut: Cut, rows: Integers) -> Floats:
        """Return what errors are expected of some faces with black and white exchanged.

        In a single look, where a detector's settings have it look several times.

        Parameters
        ----------
        cut : Cut of N images
        rows : (K,) int

        Returns
        -------
        (K,) float64, interocular distances
            Mean over the landmarks; NaN where nothing is known of errors, or no face is found.
        """
        names = {field.name for field in fields(self.settings)}
        once = {name: its for name, its in _ONE_LOOK.items() if name in names}
        window = getattr(self.settings, "normalisation", "") == "window"
        of = torch.as_tensor(rows, device=cut.stack.device)
        stack = cut.stack.exchanged(sum(self.settings.window) if window else 0.0).take(of)
        looker = replace(self, settings=replace(self.settings, **once))
        found = looker.predict_cut(Cut(stack, cut.boxes[of], cut.origins[of]))
        return np.asarray(found.expected_error.mean(1))

    def find(self, stack: ImageStack) -> Detections:
        """Find faces in whole images.

        Parameters
        ----------
        stack : ImageStack of N images, of any sizes

        Returns
        -------
        Detections

        Raises
        ------
        ValueError
            If it was not trained to find faces, or the state does not fit its settings.
        """
        if not self.finds_faces:
            raise ValueError(
                f"{self.path}: places landmarks in face boxes and finds no faces; name a state "
                "that does (--finder), or give boxes"
            )
        with self._told(), torch.inference_mode():
            return self.module.detect(self.state, stack, self.settings)  # type: ignore[attr-defined]

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Let errors say whose tensors do not fit."""
        try:
            yield
        except ValueError as error:
            raise ValueError(f"{self.path}: {error}") from error
        except (RuntimeError, KeyError) as error:
            if is_explained(error):  # out of memory, say
                raise
            raise ValueError(
                f"{self.path}: its tensors are not those of its settings "
                f"({one_line(str(error))}); train it again with this version"
            ) from error


def load_detector(state: Path) -> TrainedDetector:
    """Load a trained detector.

    Parameters
    ----------
    state : Path of a ``state.safetensors`` that a study wrote

    Raises
    ------
    ValueError
        If the file is none, this version lacks its detector or one of its settings, or its tensors
        are not those of its networks.
    """
    if not state.is_file():
        raise ValueError(f"{state}: no such trained model; run a study first")
    told = read_metadata(state)
    described = told["settings"]
    if not isinstance(described, dict) or not {"detector", "model", "seed"} <= described.keys():
        raise ValueError(f"{state}: is not a trained landmark model; name a state.safetensors")
    name, detector = described.pop("model"), described.pop("detector")
    described.pop("seed")
    check_detector(f"{state} (of another version?)", detector)
    try:
        module, settings = load_model(detector, described, name)
    except ValueError as error:
        raise ValueError(f"{state}: {error}; if another version trained it, train again") from error
    kept = read_state(state)
    if strange := _strange(module, settings, kept):
        raise ValueError(
            f"{state}: its tensors are not those of its settings in this version ({strange[0]} "
            "for example); train it again"
        )
    return TrainedDetector(state, module, settings, kept, told.get("modality", ""))


def _strange(module: Detector, settings: Any, state: State) -> list[str]:
    """Return the names of tensors that a state should have and has not, or has otherwise."""
    told = {name: tuple(tensor.shape) for name, tensor in state.calibration.items()}
    due = {name: its for name, its in CALIBRATION.items() if name in told or name not in LATER}
    strange = _differing(due, told) if told else []
    if not hasattr(module, "network"):
        return strange
    with torch.device("meta"):  # no memory for weights
        network = module.network(settings)
    wanted = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    given = {name: tuple(tensor.shape) for name, tensor in state.tensors.items()}
    return _differing(wanted, given) + strange


def _differing(wanted: Shapes, given: Shapes) -> list[str]:
    return sorted(n for n in {*wanted, *given} if wanted.get(n) != given.get(n))
