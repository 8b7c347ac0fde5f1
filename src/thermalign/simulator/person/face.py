"""A person ready to be rendered: every map that the cameras sample."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from thermalign.simulator.person.anatomy import Identity, draw_identity
from thermalign.simulator.person.expression import expression_bases
from thermalign.simulator.person.facial_hair import draw_facial_hair
from thermalign.simulator.person.glasses import Glasses, draw_glasses
from thermalign.simulator.person.growth import Growth, draw_growth
from thermalign.simulator.person.headwear import draw_fabric
from thermalign.simulator.person.mood import Masks, dress, find_masks
from thermalign.simulator.person.mouth import Mouth
from thermalign.simulator.person.outline import find_silhouette
from thermalign.simulator.person.peak import Peak
from thermalign.simulator.person.shape import Shape, ambient_occlusion, build_shape, slopes
from thermalign.simulator.person.skin import paint_albedo
from thermalign.simulator.person.temperature import Warmth, build_warmth
from thermalign.simulator.person.torso import Torso, draw_torso
from thermalign.simulator.person.wrinkles import AT_REST, draw_wrinkles
from thermalign.simulator.physics.capture import Matrix
from thermalign.simulator.physics.colour import LUMA, OVERLAP, luminance
from thermalign.simulator.physics.fields import SCALE, Map, blur, channels, shrink
from thermalign.simulator.physics.march import Silhouette
from thermalign.simulator.physics.seeds import Purpose, stream
from thermalign.simulator.settings import USUAL, Variety

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
    albedo : (H/2, W/2, 4)
        Blue, green and red as a camera sees them, and the square root of their luminance.
    root : (H, W)
        The square root of the luminance.
    open_sky : (H/2, W/2), 0..1
        Share of the ambient light that reaches the surface.
    relief : (H/2, W/2, 4)
        Slopes along x and y in visible light, and what all wrinkles add at full depth.
    cloth : (3,)
        Blue, green and red albedo of the clothes.
    thermal_normals : levels 1 and 2, (h, w, 4)
        Unit vectors and 0, smoother and less steep: emission comes from a layer, not a surface.
    bases : expression -> (H/4, W/4, 4)
    landmarks : (5, 2) mm
        In the order of ``geometry.LANDMARKS``, on the neutral face.
    glasses : Glasses or None
    cap : bool
        Whether one is worn.
    peak : Peak or None
        Of the cap that is worn.
    masks : Masks or None
        Where a session makes it warmer or colder than usual, if any does.
    """

    identity: Identity
    mouth: Mouth
    warmth: Warmth
    height: Map
    silhouette: Silhouette
    torso: Torso
    albedo: Map
    root: Map
    open_sky: Map
    relief: Map
    cloth: Map
    thermal_normals: tuple[Map, ...]
    bases: dict[str, Map]
    landmarks: Matrix
    glasses: Glasses | None
    cap: bool
    peak: Peak | None
    masks: Masks | None


def build_face(
    seed: int,
    subject: tuple[int, int],
    *,
    gap: float,
    facial_hair: bool = True,
    caps: bool = False,
    session: int = 1,
    variety: Variety = USUAL,
) -> Face:
    """Build a person.

    Parameters
    ----------
    seed : int
        Of the dataset.
    subject : (volume, number)
    gap : float
        As in :func:`thermalign.simulator.person.temperature.build_warmth`.
    facial_hair : bool
        Whether beards and moustaches are worn; nothing else of a person depends on it.
    caps : bool
        Whether those who own a cap wear it; nothing else of a person depends on it.
    session : int
        From 1. In a later one the hair has been cut or has grown since, and lies otherwise.
    variety : Variety
        Of which proportions and beards are a matter of the person.
    """
    identity, growth = _who(seed, subject, session, variety)
    if not facial_hair:
        identity = replace(identity, beard=0.0, moustache=0.0)
    shape = build_shape(
        identity,
        rng=stream(seed, Purpose.SHAPE, subject),
        hair_rng=stream(seed, Purpose.HAIR, subject),
        fabric=draw_fabric(stream(seed, Purpose.HEADWEAR, subject)) if caps else None,
        growth=growth,
    )
    bare = np.asarray(shape.face * (1 - shape.hair_cover), np.float32)
    facial = draw_facial_hair(
        identity, shape.mouth, bare=bare, rng=stream(seed, Purpose.FACIAL_HAIR, subject)
    )
    slope = slopes(shape)
    painted = paint_albedo(
        identity,
        shape,
        facial=facial,
        rng=stream(seed, Purpose.SKIN, subject),
        colour_rng=stream(seed, Purpose.COLOUR, subject),
    )
    wrinkles = draw_wrinkles(identity, shape.mouth, stream(seed, Purpose.WRINKLES, subject))
    open_sky = _open_sky(shape)
    warm = stream(seed, Purpose.TEMPERATURE, subject)
    optician = stream(seed, Purpose.GLASSES, subject)
    return Face(
        identity=identity,
        mouth=shape.mouth,
        warmth=build_warmth(identity, shape, facial=facial, gap=gap, rng=warm),
        height=shrink(shape.height),
        silhouette=find_silhouette(identity.body, shape),
        torso=draw_torso(identity.body, stream(seed, Purpose.TORSO, subject)),
        albedo=_seen_albedo(painted, open_sky),
        root=np.sqrt(luminance(painted)),
        open_sky=shrink(_with_bounces(open_sky, luminance(painted))),
        relief=_soft_relief(shape, slope=slope, wrinkles=wrinkles),
        cloth=_average(painted, shape.cloth),
        thermal_normals=_thermal_normals(np.dstack(slope)),
        bases=expression_bases(identity, shape.mouth),
        landmarks=_landmarks(identity, shape.mouth),
        glasses=draw_glasses(identity, optician) if identity.owns_glasses else None,
        cap=shape.cap is not None,
        peak=shape.cap.peak if shape.cap else None,
        masks=find_masks(identity, shape, facial) if variety != USUAL else None,
    )


