"""Pictures: orientation, damage, depths, pages, colour, sizes, other files."""

import io
import struct
import zlib

import cv2
import numpy as np
import tifffile
from cases import HEIGHT, WIDTH, Case, encode, row, texture
from PIL import Image

GREY = texture(1, np.uint8)
COLOUR = texture(4, np.uint8, 3)
COUNTS = texture(1)
JPEG = encode(GREY, ".jpg", (cv2.IMWRITE_JPEG_QUALITY, 95))
PNG = encode(COUNTS)
READ = {"images.width": [WIDTH, WIDTH], "images.height": [HEIGHT, HEIGHT]}


def picture(name, content, refused="", suffix=".png", *, modality="thermal", right=READ, **block):
    other = "visible" if modality == "thermal" else "thermal"  # whose depth may be another
    rows = [row(f"p{suffix}", modality=modality), row("b.png", "s2", modality=other)]
    wanted = f"row 2 ... p{suffix} ... {refused}" if refused else ""
    return Case(name, wanted, {} if refused else right, rows, {f"p{suffix}": content}, block)


def jpeg(name, content, refused="", **more):
    return picture(name, content, refused, ".jpg", **more)


def tiff(name, content, refused="", right=READ, **options):
    if not isinstance(content, bytes):
        file = io.BytesIO()
        tifffile.imwrite(file, content, **options)
        content = file.getvalue()
    return picture(name, content, refused, ".tif", right=right)


def pillow(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def turned(kind, value):
    exif = Image.Exif()
    exif[274] = value
    return pillow(Image.fromarray(GREY), kind, exif=exif.tobytes())


def png(width, height, depth, colour, pixels):
    """Return a PNG file of a header and compressed rows."""

    def chunk(name, body):
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(pixels))
    return b"\x89PNG\r\n\x1a\n" + head + body + chunk(b"IEND", b"")


