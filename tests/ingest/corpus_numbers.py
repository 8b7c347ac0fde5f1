"""Numbers: not finite, absurd, fractions, boxes, dead pictures, whole numbers."""

import numpy as np
from cases import POINTS, Case, bare, both, encode, pair, row, texture

FRACTIONS = {k: v / (40 if k.endswith("x") else 48) for k, v in POINTS.items()}
BOX = {"box_x": 8, "box_y": 8, "box_width": 24, "box_height": 30}
KELVIN = {"scale": 0.04, "offset": -273.15}  # of counts from 7000 to 9000: 7 to 87 degrees
FIXED = {"source": "fixed", "fixed": [8, 8, 24, 30]}


def points(**changes):
    return pair(**changes)


def box(**changes):
    return pair(**{**BOX, **changes})


def floats(value=None, at=(3, 4), scale=1.0, shift=0.0):
    """Return a float32 TIFF of 20 to 38 degrees with one other sample."""
    picture = (texture(1).astype(np.float32) / 250 + 2) * scale + shift
    if value is not None:
        picture[at[1], at[0]] = value
    return encode(picture.astype(np.float32), ".tif")


def float_case(name, refused="", **picture):
    rows = [row("f.tif", modality="thermal"), row("b.png", "s2", modality="visible")]
    return Case(name, refused, manifest=rows, files={"f.tif": floats(**picture)})


def dead(name, picture, path="d.png", **changes):
    rows = [row(path, **changes), row("b.png", "s2")]
    return Case(
        name, f"row 2 ... {path} ... is dead ... drop its row", manifest=rows, files={path: picture}
    )


def with_pixels(base, values, where):
    picture = np.full((48, 40), base, np.uint16)
    picture[where] = values
    return picture


def fixed(name, refused="", **changes):
    return Case(
        name,
        refused,
        block={"box": {**FIXED, **changes}},
        right={} if refused else {"boxes.x": [8, 8], "boxes.height": [30, 30]},
    )


PIXELS = [
    float_case("one NaN pixel", "f.tif ... NaN or infinite ... (3, 4) ... fill", value=np.nan),
    float_case("one infinite pixel", "f.tif ... NaN or infinite ... fill", value=np.inf),
    float_case("minus infinity", "f.tif ... NaN or infinite ... fill", value=-np.inf),
    float_case("a huge float", "f.tif ... 1e+30 ... mark no missing pixel", value=1e30),
    float_case("-9999 for a missing pixel", "f.tif ... minimum -9999 ... fill", value=-9999),
    float_case("floats in kelvin", "f.tif ... median ... -273.15 from kelvins", shift=273.15),
    float_case("floats in degrees"),
    Case(
        "NaN in a visible image",
        "row 3 ... v.tif ... NaN or infinite",
        manifest=[row(modality="thermal"), row("v.tif", modality="visible")],
        files={"v.tif": floats(np.nan)},
    ),
    dead("constant 16 bits", np.full((48, 40), 8000, np.uint16)),
    dead("constant 8 bits", np.full((48, 40), 127, np.uint8)),
    dead("all black", np.zeros((48, 40), np.uint16)),
    dead("saturated", np.full((48, 40), 65535, np.uint16)),
    dead("constant but for three hot pixels", with_pixels(8000, [9000, 9100, 0], ([1, 2, 3], 5))),
    dead("nearly constant", 8000 + (texture(1) % 3)),
    dead("constant floats", encode(np.full((48, 40), 30.5, np.float32), ".tif"), "d.tif"),
    dead("constant in colour", np.full((48, 40, 3), 99, np.uint8)),
    dead(
        "constant without landmarks",
        np.full((48, 40), 8000, np.uint16),
        **dict.fromkeys(POINTS, ""),
    ),
    Case(
        "a blank patch where the landmarks are",
        "image h ... every pixel ... landmarks",
        manifest=[row("h.png"), row("b.png", "s2")],
        files={"h.png": np.where(np.indices((48, 40))[0] < 40, np.uint16(8000), texture(1))},
    ),
    Case(
        "a picture whose lower half is lost",
        "image h ... every pixel ... lower half of the landmarks",
        manifest=[row("h.png"), row("b.png", "s2")],
        files={"h.png": np.where(np.indices((48, 40))[0] > 22, np.uint16(8000), texture(1))},
    ),
    Case(
        "a blank patch where the box is",
        "image h ... every pixel ... face box",
        manifest=[bare("h.png", **BOX), bare("b.png", "s2", **BOX)],
        files={"h.png": np.where(np.indices((48, 40))[0] < 40, np.uint16(8000), texture(1))},
    ),
]

