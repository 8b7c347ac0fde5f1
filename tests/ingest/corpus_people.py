"""People, pairs, moments and attributes: what must hold across rows."""

import numpy as np
from cases import Case, bare, both, encode, pair, row, texture, write_rows

VISIBLE = {"modality": "visible"}
THERMAL = {"modality": "thermal"}


def rows(name, manifest, refused="", right=None, **more):
    return Case(name, refused, right or {}, manifest, **more)


def of_pair(name, refused="", *, first=None, second=None, right=None):
    """Return a thermal and a visible image of one pair, changed."""
    one = row("a.png", **THERMAL, pair_id="p1", **(first or {}))
    other = row("v.png", **{**VISIBLE, "pair_id": "p1", **(second or {})})
    return rows(name, [one, other], refused, right)


def attributed(name, cells, refused="", right=None, names=("glasses",), **block):
    manifest = [row(**cells[0]), row("b.png", "s2", **cells[1])]
    return Case(name, refused, right or {}, manifest, block={"attributes": list(names), **block})


PAIRS = [
    of_pair("a pair", right={"images.pair_id": ["p1", "p1"], "images.moment": ["p1", "p1"]}),
    of_pair(
        "a pair over two people",
        "row 3 (image v): pair_id p1 ... subject_id: s1 and s2",
        second={"subject_id": "s2"},
    ),
    of_pair(
        "a pair over two sessions",
        "pair_id p1 ... session: 1 and 2",
        first={"session": 1},
        second={"session": 2},
    ),
    of_pair(
        "a pair over two volumes",
        "pair_id p1 ... volume: 1 and 2",
        first={"volume": 1},
        second={"volume": 2},
    ),
    of_pair(
        "a pair over two moments",
        "pair_id p1 ... moment: m1 and m2",
        first={"moment": "m1"},
        second={"moment": "m2"},
    ),
    of_pair(
        "a pair in one modality twice",
        "pair_id p1 has two thermal images ... moment:",
        second=THERMAL,
    ),
    of_pair(
        "a pair written in two ways", "pair_id 'P1' and 'p1' differ only", second={"pair_id": "P1"}
    ),
    of_pair(
        "a pair of which one is missing",
        second={"pair_id": ""},
        right={"images.pair_id": ["p1", ""], "images.moment": ["p1", "v"]},
    ),
    rows(
        "a pair of three",
        [
            row(**THERMAL, pair_id="p"),
            row("b.png", **THERMAL, pair_id="p"),
            row("v.png", **VISIBLE, pair_id="p"),
        ],
        "row 3 (image b) ... two thermal",
    ),
    rows("one pair_id for all", both(pair_id="none of them"), "pair_id ... subject_id: s1 and s2"),
    rows(
        "frames of one moment",
        [row(moment="m"), row("b.png", moment="m")],
        right={"images.moment": ["m", "m"]},
    ),
    rows("a moment over two people", both(moment="m1"), "row 3 (image b): moment m1 ... s1 and s2"),
    rows(
        "a moment over two sessions",
        [row(moment="m", session=1), row("b.png", moment="m", session=2)],
        "moment m ... session: 1 and 2",
    ),
    rows(
        "somebody else's image named as a moment",
        [row(), row("b.png", "s2", moment="a")],
        "moment a ... subject_id",
    ),
]

