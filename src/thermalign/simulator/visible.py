"""The visible camera: shading, cast shadow, colour, optics, exposure, noise and gamma.

Light is blue, green, red (OpenCV's order) and linear until the gamma.
"""

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from thermalign.simulator.capture import Light, Matrix
from thermalign.simulator.expression import Deformation
from thermalign.simulator.face import Face
from thermalign.simulator.fields import SCALE, Map, channels, sample_at, shrink
from thermalign.simulator.glasses import Glasses, see_glasses
from thermalign.simulator.optics import Sway, motion_blur
from thermalign.simulator.peak import Peak, peak_light, peak_shadow, see_peak
from thermalign.simulator.pigments import LUMA
from thermalign.simulator.scene import MouthInterior, see_mouth
from thermalign.simulator.seeds import Purpose, stream
from thermalign.simulator.view import View, refine, sample_pyramid, to_level, undo_expression

# ASSUME: shading tuned by eye; intensities are relative, the exposure fixes their scale
WRAP = 0.15  # light that scatters past the terminator
SHADOW_DEPTH = 0.42  # share of the key light that a cast shadow takes
SHADOW_STEPS = (4.0, 8.0, 13.0, 20.0, 30.0)  # mm towards the key light
SHADOW_BLUR = 1.7  # px of level 2
AHEAD = np.array([0.0, -0.25, 0.97])
EXPOSURE = 0.015  # s
BLUR = 0.65  # px, standard deviation of the point spread
GREY = 0.26  # mean luminance of the middle of the image after exposure
SHOT_NOISE, READ_NOISE = 0.010, 0.0021  # of the square root of the intensity; of full scale
# relative intensity of the inside of the mouth
MOUTH = np.array([0.008, 0.008, 0.020])
TEETH = np.array([0.25, 0.31, 0.34])
TONGUE = np.array([0.030, 0.034, 0.095])
TEETH_HALF_WIDTH = 19.0  # mm
LENS_LOSS, RIM_OPAQUE = 0.10, 0.92

BANK = (768, 2560)  # deviates; room for any place of 640 x 480 pixels of three colours


def render_visible(
    face: Face,
    view: View,
    height: Map,
    deformation: Deformation,
    *,
    behind: Map,
    light: Light,
    glasses: bool,
    colour: bool,
    sway: Sway,
    rng: np.random.Generator,
) -> npt.NDArray[np.uint8]:
    """Take a visible image.

    Parameters
    ----------
    face : Face
    view : View
    height : (H/2, W/2) mm
        Expressed height field.
    deformation : Deformation
        The expression that ``view`` was marched with.
    behind : (h, w, 3) of light
        The scene without the person; is used up.
    light : Light
    glasses : bool
        Whether the person wears the glasses they own, if any.
    colour : bool
        Whether the camera sees colours; a monochrome one sees their luminance.
    sway : Sway
    rng : Generator
        Of the noise.

    Returns
    -------
    (h, w, 3) uint8 in blue, green and red, or (h, w) uint8 without colour
    """
    seen = _shade(face, view, height, deformation, light)
    mouth = see_mouth(view, deformation.opening) if deformation.opening else None
    if mouth and deformation.opening:
        inner = _inside_mouth(mouth, float(deformation.opening.gap.max()), face.mouth.centre, light)
        seen[mouth.part] += mouth.mask[..., None] * (inner - seen[mouth.part])
    if glasses and face.glasses:
        seen = _put_on(face.glasses, seen, view)
    around = behind[view.part]
    seen -= around
    seen *= cv2.merge([view.cover] * 3)
    around += seen
    if face.peak:
        peak = see_peak(face.peak, view.camera)
        shine = peak_light(face.peak, peak, view.camera.rotation, light)
        around[peak.part] += peak.cover[..., None] * (shine - around[peak.part])
    scene = behind
    if not colour:
        scene = np.asarray(cv2.transform(scene, np.array([LUMA], np.float32)), np.float32)
    scene = np.asarray(cv2.GaussianBlur(scene, (5, 5), BLUR), np.float32)
    return _expose(motion_blur(scene, sway.smear(EXPOSURE, view.camera.scale)), light, rng)


