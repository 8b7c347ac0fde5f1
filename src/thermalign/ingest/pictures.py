"""Read a picture strictly: what a decoder would let pass in silence is refused by name."""

import hashlib
import os
import sys
import tempfile
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from thermalign.images import BIT_DEPTHS, LAST_COUNT, decode, to_luma
from thermalign.ingest.headers import Size, inspect
from thermalign.radiometric import is_radiometric

SMALLEST_SIDE = 16  # px; a face needs as many
LARGEST = 100_000_000  # px of one picture
LARGEST_FILE = 2**30  # bytes
GREY_SPREAD = {8: 3.0, 16: 771.0}
"""How far channels of a grey picture may lie apart, counts: what JPEG's rounding leaves."""

SMOOTHER = 4.0  # times; neighbours differ by so much less once bytes or signs are put right
ROWS = 64  # that say so
HALF = 0x8000  # of the range of 16-bit counts

DEAD_SPAN = 3  # counts between the percentiles below
DEAD_SHARE = 0.005  # of the pixels that may differ from the rest on either side
SAMPLED = 17  # one pixel of so many says first whether a picture lives
SMALLEST_RATIO = 1e-6  # of span to size, floats
COMPLAINTS = ("Corrupt JPEG", "Premature end", "[ERROR")


class Picture(NamedTuple):
    """A decoded picture.

    Attributes
    ----------
    counts : (height, width) uint8, uint16 or float32
        One channel, colour as luma.
    depth : int, bits
    sha256 : str
        Of the file.
    pixels : str
        Digest of the counts, whatever the file's format.
    """

    counts: npt.NDArray[Any]
    depth: int
    sha256: str
    pixels: str


def read_picture(path: Path, modality: str, *, colour: bool) -> Picture:
    """Read and check one picture.

    Parameters
    ----------
    path : Path
    modality : ``thermal`` or ``visible``
    colour : bool
        Whether a thermal picture may be in colour, and is read as luma.

    Raises
    ------
    ValueError
        Naming the file, what is wrong and the cure.
    """
    data = _bytes(path)
    try:
        size = _size(data, modality)
        with _complaints(data) as said:
            stored = decode(data, path)
    except ValueError as error:
        raise ValueError(f"{path}: {str(error).removeprefix(f'{path}: ')}") from None
    if said or (size and stored.shape[:2] != (size.height, size.width)):
        why = said[0] if said else f"{stored.shape[1]} x {stored.shape[0]} pixels decoded"
        raise ValueError(f"{path}: is damaged ({why}); replace the file or drop its row")
    depth = BIT_DEPTHS[stored.dtype]
    counts = check_picture(stored, path, modality, colour=colour)
    key = hashlib.blake2b(counts.tobytes(), digest_size=16)
    key.update(b"%d %d %d" % (*counts.shape, depth))
    return Picture(counts, depth, hashlib.sha256(data).hexdigest(), key.hexdigest())


def _size(data: bytes, modality: str) -> Size | None:
    """Return the size that a picture's header tells; None of temperatures beside a preview.

    Raises
    ------
    ValueError
        If the header is none, or the picture is no such one as its row says.
    """
    if not is_radiometric(data):
        size = inspect(data)
        _check_size(size)
        return size
    if modality != "thermal":
        raise ValueError(
            f"is a radiometric JPEG of FLIR, but its row says {modality}; write thermal, or strip "
            "the temperatures (exiftool -all=) where the preview is meant"
        )
    return None


def check_picture(
    stored: npt.NDArray[Any], path: Path, modality: str, *, colour: bool
) -> npt.NDArray[Any]:
    """Check decoded samples and return those of one channel.

    Parameters
    ----------
    stored : (height, width), or (height, width, 3 or 4) in the order BGR(A); uint8, uint16, float32
    path : Path
        What messages call the picture.
    modality, colour : as in :func:`read_picture`

    Returns
    -------
    (height, width) of the type of ``stored``

    Raises
    ------
    ValueError
        If the picture is too small or too large, has samples that are not finite, is transparent,
        thermal and in colour, dead, or its counts have exchanged bytes.
    """
    try:
        _check_size(Size(stored.shape[1], stored.shape[0]))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    depth = BIT_DEPTHS[stored.dtype]
    _check_pixels(stored, depth, path)
    _check_order(stored if stored.ndim == 2 else stored[..., 0], path)
    if modality == "thermal" and not colour:
        _check_grey(stored, depth, path)
    counts = to_luma(np.ascontiguousarray(stored[..., :3]) if stored.ndim == 3 else stored)
    _check_alive(counts, path)
    return counts


