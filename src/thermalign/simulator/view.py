"""From the canonical face to a camera: what each pixel looks at, and projected landmarks."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from thermalign.geometry import LEFT_EYE, RIGHT_EYE
from thermalign.simulator.camera import Camera
from thermalign.simulator.capture import Matrix
from thermalign.simulator.expression import Deformation
from thermalign.simulator.fields import (
    FLOOR,
    HEIGHT,
    ORIGIN_X,
    ORIGIN_Y,
    SCALE,
    WIDTH,
    Map,
    Mask,
    Window,
    channels,
    enlarge,
    level_millimetres,
    level_pixels,
    sample,
    smoothstep,
)
from thermalign.simulator.march import HALF, Rays, Silhouette, cast, march, meet_back

HIDDEN = 5.0  # mm between a landmark and the surface seen at its pixel
EYES = [RIGHT_EYE, LEFT_EYE]
REACH_X = (-ORIGIN_X / SCALE, (WIDTH - ORIGIN_X) / SCALE)
REACH_Y = (-ORIGIN_Y / SCALE, (HEIGHT - ORIGIN_Y) / SCALE)
REACH_Z = (FLOOR, 30.0)  # mm, heights of the modelled part

_COLUMNS, _ROWS = np.meshgrid(
    np.arange(WIDTH // 2, dtype=np.float32), np.arange(HEIGHT // 2, dtype=np.float32)
)


@dataclass(frozen=True)
class View:
    """What a camera sees of a face.

    Attributes
    ----------
    camera : Camera
        Of the part of the image that the face can be in; all maps are of this part.
    part : (rows, columns)
        That part of the whole image.
    x, y : (h, w) pixels of level 1
        Where on the expressed canonical face each pixel looks.
    cover : (h, w), 0..1
        1 on the person, 0 on what lies around.
    towards : (3,)
        Unit vector to the camera in the head's frame; constant over the face.
    """

    camera: Camera
    part: Window
    x: Map
    y: Map
    cover: Map
    towards: Matrix

    def to_image(self, pixels: Matrix) -> Matrix:
        """Return pixels of the part, (N, 2), as pixels of the whole image."""
        rows, columns = self.part
        return pixels + np.array([columns.start, rows.start])


def expressed_height(height: Map, deformation: Deformation) -> Map:
    """Return the height field after an expression, Z(q - D(q)) + dZ(q), level 1, mm."""
    if np.abs(deformation.field).max() <= 0.05:
        return height
    fine = enlarge(deformation.field, (WIDTH // 2, HEIGHT // 2))
    x, y = _COLUMNS - fine[..., 0] * HALF, _ROWS - fine[..., 1] * HALF
    return sample(height, x, y) + fine[..., 2]


def look(camera: Camera, height: Map, silhouette: Silhouette, *, step: int) -> View:
    """March a ray per ``step`` x ``step`` pixels and bring the result to full resolution.

    Parameters
    ----------
    camera : Camera
    height : (H/2, W/2) mm
        Expressed height field.
    silhouette : Silhouette
        Of the neutral face.
    step : int, pixels
    """
    part = _reach(camera)
    camera = camera.window(part)
    rays = cast(camera, step)
    hit = march(height, rays)
    x, y = rays.at(hit)
    cover = sample(silhouette.solid, x, y) * (hit > FLOOR + 4)
    back = _show_back(rays, silhouette, x, y, cover)
    if step > 1:  # without the blur the outline of the coarse hits shows as stairs
        cover = smoothstep((cv2.GaussianBlur(cover, (0, 0), 0.9) - np.float32(0.2)) / 0.6)
    seen = np.asarray(cv2.merge([x, y, cover, back]), np.float32)
    x, y, cover, back = channels(_refine(seen, camera, step))
    cover *= np.maximum(sample(silhouette.veil, x, y), back)
    towards = camera.position - np.array([0, 40.0, 0])
    return View(camera, part, x, y, cover, towards / np.linalg.norm(towards))


def _reach(camera: Camera) -> Window:
    """Return the rows and columns of an image that the modelled part of a person can be in."""
    corners = np.array([(x, y, z) for x in REACH_X for y in REACH_Y for z in REACH_Z])
    pixels = camera.project(corners)
    low = np.clip(np.floor(pixels.min(0)), 0, np.array(camera.size) - 1).astype(int).tolist()
    high = np.clip(np.ceil(pixels.max(0)) + 1, 1, camera.size).astype(int).tolist()
    return slice(low[1], high[1]), slice(low[0], high[0])


def _show_back(rays: Rays, silhouette: Silhouette, x: Map, y: Map, cover: Map) -> Map:
    """Let rays that pass the front by meet the back of the head, in place; return where, 0 or 1."""
    free: Mask = cover * sample(silhouette.veil, x, y) < 0.5
    met, back_x, back_y = meet_back(
        Rays(*(part[free] for part in (rays.x, rays.y, rays.across, rays.down))), silhouette
    )
    back = np.zeros_like(cover)
    back[free] = met
    back = np.asarray(cv2.dilate(back, np.ones((3, 3), np.uint8)), np.float32)  # hides the seam
    for values, behind in ((x, back_x), (y, back_y), (cover, np.ones_like(back_x))):
        values[free] = np.where(met, behind, values[free])
    return back


def _refine(coarse: Map, camera: Camera, step: int) -> Map:
    """Interpolate maps whose node i belongs to pixel i x ``step``."""
    if step == 1:
        return coarse
    matrix = np.array([[1 / step, 0, 0], [0, 1 / step, 0]], np.float32)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    fine = cv2.warpAffine(coarse, matrix, camera.size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(fine, np.float32)


def coarse_coordinates(view: View) -> tuple[Map, Map]:
    """Return where each pixel looks, in pixels of level 2."""
    return view.x * 0.5 - 0.25, view.y * 0.5 - 0.25


def texture_coordinates(view: View, field: Map) -> tuple[Map, Map, Map]:
    """Undo an expression.

    Parameters
    ----------
    view : View
    field : (H/4, W/4, 2 + K)
        Displacement (x, y) in mm, and further planes to sample with it.

    Returns
    -------
    x, y : (h, w) pixels of level 1
        On the neutral canonical face.
    sampled : (h, w, 2 + K)
    """
    sampled = sample(field, *coarse_coordinates(view))
    return view.x - sampled[..., 0] * HALF, view.y - sampled[..., 1] * HALF, sampled


def pyramid_level(scale: float) -> int:
    """Return the level of the maps that suits a scale in px/mm."""
    if scale > 0.95:
        return 0
    return 1 if scale > 0.40 else 2


def sample_level(pyramid: tuple[Map, ...], x: Map, y: Map, level: int) -> Map:
    """Sample a level of a pyramid at pixels of level 1."""
    if level == 0:
        return sample(pyramid[0], x * 2 + np.float32(0.5), y * 2 + np.float32(0.5))
    if level == 1:
        return sample(pyramid[1], x, y)
    return sample(pyramid[2], x * 0.5 - 0.25, y * 0.5 - 0.25)


def expressed_landmarks(neutral: Matrix, deformation: Deformation, height: Map) -> Matrix:
    """Move landmarks with an expression, exactly as the rendering does.

    Solves p = p0 + D(p) by fixed-point steps.

    Parameters
    ----------
    neutral : (5, 2) float, mm
    deformation : Deformation
    height : (H/2, W/2) mm
        Expressed height field.

    Returns
    -------
    (5, 3) float, mm
    """
    points = neutral
    for _ in range(8):
        x, y = _row(points, 2)
        moved = sample(deformation.field, x, y)[0]
        moved[EYES] = sample(deformation.eye_field, x[:, EYES], y[:, EYES])[0]
        points = neutral + moved[:, :2]
    z = sample(height, *_row(points, 1))[0]
    return np.column_stack([points, z.astype(np.float64)])


def landmark_visibility(view: View, points: Matrix, pixels: Matrix) -> npt.NDArray[np.bool_]:
    """Return which landmarks are in the picture and not behind something, (5,) bool.

    Parameters
    ----------
    view : View
    points : (5, 3) float, mm
    pixels : (5, 2) float
        Their projections, pixels of the view's part.
    """
    last = np.array(view.camera.size) - 1
    within = ((pixels >= 0) & (pixels <= last)).all(1)
    u, v = (pixels[None, :, k].astype(np.float32) for k in range(2))
    x = level_millimetres(sample(view.x, u, v)[0], ORIGIN_X, 1)
    y = level_millimetres(sample(view.y, u, v)[0], ORIGIN_Y, 1)
    seen = np.hypot(x - points[:, 0], y - points[:, 1]) < HIDDEN
    return np.asarray(within & seen)


def _row(points: Matrix, level: int) -> tuple[Map, Map]:
    """Return points in mm as pixels of a level, two arrays (1, N)."""
    x = level_pixels(points[None, :, 0], ORIGIN_X, level)
    y = level_pixels(points[None, :, 1], ORIGIN_Y, level)
    return x.astype(np.float32), y.astype(np.float32)
