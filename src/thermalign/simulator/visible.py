"""The visible camera: shading, cast shadow, optics, exposure, noise and gamma."""

import cv2
import numpy as np
import numpy.typing as npt

from thermalign.simulator.capture import Light, Matrix
from thermalign.simulator.expression import Deformation
from thermalign.simulator.face import Face
from thermalign.simulator.fields import SCALE, Map, sample, shrink
from thermalign.simulator.glasses import see_glasses
from thermalign.simulator.peak import Peak, peak_light, peak_shadow, see_peak
from thermalign.simulator.scene import MouthInterior, facing, see_mouth
from thermalign.simulator.view import (
    View,
    coarse_coordinates,
    pyramid_level,
    sample_level,
    texture_coordinates,
)

# ASSUME: shading tuned by eye; intensities are relative, the exposure fixes their scale
WRAP = 0.12  # light that scatters past the terminator
SHADOW_DEPTH = 0.42  # share of the key light that a cast shadow takes
SHADOW_STEPS = (4.0, 8.0, 13.0, 20.0, 30.0)  # mm towards the key light
SHADOW_BLUR = 1.7  # px of level 2
BLUR = 0.65  # px, standard deviation of the point spread
GREY = 0.26  # mean of the middle of the image after exposure
SHOT_NOISE, READ_NOISE = 0.010, 0.0021  # of the square root of the intensity; of full scale
MOUTH, TEETH, TONGUE = 0.012, 0.25, 0.05  # relative intensity of the inside of the mouth
TEETH_HALF_WIDTH = 19.0  # mm
LENS_LOSS, RIM_OPAQUE = 0.10, 0.92


def render_visible(
    face: Face,
    view: View,
    height: Map,
    deformation: Deformation,
    *,
    behind: Map,
    light: Light,
    glasses: bool,
    rng: np.random.Generator,
) -> npt.NDArray[np.uint8]:
    """Take a grey visible image.

    Parameters
    ----------
    face : Face
    view : View
    height : (H/2, W/2) mm
        Expressed height field.
    deformation : Deformation
        The expression that ``view`` was marched with.
    behind : (h, w)
        The scene without the person; painted over in place.
    light : Light
    glasses : bool
        Whether the person wears the glasses they own, if any.
    rng : Generator
        Of the noise.

    Returns
    -------
    (h, w) uint8
    """
    seen = _shade(face, view, height, deformation, light)
    mouth = see_mouth(view, deformation.opening) if deformation.opening else None
    if mouth and deformation.opening:
        inner = _inside_mouth(mouth, float(deformation.opening.gap.max()), face.mouth.centre, light)
        seen[mouth.part] += mouth.mask * (inner - seen[mouth.part])
    if glasses and face.glasses:
        lens, frame, pattern = cv2.split(see_glasses(face.glasses, view.camera))
        glare = 0.5 * np.clip(pattern - 0.62, 0, 1)
        seen = seen * (1 - LENS_LOSS * lens) + lens * glare
        seen += RIM_OPAQUE * frame * (face.glasses.frame_albedo - seen)
    scene = behind.mean(2)
    around = scene[view.part]
    around += view.cover * (seen - around)
    if face.peak:
        peak = see_peak(face.peak, view.camera)
        shine = peak_light(face.peak, peak, view.camera.rotation, light)
        around[peak.part] += peak.cover * (shine - around[peak.part])
    return _expose(np.asarray(cv2.GaussianBlur(scene, (0, 0), BLUR), np.float32), light, rng)


