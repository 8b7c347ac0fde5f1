"""What whole manifests show and single rows do not; names, temperatures and orders of bytes."""

import io
import struct

import cv2
import numpy as np
import tifffile
from cases import POINTS, Case, bare, both, encode, pair, row, texture, write_rows

KELVIN = {"scale": 0.04, "offset": -273.15}  # of counts from 7000 to 9000: 7 to 87 degrees
NAMES = list(POINTS)
FACE = np.array([[-0.5, 0], [0.5, 0], [0, 0.55], [-0.36, 1.05], [0.36, 1.05]])
EYES = [(160 + 7 * (k % 5 - 2), 100 + 5 * (k % 3 - 1), 48 + k % 4) for k in range(12)]
PLAIN = write_rows(pair())


def people(first, second, column="subject_id"):
    return [row(**{column: first}), row("b.png", "s2", **{column: second})]


def spelt(first, second, refused="differ only ... one way", column="subject_id"):
    name = f"{column} {first!r} and {second!r}"
    return Case(
        name, f"row 3: {column} ... {refused}" if refused else "", {}, people(first, second, column)
    )


def nothing(cell):
    return Case(
        f"person {cell!r}", f"row 2: subject_id is {cell!r} ... give a name", {}, people(cell, "s2")
    )


def rounded(column):
    cells = {column: "1.23457E+15"}
    return Case(
        f"{column} rounded", f"row 2: {column} is ... long numbers ... text", {}, both(**cells)
    )


def floats(name, values, refused=""):
    file = io.BytesIO()
    tifffile.imwrite(file, values.astype(np.float32))
    rows = [row("f.tif", modality="thermal"), row("b.png", "s2", modality="visible")]
    return Case(name, refused, {}, rows, {"f.tif": file.getvalue()})


def counts(name, values, refused="", right=None, **scales):
    manifest = [row("p.png", **scales), row("b.png", "s2", **scales)]
    return Case(name, refused, right or {}, manifest, {"p.png": values})


def picture(name, content, suffix, refused=""):
    rows = [row(f"p{suffix}", modality="thermal"), row("b.png", "s2", modality="visible")]
    return Case(name, refused, {}, rows, {f"p{suffix}": content})


def set_of(name, change, refused="", right=None, number=12):
    """Return a manifest of pictures of 320 x 240 with a face in the middle of each."""
    rows, files = [], {}
    for k in range(number):
        files[f"m{k}.png"] = cv2.resize(texture(k, np.uint8), (320, 240), interpolation=0)
        rows.append({"path": f"m{k}.png", "subject_id": f"p{k % 4}", **change(k)})
    return Case(name, refused, right or {}, rows, files)


def face(k, turn=0.0, shrink=1.0, narrow=1.0):
    x, y, unit = EYES[k]
    c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    places = (FACE * [narrow, 1] * unit @ [[c, s], [-s, c]] + [x, y]) / shrink
    return dict(zip(NAMES, places.round(2).ravel().tolist(), strict=True))


def box(k, *, edges=False, centre=False, shrink=1.0):
    x, y, unit = EYES[k]
    left, top, width, height = x - 1.15 * unit, y - 0.8 * unit, 2.3 * unit, 2.87 * unit
    numbers = [left, top, left + width, top + height] if edges else [left, top, width, height]
    if centre:
        numbers[:2] = [left + width / 2, top + height / 2]
    places = ("box_x", "box_y", "box_width", "box_height")
    return {n: round(v / shrink, 1) for n, v in zip(places, numbers, strict=True)}


