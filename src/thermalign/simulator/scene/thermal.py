"""The scene before the thermal camera: what skin emits and mirrors, and the way through the air.

All maps here are linearised radiance in the camera's band (see
:mod:`thermalign.simulator.physics.radiometry`); temperatures go in, the counts of
:mod:`thermalign.simulator.physics.sensor` come out.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from thermalign.simulator.person.expression import Deformation
from thermalign.simulator.person.face import Face, pyramid
from thermalign.simulator.person.glasses import Glasses, see_glasses
from thermalign.simulator.person.peak import peak_warmth, see_peak
from thermalign.simulator.person.temperature import Session
from thermalign.simulator.physics.fields import Map, channels, sample_at
from thermalign.simulator.physics.optics import Sway, defocus_at, gaussian_blur, motion_blur
from thermalign.simulator.physics.radiometry import Band, reflectance, transmittance
from thermalign.simulator.physics.sensor import ThermalCamera, expose
from thermalign.simulator.scene.hand import Hand, hand_warmth, see_hand
from thermalign.simulator.scene.open_mouth import see_mouth
from thermalign.simulator.scene.view import (
    View,
    pyramid_level,
    sample_pixels,
    to_level,
    undo_expression,
)

COARSE_UP_TO = 0.6  # px/mm, up to which normals of level 2 will do; ASSUME


@dataclass(frozen=True)
class Emission:
    """What thermal images of a session sample.

    Attributes
    ----------
    radiance : levels 0 to 2, (h, w) K
        Of a black body at the surface's temperature.
    normals : levels 1 and 2, (h, w, 4)
        As in ``Face.thermal_normals``.
    lens : float, K
        That the lenses of glasses are warmer than usual.
    """

    radiance: tuple[Map, ...]
    normals: tuple[Map, ...]
    lens: float = 0.0


# ASSUME every temperature and share below: tuned by eye
MOUTH, TEETH, BREATH = 35.2, -1.6, 0.5  # degrees Celsius; K near the upper lip; K per score

LENS, LENS_SPREAD, RIM = 3.2, 2.0, 5.0  # K above the air: lenses, their pattern, the frame

LENS_OPAQUE, RIM_OPAQUE = 0.97, 0.9


def emission_maps(face: Face, session: Session, band: Band, *, lens: float = 0.0) -> Emission:
    """Return what a session's thermal images sample; ``lens`` is ``Emission.lens``."""
    radiance = pyramid(np.asarray(band.radiance(session.surface), np.float32))
    return Emission(radiance, face.thermal_normals, lens)


def _mirrored_share(view: View, normals: tuple[Map, ...], nodes: Map) -> Map:
    """Return which share of the room's radiation each pixel mirrors, (h, w)."""
    level = 2 if view.camera.scale <= COARSE_UP_TO else 1
    normal = channels(sample_at(normals[level - 1], to_level(nodes, level)))
    cosine = sum(float(v) * axis for v, axis in zip(view.towards, normal, strict=False))
    return view.refine(reflectance(np.clip(cosine, 0, 1)))


def person_radiance(
    view: View,
    emission: Emission,
    deformation: Deformation,
    *,
    band: Band,
    ambient: float,
    breath: float,
) -> Map:
    """Return what the person sends to the camera, (h, w) K of linearised radiance.

    v = (1 - r) v(T) + r v(ambient) with the reflectance r of the angle between normal and view: at
    grazing angles skin mirrors the room. Hair, cloth and the mouth are taken for skin.

    Parameters
    ----------
    view : View
    emission : Emission
    deformation : Deformation
    band : Band
    ambient : float, degrees Celsius
    breath : float
        Standard score of the warmth in the mouth.
    """
    nodes, _ = undo_expression(view, deformation.field)
    level = pyramid_level(view.camera.scale)
    radiance = sample_pixels(view, emission.radiance[level], nodes, level=level)
    mouth = see_mouth(view, deformation.opening) if deformation.opening else None
    if mouth:
        teeth = TEETH * np.clip(1 - 2.2 * mouth.depth, 0, 1)
        inner = band.radiance(MOUTH + BREATH * breath + teeth)
        radiance[mouth.part] += mouth.mask * (inner - radiance[mouth.part])
    mirrored = _mirrored_share(view, emission.normals, nodes)
    mirrored *= band.radiance(ambient) - radiance
    return radiance + mirrored


def _put_on(
    glasses: Glasses, seen: Map, view: View, *, band: Band, ambient: float, warmer: float
) -> None:
    """Put glasses, opaque to long waves, before what is seen, in place."""
    lens, frame, pattern = channels(see_glasses(glasses, view.camera))
    glass = band.radiance(ambient + (LENS + warmer) + LENS_SPREAD * pattern)
    seen += LENS_OPAQUE * lens * (glass - seen)
    seen += RIM_OPAQUE * frame * (band.radiance(ambient + RIM) - seen)


def render_thermal(
    face: Face,
    view: View,
    emission: Emission,
    deformation: Deformation,
    *,
    breath: float,
    ambient: float,
    behind: Map,
    glasses: bool,
    hand: Hand | None = None,
    camera: ThermalCamera,
    coarser: int = 1,
    sway: Sway,
    rng: np.random.Generator,
) -> npt.NDArray[np.uint16]:
    """Take a thermal image.

    Parameters
    ----------
    face : Face
    view : View
    emission : Emission
    deformation : Deformation
        The expression that ``view`` was marched with.
    breath : float
        As :func:`person_radiance` takes it.
    ambient : float, degrees Celsius
        Of the air, the walls and whatever skin mirrors.
    behind : (h, w) K of linearised radiance
        The scene without the person; is used up.
    glasses : bool
        Whether the person wears the glasses they own, if any.
    hand : Hand or None
        Before the face.
    camera : ThermalCamera
    coarser : int
        As :func:`thermalign.simulator.physics.sensor.expose` takes it.
    sway : Sway
    rng : Generator
        Of the noise.

    Returns
    -------
    (h, w) uint16
        As :func:`thermalign.simulator.physics.sensor.expose` returns them.
    """
    sensor, metres = camera.sensor, view.camera.distance / 1000
    band = sensor.band
    seen = person_radiance(view, emission, deformation, band=band, ambient=ambient, breath=breath)
    around = behind[view.part]
    seen -= around
    seen *= view.cover
    around += seen
    if glasses and face.glasses:
        _put_on(face.glasses, around, view, band=band, ambient=ambient, warmer=emission.lens)
    if face.peak:
        peak = see_peak(face.peak, view.camera)
        cloth = band.radiance(peak_warmth(peak, ambient))
        around[peak.part] += peak.cover * (cloth - around[peak.part])
    if hand:
        layers = see_hand(hand, view.camera)
        around += layers[..., 0] * (band.radiance(hand_warmth(hand, layers)) - around)
    scene, passed = behind, transmittance(metres, ambient)
    scene *= passed
    scene += (1 - passed) * band.radiance(ambient)  # the air's own glow
    blurred = gaussian_blur(scene, sensor.lens.blur(defocus_at(camera.focus, sway.lean, metres)))
    smear = sway.smear(sensor.exposure, view.camera.scale)
    moved = motion_blur(blurred, smear, decay=sensor.bolometer)
    return expose(moved, camera, rng, coarser=coarser)