def find(folder: Path, cell: str) -> Path:
    """Return the file that a manifest's path means.

    A name is also found in the other Unicode form (an accented letter may be one character or
    two). The path is not made absolute.

    Raises
    ------
    ValueError
        If there is no such file, with the likely reason.
    """
    forms = [cell]
    if not cell.isascii():
        forms += [unicodedata.normalize(form, cell) for form in ("NFC", "NFD")]
    try:
        for form in forms:
            path = folder / form
            if path.is_file():
                return path
        path = folder / cell
        if path.is_dir():
            raise ValueError(f"{path}: is a folder; name the image file in it")
        if path.exists():
            raise ValueError(f"{path}: is no ordinary file; name an image file")
        raise ValueError(f"{path}: no such image file; {_reason(folder, cell)}")
    except OSError as error:
        raise ValueError(f"{cell}: no such image file ({error.strerror}); correct it") from None


def _reason(folder: Path, cell: str) -> str:
    if "://" in cell:
        return "download it, and give a path in the dataset's folder"
    if "\\" in cell:
        return f"write / for \\: {cell.replace(chr(92), '/')}"
    if cell.startswith("~"):
        return "write the whole path; ~ stands for nothing here"
    if (folder / cell).is_symlink():
        return "it is a link to what is not there; correct the link"
    parent = (folder / cell).parent
    if parent.is_dir():
        wanted = Path(cell).name.casefold()
        for name in sorted(file.name for file in parent.iterdir()):
            if wanted in (name.casefold(), Path(name).stem.casefold()):
                return f"there is {name!r}: write it so"
    return "correct its path in the manifest"


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb", buffering=0) as file:
            if os.fstat(file.fileno()).st_size > LARGEST_FILE:
                raise ValueError(
                    f"{path}: has more than {LARGEST_FILE} bytes; give a smaller picture"
                )
            return file.read()
    except OSError as error:
        raise ValueError(f"{path}: cannot be read ({error.strerror}); correct its rights") from None


def _check_size(size: Size) -> None:
    if size.width * size.height > LARGEST or max(size) > LARGEST // SMALLEST_SIDE:
        raise ValueError(
            f"says it has {size.width} x {size.height} pixels, more than {LARGEST}; crop or "
            "replace it"
        )
    if min(size) < SMALLEST_SIDE:
        raise ValueError(
            f"has {size.width} x {size.height} pixels, too few for a face; give at least "
            f"{SMALLEST_SIDE} x {SMALLEST_SIDE}"
        )


@contextmanager
def _complaints(data: bytes) -> Iterator[list[str]]:
    """Collect what decoders say on standard error while they go on: it is said nowhere else.

    The list holds it when the block is left. PNG is left alone: its decoder stops at an error.
    """
    said: list[str] = []
    if data.startswith(b"\x89PNG"):
        yield said
        return
    level = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
    sys.stderr.flush()
    with tempfile.TemporaryFile() as caught:
        kept = os.dup(2)
        os.dup2(caught.fileno(), 2)
        try:
            yield said
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            cv2.utils.logging.setLogLevel(level)
        if caught.seek(0, os.SEEK_END):
            caught.seek(0)
            lines = caught.read().decode(errors="replace").splitlines()
            said += [line for line in lines if line.startswith(COMPLAINTS)]


def _check_pixels(stored: npt.NDArray[Any], depth: int, path: Path) -> None:
    if depth == 32:
        lost = ~np.isfinite(stored)
        if lost.any():
            y, x = np.argwhere(lost)[0][:2]
            raise ValueError(
                f"{path}: {lost.sum()} of {lost.size} samples are NaN or infinite, the first at "
                f"({x}, {y}); fill them or drop the row"
            )
    if stored.ndim == 3 and stored.shape[2] == 4:
        full = 1.0 if depth == 32 else 2.0**depth - 1
        if (stored[..., 3] != full).any():
            raise ValueError(f"{path}: is transparent in places; save it without an alpha channel")


