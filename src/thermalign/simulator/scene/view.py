"""From the canonical face to a camera: what each pixel looks at, and projected landmarks."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from thermalign.geometry import LEFT_EYE, RIGHT_EYE
from thermalign.simulator.person.expression import Deformation
from thermalign.simulator.physics.camera import PIVOT, Camera
from thermalign.simulator.physics.capture import Matrix
from thermalign.simulator.physics.fields import (
    FLOOR,
    HEIGHT,
    ORIGIN_X,
    ORIGIN_Y,
    SCALE,
    WIDTH,
    Map,
    Mask,
    Window,
    enlarge,
    level_millimetres,
    level_pixels,
    sample,
    sample_at,
    smoothstep,
    spread,
)
from thermalign.simulator.physics.march import HALF, Rays, Silhouette, cast, march, meet_back

# ASSUME what follows
HIDDEN = 5.0  # mm between a landmark and the surface seen at its pixel

EYES = [RIGHT_EYE, LEFT_EYE]

REACH_X = (-ORIGIN_X / SCALE, (WIDTH - ORIGIN_X) / SCALE)

REACH_Y = (-ORIGIN_Y / SCALE, (HEIGHT - ORIGIN_Y) / SCALE)

REACH_Z = (FLOOR, 30.0)  # mm, heights of the modelled part

ALIGNED = 6  # px, a multiple of every step: parts begin where an image's nodes do

STILL = 0.05  # mm of displacement, below which a face is taken for neutral

BACK_FROM = 0.06  # sine of the yaw from which the back of the head shows beside its front

_COARSE: Map = (
    np.dstack(np.meshgrid(np.arange(WIDTH // 4), np.arange(HEIGHT // 4))) * 2 + 0.5
).astype(np.float32)  # the nodes of level 2 in pixels of level 1


@dataclass(frozen=True)
class View:
    """What a camera sees of a face.

    Attributes
    ----------
    camera : Camera
        Of the part of the image that the face can be in; all maps are of this part.
    part : (rows, columns)
        That part of the whole image.
    step : int
        Rays were marched through nodes, the middles of ``step`` x ``step`` pixels.
    nodes : (rows, columns, 2) pixels of level 1
        Where on the expressed canonical face the nodes look, (x, y).
    cover, node_cover : (h, w) and (rows, columns), 0..1
        1 on the person, 0 on what lies around.
    towards : (3,)
        Unit vector to the camera in the head's frame; constant over the face.
    """

    camera: Camera
    part: Window
    step: int
    nodes: Map
    cover: Map
    node_cover: Map
    towards: Matrix

    def refine(self, coarse: Map) -> Map:
        """Bring maps over the nodes to the pixels."""
        return spread(coarse, self.camera.shape, self.step)

    def to_image(self, pixels: Matrix) -> Matrix:
        """Return pixels of the part, (N, 2), as pixels of the whole image."""
        rows, columns = self.part
        return pixels + np.array([columns.start, rows.start])


def expressed_height(height: Map, deformation: Deformation) -> Map:
    """Return the height field after an expression, Z(q - D(q)) + dZ(q), level 1, mm."""
    field = deformation.field
    if np.abs(field[..., :3]).max() <= STILL:
        return height
    places, rise = _COARSE - np.float32(HALF) * field[..., :2], np.ascontiguousarray(field[..., 2])
    size = (WIDTH // 2, HEIGHT // 2)
    return sample_at(height, enlarge(places, size)) + enlarge(rise, size)


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
        1, 2, 3 or 6.

    Raises
    ------
    ValueError
        If ``step`` is another.
    """
    if ALIGNED % step:
        raise ValueError(f"step is {step}; give a divisor of {ALIGNED}")
    part = _reach(camera)
    camera = camera.window(part)
    rays = cast(camera, step)
    hit = march(height, rays)
    x, y = rays.at(hit)
    cover = sample(silhouette.solid, x, y) * (hit > FLOOR + 4)
    towards = camera.position - np.array([0, PIVOT[1], 0])
    towards = towards / np.linalg.norm(towards)
    turned = abs(float(towards[0])) > BACK_FROM
    back = _show_back(rays, silhouette, x, y, cover) if turned else np.zeros_like(cover)
    if step > 1:  # without the blur the outline of the coarse hits shows as stairs
        cover = smoothstep((cv2.GaussianBlur(cover, (0, 0), 0.9) - np.float32(0.2)) / 0.6)
    cover *= np.maximum(sample(silhouette.veil, x, y), back)
    nodes, fine = np.asarray(cv2.merge([x, y]), np.float32), spread(cover, camera.shape, step)
    return View(camera, part, step, nodes, fine, cover, towards)


def _reach(camera: Camera) -> Window:
    """Return the rows and columns of an image that the modelled part of a person can be in."""
    corners = np.array([(x, y, z) for x in REACH_X for y in REACH_Y for z in REACH_Z])
    pixels = camera.project(corners)
    low = np.clip(np.floor(pixels.min(0)), 0, np.array(camera.size) - 1).astype(int)
    low = (low - low % ALIGNED).tolist()
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


def undo_expression(view: View, field: Map) -> tuple[Map, Map]:
    """Find where on the neutral face the nodes of a view look.

    Parameters
    ----------
    view : View
    field : (H/4, W/4, 2 + K)
        Displacement (x, y) in mm, and further planes to sample with it.

    Returns
    -------
    nodes : (rows, columns, 2) pixels of level 1
    carried : (rows, columns, K)
    """
    sampled = sample_at(field, to_level(view.nodes, 2))
    return view.nodes - np.float32(HALF) * sampled[..., :2], sampled[..., 2:]


def to_level(pixels: Map, level: int) -> Map:
    """Return pixels of level 1 as pixels of level 0, 1 or 2."""
    if level == 1:
        return pixels
    factor, shift = (2, 0.5) if level == 0 else (0.5, -0.25)
    return pixels * np.float32(factor) + np.float32(shift)


def pyramid_level(scale: float) -> int:
    """Return the level of the maps that suits a scale in px/mm."""
    if scale > 0.95:
        return 0
    return 1 if scale > 0.40 else 2


def sample_pixels(view: View, values: Map, nodes: Map, *, level: int) -> Map:
    """Sample a map of a level at every pixel of a view whose nodes look at ``nodes``."""
    return sample_at(values, view.refine(to_level(nodes, level)))


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
    middle = (view.step - 1) / 2
    u, v = (((pixels[None, :, k] - middle) / view.step).astype(np.float32) for k in range(2))
    place = sample(view.nodes, u, v)[0]
    x = level_millimetres(place[:, 0], ORIGIN_X, 1)
    y = level_millimetres(place[:, 1], ORIGIN_Y, 1)
    seen = np.hypot(x - points[:, 0], y - points[:, 1]) < HIDDEN
    return np.asarray(within & seen)


def _row(points: Matrix, level: int) -> tuple[Map, Map]:
    """Return points in mm as pixels of a level, two arrays (1, N)."""
    x = level_pixels(points[None, :, 0], ORIGIN_X, level)
    y = level_pixels(points[None, :, 1], ORIGIN_Y, level)
    return x.astype(np.float32), y.astype(np.float32)
