"""The visible camera: what lies before the person, optics, exposure, noise and gamma.

As in a camera with a mosaic of colour filters, luminance is finer than colour, which is found at
the nodes of :mod:`thermalign.simulator.scene.view`. Light is blue, green, red (OpenCV's order) and
linear until the gamma.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from thermalign.simulator.person.expression import Deformation
from thermalign.simulator.person.face import Face
from thermalign.simulator.person.glasses import Glasses, see_glasses
from thermalign.simulator.person.peak import peak_light, see_peak
from thermalign.simulator.physics.capture import Light
from thermalign.simulator.physics.colour import LUMA
from thermalign.simulator.physics.fields import Map, Window, channels, spread
from thermalign.simulator.physics.optics import Sway, motion_blur
from thermalign.simulator.physics.seeds import Purpose, stream
from thermalign.simulator.scene.hand import Hand, hand_light, see_hand
from thermalign.simulator.scene.open_mouth import MouthInterior, see_mouth
from thermalign.simulator.scene.shading import light_from_ahead, shade
from thermalign.simulator.scene.view import View

# ASSUME every figure below: tuned by eye; intensities are relative, the exposure fixes their scale
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

DARK = 1e-4  # luminance that lends its tint of grey to the darkest colours

SKIN = (slice(140, 156), slice(72, 86))  # of level 1: a cheek, whose colour hands have

BANK = (768, 1024)  # deviates; room for any place of a whole image


@dataclass(frozen=True)
class Picture:
    """Light on its way to a camera.

    Attributes
    ----------
    grey : (h, w)
        Luminance.
    colour : (rows, columns, 3)
        Blue, green and red at the middles of ``step`` x ``step`` pixels.
    step : int, pixels
    """

    grey: Map
    colour: Map
    step: int

    def put(self, part: Window, cover: Map, colour: Any) -> None:
        """Lay a colour over a part, in place.

        Parameters
        ----------
        part : (rows, columns)
        cover : (h, w) of the part, 0..1
        colour : (h, w, 3) of the part, or (3,)
        """
        colour = np.broadcast_to(np.asarray(colour, np.float32), (*cover.shape, 3))
        below = self.grey[part]
        below += cover * (_luma(colour) - below)
        nodes, mean_cover = self._at_nodes(part, cover[..., None], cv2.BORDER_CONSTANT)
        _, mean_colour = self._at_nodes(part, colour, cv2.BORDER_REPLICATE)
        here = self.colour[nodes]
        here += mean_cover * (mean_colour - here)

    def _at_nodes(self, part: Window, values: Map, border: int) -> tuple[Window, Map]:
        """Return the nodes that a part touches, and the means of (h, w, K) around them."""
        step = self.step
        before = [axis.start % step for axis in part]
        after = [-axis.stop % step for axis in part]
        padded = cv2.copyMakeBorder(values, before[0], after[0], before[1], after[1], border)
        rows, columns = (n // step for n in padded.shape[:2])
        means = padded.reshape(rows, step, columns, step, -1).mean((1, 3))
        first = [axis.start // step for axis in part]
        nodes = slice(first[0], first[0] + rows), slice(first[1], first[1] + columns)
        return nodes, np.asarray(means, np.float32)


def make_picture(colour: Map, shape: tuple[int, int], step: int) -> Picture:
    """Return the picture of a scene (rows, columns, 3) that is smooth enough for the nodes."""
    return Picture(spread(_luma(colour), shape, step), colour, step)


def _luma(colour: Map) -> Map:
    blue, green, red = LUMA
    return np.asarray(blue * colour[..., 0] + green * colour[..., 1] + red * colour[..., 2])


def render_visible(
    face: Face,
    view: View,
    height: Map,
    deformation: Deformation,
    *,
    scene: Picture,
    light: Light,
    glasses: bool,
    hand: Hand | None = None,
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
    scene : Picture
        Without the person; is used up.
    light : Light
    glasses : bool
        Whether the person wears the glasses they own, if any.
    hand : Hand or None
        Before the face.
    colour : bool
        Whether the camera sees colours; a monochrome one sees their luminance.
    sway : Sway
    rng : Generator
        Of the noise.

    Returns
    -------
    (h, w, 3) uint8 in blue, green and red, or (h, w) uint8 without colour
    """
    person = Picture(*shade(face, view, height, deformation, light), view.step)
    mouth = see_mouth(view, deformation.opening) if deformation.opening else None
    if mouth and deformation.opening:
        gap = float(deformation.opening.gap.max())
        person.put(mouth.part, mouth.mask, _inside_mouth(mouth, gap, face.mouth.centre, light))
    _put_person(scene, person, view)
    if glasses and face.glasses:
        _put_on(face.glasses, scene, view)
    if face.peak:
        peak = see_peak(face.peak, view.camera)
        shine = peak_light(face.peak, peak, view.camera.rotation, light)
        rows, columns = (
            slice(inner.start + outer.start, inner.stop + outer.start)
            for inner, outer in zip(peak.part, view.part, strict=True)
        )
        scene.put((rows, columns), peak.cover, shine)
    if hand:
        layers = see_hand(hand, view.camera)
        skin = np.median(face.albedo[SKIN], (0, 1))[:3] * light_from_ahead(light)
        scene.put(view.part, np.ascontiguousarray(layers[..., 0]), hand_light(layers, skin))
    blurred = np.asarray(cv2.GaussianBlur(scene.grey, (5, 5), BLUR), np.float32)
    grey = motion_blur(blurred, sway.smear(EXPOSURE, view.camera.scale))
    encoded = _expose(grey, light, rng)
    if colour:
        encoded = cv2.merge([encoded] * 3) * _tints(scene, light.gamma)
    return np.asarray(cv2.convertScaleAbs(encoded, alpha=255), np.uint8)


