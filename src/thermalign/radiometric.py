"""Radiometric JPEG of FLIR cameras: temperatures that lie beside a coloured preview.

They are read by flyr, an optional extra (``pip install thermalign[flir]``), which is loaded by
name: nothing else needs it.
"""

import importlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

READER = "flyr"
WITHOUT = (
    "is a radiometric JPEG of FLIR, whose counts lie beside a coloured preview; install "
    "thermalign[flir], which reads its temperatures, or extract them (exiftool -b "
    "-RawThermalImage), or strip them (exiftool -all=) where the preview is meant"
)


def is_radiometric(data: bytes) -> bool:
    """Return whether a file is a JPEG with a segment of FLIR's before its picture."""
    if not data.startswith(b"\xff\xd8"):
        return False
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] not in (0xD9, 0xDA):
        if data[at + 1] == 0xFF:
            at += 1
            continue
        if data[at + 1] == 0xE1 and data[at + 4 : at + 9] == b"FLIR\0":
            return True
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return False


def temperatures(data: bytes, path: Path) -> npt.NDArray[np.float32]:
    """Return the temperatures of a radiometric JPEG, degrees Celsius, (height, width).

    They are corrected for emissivity, reflection, air and window as the camera was told.

    Raises
    ------
    ValueError
        If the extra is missing, or the file damaged.
    """
    try:
        reader: Any = importlib.import_module(READER)
    except ImportError:
        raise ValueError(f"{path}: {WITHOUT}") from None
    try:
        return np.asarray(reader.unpack(io.BytesIO(data)).celsius, np.float32)
    except Exception as error:  # whatever a foreign parser makes of a damaged file
        raise ValueError(
            f"{path}: is a radiometric JPEG of FLIR that cannot be read "
            f"({type(error).__name__}: {error}); replace the file, or strip what is not its "
            "preview (exiftool -all=) where that is meant"
        ) from error