def light_from_ahead(light: Light) -> Map:
    """Return the light on a surface that faces the camera and slightly up, (3,)."""
    by_key, by_fill = (max(float(v @ AHEAD), 0.0) for v in (light.key, light.fill))
    by_room = light.ambient + light.fill_strength * by_fill
    lit = light.key_strength * by_key * light.tints[0] + by_room * light.tints[1]
    return np.asarray(lit, np.float32)


def _shade(face: Face, view: View, height: Map, deformation: Deformation, light: Light) -> Map:
    """Return the light that the person sends to the camera, (h, w, 3).

    albedo (ambient AO + key (wrapped n.l) (1 - shadow) sqrt(AO) + fill (n.l)+) + gloss (n.h)^24.
    The light on the skin is smooth and found at the nodes; the albedo is not.
    """
    nodes, carried = undo_expression(view, deformation.field)
    turned = view.camera.rotation.T
    key, fill = turned @ light.key, turned @ light.fill
    shadow = sample_at(_cast_shadow(height, key, face.peak), to_level(view.nodes, 2))
    lit = light.key_strength - SHADOW_DEPTH * light.key_strength * shadow
    open_sky = sample_at(face.open_sky, nodes)
    middle = (key + view.towards) / np.linalg.norm(key + view.towards)
    slope = _slopes(face, view, nodes, rise=deformation.field[..., 2], folds=carried[..., 1])
    wrapped, filled, glossy = _facing(*slope, (key, fill, middle), (WRAP, 0.0, 0.0))
    by_key = wrapped * lit * np.sqrt(open_sky)
    by_room = light.ambient * open_sky + light.fill_strength * filled
    by_gloss = light.gloss * _lobe(glossy) * lit * open_sky
    tints = light.tints.T.astype(np.float32)
    lamps = (of_key * by_key + of_room * by_room for of_key, of_room in tints)
    received = refine(view, np.asarray(cv2.merge([*lamps, by_gloss]), np.float32))
    # gloss fades with the root of the albedo: a haze of its own turns black hair grey
    received *= sample_pyramid(view, face.albedo, nodes)
    adding = np.eye(4, dtype=np.float32)
    adding[:3, 3] = tints[:, 0]
    return np.asarray(cv2.cvtColor(cv2.transform(received, adding), cv2.COLOR_BGRA2BGR))


def _slopes(face: Face, view: View, nodes: Map, *, rise: Map, folds: Map) -> tuple[Map, Map]:
    """Return the slopes of the skin along x and y at the nodes.

    Parameters
    ----------
    face, view, nodes
    rise : (H/4, W/4) mm
        Of an expression.
    folds : (rows, columns)
        How deep its wrinkles are.
    """
    x, y, fold_x, fold_y = channels(sample_at(face.relief, nodes))
    per_mm, places = SCALE / 4 / 8, to_level(view.nodes, 2)
    along, down = (
        np.asarray(cv2.Sobel(rise, cv2.CV_32F, k, 1 - k, scale=per_mm), np.float32) for k in (1, 0)
    )
    return (
        x + sample_at(along, places) + folds * fold_x,
        y + sample_at(down, places) + folds * fold_y,
    )


def _facing(
    slope_x: Map, slope_y: Map, directions: tuple[Matrix, ...], wraps: tuple[float, ...]
) -> list[Map]:
    """Return the cosines to several directions, at least 0, each (h, w).

    A wrap w gives (1 - w) cosine + w.
    """
    length = cv2.sqrt(slope_x * slope_x + slope_y * slope_y + 1)
    cosines = []
    for direction, wrap in zip(directions, wraps, strict=True):
        x, y, z = ((1 - wrap) * float(v) for v in direction)
        against = np.asarray(cv2.addWeighted(slope_x, -x, slope_y, -y, z), np.float32)
        against /= length
        against += wrap
        cosines.append(np.maximum(against, 0, out=against))
    return cosines


def _lobe(cosine: Map) -> Map:
    """Return cosine^24 by products, many times faster than the power function."""
    square = cosine * cosine
    eighth = square * square
    eighth *= eighth
    return eighth * eighth * eighth


