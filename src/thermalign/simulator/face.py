"""A person ready to be rendered: every map that the cameras sample."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from thermalign.simulator.anatomy import Identity, draw_identity
from thermalign.simulator.capture import Matrix
from thermalign.simulator.expression import expression_bases
from thermalign.simulator.facial_hair import draw_facial_hair
from thermalign.simulator.fields import SCALE, Map, blur, enlarge, shrink
from thermalign.simulator.glasses import Glasses, draw_glasses
from thermalign.simulator.headwear import draw_fabric
from thermalign.simulator.march import Silhouette
from thermalign.simulator.mouth import Mouth
from thermalign.simulator.outline import find_silhouette
from thermalign.simulator.peak import Peak
from thermalign.simulator.pigments import luminance
from thermalign.simulator.seeds import Purpose, stream
from thermalign.simulator.shape import Shape, ambient_occlusion, build_shape, slopes
from thermalign.simulator.skin import paint_albedo
from thermalign.simulator.temperature import Warmth, build_warmth
from thermalign.simulator.torso import Torso, draw_torso
from thermalign.simulator.wrinkles import AT_REST, draw_wrinkles

# ASSUME: how far light wanders in skin (mm), what part of it does, the steepest shading (slope)
SOFTNESS, SOFT_SHARE, STEEPEST = 1.4, 0.8, 1.3


@dataclass(frozen=True)
class Face:
    """One person.

    Attributes
    ----------
    identity, mouth, warmth
    height : (H/2, W/2) mm
    silhouette : Silhouette
    torso : Torso
    reflectance : levels 0 to 2, (h, w, 4)
        Luminance of the albedo, ambient occlusion, slope along x, slope along y.
    detail : (H/2, W/2, 4)
        Blue and red albedo over their luminance; slopes that all wrinkles add at full depth.
    cloth : (3,)
        Blue, green and red albedo of the clothes.
    thermal_normals : (3, H, W)
        Unit vectors, smoother and less steep: emission comes from a layer, not a surface.
    bases : expression -> (H/4, W/4, 4)
    landmarks : (5, 2) mm
        In the order of ``geometry.LANDMARKS``, on the neutral face.
    glasses : Glasses or None
    peak : Peak or None
        Of the cap that is worn.
    """

    identity: Identity
    mouth: Mouth
    warmth: Warmth
    height: Map
    silhouette: Silhouette
    torso: Torso
    reflectance: tuple[Map, ...]
    detail: Map
    cloth: Map
    thermal_normals: Map
    bases: dict[str, Map]
    landmarks: Matrix
    glasses: Glasses | None
    peak: Peak | None


def build_face(
    seed: int,
    subject: tuple[int, int],
    *,
    gap: float,
    facial_hair: bool = True,
    caps: bool = False,
) -> Face:
    """Build a person.

    Parameters
    ----------
    seed : int
        Of the dataset.
    subject : (volume, number)
    gap : float
        As in :func:`thermalign.simulator.temperature.build_warmth`.
    facial_hair : bool
        Whether beards and moustaches are worn; nothing else of a person depends on it.
    caps : bool
        Whether those who own a cap wear it; nothing else of a person depends on it.
    """
    identity = draw_identity(stream(seed, Purpose.IDENTITY, subject))
    if not facial_hair:
        identity = replace(identity, beard=0.0, moustache=0.0)
    shape = build_shape(
        identity,
        rng=stream(seed, Purpose.SHAPE, subject),
        hair_rng=stream(seed, Purpose.HAIR, subject),
        fabric=draw_fabric(stream(seed, Purpose.HEADWEAR, subject)) if caps else None,
    )
    bare = np.asarray(shape.face * (1 - shape.hair_cover), np.float32)
    facial = draw_facial_hair(
        identity, shape.mouth, bare=bare, rng=stream(seed, Purpose.FACIAL_HAIR, subject)
    )
    slope = slopes(shape)
    albedo = paint_albedo(
        identity,
        shape,
        facial=facial,
        rng=stream(seed, Purpose.SKIN, subject),
        colour_rng=stream(seed, Purpose.COLOUR, subject),
    )
    wrinkles = draw_wrinkles(identity, shape.mouth, stream(seed, Purpose.WRINKLES, subject))
    reflectance, detail = _see(shape, albedo, slope=slope, wrinkles=wrinkles)
    warm = stream(seed, Purpose.TEMPERATURE, subject)
    optician = stream(seed, Purpose.GLASSES, subject)
    return Face(
        identity=identity,
        mouth=shape.mouth,
        warmth=build_warmth(identity, shape, facial=facial, gap=gap, rng=warm),
        height=shrink(shape.height),
        silhouette=find_silhouette(identity.body, shape),
        torso=draw_torso(identity.body, stream(seed, Purpose.TORSO, subject)),
        reflectance=pyramid(reflectance),
        detail=detail,
        cloth=_average(albedo, shape.cloth),
        thermal_normals=_thermal_normals(np.dstack(slope)),
        bases=expression_bases(identity, shape.mouth),
        landmarks=_landmarks(identity, shape.mouth),
        glasses=draw_glasses(identity, optician) if identity.owns_glasses else None,
        peak=shape.cap.peak if shape.cap else None,
    )


def _thermal_normals(slope: Map) -> Map:
    """Return the normals of slopes (H, W, 2) blurred by 1.1 mm and clipped, (3, H, W)."""
    x, y = cv2.split(np.clip(cv2.GaussianBlur(slope, (0, 0), 1.1 * SCALE), -3, 3))
    z = 1 / np.sqrt(x * x + y * y + 1)
    return np.stack([-x * z, -y * z, z])


def pyramid(maps: Map) -> tuple[Map, ...]:
    """Return maps at levels 0, 1 and 2."""
    middle = shrink(maps)
    return maps, middle, shrink(middle)


def _see(shape: Shape, albedo: Map, *, slope: tuple[Map, Map], wrinkles: Map) -> tuple[Map, Map]:
    """Pack what the visible camera samples: ``Face.reflectance`` of level 0, and ``Face.detail``.

    Light wanders below bare skin before it comes back, so that its shading is softer than its
    surface: there the slopes are blurred. Light from other skin lifts what is steep: there they
    are bounded, too.
    """
    open_sky, grey = ambient_occlusion(shape), luminance(albedo)
    if shape.cap:
        open_sky = open_sky * shape.cap.open_sky
    skin = np.asarray(shape.face * (1 - shape.hair_cover) * (1 - shape.eyes.opening), np.float32)
    share = SOFT_SHARE * blur(skin, 1.0)
    resting = AT_REST * enlarge(wrinkles)
    wide = [blur(sharp, SOFTNESS) for sharp in slope]
    bound = 1 / np.sqrt(1 + (wide[0] ** 2 + wide[1] ** 2) / STEEPEST**2)
    soft = (
        sharp + share * (broad * bound - sharp) + resting[..., axis]
        for axis, (sharp, broad) in enumerate(zip(slope, wide, strict=True))
    )
    reflectance = np.dstack([grey, _with_bounces(open_sky, grey), *soft])
    return reflectance, np.dstack([_tints(albedo, open_sky), wrinkles])


def _average(albedo: Map, cloth: Map) -> Map:
    """Return the mean albedo of clothes at the lower border, (3,)."""
    border = slice(-24, None)
    weight = cloth[border] / max(float(cloth[border].sum()), 1e-6)
    return np.asarray((albedo[:, border] * weight).sum((1, 2)), np.float32)


def _with_bounces(open_sky: Map, albedo: Map) -> Map:
    """Return the ambient light in a hollow whose walls reflect the share ``albedo`` on.

    a / (1 - albedo (1 - a)), the sum of all bounces: hollows of light skin are hardly dark.
    """
    return np.asarray(open_sky / (1 - albedo * (1 - open_sky)), np.float32)


def _tints(albedo: Map, open_sky: Map) -> Map:
    """Return blue and red over the luminance, (H/2, W/2, 2); hollows redden skin."""
    small, sky = [shrink(layer) for layer in albedo], shrink(open_sky)
    colour = np.stack([layer * _with_bounces(sky, layer) for layer in small])
    grey = luminance(colour)
    return np.dstack([colour[0] / grey, colour[2] / grey])


def _landmarks(identity: Identity, mouth: Mouth) -> Matrix:
    nose = (identity.septum, identity.body.subnasale_y + 0.3)
    return np.array([*identity.eyes, nose, *mouth.corners], np.float64)
