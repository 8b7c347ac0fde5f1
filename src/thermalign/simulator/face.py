"""A person ready to be rendered: every map that the cameras sample."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from thermalign.simulator.anatomy import Identity, draw_identity
from thermalign.simulator.capture import Matrix
from thermalign.simulator.expression import expression_bases
from thermalign.simulator.facial_hair import draw_facial_hair
from thermalign.simulator.fields import SCALE, Map, shrink
from thermalign.simulator.glasses import Glasses, draw_glasses
from thermalign.simulator.headwear import draw_fabric
from thermalign.simulator.march import Silhouette
from thermalign.simulator.mouth import Mouth
from thermalign.simulator.outline import find_silhouette
from thermalign.simulator.peak import Peak
from thermalign.simulator.seeds import Purpose, stream
from thermalign.simulator.shape import ambient_occlusion, build_shape, slopes
from thermalign.simulator.skin import paint_albedo
from thermalign.simulator.temperature import Warmth, build_warmth
from thermalign.simulator.torso import Torso, draw_torso


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
        Albedo, ambient occlusion, slope along x, slope along y.
    thermal_normals : (3, H, W)
        Unit vectors, smoother and less steep: emission comes from a layer, not a surface.
    bases : expression -> (H/4, W/4, 3) mm
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
    albedo = paint_albedo(identity, shape, facial=facial, rng=stream(seed, Purpose.SKIN, subject))
    slope = slopes(shape)
    open_sky = ambient_occlusion(shape)
    if shape.cap:
        open_sky = open_sky * shape.cap.open_sky
    reflectance = np.dstack([albedo, open_sky, *slope])
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


def _landmarks(identity: Identity, mouth: Mouth) -> Matrix:
    nose = (identity.septum, identity.body.subnasale_y + 0.3)
    return np.array([*identity.eyes, nose, *mouth.corners], np.float64)