def _shade(face: Face, view: View, height: Map, deformation: Deformation, light: Light) -> Map:
    """Return the light that the person sends to the camera, (h, w).

    albedo (ambient AO + key (wrapped n.l) (1 - shadow) sqrt(AO) + fill (n.l)+) + gloss (n.h)^24.
    """
    x, y, sampled = texture_coordinates(view, _with_slopes(deformation.field))
    level = pyramid_level(view.camera.scale)
    albedo, open_sky, slope_x, slope_y = cv2.split(sample_level(face.reflectance, x, y, level))
    slope_x = slope_x + sampled[..., 2]
    slope_y = slope_y + sampled[..., 3]
    turned = view.camera.rotation.T
    key, fill = turned @ light.key, turned @ light.fill
    shadow = sample(_cast_shadow(height, key, face.peak), *coarse_coordinates(view))
    strength = light.key_strength * (1 - SHADOW_DEPTH * shadow)
    half_open = np.sqrt(open_sky)
    diffuse = np.maximum((1 - WRAP) * facing(slope_x, slope_y, key) + WRAP, 0)
    filled = np.maximum(facing(slope_x, slope_y, fill), 0)
    middle = (key + view.towards) / np.linalg.norm(key + view.towards)
    gloss = light.gloss * _lobe(np.maximum(facing(slope_x, slope_y, middle), 0))
    seen = albedo * (
        light.ambient * open_sky + diffuse * strength * half_open + light.fill_strength * filled
    )
    # gloss fades with the albedo: unscaled, its wide lobe is a haze that turns black hair grey
    return np.asarray(seen + gloss * strength * open_sky * np.sqrt(albedo), np.float32)


def _lobe(cosine: Map) -> Map:
    """Return cosine^24 by products, many times faster than the power function."""
    square = cosine * cosine
    eighth = square * square * square * square
    return eighth * eighth * eighth


def _with_slopes(field: Map) -> Map:
    """Return an expression's displacement with the slopes it adds, (H/4, W/4, 4)."""
    rise = np.ascontiguousarray(field[..., 2])
    per_mm = SCALE / 4 / 8
    along, down = (cv2.Sobel(rise, cv2.CV_32F, x, 1 - x) * per_mm for x in (1, 0))
    return np.dstack([field[..., :2], along, down]).astype(np.float32, copy=False)


def _cast_shadow(height: Map, key: Matrix, peak: Peak | None) -> Map:
    """Return where head and cap shade the head from the key light, level 2, 0..1."""
    ground = shrink(height)
    shadow = peak_shadow(peak, ground, key) if peak else np.zeros_like(ground)
    steepness = max(float(key[2]), 0.15)
    across, down = (float(v) / steepness * SCALE / 4 for v in key[:2])
    flags, size = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, (ground.shape[1], ground.shape[0])
    for rise in SHADOW_STEPS:
        shift = np.array([[1, 0, across * rise], [0, 1, down * rise]], np.float32)
        blocker = cv2.warpAffine(ground, shift, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        cover = (blocker - ground - (rise + 1)) / (5 + 0.35 * rise)
        shadow = np.maximum(shadow, np.clip(cover, 0, 1))
    return np.asarray(cv2.GaussianBlur(shadow, (0, 0), SHADOW_BLUR), np.float32)


def _inside_mouth(mouth: MouthInterior, gap: float, centre: float, light: Light) -> Map:
    """Return the light from inside an open mouth: dark, upper teeth, a hint of the tongue."""
    length = min(7.0, 0.34 * gap) / max(gap, 0.1)
    shown = np.clip((length - mouth.depth) * 14, 0, 1) * (gap > 2.5)
    shown = shown * np.clip((TEETH_HALF_WIDTH - np.abs(mouth.x - centre)) / 3, 0, 1)
    teeth = TEETH * (light.ambient + 0.5 * light.key_strength) * shown
    return np.asarray(MOUTH + teeth + TONGUE * np.clip(mouth.depth - 0.6, 0, 1), np.float32)


def _expose(image: Map, light: Light, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Expose for the middle of the image, add noise, apply gamma and quantise."""
    height, width = image.shape
    middle = image[height // 4 : 3 * height // 4, width // 4 : 3 * width // 4]
    gain = GREY / (float(middle.mean()) + 0.03) * light.exposure
    image = np.asarray(image * gain, np.float32)
    spread = np.sqrt(SHOT_NOISE**2 * np.maximum(image, 0) + READ_NOISE**2)
    image += spread * rng.standard_normal(image.shape, dtype=np.float32)
    encoded = np.asarray(cv2.pow(np.maximum(image, 0), light.gamma), np.float32)
    return np.clip(encoded * 255 + 0.5, 0, 255).astype(np.uint8)
