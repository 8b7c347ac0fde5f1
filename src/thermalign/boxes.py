"""Face boxes: given with the data, derived from the landmarks, or one for the whole set."""

import hashlib
from dataclasses import dataclass

import numpy as np
import pandas as pd

from thermalign.geometry import CENTRE_BELOW_EYES, Floats, interocular_distance
from thermalign.records import BOX, points_of
from thermalign.settings import SEED, setting


@dataclass(frozen=True)
class Settings:
    """Where face boxes come from.

    Attributes
    ----------
    source : str
        ``given``: columns of the manifest. ``derived``: around the annotated points, with seeded
        jitter so that the box does not tell the answer. ``fixed``: one box for every image.
    width, height : float, interocular distances
        Of a derived box. 2.3 x 2.87 is tight around the face; the annotators of CARL and
        EURECOM VIS-TH drew 3.5 x 3.8.
    shift : float, interocular distances
        Standard deviation of a derived box's centre, per axis.
    scale : float
        Standard deviation of the logarithm of a derived box's size.
    seed : int
        Of the jitter.
    fixed : tuple of float, pixels, (x, y, width, height)
        The box of ``fixed``.
    """

    source: str = setting("derived", choices=("given", "derived", "fixed"))
    width: float = setting(2.3, low=1, high=10, unit="interocular distances")
    height: float = setting(2.87, low=1, high=10, unit="interocular distances")
    shift: float = setting(0.07, low=0, high=1, unit="interocular distances")
    scale: float = setting(0.05, low=0, high=1)
    seed: int = setting(0, low=0, high=SEED)
    fixed: tuple[float, float, float, float] | None = setting(None, unit="px")


SMALLEST_FIXED = 4.0  # px


def derive(points: Floats, image_ids: list[str], settings: Settings) -> Floats:
    """Put jittered boxes around annotated faces.

    The jitter of an image depends on the seed and its name only, not on its neighbours.

    Parameters
    ----------
    points : (N, L, 2) float, pixels, (x, y)
    image_ids : N str
    settings : Settings

    Returns
    -------
    (N, 4) float, pixels, (x, y, width, height)
    """
    unit = interocular_distance(points)
    eyes, mouth = points[:, :2].mean(1), points[:, 3:].mean(1)
    down = (mouth - eyes) / np.linalg.norm(mouth - eyes, axis=1, keepdims=True)
    draws = np.array([_draw(image_id, settings.seed) for image_id in image_ids]).reshape(-1, 3)
    centre = eyes + (CENTRE_BELOW_EYES * down + settings.shift * draws[:, :2]) * unit[:, None]
    size = np.exp(settings.scale * draws[:, 2]) * unit
    extent = size[:, None] * np.array([settings.width, settings.height])
    return np.concatenate([centre - extent / 2 + 0.5, extent], axis=1)


def make_boxes(
    images: pd.DataFrame, annotations: pd.DataFrame, given: pd.DataFrame, settings: Settings
) -> pd.DataFrame:
    """Make the BOXES of a dataset.

    Parameters
    ----------
    images : DataFrame of IMAGES
    annotations : DataFrame of ANNOTATIONS
    given : DataFrame with image_id, x, y, width, height
        The manifest's boxes; they go before derived ones.
    settings : Settings

    Returns
    -------
    DataFrame of BOXES, one row per image

    Raises
    ------
    ValueError
        If an image has neither a box nor points, or the ``fixed`` box is missing, is no box, does
        not lie in every image, or is elsewhere than the points of one.
    """
    check_settings(settings)
    if settings.source == "fixed":
        return _fixed(images, annotations, settings)
    tables = [given.assign(source="given")]
    if settings.source == "derived":
        ids = sorted(set(annotations["image_id"]) - set(given["image_id"]))
        boxes = pd.DataFrame(derive(points_of(annotations, ids), ids, settings), columns=BOX)
        tables.append(boxes.assign(image_id=ids, source="derived"))
    table = pd.concat([t for t in tables if len(t)] or tables[:1], ignore_index=True)
    bare = images.loc[~images["image_id"].isin(table["image_id"]), "image_id"]
    if len(bare):
        raise ValueError(
            f"image {bare.iloc[0]} has neither a face box nor landmarks: give box_x, box_y, "
            "box_width and box_height, or set box: {source: fixed}"
        )
    return table


def check_settings(settings: Settings) -> None:
    """Refuse settings that make no box.

    Raises
    ------
    ValueError
        If a number is not finite or a size not positive, or ``fixed`` is missing or no box.
    """
    sizes = {"width": settings.width, "height": settings.height}
    for name, value in {**sizes, "shift": settings.shift, "scale": settings.scale}.items():
        if not np.isfinite(value) or value < 0 or (name in sizes and value == 0):
            raise ValueError(f"box: {name} is {value}; give a finite, positive number")
    if settings.source != "fixed":
        return
    if settings.fixed is None:
        raise ValueError("box: {source: fixed} needs fixed: [x, y, width, height] in pixels")
    box = list(settings.fixed)
    if len(box) != 4 or not all(isinstance(v, int | float) and np.isfinite(v) for v in box):
        raise ValueError(f"box: fixed is {box}; give four finite numbers x, y, width, height, px")
    if min(box[2:]) < SMALLEST_FIXED:
        raise ValueError(
            f"box: fixed is {box}; give width and height in pixels (no shares of the image), at "
            f"least {SMALLEST_FIXED:g}"
        )


def _fixed(images: pd.DataFrame, annotations: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    assert settings.fixed is not None  # as checked
    x, y, width, height = settings.fixed
    told = f"box: fixed [{x:g}, {y:g}, {width:g}, {height:g}]"
    out = (x + width > images["width"] + 0.5) | (y + height > images["height"] + 0.5)
    if min(x, y) < -0.5:
        out |= True
    if out.any():
        row = images[out].iloc[0]
        raise ValueError(
            f"{told} does not lie in image {row['image_id']} of {row['width']} x {row['height']} "
            "pixels; correct it, or give boxes of their own"
        )
    means = annotations.groupby("image_id", sort=False)[["x", "y"]].mean()
    lost = means[~(means["x"].between(x, x + width) & means["y"].between(y, y + height))]
    if len(lost):
        at = f"({lost['x'].iloc[0]:g}, {lost['y'].iloc[0]:g})"
        raise ValueError(
            f"{told} does not hold the landmarks of image {lost.index[0]}, whose middle is {at}; "
            "correct it, or give boxes of their own"
        )
    return pd.DataFrame(
        {
            "image_id": images["image_id"],
            "source": "fixed",
            "x": float(x),
            "y": float(y),
            "width": float(width),
            "height": float(height),
        }
    )


def _draw(image_id: str, seed: int) -> Floats:
    return np.random.default_rng([seed, _key(image_id)]).standard_normal(3)


def _key(image_id: str) -> int:
    return int.from_bytes(hashlib.sha256(image_id.encode()).digest()[:8], "little")
