"""Brows and beard."""

from dataclasses import dataclass

import cv2
import numpy as np

from thermalign.simulator.person.anatomy import Identity
from thermalign.simulator.person.mouth import Mouth
from thermalign.simulator.physics.fields import (
    SHAPE,
    SIDES,
    Map,
    X,
    Y,
    bell,
    broken_line,
    fine_noise,
    logistic,
    random_field,
    window,
)

# ASSUME every length (mm), density and exponent below: tuned by eye on contact sheets.
LONG = 0.5  # density from which a beard is more than stubble

BROW_ROWS = (-60.0, 10.0)  # mm, y between which brows lie


@dataclass(frozen=True)
class FacialHair:
    """Densities, 0..1, each (H, W), and the texture of the beard's hairs of unit variance."""

    brow: Map
    beard: Map
    texture: Map


def draw_facial_hair(
    identity: Identity, mouth: Mouth, *, bare: Map, rng: np.random.Generator
) -> FacialHair:
    """Draw brows and beard.

    Parameters
    ----------
    identity : Identity
    mouth : Mouth
    bare : (H, W), 0..1
        Skin of the face that no other hair covers; the beard grows only there.
    rng : Generator
    """
    texture = fine_noise(rng, 0.7)
    patchy = 0.86 + 0.10 * random_field(rng, 6) + 0.10 * random_field(rng, 20)
    beard = np.clip(_beard_shape(identity, mouth) * np.clip(patchy, 0, 1), 0, 1) * bare
    if identity.beard > LONG:  # stubble is dots, a beard hangs
        texture = _stroked(texture, (0.15, 1.0), reach=3.0)
    return FacialHair(_brows(identity, rng), beard, texture)


def _brows(identity: Identity, rng: np.random.Generator) -> Map:
    """Draw both brows out of single hairs that point outwards and up, (H, W), 0..1."""
    brow = _brow_shape(identity)
    for sign, _ in SIDES:
        part = window((min(0, sign * 70), max(0, sign * 70)), BROW_ROWS)
        white = rng.standard_normal(brow[part].shape, dtype=np.float32)
        hairs = _stroked(
            np.asarray(cv2.GaussianBlur(white, (0, 0), 0.5), np.float32),
            (sign * 1.0, -0.45),
            reach=2.2,
        )
        # single hairs leave the edge: where the shape is thin, only the dense ones are there
        ragged = brow[part] * (1 + 0.25 * hairs) + 0.25 * hairs * brow[part] * (1 - brow[part])
        brow[part] = np.clip(identity.body.brow_density * ragged, 0, 1)
    return brow


def _stroked(noise: Map, direction: tuple[float, float], *, reach: float) -> Map:
    """Smear noise along a direction (x, y) over +-``reach`` pixels, back to unit variance."""
    half = int(np.ceil(reach)) + 1
    x, y = np.meshgrid(np.arange(-half, half + 1), np.arange(-half, half + 1))
    length = float(np.hypot(*direction))
    along = (x * direction[0] + y * direction[1]) / length
    across = (y * direction[0] - x * direction[1]) / length
    kernel = (bell(across, 0.45) * bell(along, reach / 1.5)).astype(np.float32)
    smeared = cv2.filter2D(noise, cv2.CV_32F, kernel)
    return np.asarray(smeared / np.float32(smeared.std()), np.float32)


def _brow_shape(identity: Identity) -> Map:
    body, uneven = identity.body, identity.uneven
    shape = np.zeros(SHAPE, np.float32)
    for sign, i in SIDES:
        part = window((min(0, sign * 70), max(0, sign * 70)), (body.brow_y - 24, body.brow_y + 18))
        out = sign * X[:, part[1]] - 12  # mm from the inner end
        length = 41 + 1.2 * uneven.eye_x[i]
        along = out / length
        arch = 1.2 * body.brow_arch * np.sin(np.pi * np.clip(along, 0, 1) ** 1.35)
        drop = 7.68 * np.clip(along - 0.5, 0, 1) ** 2
        line = body.brow_y + 0.5 * uneven.eye_y[i] - arch + drop
        share = [(-0.05, 0.6), (0.12, 1.0), (0.6, 0.85), (1.0, 0.25), (1.05, 0.1)]
        half = np.maximum(0.62 * body.brow_thickness * broken_line(along, share), 0.3)
        ends = logistic(out / 1.3) * logistic((length - out) / 1.5)
        shape[part] = np.exp(-0.7 * np.abs((Y[part[0]] - line) / half) ** 3) * ends
    return shape


def _beard_shape(identity: Identity, mouth: Mouth) -> Map:
    body = identity.body
    base, low, menton = body.subnasale_y, body.mouth_y, body.menton_y
    across = np.abs(X)
    edge = low - 18 - 0.55 * np.maximum(0, across - 40)
    cheek = logistic((across - mouth.half_length - 2) / 5) * logistic((Y - edge) / 6)
    chin = logistic((Y - low - body.lower_lip - 3) / 3)
    jaw = np.clip(cheek + chin, 0, 1)
    jaw = jaw * logistic((Y - (base + 2)) / 4) * logistic((menton + 14 - Y) / 5)
    temple = logistic((across - 0.415 * body.face_breadth) / 3)
    side = temple * logistic(Y / 6) * logistic((low - Y) / 8)
    above_lip = logistic(mouth.line - mouth.upper - Y)
    lip = bell(Y - (base + 0.465 * body.philtrum), 0.28 * body.philtrum)
    lip = lip * np.exp(-((X / (mouth.half_length + 1)) ** 4)) * above_lip
    face = identity.beard * np.maximum(jaw, 0.9 * side)
    return np.asarray(np.maximum(face, identity.moustache * lip), np.float32)