COPY = texture(1)
IMAGES = [
    rows(
        "one file under two people",
        [row(), row(subject="s2", image_id="x")],
        "row 3 ... a.png is there twice ... drop a row",
    ),
    rows("one file twice under one person", [row(), row(image_id="x")], "row 3 ... is there twice"),
    rows("one file by two ways", [row(), row("./a.png", "s2", image_id="x")], "row 3 ... twice"),
    rows(
        "one file by a way through a folder",
        [row(), row("deep/../a.png", "s2", image_id="x")],
        "row 3 ... is the picture",
        files={"deep/x.png": texture(7)},
    ),
    rows(
        "a copy under two people",
        [row(), row("c.png", "s2")],
        "row 3 ... c.png is the picture ... a.png of row 2 (subject s1 and s2)",
        files={"c.png": COPY},
    ),
    rows(
        "a copy under one person",
        [row(), row("c.png")],
        "c.png is the picture",
        files={"c.png": COPY},
    ),
    rows(
        "a copy in another format",
        [row(), row("c.tif", "s2")],
        "c.tif is the picture",
        files={"c.tif": COPY},
    ),
    rows(
        "a copy in another modality",
        [row(**THERMAL), row("c.png", **VISIBLE)],
        "is the picture",
        files={"c.png": COPY},
    ),
    rows(
        "a copy with other bytes",
        [row(), row("c.png", "s2")],
        "c.png is the picture",
        files={"c.png": encode(COPY) + b"more"},
    ),
    rows(
        "an image_id twice",
        [row(image_id="x"), row("b.png", "s2", image_id="x")],
        "row 3: image_id x is there twice ... unique",
    ),
    rows(
        "an image_id twice but for a blank",
        [row(image_id="x"), row("b.png", "s2", image_id="x ")],
        "row 3: image_id x is there twice",
    ),
    rows(
        "one name with two suffixes",
        [row(), row("a.tif", "s2")],
        "image_id a is there twice",
        files={"a.tif": texture(9)},
    ),
    rows(
        "one person in both volumes",
        [row(volume=1), row("b.png", volume=2)],
        right={"images.subject_id": ["s1", "s1"], "images.volume": [1, 2]},
    ),
    rows(
        "image names of their own",
        [row(image_id="one"), row("b.png", "s2", image_id="two")],
        right={"images.image_id": ["one", "two"], "images.moment": ["one", "two"]},
    ),
    rows(
        "some image names",
        [row(image_id="one"), row("b.png", "s2")],
        right={"images.image_id": ["one", "b"]},
    ),
    rows(
        "the same person twice",
        [row(), row("b.png", "s1 ")],
        right={"images.subject_id": ["s1", "s1"]},
    ),
    rows(
        "a near copy",
        pair(),
        "one picture: s1 and s2 ... quarantine: the images, or accept: [duplicate_people]",
        files={"b.png": COPY + (np.indices(COPY.shape).sum(0) == 0).astype(np.uint16)},
    ),
    rows(
        "no landmarks, a box",
        [bare(box_x=5, box_y=5, box_width=20, box_height=20)],
        right={"annotations.x": [], "boxes.source": ["given"]},
    ),
]

ATTRIBUTES = [
    attributed(
        "attributes",
        [{"glasses": "yes"}, {"glasses": " no "}],
        right={
            "attributes.image_id": ["a", "b"],
            "attributes.name": ["glasses"] * 2,
            "attributes.value": ["yes", "no"],
        },
    ),
    attributed(
        "an empty attribute",
        [{"glasses": "yes"}, {}],
        right={"attributes.image_id": ["a"], "attributes.value": ["yes"]},
    ),
    attributed(
        "two attributes",
        [{"glasses": "yes", "beard": "none"}, {"beard": "full"}],
        names=("glasses", "beard"),
        right={
            "attributes.name": ["glasses", "beard", "beard"],
            "attributes.value": ["yes", "none", "full"],
        },
    ),
    attributed(
        "an attribute in every row empty",
        [{"glasses": ""}, {"glasses": ""}],
        right={"attributes.value": []},
    ),
    attributed(
        "an attribute of another name",
        [{"Brille": "ja"}, {"Brille": "nein"}],
        columns={"glasses": "Brille"},
        right={"attributes.value": ["ja", "nein"]},
    ),
    attributed(
        "an attribute by default",
        [{}, {}],
        right={"attributes.value": ["no", "no"]},
        defaults={"modality": "thermal", "glasses": "no"},
    ),
    rows("attributes not asked for", both(glasses="yes"), right={"attributes.value": []}),
    attributed(
        "an attribute that is no column", [{}, {}], "no column 'glasses' ... attributes: ... drop"
    ),
    attributed(
        "an attribute in capitals",
        [{"Glasses": "yes"}, {}],
        "attributes: names 'Glasses'",
        names=("Glasses",),
    ),
    attributed(
        "an attribute twice",
        [{"glasses": "yes"}, {}],
        "attributes: names 'glasses' ... twice",
        names=("glasses", "glasses"),
    ),
    attributed(
        "a column of ours as an attribute",
        [{}, {}],
        "attributes: names 'session' ... drop",
        names=("session",),
    ),
    attributed(
        "values in two cases",
        [{"glasses": "yes"}, {"glasses": "Yes"}],
        "row 3 ... glasses 'Yes' and 'yes' differ only",
    ),
    attributed(
        "a value that is none",
        [{"glasses": "nan"}, {"glasses": "no"}],
        "row 2 (image a) ... glasses is 'nan' ... leave it empty",
    ),
    Case(
        "a value with marks",
        manifest=write_rows([{**row, "glasses": "a&b=c:d"} for row in both()]),
        block={"attributes": ["glasses"]},
        right={"attributes.value": ["a&b=c:d"] * 2},
    ),
    Case(
        "attributes among semicolons",
        manifest=write_rows(both(glasses="yes"), ";"),
        block={"attributes": ["glasses"]},
        right={"attributes.value": ["yes", "yes"]},
    ),
]

CASES = PAIRS + IMAGES + ATTRIBUTES