SCALES = [
    Case(
        "scale and offset",
        manifest=both(**KELVIN),
        right={"images.scale": [0.04] * 2, "images.offset": [-273.15] * 2},
    ),
    *(
        Case(
            f"scale {cell}",
            f"row 2 ... scale ... {cell} ... {cure}",
            manifest=both(scale=cell, offset=-273.15),
        )
        for cell, cure in [
            ("nan", "finite"),
            ("NaN", "finite"),
            ("inf", "finite"),
            ("-Infinity", "finite"),
            ("1e999", "finite"),
            ("0,04", "point"),
            ("1.000,04", "point"),
            ("0x1A", "plain number"),
            ("1_0", "plain number"),
            ("٣", "plain number"),
            ("0.04 K", "plain number"),
            ("1/25", "plain number"),
            ("N/A", "finite"),
            ("4 e-2", "plain number"),
        ]
    ),
    Case("scale zero", "row 2 ... scale is 0 ... leave it empty", manifest=both(scale=0)),
    Case("scale negative", "scale is -0.04 ... invert", manifest=both(scale=-0.04, offset=400)),
    Case("scale huge", "row 2 ... scale is 1e+30", manifest=both(scale=1e30)),
    Case("scale tiny", "row 2 ... scale is 1e-30", manifest=both(scale=1e-30)),
    Case("offset huge", "offset is 1e+30", manifest=both(scale=1, offset=1e30)),
    Case(
        "offset NaN", "row 2 ... offset is 'nan' ... finite", manifest=both(scale=1, offset="nan")
    ),
    Case(
        "offset swallows differences",
        "swallows",
        manifest=[bare("v.png", scale=1e-5, offset=9e5, modality="visible", **BOX)],
    ),
    Case("kelvins without offset", "a.png ... median 3 ... -273.15", manifest=both(scale=0.04)),
    Case(
        "offset with the wrong sign",
        "a.png ... median ... -273.15",
        manifest=both(scale=0.04, offset=273.15),
    ),
    Case(
        "offset tenfold", "a.png ... median ... correct", manifest=both(scale=0.04, offset=-2731.5)
    ),
    Case(
        "scale in one of two rows",
        "row 3 ... scale is empty ... all of them",
        manifest=pair(scale=0.04, offset=-273.15),
    ),
    Case(
        "offset in one of two rows",
        "row 3 ... offset is empty ... all of them",
        manifest=[row(scale=0.04, offset=-273.15), row("b.png", "s2", scale=0.0001, offset="")],
    ),
    Case(
        "scale as a default",
        block={"defaults": {"modality": "thermal", **KELVIN}},
        right={"images.scale": [0.04, 0.04]},
    ),
    Case(
        "default scale NaN",
        "scale is 'nan'",
        block={"defaults": {"modality": "thermal", "scale": float("nan")}},
    ),
]

LANDMARKS = [
    *(
        Case(
            f"a point is {cell!r}",
            f"row 2 ... left_eye_x ... {cell} ... {cure}",
            manifest=points(left_eye_x=cell),
        )
        for cell, cure in [
            ("nan", "finite"),
            ("inf", "finite"),
            ("12,5", "point"),
            ("1e400", "finite"),
            ("27px", "plain"),
            ("(27", "plain"),
            ("２７", "plain"),
            ("NA", "finite"),
        ]
    ),
    Case(
        "fractions",
        "row 2 (image a) ... shares of the image ... pixels of 40 x 48",
        manifest=pair(**FRACTIONS),
    ),
    Case(
        "fractions in every row",
        "row 2 (image a) ... shares of the image",
        manifest=both(**FRACTIONS),
    ),
    Case("all zero", "shares of the image", manifest=pair(**dict.fromkeys(POINTS, 0))),
    Case(
        "one unmarked point",
        "nose_base is (0, 0) ... leave all landmarks empty",
        manifest=pair(nose_base_x=0, nose_base_y=0),
    ),
    Case("half an eye not marked", "beside the eyes", manifest=pair(right_eye_y=0)),
    Case("an eye not marked", "right_eye is (0, 0)", manifest=pair(right_eye_x=0, right_eye_y=0)),
    Case(
        "-1 for what is not marked",
        "nose_base at (-1, -1) lies outside",
        manifest=pair(nose_base_x=-1, nose_base_y=-1),
    ),
    Case(
        "points of a larger picture",
        "lies outside the image of 40 x 48",
        manifest=pair(**{k: 10 * v for k, v in POINTS.items()}),
    ),
    Case("eyes that coincide", "right_eye and left_eye coincide", manifest=points(left_eye_x=12)),
    Case("eyes 2 px apart", "2 px apart ... at least 4", manifest=points(left_eye_x=14)),
    Case(
        "everything in one spot",
        "apart",
        manifest=pair(**{k: 20 + v / 40 for k, v in POINTS.items()}),
    ),
    Case(
        "x and y exchanged",
        "swapped",
        manifest=pair(**{k[:-1] + ("y" if k[-1] == "x" else "x"): v for k, v in POINTS.items()}),
    ),
    Case(
        "y from below",
        "swapped",
        manifest=pair(**{k: 47 - v if k[-1] == "y" else v for k, v in POINTS.items()}),
    ),
    Case(
        "sides exchanged",
        "eyes are swapped ... the subject's",
        manifest=pair(right_eye_x=27, left_eye_x=12),
    ),
    Case("nose above the eyes", "nose_base does not lie between", manifest=pair(nose_base_y=5)),
    Case(
        "mouth on the eyes",
        "mouth lies",
        manifest=pair(right_mouth_corner_y=18, left_mouth_corner_y=18, nose_base_y=17),
    ),
    Case(
        "mouth corners in one point",
        "mouth is 0",
        manifest=pair(right_mouth_corner_x=19.9, left_mouth_corner_x=20),
    ),
    Case("half a pixel is kept", right={"annotations.x": [12, 27, 19.5, 14, 25] * 2}),
    Case(
        "points with an exponent",
        manifest=points(left_eye_x="2.7e1"),
        right={"annotations.x": [12, 27, 19.5, 14, 25] * 2},
    ),
]

