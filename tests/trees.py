"""Tiny trees in the exact layouts of datasets, with drawn pictures; where real annotations are."""

import json
from pathlib import Path

import cv2
import numpy as np

from thermalign.ingest import tree
from thermalign.steps import ingest

SHARED = Path(__file__).parents[2] / "shared" / "data"
ANNOTATIONS = SHARED / "carl_eurecom_landmarks"
FACE = {  # in a picture of 60 x 72
    "right_eye": (20, 26), "left_eye": (40, 26), "nose_base": (30, 39),
    "right_mouth_corner": (23, 48), "left_mouth_corner": (37, 48),
}  # fmt: skip
SIZE = (72, 60)
BOX = {"source": "fixed", "fixed": [8, 8, 44, 56]}


def draw(path, seed, *, kind=np.uint8, channels=0):
    """Draw a picture that no other seed draws: noise on a warm oval."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    oval = ((x - 30) / 18) ** 2 + ((y - 36) / 26) ** 2 < 1
    counts = 60 + 100 * oval + rng.integers(0, 40, SIZE)
    counts = (counts * (100 if kind == np.uint16 else 1)).astype(kind)
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.dstack([counts] * channels) if channels else counts)


def xml(path, images):
    """Write an annotation file as imglab does; images: path -> name of a point -> (x, y)."""
    lines = ["<dataset>", "<images>"]
    for image, parts in images.items():
        lines += [f'<image file="{image}">', '<box left="8" top="8" width="44" height="56">']
        lines += [f'<part name="{name}" x="{x}" y="{y}" />' for name, (x, y) in parts]
        lines += ["</box>", "</image>"]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([*lines, "</images>", "</dataset>"]) + "\n")


SIX = (
    ("righteye_outer", (16, 26)), ("righteye_inner", (24, 26)), ("lefteye_inner", (36, 26)),
    ("lefteye_outer", (44, 26)), ("mouthcorner_right", (23, 48)), ("mouthcorner_left", (37, 48)),
)  # fmt: skip


def labelme(path, points):
    """Write a file of labelme's: a rectangle by two corners, and one shape a point."""
    shapes = [{"label": "face", "points": [[8, 8], [52, 64]], "shape_type": "rectangle"}]
    shapes += [{"label": str(n), "points": [list(p)]} for n, p in enumerate(points, 1)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"version": "4", "shapes": shapes}))


def made(adapter, folder, **keys):
    """Return the tree that an adapter makes of a folder."""
    return tree.list_tree(adapter, {"folder": str(folder), **keys}, "dataset")


def ingested(adapter, folder, out, *, box=BOX, **keys):
    """Write a tree's manifest and let the step ``ingest`` read it; return its tables' paths."""
    manifest, left_out = out / "manifest.csv", out / "left_out.csv"
    tree.write_tree(made(adapter, folder, **keys), manifest, left_out)
    tables = {n: out / f"{n}.parquet" for n in ("images", "annotations", "boxes", "attributes")}
    ingest.run(
        settings={"adapter": adapter, "folder": str(folder), "box": box, **keys},
        sources=[manifest, left_out],
        files=out / "files.json",
        findings=out / "findings.parquet",
        audit=out / "audit.html",
        fingerprint="new",
        code="test",
        **tables,
    )
    return tables