def _put_person(scene: Picture, person: Picture, view: View) -> None:
    """Lay a person over a scene, in place."""
    grey = scene.grey[view.part]
    grey += view.cover * (person.grey - grey)
    rows, columns = (slice(axis.start // view.step, None) for axis in view.part)
    height, width = person.colour.shape[:2]
    colour = scene.colour[rows, columns][:height, :width]
    colour += view.node_cover[..., None] * (person.colour - colour)


def _tints(scene: Picture, gamma: float) -> Map:
    """Return the colours over their luminance after the gamma, (h, w, 3)."""
    tints = (scene.colour + DARK) / (_luma(scene.colour) + DARK)[..., None]
    return spread(np.asarray(cv2.pow(tints, gamma)), scene.grey.shape, scene.step)


def _put_on(glasses: Glasses, scene: Picture, view: View) -> None:
    """Put glasses before a scene, in place."""
    lens, frame, pattern = channels(see_glasses(glasses, view.camera))
    glare = 0.5 * np.clip(pattern - 0.62, 0, 1) / LENS_LOSS
    scene.put(view.part, LENS_LOSS * lens, np.dstack([glare] * 3))
    scene.put(view.part, RIM_OPAQUE * frame, glasses.frame_albedo)


def _inside_mouth(mouth: MouthInterior, gap: float, centre: float, light: Light) -> Map:
    """Return the light from inside an open mouth, (h, w, 3): dark, upper teeth, the tongue."""
    length = min(7.0, 0.34 * gap) / max(gap, 0.1)
    shown = np.clip((length - mouth.depth) * 14, 0, 1) * (gap > 2.5)
    shown = shown * np.clip((TEETH_HALF_WIDTH - np.abs(mouth.x - centre)) / 3, 0, 1)
    teeth = (light.ambient + 0.5 * light.key_strength) * shown
    tongue = np.clip(mouth.depth - 0.6, 0, 1)
    planes = (m + t * teeth + g * tongue for m, t, g in zip(MOUTH, TEETH, TONGUE, strict=True))
    return np.dstack([np.asarray(plane, np.float32) for plane in planes])


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


def _expose(grey: Map, light: Light, rng: np.random.Generator) -> Map:
    """Expose for the middle of the image, add noise and apply gamma, (h, w)."""
    height, width = grey.shape
    middle = grey[height // 4 : 3 * height // 4, width // 4 : 3 * width // 4]
    image = grey * (GREY / (cv2.mean(middle)[0] + 0.03) * light.exposure)
    noise = np.asarray(cv2.sqrt(image * SHOT_NOISE**2 + READ_NOISE**2), np.float32)
    noise *= _draw_noise((height, width), rng)
    image += noise
    return np.asarray(cv2.pow(np.maximum(image, 0, out=image), light.gamma), np.float32)