def twelve_bits():
    """Return a TIFF file of 12-bit samples, two in three bytes, by hand."""
    a, b = (COUNTS[:, k::2].astype(np.uint32) // 4 for k in (0, 1))
    packed = np.stack([a >> 4, ((a & 15) << 4) | (b >> 8), b & 255], -1).astype(np.uint8).tobytes()
    tags = [
        (256, 3, WIDTH),
        (257, 3, HEIGHT),
        (258, 3, 12),
        (259, 3, 1),
        (262, 3, 1),
        (273, 4, 8 + 2 + 12 * 8 + 4),
        (278, 3, HEIGHT),
        (279, 4, len(packed)),
    ]
    directory = struct.pack("<H", len(tags))
    for tag, kind, value in tags:
        directory += struct.pack("<HHI", tag, kind, 1) + struct.pack("<I", value)
    return b"II*\0" + struct.pack("<I", 8) + directory + struct.pack("<I", 0) + packed


def damaged(content, start, stop, byte=None):
    middle = bytes([byte]) * (stop - start) if byte is not None else b""
    return content[:start] + middle + content[stop:]


def with_alpha(alpha):
    return np.dstack([COLOUR, np.full((HEIGHT, WIDTH), alpha, np.uint8)])


def spotted():
    """Return a grey picture stored as RGB with a small coloured mark."""
    marked = np.dstack([GREY] * 3)
    marked[:3, :3] = (0, 0, 255)
    return marked


IRON = cv2.applyColorMap(GREY, cv2.COLORMAP_INFERNO)
PALETTE = Image.fromarray(GREY).convert("P")
PALETTE.putpalette([v for k in range(256) for v in (k, 255 - k, 128)])

KINDS = [
    jpeg("a JPEG", JPEG),
    jpeg("a progressive JPEG", encode(GREY, ".jpg", (cv2.IMWRITE_JPEG_PROGRESSIVE, 1))),
    jpeg("a JPEG with restart marks", encode(GREY, ".jpg", (cv2.IMWRITE_JPEG_RST_INTERVAL, 4))),
    jpeg("bytes behind a JPEG's end", JPEG + bytes(100)),
    picture("a PNG named JPEG", PNG, suffix=".jpg"),
    picture("bytes behind a PNG's end", PNG + b"more"),
    picture("8 bits", GREY, right={"images.bit_depth": [8, 16]}),
    picture(
        "16 bits of a small range",
        (GREY // 2).astype(np.uint16),
        right={"images.bit_depth": [16, 16], "images.scale": [1.0, 1.0]},
    ),
    picture("visible in colour", COLOUR, modality="visible"),
    picture("a palette, visible", pillow(PALETTE, "PNG"), modality="visible"),
    picture("grey stored as RGB", np.dstack([GREY] * 3)),
    picture("16 bits of grey stored as RGB", np.dstack([COUNTS] * 3)),
    jpeg("grey stored as an RGB JPEG", encode(np.dstack([GREY] * 3), ".jpg")),
    picture("opaque alpha", with_alpha(255), modality="visible"),
    picture("BMP", encode(GREY, ".bmp"), suffix=".bmp"),
    picture("PGM", encode(GREY, ".pgm"), suffix=".pgm"),
    picture("PGM of 16 bits", encode(COUNTS, ".pgm"), suffix=".pgm"),
    tiff("TIFF", COUNTS, right={"images.bit_depth": [16, 16]}),
    tiff("TIFF, big end first", COUNTS, byteorder=">"),
    tiff("TIFF of tiles", COUNTS, tile=(16, 16)),
    tiff("TIFF of several strips", COUNTS, rowsperstrip=5),
    tiff("TIFF of floats", COUNTS.astype(np.float32) / 300, right={"images.bit_depth": [32, 16]}),
    tiff("TIFF, compressed", pillow(Image.fromarray(GREY), "TIFF", compression="tiff_lzw")),
]

TURNED = [
    *(
        jpeg(f"JPEG of orientation {k}", turned("JPEG", k), f"orientation {k} ... upright")
        for k in (2, 3, 6, 8)
    ),
    jpeg("JPEG of orientation 1", turned("JPEG", 1)),
    picture("PNG of orientation 6", turned("PNG", 6), "orientation 6 ... upright"),
    tiff(
        "TIFF of orientation 3",
        COUNTS,
        "orientation 3 ... upright",
        extratags=[(274, 3, 1, 3, True)],
    ),
]

half = len(JPEG) // 2
DAMAGED = [
    jpeg("half a JPEG", JPEG[:half], "ends in the middle ... replace"),
    jpeg("a JPEG without its last byte", JPEG[:-1], "ends in the middle ... replace"),
    jpeg("half a JPEG with an end", JPEG[:half] + b"\xff\xd9", "is damaged ... replace"),
    jpeg("zeros in a JPEG", damaged(JPEG, half, half + 300, 0), "is damaged ... replace"),
    jpeg("a part of a JPEG lost", damaged(JPEG, half, half + 200), "is damaged ... replace"),
    jpeg("a JPEG's head", JPEG[:30], "p.jpg ... replace"),
    picture("half a PNG", PNG[: len(PNG) // 2], "ends in the middle ... replace"),
    picture("a PNG without its end", PNG[:-12], "ends in the middle ... replace"),
    picture("a changed byte in a PNG", damaged(PNG, 300, 301, 77), "checksum ... replace"),
    picture("a PNG with too few rows", png(WIDTH, HEIGHT, 8, 0, bytes(500)), "does not open"),
    picture("a PNG's head", PNG[:20], "damaged header"),
    picture("half a BMP", encode(GREY, ".bmp")[:900], "ends in the middle", ".bmp"),
    picture("half a PGM", encode(GREY, ".pgm")[:900], "ends in the middle", ".pgm"),
    picture(
        "half a TIFF", pillow(Image.fromarray(GREY), "TIFF")[:900], "p.tif ... replace", ".tif"
    ),
    tiff(
        "a damaged TIFF",
        damaged(pillow(Image.fromarray(GREY), "TIFF", compression="tiff_lzw"), 600, 640, 255),
        "is damaged ... replace",
    ),
    picture("zero bytes", b"", "is empty (0 bytes) ... drop its row"),
    picture("text", b"not a picture at all", "does not open as an image ... drop its row"),
    picture("the manifest itself", b"path,subject_id\n", "does not open as an image"),
]

DEPTHS = [
    tiff("TIFF of 12 bits", twelve_bits(), "12 bits ... 8 or 16"),
    tiff("TIFF of signed samples", COUNTS.astype(np.int16), "signed of 16 bits"),
    tiff("TIFF of 32-bit counts", COUNTS.astype(np.uint32), "unsigned of 32 bits"),
    tiff("TIFF of doubles", COUNTS.astype(np.float64), "float of 64 bits"),
    tiff("TIFF of half floats", COUNTS.astype(np.float16), "float of 16 bits"),
    tiff(
        "TIFF in which white is zero",
        COUNTS,
        "white is zero ... 0 is black",
        photometric="miniswhite",
    ),
    tiff("TIFF with a palette", pillow(PALETTE, "TIFF"), "palette ... grey"),
    tiff(
        "TIFF of planes",
        np.moveaxis(COLOUR, 2, 0),
        "planes ... interleaved",
        photometric="rgb",
        planarconfig="separate",
    ),
    tiff("BigTIFF", COUNTS, "BigTIFF", bigtiff=True),
    picture(
        "PNG of 4 bits",
        png(WIDTH, HEIGHT, 4, 0, (b"\0" + bytes(range(20))) * HEIGHT),
        "4-bit samples ... 8 or 16",
    ),
    picture(
        "PNG of 1 bit", pillow(Image.fromarray(GREY > 100), "PNG"), "1-bit samples ... 8 or 16"
    ),
    picture("PGM of 12 bits in 8", b"P5\n40 48\n100\n" + (GREY // 3).tobytes(), "0 to 100", ".pgm"),
    jpeg(
        "JPEG of 12 bits", JPEG.replace(b"\xff\xc0\0\x0b\x08", b"\xff\xc0\0\x0b\x0c", 1), "12-bit"
    ),
    jpeg(
        "CMYK", pillow(Image.fromarray(GREY).convert("CMYK"), "JPEG"), "4 colour channels ... RGB"
    ),
]

PARTS = [
    tiff(
        "TIFF of two pages",
        np.stack([COUNTS, COUNTS + 1]),
        "several pages ... one file per image",
        photometric="minisblack",
    ),
    picture(
        "an animated PNG",
        pillow(
            Image.fromarray(GREY), "PNG", save_all=True, append_images=[Image.fromarray(255 - GREY)]
        ),
        "animation ... one file per frame",
    ),
    picture("transparent", with_alpha(128), "transparent ... alpha", modality="visible"),
    picture("transparent in places", np.dstack([COLOUR, GREY]), "transparent", modality="visible"),
    tiff(
        "TIFF of grey and alpha",
        np.dstack([COUNTS, COUNTS]),
        "2 channels ... RGB",
        photometric="minisblack",
        extrasamples=["unassalpha"],
    ),
    picture(
        "grey with a transparent value",
        pillow(Image.fromarray(GREY), "PNG", transparency=int(GREY[5, 5])),
        "transparent",
    ),
    picture(
        "grey with opaque alpha",
        pillow(Image.fromarray(np.dstack([GREY, np.full_like(GREY, 255)])), "PNG"),
    ),
    picture(
        "grey with alpha",
        pillow(Image.fromarray(np.dstack([GREY, GREY])), "PNG"),
        "transparent",
    ),
    picture("GIF", pillow(Image.fromarray(GREY), "GIF"), "is a GIF file ... PNG", ".gif"),
    picture("WebP", pillow(Image.fromarray(GREY), "WEBP"), "is a WebP file ... PNG", ".webp"),
    picture("a NumPy array", b"\x93NUMPY" + bytes(99), "is a NumPy file ... PNG", ".npy"),
    picture("a PDF", b"%PDF-1.7", "is a PDF file", ".pdf"),
    picture("HEIF", bytes(4) + b"ftypheic" + bytes(40), "HEIF", ".heic"),
]

COLOURS = [
    picture("thermal in false colours", IRON, "in colour ... thermal_colour: luma"),
    jpeg("thermal in false colours, JPEG", encode(IRON, ".jpg"), "in colour ... luma"),
    picture("thermal with a palette", pillow(PALETTE, "PNG"), "in colour ... luma"),
    picture("thermal with a coloured mark", spotted(), "in colour ... (0, 0)"),
    picture("thermal in 16-bit colours", texture(1, np.uint16, 3), "in colour"),
    picture("thermal in colour, asked for", IRON, thermal_colour="luma"),
    Case(
        "thermal in colour, asked for wrongly",
        "thermal_colour is 'yes' ... refuse, luma",
        block={"thermal_colour": "yes"},
    ),
]

SIZES = [
    picture("a picture bomb", png(100_000, 100_000, 8, 0, bytes(99)), "100000 x 100000 ... crop"),
    picture("a wide bomb", png(50_000_000, 1, 8, 0, bytes(99)), "50000000 x 1 pixels"),
    picture(
        "a TIFF bomb",
        twelve_bits()
        .replace(
            struct.pack("<HHII", 256, 3, 1, WIDTH), struct.pack("<HHII", 256, 4, 1, 4_000_000_000)
        )
        .replace(struct.pack("<HHII", 258, 3, 1, 12), struct.pack("<HHII", 258, 3, 1, 16)),
        "4000000000 x 48",
        ".tif",
    ),
    picture("one pixel", np.full((1, 1), 7, np.uint8), "1 x 1 pixels, too few"),
    picture("a thumbnail", texture(1)[:12, :12], "12 x 12 pixels, too few"),
    picture("no pixels", png(0, 0, 8, 0, b""), "0 x 0 pixels"),
    Case(
        "two depths in one modality",
        "row 3 (image v) ... has 8 bits ... thermal image a has 16 ... scale",
        manifest=[row(), row("v.png", "s2")],
    ),
    Case(
        "a picture smaller than its points",
        "image p ... outside the image of 40 x 24",
        manifest=[row("p.png"), row("b.png", "s2")],
        files={"p.png": texture(1)[:24]},
    ),
]

CASES = KINDS + TURNED + DAMAGED + DEPTHS + PARTS + COLOURS + SIZES
