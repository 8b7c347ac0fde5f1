"""One subject in front of the cameras: sessions, moments, images and their landmarks."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from thermalign.geometry import interocular_distance
from thermalign.simulator.capture import (
    CONDITIONS,
    Capture,
    Light,
    Matrix,
    draw_capture,
    draw_light,
)
from thermalign.simulator.expression import Deformation, deform
from thermalign.simulator.face import Face, build_face
from thermalign.simulator.fields import Map, sample
from thermalign.simulator.framing import (
    THERMAL_PLACES,
    VISIBLE_PLACE,
    VISIBLE_YAW,
    frame_face,
)
from thermalign.simulator.glasses import see_glasses
from thermalign.simulator.seeds import Purpose, stream
from thermalign.simulator.settings import Settings
from thermalign.simulator.temperature import draw_session
from thermalign.simulator.thermal import (
    ThermalSensor,
    emission_maps,
    make_sensor,
    render_thermal,
)
from thermalign.simulator.view import (
    View,
    expressed_height,
    expressed_landmarks,
    landmark_visibility,
    look,
)
from thermalign.simulator.visible import render_visible

STEP = 2  # px between marched rays: half the resolution, a quarter of the work


@dataclass(frozen=True)
class Sample:
    """One image with its landmarks.

    Attributes
    ----------
    image_id, subject_id, session, volume, range, condition, modality, pair_id
        As in ``tables.IMAGES``.
    pixels : (h, w) uint16 thermal counts, or uint8 visible: (h, w), or (h, w, 3) BGR
    points : (5, 2) float64, pixels, (x, y)
        In the order of ``geometry.LANDMARKS``.
    visible : (5,) bool
    """

    image_id: str
    subject_id: str
    session: str
    volume: int
    range: int
    condition: str
    modality: str
    pair_id: str
    pixels: npt.NDArray[Any]
    points: Matrix
    visible: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Moment:
    """A face as it is at one moment, for both cameras.

    Attributes
    ----------
    capture, deformation
    height : (H/2, W/2) mm
        Expressed height field.
    landmarks : (5, 3) mm
        In the head's frame.
    """

    capture: Capture
    deformation: Deformation
    height: Map
    landmarks: Matrix


@dataclass(frozen=True)
class _Key:
    """Where a moment stands in the dataset: its names, and the key of its random streams."""

    seed: int
    volume: int
    number: int
    range: int
    condition: str = ""
    index: int = 0

    def stream(self, purpose: Purpose) -> np.random.Generator:
        """Return the stream of one draw; a session's has no condition."""
        condition = 1 + CONDITIONS.index(self.condition) if self.condition else 0
        sample = (self.range, condition, self.index)
        return stream(self.seed, purpose, (self.volume, self.number), sample)

    @property
    def session(self) -> str:
        return f"v{self.volume}_s{self.number:03d}_r{self.range}"

    @property
    def moment(self) -> str:
        return f"{self.session}_{self.condition[0]}{self.index:02d}"


@dataclass(frozen=True)
class _Recording:
    """One session: a person in a room before the cameras."""

    settings: Settings
    face: Face
    sensor: ThermalSensor
    ambient: float
    emission: tuple[Map, ...]
    light: Light
    paired: bool
    step: int


def make_moment(face: Face, capture: Capture) -> Moment:
    """Put a face into the expression of a moment."""
    deformation = deform(face.bases, face.identity, face.mouth, capture.strengths)
    height = expressed_height(face.height, deformation)
    landmarks = expressed_landmarks(face.landmarks, deformation, height)
    return Moment(capture, deformation, height, landmarks)


def render_subject(
    settings: Settings, *, seed: int, volume: int, number: int, step: int = STEP
) -> Iterator[Sample]:
    """Render every image of a subject, range by range.

    Parameters
    ----------
    settings : Settings
    seed : int
        Of the dataset, not negative.
    volume : int
        From 1.
    number : int
        Of the subject in its volume, from 0.
    step : int, pixels
        March a ray per ``step`` x ``step`` pixels; 1 is the slow reference.

    Yields
    ------
    Sample
        Thermal before visible where both cameras record. The same whatever else is rendered.
    """
    cv2.setNumThreads(1)  # images are small; jobs run side by side instead
    plan = settings.volumes[volume - 1]
    face = build_face(seed, (volume, number), gap=settings.gap, facial_hair=settings.facial_hair)
    counts = dict(zip(CONDITIONS, (plan.baseline, plan.expression), strict=True))
    for place in plan.ranges:
        room = _Key(seed, volume, number, place)
        recording = _start(settings, face, room, paired=place in plan.visible_ranges, step=step)
        for condition, count in counts.items():
            for index in range(count):
                key = replace(room, condition=condition, index=index)
                yield from _take_pair(recording, key)


