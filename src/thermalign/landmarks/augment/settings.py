"""What can be set of augmentation, for every detector alike."""

from dataclasses import dataclass

from thermalign.settings import check, setting


@dataclass(frozen=True)
class Augmentation:
    """How training faces are varied, as other cameras, poses and people would; off by default.

    Light is in normalised units: the levels of a face lie at -1 and 1, its span is 2. "At most":
    a face's strength is drawn evenly between nothing and this.

    Attributes
    ----------
    aspect : float
        Standard deviation of the logarithm of height over width, whose product stays.
    shear : float
        Standard deviation of the shift to the right per pixel downwards.
    bend : float
        Standard deviation, per axis, of how far the middle of the face is moved against its rim, as
        a camera from below, above or the side shows it; never beyond 0.4.
    share : float
        Of the faces that each of the following effects, drawn by itself, is used on; not
        ``occluders`` and ``surround``, which are shares themselves.
    occluders : float
        Share of the faces behind something of one level: a patch, an edge (scarf, cap, hair) or two
        lenses.
    surround : float
        Share of the faces around which, beyond an oval, all is of one level: a hood, another room.
    blur : float
        Standard deviation of a Gaussian blur, at most.
    low_resolution : float
        Side of a pixel of the camera, at most; finer than a crop's pixels it does nothing.
    noise : float
        Standard deviation in each pixel, at most: of the crop, or of ``low_resolution``.
    fixed_pattern : float
        Standard deviation of each column and, half as strong, row of these pixels, at most.
    shading : float
        Of a slow wave across the face, at most, as of a camera that drifts since its last shutter.
    local_contrast : float
        By how much details of less than about 0.3 interocular distances are amplified over what is
        larger, at most: at 1 twice. The strength of both together is about kept.
    curve : float
        Standard deviation of the logarithms of the slopes of an increasing curve of six pieces.
    saturation : float
        Share of the face's span that is cut off at either end, at most.
    eight_bit : float
        Range of 256 grey levels in spans of the face, at most: at 8 a face may keep 32 of them. At
        1 they are the face's own; 0 does nothing, and between 0 and 1 is refused.
    gain : float
        Standard deviation of the logarithm of a factor, in every face: as another box measures it.
    offset : float
        As above, added to all values.
    """

    aspect: float = setting(0.0, low=0, high=0.5)
    shear: float = setting(0.0, low=0, high=0.5)
    bend: float = setting(0.0, low=0, high=0.3, unit="interocular distances")
    share: float = setting(0.5, low=0, high=1)
    occluders: float = setting(0.0, low=0, high=1)
    surround: float = setting(0.0, low=0, high=1)
    blur: float = setting(0.0, low=0, high=0.5, unit="interocular distances")
    low_resolution: float = setting(0.0, low=0, high=0.5, unit="interocular distances")
    noise: float = setting(0.0, low=0, high=2)
    fixed_pattern: float = setting(0.0, low=0, high=2)
    shading: float = setting(0.0, low=0, high=2)
    local_contrast: float = setting(0.0, low=0, high=10)
    curve: float = setting(0.0, low=0, high=2)
    saturation: float = setting(0.0, low=0, high=0.45)
    eight_bit: float = setting(0.0, low=0, high=64)
    gain: float = setting(0.0, low=0, high=1)
    offset: float = setting(0.0, low=0, high=1)

    RELATIONS = (
        (
            "eight_bit == 0 or eight_bit >= 1",
            "eight_bit is {eight_bit}; give 0 for none, or 1 or more spans of the face",
        ),
    )

    def __post_init__(self) -> None:
        check(self)

    @property
    def changes(self) -> bool:
        """Whether anything of the faces changes."""
        return self.distorts or self.records

    @property
    def distorts(self) -> bool:
        """Whether the shape of faces changes."""
        return max(self.aspect, self.shear, self.bend) > 0

    @property
    def records(self) -> bool:
        """Whether the light of faces changes."""
        light = (self.occluders, self.surround, self.blur, self.low_resolution, self.noise)
        pattern = (self.fixed_pattern, self.shading, self.local_contrast)
        grey = (self.curve, self.saturation, self.eight_bit, self.gain, self.offset)
        return max(*light, *pattern, *grey) > 0