def _cast_shadow(height: Map, key: Matrix, peak: Peak | None) -> Map:
    """Return where head and cap shade the head from the key light, level 2, 0..1."""
    ground = shrink(height)
    shadow = peak_shadow(peak, ground, key) if peak else np.zeros_like(ground)
    rows, columns = ground.shape
    steepness = max(float(key[2]), 0.15)
    across, down = (float(v) / steepness * SCALE / 4 for v in key[:2])
    margin = int(max(abs(across), abs(down)) * SHADOW_STEPS[-1]) + 1
    wide, edge = (margin, margin, margin, margin), cv2.BORDER_REPLICATE
    around = np.asarray(cv2.copyMakeBorder(ground, *wide, edge), np.float32)
    for rise in SHADOW_STEPS:  # whole pixels will do: the edge of a shadow is soft
        top, left = margin + round(down * rise), margin + round(across * rise)
        blocker = around[top : top + rows, left : left + columns]
        cover = (blocker - ground - (rise + 1)) * (1 / (5 + 0.35 * rise))
        np.maximum(shadow, cover, out=shadow)
    return np.asarray(cv2.GaussianBlur(np.minimum(shadow, 1), (0, 0), SHADOW_BLUR), np.float32)


def _inside_mouth(mouth: MouthInterior, gap: float, centre: float, light: Light) -> Map:
    """Return the light from inside an open mouth, (h, w, 3): dark, upper teeth, the tongue."""
    length = min(7.0, 0.34 * gap) / max(gap, 0.1)
    shown = np.clip((length - mouth.depth) * 14, 0, 1) * (gap > 2.5)
    shown = shown * np.clip((TEETH_HALF_WIDTH - np.abs(mouth.x - centre)) / 3, 0, 1)
    teeth = (light.ambient + 0.5 * light.key_strength) * shown
    tongue = np.clip(mouth.depth - 0.6, 0, 1)
    planes = (m + t * teeth + g * tongue for m, t, g in zip(MOUTH, TEETH, TONGUE, strict=True))
    return np.dstack([np.asarray(plane, np.float32) for plane in planes])


def _put_on(glasses: Glasses, seen: Map, view: View) -> Map:
    """Put glasses before what is seen, (h, w, 3)."""
    lens, frame, pattern = (v[..., None] for v in channels(see_glasses(glasses, view.camera)))
    glare = 0.5 * np.clip(pattern - 0.62, 0, 1)
    seen = seen * (1 - LENS_LOSS * lens) + lens * glare
    rim = np.asarray(glasses.frame_albedo, np.float32)
    return np.asarray(seen + RIM_OPAQUE * frame * (rim - seen), np.float32)


@lru_cache(maxsize=1)
def _noise_bank() -> Map:
    """Return normal deviates to cut the noise of any image from, the same for every dataset.

    Drawing them afresh would take longer than all of the shading.
    """
    return stream(0, Purpose.VISIBLE_NOISE).standard_normal(BANK, dtype=np.float32)


def _draw_noise(shape: tuple[int, int], rng: np.random.Generator) -> Map:
    """Cut normal deviates from a random place of the bank and mirror them at random."""
    top, left = (int(rng.integers(n - m + 1)) for n, m in zip(BANK, shape, strict=True))
    flip, mirror = (int(sign) for sign in 2 * rng.integers(0, 2, 2) - 1)
    return _noise_bank()[top : top + shape[0], left : left + shape[1]][::flip, ::mirror]


def _expose(image: Map, light: Light, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Expose for the middle of the image, add noise, apply gamma and quantise."""
    height, width = image.shape[:2]
    middle = image[height // 4 : 3 * height // 4, width // 4 : 3 * width // 4]
    mean = cv2.mean(middle)
    level = float(np.dot(LUMA, mean[:3])) if image.ndim == 3 else mean[0]
    image = image * (GREY / (level + 0.03) * light.exposure)
    noise = np.asarray(cv2.sqrt(image * SHOT_NOISE**2 + READ_NOISE**2), np.float32)
    noise = noise.reshape(height, -1)
    noise *= _draw_noise((height, noise.shape[1]), rng)
    image += noise.reshape(image.shape)
    encoded = cv2.pow(np.maximum(image, 0, out=image), light.gamma)
    return np.asarray(cv2.convertScaleAbs(encoded, alpha=255), np.uint8)