def _start(settings: Settings, face: Face, room: _Key, *, paired: bool, step: int) -> _Recording:
    air = (settings.ambient_mean, settings.ambient_sd)
    session = draw_session(face.warmth, air, room.stream(Purpose.SESSION))
    return _Recording(
        settings=settings,
        face=face,
        sensor=_sensor(room.seed, settings.netd),
        ambient=session.ambient,
        emission=emission_maps(face, session),
        light=draw_light(room.stream(Purpose.LIGHT)),
        paired=paired,
        step=step,
    )


@lru_cache(maxsize=1)
def _sensor(seed: int, noise: float) -> ThermalSensor:
    """Return the one thermal camera of a dataset."""
    return make_sensor(noise, stream(seed, Purpose.CAMERA))


def _take_pair(recording: _Recording, key: _Key) -> Iterator[Sample]:
    """Take what the cameras see at one moment."""
    settings = recording.settings
    pose = (settings.yaw_sd, settings.pitch_sd, settings.roll_sd)
    capture = draw_capture(key.condition, pose, key.stream(Purpose.CAPTURE))
    moment = make_moment(recording.face, capture)
    yield _take_thermal(recording, moment, key)
    if recording.paired:
        yield _take_visible(recording, moment, key)


def _take_thermal(recording: _Recording, moment: Moment, key: _Key) -> Sample:
    rng = key.stream(Purpose.THERMAL_CROP)
    place = THERMAL_PLACES[key.range]
    camera = frame_face(recording.settings, moment.capture, moment.landmarks, place, rng)
    view = look(camera, moment.height, step=recording.step)
    pixels = render_thermal(
        recording.face,
        view,
        recording.emission,
        moment.deformation,
        breath=moment.capture.breath,
        ambient=recording.ambient,
        glasses=recording.settings.glasses,
        sensor=recording.sensor,
        rng=key.stream(Purpose.THERMAL_SENSOR),
    )
    noise = key.stream(Purpose.THERMAL_ANNOTATION)
    return _annotate(recording, moment, key, view=view, pixels=pixels, noise=noise)


def _take_visible(recording: _Recording, moment: Moment, key: _Key) -> Sample:
    # ASSUME: lamps stay for the resting faces of a session and differ for every speaking face
    speaking = key.condition == "expression"
    light = draw_light(key.stream(Purpose.LIGHT)) if speaking else recording.light
    rng = key.stream(Purpose.VISIBLE_CROP)
    turned = replace(moment.capture, yaw=moment.capture.yaw + VISIBLE_YAW)
    camera = frame_face(recording.settings, turned, moment.landmarks, VISIBLE_PLACE, rng)
    view = look(camera, moment.height, step=recording.step)
    pixels = render_visible(
        recording.face,
        view,
        moment.height,
        moment.deformation,
        light=light,
        glasses=recording.settings.glasses,
        colour=recording.settings.colour,
        rng=key.stream(Purpose.VISIBLE_SENSOR),
    )
    noise = key.stream(Purpose.VISIBLE_ANNOTATION)
    return _annotate(recording, moment, key, view=view, pixels=pixels, noise=noise)


def _annotate(
    recording: _Recording,
    moment: Moment,
    key: _Key,
    *,
    view: View,
    pixels: npt.NDArray[Any],
    noise: np.random.Generator,
) -> Sample:
    """Put names and landmarks to an image."""
    points = view.camera.project(moment.landmarks)
    visible = landmark_visibility(view, moment.landmarks, points)
    modality = "thermal" if pixels.dtype == np.uint16 else "visible"
    worn = recording.face.glasses if recording.settings.glasses else None
    if worn and modality == "thermal":  # glass is opaque to thermal radiation
        visible &= ~_behind_lenses(see_glasses(worn, view.camera)[..., 0], points)
    spread = recording.settings.annotation_noise * interocular_distance(points)
    return Sample(
        image_id=f"{key.moment}_{modality}",
        subject_id=f"v{key.volume}_s{key.number:03d}",
        session=key.session,
        volume=key.volume,
        range=key.range,
        condition=key.condition,
        modality=modality,
        pair_id=key.moment if recording.paired else "",
        pixels=pixels,
        points=points + spread * noise.standard_normal(points.shape),
        visible=visible,
    )


def _behind_lenses(lenses: Map, points: Matrix) -> npt.NDArray[np.bool_]:
    """Return which landmarks a lens covers, (5,) bool."""
    x, y = points.T.astype(np.float32)
    return np.asarray(sample(lenses, x[None], y[None])[0] > 0.5)
