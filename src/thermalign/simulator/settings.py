"""What a simulated dataset is made of, and how it is read from a configuration."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from math import isfinite
from typing import Any

from thermalign.simulator.physics.sensor import SENSORS

RANGES = (1, 2, 3)
CROP_LIMITS = (180, 480)  # px at Range 1: about the width of a face, and what a whole image holds
LIMITS = {  # beyond, the models of camera and room no longer hold
    "ambient_mean": (0, 35),
    "ambient_sd": (0, 5),
    "scale_jitter": (0, 0.3),
    "centre_jitter": (0, 0.3),
    "annotation_noise": (0, 0.3),
    "netd": (0, 2),
    "drift": (0, 10),
    "defocus": (0, 0.5),
    "motion": (0, 1000),
    "yaw_sd": (0, 20),
    "pitch_sd": (0, 15),
    "roll_sd": (0, 15),
    "gap": (0, 5),
}


@dataclass(frozen=True)
class Volume:
    """A group of subjects recorded in one way.

    Attributes
    ----------
    subjects : int
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

    subjects: int
    ranges: tuple[int, ...] = RANGES
    baseline: int = 4
    expression: int = 4
    visible_ranges: tuple[int, ...] = (1,)
    thermal_images: int = 0
    sessions: int = 1

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
class Settings:
    """A simulated dataset. All defaults are ASSUME: no source states them.

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
    """

    volumes: tuple[Volume, ...] = field(default=(Volume(60),))
    gap: float = 1.3
    glasses: bool = False
    facial_hair: bool = True
    caps: bool = False
    colour: bool = True
    annotation_noise: float = 0.0
    ambient_mean: float = 22.5
    ambient_sd: float = 1.2
    frames: bool = False
    subject_seeds: Mapping[str, int] = field(default_factory=dict)
    sensor: str = "cooled"
    netd: float | None = None
    drift: float = 1.0
    defocus: float = 0.08
    motion: float = 20.0
    crop_height: int = 300
    crop_width: int = 250
    centre_jitter: float = 0.02
    scale_jitter: float = 0.05
    yaw_sd: float = 5.0
    pitch_sd: float = 3.5
    roll_sd: float = 2.0


def settings_from(mapping: Mapping[str, Any]) -> Settings:
    """Read settings from a configuration block.

    Parameters
    ----------
    mapping : mapping
        Attributes of :class:`Settings`; ``volumes``, a list of mappings with attributes of
        :class:`Volume`, is required.

    Raises
    ------
    ValueError
        If a key is unknown or missing, or a value has the wrong type or range.
    """
    where = "simulator settings"
    volumes = mapping.get("volumes")
    if not isinstance(volumes, list | tuple) or not volumes:
        raise ValueError(f"{where}: volumes is {volumes!r}; give a list with one entry per volume")
    rest = {key: value for key, value in mapping.items() if key != "volumes"}
    _check_keys(rest, Settings, where)
    read = tuple(_volume(block, f"{where}: volume {k}") for k, block in enumerate(volumes, 1))
    settings = Settings(read, **{k: _value(Settings, k, v, where) for k, v in rest.items()})
    _check_subjects(settings, where)
    if settings.sensor not in SENSORS:
        raise ValueError(
            f"{where}: sensor is {settings.sensor!r}; choose one of {', '.join(SENSORS)}"
        )
    for name, (low, high) in LIMITS.items():
        value = getattr(settings, name)
        if value is not None and not low <= value <= high:
            raise ValueError(f"{where}: {name} is {value}; give {low} to {high}")
    for name in ("crop_height", "crop_width"):
        low, high = CROP_LIMITS
        if not low <= getattr(settings, name) <= high:
            raise ValueError(
                f"{where}: {name} is {getattr(settings, name)}; give {low} to {high} pixels"
            )
    return settings


def _volume(block: Any, where: str) -> Volume:
    if not isinstance(block, Mapping) or "subjects" not in block:
        raise ValueError(f"{where} is {block!r}; give a mapping with at least subjects")
    _check_keys(block, Volume, where)
    volume = Volume(**{key: _value(Volume, key, v, where) for key, v in block.items()})
    counts = (volume.subjects, volume.baseline + volume.expression, volume.sessions)
    if min(counts) < 1 or not volume.ranges:
        raise ValueError(f"{where} has no images; give it subjects, sessions, ranges and samples")
    samples = len(volume.frames()) // volume.sessions
    if 0 < volume.thermal_images < samples:
        raise ValueError(
            f"{where}: thermal_images is {volume.thermal_images}; give 0, or at least one for each "
            f"of the {samples} samples of a subject in a session"
        )
    for name in ("ranges", "visible_ranges"):
        given = getattr(volume, name)
        allowed = RANGES if name == "ranges" else volume.ranges
        if len(set(given)) < len(given) or not set(given) <= set(allowed):
            raise ValueError(
                f"{where}: {name} is {list(given)}; choose once each of {list(allowed)}"
            )
    return volume


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


def _check_keys(block: Mapping[str, Any], kind: type[Settings] | type[Volume], where: str) -> None:
    allowed = [entry.name for entry in fields(kind)]
    unknown = [key for key in block if key not in allowed]
    if unknown:
        raise ValueError(f"{where}: unknown key {unknown[0]!r}; allowed are {', '.join(allowed)}")


def _value(kind: type[Settings] | type[Volume], key: str, value: Any, where: str) -> Any:
    """Return a checked value of the attribute's type."""
    wanted = next(entry.type for entry in fields(kind) if entry.name == key)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if (wanted is bool and isinstance(value, bool)) or (wanted is str and isinstance(value, str)):
        return value
    if wanted == float | None:
        if value is None:
            return None
        wanted = float
    if wanted is int and number and isinstance(value, int) and value >= 0:
        return value
    if wanted is float and number and isfinite(value):
        if value >= 0 or key == "ambient_mean":
            return float(value)
        raise ValueError(f"{where}: {key} is {value!r}; give a number that is not negative")
    if wanted == tuple[int, ...] and isinstance(value, list | tuple):
        if all(isinstance(v, int) and not isinstance(v, bool) for v in value):
            return tuple(value)
        raise ValueError(f"{where}: {key} is {value!r}; give a list of whole numbers")
    if wanted == Mapping[str, int] and isinstance(value, Mapping):
        if all(isinstance(v, int) and not isinstance(v, bool) and v >= 0 for v in value.values()):
            return dict(value)
        raise ValueError(f"{where}: {key} is {value!r}; give a whole number from 0 per subject")
    names = {
        "Mapping": "a mapping of subjects to whole numbers",
        "bool": "true or false",
        "str": "a name",
        "int": "a whole number from 0",
        "float": "a number",
    }
    expected = names.get(getattr(wanted, "__name__", ""), "a list of ranges")
    raise ValueError(f"{where}: {key} is {value!r}; give {expected}")