BOXES = [
    Case("a given box", manifest=both(**BOX), right={"boxes.x": [8, 8], "boxes.width": [24, 24]}),
    Case("box NaN", "box_x is 'nan' ... finite", manifest=box(box_x="nan")),
    Case("box infinite", "box_width is 'inf' ... finite", manifest=box(box_width="inf")),
    Case(
        "box in shares",
        "row 2 ... shares of the image ... pixels of 40 x 48",
        manifest=box(box_x=0.2, box_y=0.2, box_width=0.6, box_height=0.6),
    ),
    Case("box of no width", "is empty or outside", manifest=box(box_width=0)),
    Case("box of negative width", "is empty or outside", manifest=box(box_width=-24)),
    Case("box beside the image", "outside the image", manifest=box(box_x=300)),
    Case("box in the corner of nowhere", "outside the image", manifest=box(box_x=-23, box_y=-29)),
    Case(
        "box much larger",
        "much larger than the image",
        manifest=box(box_x=-1000, box_y=-1000, box_width=2040, box_height=2048),
    ),
    Case(
        "box elsewhere than the points",
        "does not hold the landmarks",
        manifest=box(box_x=25, box_y=30, box_width=14, box_height=14),
    ),
    Case(
        "box by its centre",
        "in its middle ... not its centre",
        manifest=box(box_x=20, box_y=23, box_width=24, box_height=30),
    ),
    Case("half a box", "gives ['box_x'] only ... all of", manifest=pair(box_x=3)),
    fixed("a fixed box"),
    fixed("fixed with NaN", "fixed ... nan ... finite", fixed=[8, 8, float("nan"), 30]),
    fixed("fixed infinite", "fixed ... inf ... finite", fixed=[8, 8, 24, float("inf")]),
    fixed("fixed negative", "fixed ... width and height", fixed=[8, 8, -24, 30]),
    fixed("fixed in shares", "fixed ... no shares", fixed=[0.2, 0.2, 0.6, 0.6]),
    fixed("fixed too wide", "fixed [8, 8, 240, 30] does not lie in image a", fixed=[8, 8, 240, 30]),
    fixed("fixed left of it", "does not lie in image a", fixed=[-8, 8, 24, 30]),
    fixed("fixed of three numbers", "fixed is [8, 8, 24] ... list of 4", fixed=[8, 8, 24]),
    fixed("fixed elsewhere", "does not hold the landmarks of image a", fixed=[26, 34, 12, 12]),
    fixed("fixed not given", "needs fixed", fixed=None),
    Case(
        "box width NaN",
        "box: width is nan",
        block={"box": {"source": "derived", "width": float("nan")}},
    ),
    Case("no box and no points", "faces.csv ... image a has neither ... fixed", manifest=[bare()]),
]

WHOLE = [
    *(
        Case(f"volume {cell!r}", manifest=both(volume=cell), right={"images.volume": [value] * 2})
        for cell, value in [("2", 2), ("1.0", 1), ("2.", 2), ("02", 2), ("+2", 2), (" 2 ", 2)]
    ),
    *(
        Case(
            f"{name} {cell!r}",
            f"row 2 ... {name} is '{cell.strip()}'",
            manifest=both(**{name: cell}),
        )
        for name in ("volume", "range")
        for cell in ("0", "-1", "1.5", "1e9", "nan", "R1")
    ),
    *(
        Case(f"volume {cell!r}", f"row 2 ... volume is '{cell}'", manifest=both(volume=cell))
        for cell in ("1_0", "1,000", "٢", "99999999999", "0x2", "one", "1;2", "²")
    ),
    Case(
        "range empty in one row",
        "row 2 ... range is empty ... fill",
        manifest=[row(range=""), row("b.png", "s2", range=2)],
    ),
    Case("range empty in every row", manifest=both(range=""), right={"images.range": [1, 1]}),
]

CASES = PIXELS + SCALES + LANDMARKS + BOXES + WHOLE
