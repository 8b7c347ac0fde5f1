"""What the header of a picture says, before anything is decoded: kind, size, completeness.

Five kinds are known: PNG, JPEG, TIFF, BMP and PGM or PPM. Each is refused where a decoder would
silently change the counts, drop a part, turn the picture or make up what is missing.
"""

import re
import struct
import zlib
from typing import NamedTuple

CONVERT = "save it as PNG or TIFF"
OTHERS = {
    b"GIF8": "GIF",
    b"RIFF": "WebP",
    b"\0\0\0\x0cjP": "JPEG 2000",
    b"\xff\x4f\xff\x51": "JPEG 2000",
    b"\x76\x2f\x31\x01": "OpenEXR",
    b"#?RADIANCE": "Radiance",
    b"Pf": "PFM",
    b"\x93NUMPY": "NumPy",
    b"%PDF": "PDF",
    b"PK\x03\x04": "zip or Excel",
}
MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""What ends the compressed data of a JPEG scan: a marker, but not a stuffed zero or a restart."""

PNM = re.compile(rb"P([56])" + 3 * rb"(?:\s|#[^\n]*\n)+(\d{1,9})" + rb"\s")
ORIENTATION = 274


class Size(NamedTuple):
    """Columns and rows, pixels."""

    width: int
    height: int


def inspect(data: bytes) -> Size:
    """Return the size of a picture that can be decoded as it is.

    Raises
    ------
    ValueError
        Saying what is wrong and the cure; the caller names the file.
    """
    if not data:
        raise ValueError("is empty (0 bytes); replace the file or drop its row")
    try:
        for start, read in READERS.items():
            if data.startswith(start):
                return read(data)
    except (struct.error, IndexError):
        raise ValueError("has a damaged header; replace the file or drop its row") from None
    kind = next((name for start, name in OTHERS.items() if data.startswith(start)), None)
    if data[4:8] == b"ftyp":
        kind = "HEIF or AVIF"
    if kind:
        raise ValueError(f"is a {kind} file; {CONVERT}")
    raise ValueError("does not open as an image; replace the file or drop its row")


def _png(data: bytes) -> Size:
    """Walk the chunks of a PNG file (ISO/IEC 15948): each whole, its checksum right, IEND there."""
    first, width, height, depth, colour = struct.unpack(">4sIIBB", data[12:26])
    if first != b"IHDR":
        raise ValueError("is a PNG of a rare kind (its header is not first); save it anew")
    at, names = 8, set()
    while b"IEND" not in names:
        (length,) = struct.unpack_from(">I", data, at)
        name, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        if len(data) < at + 12 + length:
            raise ValueError(TRUNCATED)
        if (
            zlib.crc32(data[at + 4 : at + 8 + length])
            != struct.unpack_from(">I", data, at + 8 + length)[0]
        ):
            raise ValueError(f"is damaged (checksum of its part {name!r}); replace the file")
        if name == b"acTL":
            raise ValueError("is an animation; give one file per frame")
        if name == b"tRNS" and colour in (0, 2):
            raise ValueError("has a transparent value; save it without transparency")
        if name == b"eXIf":
            _check_orientation(body)
        names.add(name)
        at += 12 + length
        if at == len(data) and name != b"IEND":
            raise ValueError(TRUNCATED)
    if colour == 0 and depth < 8:
        raise ValueError(f"has {depth}-bit samples; {EIGHT_OR_SIXTEEN}")
    return Size(width, height)


def _jpeg(data: bytes) -> Size:
    """Walk the segments of a JPEG file (ITU-T T.81) to its end marker."""
    at, size = 2, None
    while True:
        while data[at : at + 2] == b"\xff\xff":
            at += 1
        if len(data) < at + 2:
            raise ValueError(TRUNCATED)
        if data[at] != 0xFF:
            raise ValueError("is damaged between two segments; replace the file")
        kind = data[at + 1]
        if kind == 0xD9:
            break
        (length,) = struct.unpack_from(">H", data, at + 2)
        body = data[at + 4 : at + 2 + length]
        if kind == 0xE1 and body.startswith(b"Exif\0\0"):
            _check_orientation(body[6:])
        if 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):
            size = _jpeg_frame(kind, body)
        at += 2 + length
        if kind == 0xDA:
            end = MARKER.search(data, at)
            if not end:
                raise ValueError(TRUNCATED)
            at = end.start()
    if not size:
        raise ValueError("holds no picture; replace the file or drop its row")
    return size


def _jpeg_frame(kind: int, body: bytes) -> Size:
    depth, height, width, channels = struct.unpack(">BHHB", body[:6])
    if kind not in (0xC0, 0xC1, 0xC2):
        raise ValueError(f"is a JPEG of a rare kind (lossless or arithmetic coding); {CONVERT}")
    if depth != 8:
        raise ValueError(f"has {depth}-bit samples; {EIGHT_OR_SIXTEEN}")
    if channels not in (1, 3):
        raise ValueError(f"has {channels} colour channels (CMYK, perhaps); {GREY_OR_RGB}")
    return Size(width, height)


def _tiff(data: bytes) -> Size:
    """Read the first directory of a TIFF file (revision 6.0), which must be the only one."""
    tags, further = _directory(data)
    first = {tag: values[0] for tag, values in tags.items() if values}
    if further:
        raise ValueError("has several pages; give one file per image")
    if first.get(254, 0) & 1 or 330 in tags:
        raise ValueError(f"has a preview and the picture elsewhere (a raw file); {CONVERT}")
    _refuse_turned(first.get(ORIENTATION, 1))
    depths, kind = set(tags.get(258, (1,))), first.get(339, 1)
    if not (depths in ({8}, {16}) and kind == 1) and not (depths == {32} and kind == 3):
        named = {1: "unsigned", 2: "signed", 3: "float"}.get(kind, "unknown")
        bits = "- and ".join(str(d) for d in sorted(depths))
        raise ValueError(f"samples are {named} of {bits} bits; {EIGHT_OR_SIXTEEN}, or float32")
    if first.get(262) not in (1, 2):
        raise ValueError(
            f"has photometric interpretation {first.get(262)} (white is zero, palette, CMYK or "
            f"another); {GREY_OR_RGB}"
        )
    if first.get(277, 1) not in (1, 3, 4):
        raise ValueError(f"has {first[277]} channels; {GREY_OR_RGB}")
    if first.get(277, 1) > 1 and first.get(284, 1) != 1:
        raise ValueError("keeps its colours in separate planes; store them interleaved")
    return Size(first.get(256, 0), first.get(257, 0))


def _bmp(data: bytes) -> Size:
    start, length, width, height = struct.unpack_from("<IIii", data, 10)
    bits, compression = struct.unpack_from("<HI", data, 28)
    if length < 40 or bits not in (8, 24) or compression != 0:
        raise ValueError(f"is a BMP of a rare kind ({bits} bits or compressed); {CONVERT}")
    if len(data) < start + (width * bits + 31) // 32 * 4 * abs(height):
        raise ValueError(TRUNCATED)
    return Size(width, abs(height))


def _pnm(data: bytes) -> Size:
    found = PNM.match(data)
    if not found:
        raise ValueError("has a damaged header; replace the file or drop its row")
    width, height, last = (int(v) for v in found.groups()[1:])
    if last < 255 or last > 65535:
        raise ValueError(f"has counts from 0 to {last}; {EIGHT_OR_SIXTEEN}")
    samples = width * height * (3 if found[1] == b"6" else 1)
    end = found.end() + samples * (2 if last > 255 else 1)
    if len(data) < end:
        raise ValueError(TRUNCATED)
    if PNM.match(data[end : end + 99].lstrip()):
        raise ValueError("holds several pictures; give one file per image")
    return Size(width, height)


def _directory(data: bytes) -> tuple[dict[int, tuple[int, ...]], int]:
    """Return whole-number tags of the first directory, and where the next one is (0: nowhere)."""
    order = {b"II": "<", b"MM": ">"}[data[:2]]
    version, at = struct.unpack_from(f"{order}HI", data, 2)
    if version != 42:
        raise ValueError(f"is a TIFF of a rare kind (BigTIFF, perhaps); {CONVERT}")
    (count,) = struct.unpack_from(f"{order}H", data, at)
    tags = {}
    for entry in range(at + 2, at + 2 + 12 * count, 12):
        tag, kind, number = struct.unpack_from(f"{order}HHI", data, entry)
        letter, width = {1: ("B", 1), 3: ("H", 2), 4: ("I", 4)}.get(kind, ("", 0))
        if letter and number <= 16:
            inline = width * number <= 4
            place = entry + 8 if inline else struct.unpack_from(f"{order}I", data, entry + 8)[0]
            tags[tag] = struct.unpack_from(f"{order}{number}{letter}", data, place)
        else:
            tags[tag] = ()
    return tags, struct.unpack_from(f"{order}I", data, at + 2 + 12 * count)[0]


def _check_orientation(exif: bytes) -> None:
    """Refuse a picture that cameras stored turned; Exif that cannot be read turns nothing."""
    try:
        tags, _ = _directory(exif)
    except (KeyError, ValueError, struct.error):
        return
    _refuse_turned(*tags.get(ORIENTATION, (1,))[:1])


def _refuse_turned(orientation: int = 1) -> None:
    if orientation not in (0, 1):
        raise ValueError(
            f"is stored turned or mirrored (orientation {orientation}), so that it is not sure "
            "what points refer to; save it upright without that tag (mogrify -auto-orient)"
        )


TRUNCATED = "ends in the middle of the picture; replace the file"
EIGHT_OR_SIXTEEN = "give samples of 8 or 16 bits"
GREY_OR_RGB = "save it as grey (0 is black) or RGB"
READERS = {
    b"\x89PNG\r\n\x1a\n": _png,
    b"\xff\xd8\xff": _jpeg,
    b"II*\0": _tiff,
    b"MM\0*": _tiff,
    b"II+\0": _tiff,
    b"MM\0+": _tiff,
    b"BM": _bmp,
    b"P5": _pnm,
    b"P6": _pnm,
}
