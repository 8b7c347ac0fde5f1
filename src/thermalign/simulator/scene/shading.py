"""The light of a room on a face: lamps, cast shadow, gloss.

Light is blue, green, red (OpenCV's order) and linear.
"""

import cv2
import numpy as np

from thermalign.simulator.person.expression import Deformation
from thermalign.simulator.person.face import Face
from thermalign.simulator.person.peak import Peak, peak_shadow
from thermalign.simulator.physics.capture import Light, Matrix
from thermalign.simulator.physics.colour import luminance
from thermalign.simulator.physics.fields import SCALE, Map, channels, sample_at, shrink
from thermalign.simulator.scene.view import (
    View,
    sample_pixels,
    to_level,
    undo_expression,
)

# ASSUME: shading tuned by eye; intensities are relative, the exposure fixes their scale
WRAP = 0.15  # light that scatters past the terminator

SHADOW_DEPTH = 0.42  # share of the key light that a cast shadow takes

SHADOW_STEPS = (4.0, 8.0, 13.0, 20.0, 30.0)  # mm towards the key light

SHADOW_BLUR = 1.7  # px of level 2

AHEAD = np.array([0.0, -0.25, 0.97])


def light_from_ahead(light: Light) -> Map:
    """Return the light on a surface that faces the camera and slightly up, (3,)."""
    by_key, by_fill = (max(float(v @ AHEAD), 0.0) for v in (light.key, light.fill))
    by_room = light.ambient + light.fill_strength * by_fill
    lit = light.key_strength * by_key * light.tints[0] + by_room * light.tints[1]
    return np.asarray(lit, np.float32)


def shade(
    face: Face, view: View, height: Map, deformation: Deformation, light: Light
) -> tuple[Map, Map]:
    """Return the light that the person sends to the camera.

    albedo (ambient AO + key (wrapped n.l) (1 - shadow) sqrt(AO) + fill (n.l)+) + gloss (n.h)^24.
    The light on the skin is smooth and found at the nodes; the luminance of the albedo is not.

    Returns
    -------
    grey : (h, w)
        Luminance at every pixel.
    colour : (rows, columns, 3)
        At the nodes.
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
    # gloss fades with the root of the albedo: a haze of its own turns black hair grey
    by_gloss = light.gloss * _lobe(glossy) * lit * open_sky
    *albedo, root = channels(sample_at(face.albedo, nodes))
    tints = light.tints.T.astype(np.float32)
    matt = [a * (k * by_key + r * by_room) for a, (k, r) in zip(albedo, tints, strict=True)]
    received = luminance(np.stack(matt)) / (root * root)
    roots = sample_pixels(view, face.root, nodes, level=0)
    grey = roots * (roots * view.refine(received) + view.refine(by_gloss))
    shine = root * by_gloss
    planes = [plane + tint * shine for plane, tint in zip(matt, tints[:, 0], strict=True)]
    return grey, np.asarray(cv2.merge(planes), np.float32)


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
