"""What a simulated dataset is made of, and how it is read from a configuration."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from thermalign.settings import parse, setting

RANGES = (1, 2, 3)


@dataclass(frozen=True)
class Volume:
    """A group of subjects recorded in one way.

    Attributes
    ----------
    subjects : int
        People.
    ranges : tuple of int
        Of 1 (2.5 m), 2 (5 m) and 3 (7.5 m); at each, room, light, state of the person and of the
        camera are drawn anew.
    baseline, expression : int
        Samples per subject, session and range, with resting and with speaking faces.
    visible_ranges : tuple of int
        Ranges where the visible camera records too, one image a sample.
    thermal_images : int
        Thermal images per subject and session, spread as evenly as may be over its samples; 0 is
        one a sample.
    sessions : int
        How often each subject comes. A later session has other skin temperatures, another length
        and lie of the hair, and other draws of all that differs by range.
    """

    subjects: int = setting(low=1)
    ranges: tuple[int, ...] = setting(RANGES, low=1, high=3)
    baseline: int = setting(4, low=0)
    expression: int = setting(4, low=0)
    visible_ranges: tuple[int, ...] = setting((1,), low=1, high=3)
    thermal_images: int = setting(0, low=0)
    sessions: int = setting(1, low=1)

    RELATIONS = (
        ("ranges and baseline + expression", "has no images; give it ranges and samples"),
        (
            "not 0 < thermal_images < len(ranges) * (baseline + expression)",
            "thermal_images is {thermal_images}; give 0, or at least one for each of the "
            "{len(ranges) * (baseline + expression)} samples of a subject in a session",
        ),
        ("len(set(ranges)) == len(ranges)", "ranges is {ranges}; give each once"),
        (
            "len(set(visible_ranges)) == len(visible_ranges) "
            "and set(visible_ranges) <= set(ranges)",
            "visible_ranges is {visible_ranges}; choose once each of {ranges}, the ranges",
        ),
    )

    def samples(self) -> dict[str, int]:
        """Return the samples per subject, session and range, by condition."""
        return {"baseline": self.baseline, "expression": self.expression}

    def frames(self) -> list[int]:
        """Return the number of thermal images of each sample of a subject, in recorded order."""
        samples = len(self.ranges) * (self.baseline + self.expression)
        total = self.thermal_images or samples
        of_one = [(n + 1) * total // samples - n * total // samples for n in range(samples)]
        return of_one * self.sessions


@dataclass(frozen=True)
class Variety:
    """How far faces and recordings go beyond the usual, for detectors that shall work elsewhere.

    All of it is off by default and costs no other draw: the same people at the same moments.
    What is uniform "from 0" has the setting as its end. All strengths are ASSUME.

    Attributes
    ----------
    warm_noses : float
        Share of sessions (a person at a range) whose nose is as warm as the cheeks or warmer.
    cold_noses : float
        Share of sessions whose nose is cold within the sharp outline of its cartilage.
    nose_depth : float, K
        Of such a nose below the face around it: uniform from a quarter of it.
    nostrils : float, K
        Nostrils colder than usual, as when air is drawn in: uniform from 0, per session.
    lips : float, K
        Standard deviation, per session, of the lips against the skin around them, which are no
        warmer than it on average; the line between them is as warm as usual or cooler.
    breath : float, K
        Standard deviation, per session, of the skin between nose and upper lip.
    eyes : float, K
        Openings of the eyes, and lashes, colder than usual: each uniform from 0, per session.
    brows : float, K
        Brows colder than usual: uniform from 0, per session.
    regions : float, K
        Standard deviation, per session, of forehead, eyes, cheeks, chin and sides of the face.
    beards : float
        Share of men with a full beard, a moustache or both in place of what they have.
    beard_depth : float, K
        Full beards and moustaches colder than usual: uniform from 0, per session.
    spectacles : float
        Share of people who own glasses beside those who do anyway; ``glasses`` has them worn.
    lenses : float, K
        Standard deviation, per session, of the lenses of glasses.
    closed_eyes : float
        Share of moments with closed eyes beyond the usual blinks.
    lids : float
        Standard deviation, per moment, of how far the lids hang; 1 is closed.
    hands : float
        Share of moments with a hand before the face.
    elevation_mean, elevation_sd : float, degrees
        How far below the face the camera stands, per session; negative is above it. Head and camera
        together pitch by at most 30 degrees seen from below, and 18 from above.
    proportions : float
        Spread of all measurements of heads over the usual one.
    uncooled : float
        Share of people before a microbolometer, whatever ``sensor`` is.
    exports : float
        Share of sessions whose thermal images are pictures of 8 bits as a camera's gain control
        makes them, saturated at both ends; such images have no degrees.
    exports_white : two float, %
        Share of the pixels of such a picture that are white: log-uniform between, per session.
    coarser : int, px
        Side of the squares whose mean one pixel of the thermal camera sees; images keep their
        size. 4 makes 640 x 480 pixels 160 x 120.
    """

    warm_noses: float = setting(0.0, low=0, high=1)
    cold_noses: float = setting(0.0, low=0, high=1)
    nose_depth: float = setting(5.0, low=0, high=10, unit="K")
    nostrils: float = setting(0.0, low=0, high=8, unit="K")
    lips: float = setting(0.0, low=0, high=4, unit="K")
    breath: float = setting(0.0, low=0, high=4, unit="K")
    eyes: float = setting(0.0, low=0, high=6, unit="K")
    brows: float = setting(0.0, low=0, high=6, unit="K")
    regions: float = setting(0.0, low=0, high=3, unit="K")
    beards: float = setting(0.0, low=0, high=1)
    beard_depth: float = setting(0.0, low=0, high=8, unit="K")
    spectacles: float = setting(0.0, low=0, high=1)
    lenses: float = setting(0.0, low=0, high=10, unit="K")
    closed_eyes: float = setting(0.0, low=0, high=1)
    lids: float = setting(0.0, low=0, high=1)
    hands: float = setting(0.0, low=0, high=1)
    elevation_mean: float = setting(0.0, low=-15, high=20, unit="degrees")
    elevation_sd: float = setting(0.0, low=0, high=20, unit="degrees")
    proportions: float = setting(1.0, low=0.5, high=1.6)
    uncooled: float = setting(0.0, low=0, high=1)
    exports: float = setting(0.0, low=0, high=1)
    exports_white: tuple[float, float] = setting((0.02, 4.0), low=0.001, high=60, unit="%")
    coarser: int = setting(1, low=1, high=8, unit="px")

    RELATIONS = (
        (
            "warm_noses + cold_noses <= 1",
            "warm_noses and cold_noses are {warm_noses} and {cold_noses}; together at most 1",
        ),
        (
            "exports_white[0] <= exports_white[1]",
            "exports_white is {exports_white}; give the smaller share first",
        ),
    )


USUAL = Variety()


@dataclass(frozen=True)
class Settings:
    """A simulated dataset. All defaults are ASSUME: no source states them.

    Beyond the limits the models of camera and room no longer hold; a crop is at least about as wide
    as a face, and at most what a whole image holds.

    Attributes
    ----------
    volumes : tuple of Volume
        Numbered from 1.
    gap : float
        Strength of what thermal images show and visible ones do not. 0.5 is easy, 1.6 hard.
    glasses : bool
        Let subjects who own glasses wear them.
    facial_hair : bool
        Let men grow beards and moustaches.
    caps : bool
        Let subjects who own a cap wear it.
    colour : bool
        Give the visible camera three colours; without, it is a monochrome one.
    annotation_noise : float, interocular distances
        Standard deviation of annotated coordinates, whose visibility stays that of the exact ones;
        0 gives exact landmarks.
    ambient_mean, ambient_sd : float, degrees Celsius
        Of the room, per session.
    frames : bool
        Whole images of the cameras with the room around the person, instead of face crops.
    subject_seeds : mapping of subject to int
        Seeds of single subjects, ``{v1_s003: 7}`` for example, instead of the dataset's.
    sensor : str
        Kind of thermal camera: ``cooled`` as the paper's, or ``uncooled``, a microbolometer.
    netd : float or None, K
        Noise-equivalent temperature difference of the thermal camera; None for its kind's own.
    drift : float
        Strength of what the thermal camera's correction loses over time; 1 is its kind's own.
    defocus : float, m
        Standard deviation at Range 1 of the subject's distance from the plane in focus.
    motion : float, mm/s
        Standard deviation of each coordinate of the head's velocity.
    crop_height, crop_width : int, px
        Of face crops at Range 1; smaller with the scale of the other ranges. The default holds a
        tight face box and two standard deviations of its jitter.
    centre_jitter : float, interocular distances
        Standard deviation of a face's place in its crop, per coordinate; in whole images it is
        the seat, the pointing of the camera and the head's sway that decide.
    scale_jitter : float
        Standard deviation of the logarithm of a face's scale.
    yaw_sd, pitch_sd, roll_sd : float, degrees
        Standard deviations of the head's turns.
    variety : Variety
        Warmer and colder faces, other cameras, things before the face.
    """

    volumes: tuple[Volume, ...] = setting()
    gap: float = setting(1.3, low=0, high=5)
    glasses: bool = setting(False)
    facial_hair: bool = setting(True)
    caps: bool = setting(False)
    colour: bool = setting(True)
    annotation_noise: float = setting(0.0, low=0, high=0.3, unit="interocular distances")
    ambient_mean: float = setting(22.5, low=0, high=35, unit="degrees Celsius")
    ambient_sd: float = setting(1.2, low=0, high=5, unit="degrees Celsius")
    frames: bool = setting(False)
    subject_seeds: Mapping[str, int] = setting({}, low=0)
    sensor: str = setting("cooled", choices=("cooled", "uncooled"))
    netd: float | None = setting(None, low=0, high=2, unit="K")
    drift: float = setting(1.0, low=0, high=10)
    defocus: float = setting(0.08, low=0, high=2, unit="m")
    motion: float = setting(20.0, low=0, high=1000, unit="mm/s")
    crop_height: int = setting(300, low=180, high=480, unit="px")
    crop_width: int = setting(250, low=180, high=480, unit="px")
    centre_jitter: float = setting(0.02, low=0, high=0.3, unit="interocular distances")
    scale_jitter: float = setting(0.05, low=0, high=0.3)
    yaw_sd: float = setting(5.0, low=0, high=20, unit="degrees")
    pitch_sd: float = setting(3.5, low=0, high=15, unit="degrees")
    roll_sd: float = setting(2.0, low=0, high=15, unit="degrees")
    variety: Variety = field(default_factory=Variety)


def settings_from(mapping: Mapping[str, Any]) -> Settings:
    """Read settings from a configuration block.

    Parameters
    ----------
    mapping : mapping
        Attributes of :class:`Settings`; ``volumes`` is a list of mappings with attributes of
        :class:`Volume`.

    Raises
    ------
    ValueError
        If a key is unknown or missing, or a value has the wrong type or range, or does not fit
        another.
    """
    where = "simulator settings"
    settings = parse(Settings, mapping, where)
    if not settings.volumes:
        raise ValueError(f"{where}: volumes is empty; give a list with one entry per volume")
    _check_subjects(settings, where)
    return settings


def subject_name(volume: int, number: int) -> str:
    """Return the name of a subject of a volume from 1 and a number from 0, ``v1_s007``."""
    return f"v{volume}_s{number:03d}"


def _check_subjects(settings: Settings, where: str) -> None:
    known = {
        subject_name(volume, number)
        for volume, plan in enumerate(settings.volumes, 1)
        for number in range(plan.subjects)
    }
    unknown = sorted(set(settings.subject_seeds) - known)
    if unknown:
        raise ValueError(
            f"{where}: subject_seeds names {unknown[0]!r}, who is not in the dataset; "
            f"subjects are {min(known)} to {max(known)}"
        )