def _who(
    seed: int, subject: tuple[int, int], session: int, variety: Variety
) -> tuple[Identity, Growth | None]:
    """Return who a person is in a session, and how the hair has grown; None in the first."""
    drawn = stream(seed, Purpose.IDENTITY, subject)
    identity = draw_identity(drawn, proportions=variety.proportions)
    identity = dress(identity, variety, stream(seed, Purpose.VARIETY, subject))
    if session == 1:
        return identity, None
    growth = draw_growth(stream(seed, Purpose.GROWTH, subject, session=session))
    return growth.of_beard(identity), growth


def _thermal_normals(slope: Map) -> tuple[Map, ...]:
    """Return the normals of slopes (H, W, 2) blurred by 1.1 mm and clipped, levels 1 and 2."""
    x, y = cv2.split(np.clip(cv2.GaussianBlur(slope, (0, 0), 1.1 * SCALE), -3, 3))
    z = 1 / np.sqrt(x * x + y * y + 1)
    return pyramid(np.dstack([-x * z, -y * z, z, np.zeros_like(z)]))[1:]


def pyramid(maps: Map) -> tuple[Map, ...]:
    """Return maps at levels 0, 1 and 2."""
    middle = shrink(maps)
    return maps, middle, shrink(middle)


def _open_sky(shape: Shape) -> Map:
    """Return which share of the ambient light reaches the surface past relief and cap, (H, W)."""
    open_sky = ambient_occlusion(shape)
    return open_sky * shape.cap.open_sky if shape.cap else open_sky


def _soft_relief(shape: Shape, *, slope: tuple[Map, Map], wrinkles: Map) -> Map:
    """Return ``Face.relief``.

    Light wanders below bare skin before it comes back, so that its shading is softer than its
    surface: there the slopes are blurred. Light from other skin lifts what is steep: there they
    are bounded, too.
    """
    skin = np.asarray(shape.face * (1 - shape.hair_cover) * (1 - shape.eyes.opening), np.float32)
    share = shrink(SOFT_SHARE * blur(skin, 1.0))
    sharp = [shrink(axis) for axis in slope]
    wide = [shrink(blur(axis, SOFTNESS)) for axis in slope]
    bound = 1 / np.sqrt(1 + (wide[0] ** 2 + wide[1] ** 2) / STEEPEST**2)
    soft = (
        steep + share * (broad * bound - steep) + AT_REST * wrinkles[..., axis]
        for axis, (steep, broad) in enumerate(zip(sharp, wide, strict=True))
    )
    return np.dstack([*soft, wrinkles])


def _seen_albedo(painted: Map, open_sky: Map) -> Map:
    """Return ``Face.albedo`` of planes (3, H, W); hollows redden skin."""
    blue, red = channels(_tints(painted, open_sky))
    grey = shrink(luminance(painted))
    green = (1 - LUMA[0] * blue - LUMA[2] * red) / LUMA[1]
    seen = (sum(w * t for w, t in zip(row, (blue, green, red), strict=True)) for row in OVERLAP)
    return np.dstack([*(grey * plane for plane in seen), np.sqrt(grey)]).astype(np.float32)


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