PEOPLE = [
    *(
        nothing(c)
        for c in ("unknown", "n.a.", "NaT", "#NUM!", "#####", "—", "_", "(blank)", "-nan")
    ),
    *(rounded(c) for c in ("subject_id", "pair_id", "moment", "image_id", "session")),
    *(
        Case(
            f"a garbled name {n!r}",
            "subject_id is ... letters were lost ... UTF-8",
            {},
            people("s1", n),
        )
        for n in ("M\ufffdller", "M?ller", "M\u00c3\u00bcller")
    ),
    Case("names of many scripts", manifest=people("Zoë Müller-Ødegård", "李雷")),
    Case(
        "a link to nothing",
        "z.png: no such image file; it is a link to what is not there",
        manifest=[row("z.png")],
        files={"z.png": lambda place: place.symlink_to("gone.png")},
    ),
    spelt("s.01", "s01"),
    spelt("1", "1,0"),
    spelt("1-1", "1_1"),
    spelt("'s1", "s1"),
    spelt("s\u0441", "sc"),  # the first ends in a Cyrillic letter
    spelt("٣", "3"),
    spelt("1_1", "11", ""),
    spelt("1.1", "1.10", ""),
    spelt("Анна", "Борис", ""),
    spelt("-30", "30", "", "condition"),
    spelt("yaw-30", "yaw30", "", "condition"),
    spelt("+", "x", "", "condition"),
    spelt("Smile", "smile", column="condition"),
    Case(
        "files whose names differ by a mark",
        right={"images.image_id": ["f-1", "f1"]},
        manifest=[row("f-1.png"), row("f1.png", "s2")],
        files={"f-1.png": texture(7), "f1.png": texture(8)},
    ),
    *(
        Case(
            f"a pair over two of {name}",
            f"row 3 (image v): pair_id p has two of {name}",
            manifest=[
                row(modality="thermal", pair_id="p", **{name: 1}),
                row("v.png", modality="visible", pair_id="p", **{name: 2}),
            ],
        )
        for name in ("range", "condition")
    ),
]

TABLES = [
    Case("the index of R", manifest=f",{PLAIN}".replace("\na", "\n1,a").replace("\nb", "\n2,b")),
    Case(
        "the index of a part", manifest=f",{PLAIN}".replace("\na", "\n3,a").replace("\nb", "\n17,b")
    ),
    Case(
        "an index that falls",
        "column 1 has no name",
        manifest=f",{PLAIN}".replace("\na", "\n2,a").replace("\nb", "\n1,b"),
    ),
    Case(
        "the modality in a column of another name",
        "column 'sensor' says visible, but every row is thermal ... columns: {modality: sensor}",
        manifest=both(sensor="visible"),
    ),
    Case("the same modality in another column", manifest=both(sensor="LWIR")),
    *(
        Case(f"column {n!r}", f"column {n!r} is nearly {ours!r}", manifest=both(**{n: 2}))
        for n, ours in [
            ("range (m)", "range"),
            ("range_m", "range"),
            ("range_x", "range"),  # of two tables that were joined
            ("#session", "session"),
            ("scale [K]", "scale"),
            ("pair", "pair_id"),
            ("box_x (px)", "box_x"),
        ]
    ),
    Case(
        "a second column of a name", "a second 'subject_id'", manifest=both(**{"subject_id.1": 2})
    ),
    Case("columns of another kind that end in x", manifest=both(gaze_x=2, size_x=3, x=4)),
    Case("another column of other words", manifest=both(sensor="FLIR T540")),
]

