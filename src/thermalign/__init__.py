"""Landmark detectors on thermal faces, and what their error costs face verification.

>>> import thermalign
>>> detector = thermalign.load()
>>> faces = detector(image)

See :mod:`thermalign.deploy`.
"""

from importlib import import_module
from typing import Any

__all__ = ["Face", "FaceDetector", "load"]


def __getattr__(name: str) -> Any:
    """Load the detectors when they are first asked for: most of a study needs no PyTorch."""
    if name in __all__:
        return getattr(import_module("thermalign.deploy"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