def _check_order(counts: npt.NDArray[Any], path: Path) -> None:
    """Refuse 16-bit counts whose bytes are exchanged, or that were signed.

    A picture's neighbours are alike. Counts of 256 times something are smoother with exchanged
    bytes as well, and right; 0 and 65535 may mark what is left out.
    """
    rows = counts[:: max(1, len(counts) // ROWS)]
    if rows.dtype != np.uint16 or np.ptp(rows & 255) == 0:
        return
    low, high = int(rows.min()), int(rows.max())
    pairs = None
    if low == 0 or high == LAST_COUNT:
        plain = (rows > 0) & (rows < LAST_COUNT)
        pairs = plain[:, 1:] & plain[:, :-1]
    limit = _roughness(rows, pairs) / SMOOTHER
    if _roughness(rows.byteswap(), pairs) < limit:
        raise ValueError(
            f"{path}: both bytes of its counts are exchanged, it seems; write it again in the "
            "order that its format wants (PNG, PGM: high byte first)"
        )
    # Counts of one half of the range are as rough when the halves are exchanged.
    if low < HALF <= high and _roughness(rows ^ np.uint16(HALF), pairs) < limit:
        raise ValueError(
            f"{path}: counts jump between 0 and 65535, as signed ones stored as unsigned do; add "
            "32768 to the signed ones, and correct the offset, before they are stored"
        )


def _roughness(rows: npt.NDArray[Any], pairs: npt.NDArray[np.bool_] | None) -> float:
    """Return the mean step between neighbours, of some pairs of them or of all."""
    wide = rows.astype(np.int32)
    steps = np.abs(wide[:, 1:] - wide[:, :-1])
    steps = steps if pairs is None else steps[pairs]
    return int(steps.sum()) / steps.size if steps.size else 0.0


def _check_grey(stored: npt.NDArray[Any], depth: int, path: Path) -> None:
    """Refuse a picture whose channels differ: a false-colour palette has no order of luma."""
    if stored.ndim == 2:
        return
    low, high = (f(stored[..., :3].astype(np.float32), axis=2) for f in (np.min, np.max))
    allowed = GREY_SPREAD.get(depth, 1e-3 * float(high.max() - low.min()))
    spread = high - low
    if spread.max() > allowed:
        y, x = np.unravel_index(int(spread.argmax()), spread.shape)
        raise ValueError(
            f"{path}: is thermal and in colour (channels differ by {spread.max():g} at ({x}, {y})),"
            " and colours of a palette are no temperatures; export it in grey or as counts, or "
            "set thermal_colour: luma (predict: --thermal-colour luma) to read luma"
        )


def _check_alive(counts: npt.NDArray[Any], path: Path) -> None:
    """Refuse a dead picture: all pixels alike, but for a few defective ones."""
    flat = counts.ravel()
    few = int(DEAD_SHARE * flat.size)
    # Fewer than `few` of a sample lie beyond the whole's percentiles: it spans no more than they.
    if not _is_dead(flat[::SAMPLED], few)[0]:
        return
    dead, low, high = _is_dead(flat, few)
    if dead:
        raise ValueError(
            f"{path}: is dead: {100 * (1 - 2 * DEAD_SHARE):g} % of its pixels lie from {low:g} "
            f"to {high:g}; replace the file or drop its row"
        )


def _is_dead(flat: npt.NDArray[Any], few: int) -> tuple[bool, float, float]:
    """Return whether pixels but ``few`` on each side span next to nothing, and what they span."""
    ordered = np.partition(flat, [few, flat.size - 1 - few])
    low, high = float(ordered[few]), float(ordered[-1 - few])
    smallest: float = DEAD_SPAN
    if flat.dtype == np.float32:
        smallest = SMALLEST_RATIO * max(abs(low), abs(high))
    return high - low <= smallest, low, high