SHARE = texture(1) / 9000
BACKGROUND = np.where(np.indices((48, 40))[0] < 4, 0, 1)
TEMPERATURES = [
    floats("floats from 0 to 1", SHARE, "row 2 (image f): the face has 0.8 ... degrees Celsius"),
    floats("floats from -1 to 1", 4 * SHARE - 3.5, "row 2 (image f): the face ... correct scale"),
    floats("floats in Fahrenheit", 64 + 36 * SHARE, "row 2 (image f): the face has 9"),
    floats("a cold room", np.where(BACKGROUND, 30 + SHARE, -40)),
    floats("a fire behind a face", np.where(BACKGROUND, 30 + SHARE, 700)),
    counts("Fahrenheit", texture(1), "the face has", scale=0.018, offset=-64),
    counts("degrees", texture(1), right={"images.scale": [0.04, 0.04]}, **KELVIN),
    counts(
        "zero for a missing pixel",
        (texture(1) * BACKGROUND).astype(np.uint16),
        "minimum -273.1 ... fill missing pixels",
        **KELVIN,
    ),
    counts(
        "65535 for a missing pixel",
        np.where(BACKGROUND, texture(1), 65535).astype(np.uint16),
        "maximum 2348.2 ... fill missing pixels",
        **KELVIN,
    ),
    Case(
        "shares without a face",
        "the hottest pixel has 0.1",
        manifest=[bare(scale=1 / 65535)],
        block={"box": {"source": "fixed", "fixed": [4, 4, 30, 30]}},
    ),
]

JPEG = encode(texture(3, np.uint8), ".jpg")
PGM = b"P5\n40 48\n65535\n"
SIGNED = (texture(1).astype(np.int32) - 8000).astype(np.int16).view(np.uint16)
EIGHT = texture(3, np.uint8).astype(np.uint16)
ORDERS = [
    counts("exchanged bytes", texture(1).byteswap(), "p.png: both bytes ... high byte first"),
    counts("signed counts", SIGNED, "p.png: counts jump ... add 32768"),
    counts("counts of 256 times something", EIGHT * 256),
    counts("counts of 257 times something", EIGHT * 257),
    counts("65535 around a face", np.where(BACKGROUND, texture(1), 65535).astype(np.uint16)),
    counts("14 bits in the upper ones", texture(1) * 4),
    picture("PGM, low byte first", PGM + texture(1).astype("<u2").tobytes(), ".pgm", "both bytes"),
    picture("two pictures in a PGM", 2 * encode(EIGHT.astype(np.uint8), ".pgm"), ".pgm", "several"),
    picture(
        "a radiometric JPEG",
        JPEG[:2] + b"\xff\xe1" + struct.pack(">H", 22) + b"FLIR\0\1" + bytes(14) + JPEG[2:],
        ".jpg",
        "p.jpg: is a radiometric JPEG ... exiftool",
    ),
]

QUARTER = "12 faces lie in the upper left quarter ... pixels of these images"
SETS = [
    set_of("faces in the middle", face, right={"images.width": [320] * 12}),
    set_of("faces turned by 30 degrees", lambda k: face(k, turn=30)),
    set_of("faces from aside", lambda k: face(k, narrow=0.5)),
    set_of("points of half the size", lambda k: face(k, shrink=2), QUARTER),
    set_of("points in percent", lambda k: face(k, shrink=3.2), QUARTER),
    set_of("few faces in a quarter", lambda k: face(k, shrink=2), number=5),
    set_of("boxes", lambda k: {**face(k), **box(k)}),
    set_of(
        "boxes by their edges",
        lambda k: {**face(k), **box(k, edges=True)},
        "thermal images: box_width and box_height ... edges ... subtract",
    ),
    set_of("edges, no points", lambda k: box(k, edges=True), "of 12 face boxes end ... no edges"),
    set_of("centres, no points", lambda k: box(k, centre=True), "of 12 face boxes end"),
    set_of("boxes of half the size", lambda k: box(k, shrink=2), QUARTER),
    set_of(
        "one place for everybody",
        lambda k: {**face(0), "subject_id": f"p{k}"},
        "12 people have every landmark in the same place ... mark each",
    ),
    Case(
        "a box of a line",
        "4.44 times as long as wide",
        manifest=[bare(box_x=2, box_y=2, box_width=9, box_height=40)],
    ),
    Case(
        "a box of zeros",
        "is empty ... leave all four empty where no face was found",
        manifest=[bare(box_x=0, box_y=0, box_width=0, box_height=0)],
    ),
]

CASES = PEOPLE + TABLES + TEMPERATURES + ORDERS + SETS
