"""One subject in front of the cameras: sessions, moments, images and their landmarks."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from thermalign.geometry import interocular_distance
from thermalign.simulator.person.attributes import attributes_of
from thermalign.simulator.person.face import Face, build_face
from thermalign.simulator.person.glasses import see_glasses
from thermalign.simulator.person.mood import draw_mood
from thermalign.simulator.person.peak import behind_peak
from thermalign.simulator.person.temperature import Session, draw_session
from thermalign.simulator.physics.capture import Light, Matrix, draw_capture, draw_later, draw_light
from thermalign.simulator.physics.fields import Map, sample
from thermalign.simulator.physics.gain import Gain, draw_gain, make_picture
from thermalign.simulator.physics.optics import Sway, draw_sway
from thermalign.simulator.physics.seeds import Purpose, stream
from thermalign.simulator.physics.sensor import ThermalCamera, draw_bank, make_camera, open_session
from thermalign.simulator.scene.backdrop import thermal_backdrop, visible_backdrop
from thermalign.simulator.scene.framing import (
    THERMAL_PLACES,
    VISIBLE_PLACE,
    Framing,
    Place,
    draw_seat,
    frame_face,
)
from thermalign.simulator.scene.hand import Hand, behind_hand
from thermalign.simulator.scene.moment import Key, Moment, make_moment
from thermalign.simulator.scene.room import Room, draw_room
from thermalign.simulator.scene.thermal import Emission, emission_maps, render_thermal
from thermalign.simulator.scene.varied import draw_elevation, hold_hand, vary
from thermalign.simulator.scene.view import View, landmark_visibility, look
from thermalign.simulator.scene.visible import render_visible
from thermalign.simulator.settings import Settings, Variety, subject_name

ANNOTATION = {
    "thermal": Purpose.THERMAL_ANNOTATION,
    "visible": Purpose.VISIBLE_ANNOTATION,
}


@dataclass(frozen=True)
class Sample:
    """One image with its landmarks.

    Attributes
    ----------
    image_id, subject_id, session, volume, range, condition, modality, pair_id, moment
        As in ``IMAGES``.
    pixels : (h, w) uint16 thermal counts or uint8 thermal picture, or uint8 visible: (h, w), or
        (h, w, 3) BGR
    points : (5, 2) float64, pixels, (x, y)
        In the order of ``geometry.LANDMARKS``.
    visible : (5,) bool
    attributes : dict of name to value
        As in ``ATTRIBUTES``.
    """

    image_id: str
    subject_id: str
    session: str
    volume: int
    range: int
    condition: str
    modality: str
    pair_id: str
    moment: str
    pixels: npt.NDArray[Any]
    points: Matrix
    visible: npt.NDArray[np.bool_]
    attributes: dict[str, str]


@dataclass(frozen=True)
class _Recording:
    """One range of a session: a person in a room before the cameras."""

    settings: Settings
    face: Face
    camera: ThermalCamera
    session: Session
    emission: Emission
    light: Light
    room: Room
    seat: tuple[float, float]
    elevation: float
    gain: Gain | None
    paired: bool
    step: int | None


def render_subject(
    settings: Settings, *, seed: int, volume: int, number: int, step: int | None = None
) -> Iterator[Sample]:
    """Render every image of a subject, session by session and range by range.

    Parameters
    ----------
    settings : Settings
    seed : int
        Of the dataset, not negative.
    volume : int
        From 1.
    number : int
        Of the subject in its volume, from 0.
    step : int or None, pixels
        March a ray per ``step`` x ``step`` pixels; 1 is the slow reference, None the camera's own.

    Yields
    ------
    Sample
        Thermal before visible where both cameras record. The same whatever else is rendered.
    """
    cv2.setNumThreads(1)  # images are small; jobs run side by side instead
    plan = settings.volumes[volume - 1]
    own = settings.subject_seeds.get(subject_name(volume, number), seed)
    frames = iter(plan.frames())
    for session in range(1, plan.sessions + 1):
        face = build_face(
            own,
            (volume, number),
            gap=settings.gap,
            facial_hair=settings.facial_hair,
            caps=settings.caps,
            session=session,
            variety=settings.variety,
        )
        for place in plan.ranges:
            room = Key(own, volume, number, place, session=session)
            paired = place in plan.visible_ranges
            camera = _camera(seed, _sensor_of(settings, room), settings.netd)
            recording = _start(settings, face, room, camera=camera, paired=paired, step=step)
            for condition, count in plan.samples().items():
                for index in range(count):
                    key = replace(room, condition=condition, index=index)
                    yield from _take_sample(recording, key, next(frames))


def _start(
    settings: Settings,
    face: Face,
    room: Key,
    *,
    camera: ThermalCamera,
    paired: bool,
    step: int | None,
) -> _Recording:
    air = (settings.ambient_mean, settings.ambient_sd)
    variety, moody = settings.variety, room.stream(Purpose.MOOD)
    mood = draw_mood(face.masks, face.identity, variety, moody) if face.masks else None
    session = draw_session(face.warmth, air, room.stream(Purpose.SESSION), mood=mood)
    lens = variety.lenses * float(moody.standard_normal())
    camera = open_session(
        camera,
        drift=settings.drift,
        defocus=settings.defocus,
        drift_rng=room.stream(Purpose.DRIFT),
        focus_rng=room.stream(Purpose.FOCUS),
    )
    surroundings = room.stream(Purpose.ROOM)
    return _Recording(
        settings=settings,
        face=face,
        camera=camera,
        session=session,
        emission=emission_maps(face, session, camera.sensor.band, lens=lens),
        light=draw_light(room.stream(Purpose.LIGHT)),
        room=draw_room(surroundings),
        seat=draw_seat(THERMAL_PLACES[room.range].distance, surroundings),
        elevation=draw_elevation(variety, room),
        gain=_gain_of(variety, room),
        paired=paired,
        step=step,
    )


def _sensor_of(settings: Settings, room: Key) -> str:
    """Return the kind of thermal camera that a person sits before."""
    kind = stream(room.seed, Purpose.SENSOR_KIND, (room.volume, room.number))
    return "uncooled" if kind.random() < settings.variety.uncooled else settings.sensor


def _gain_of(variety: Variety, room: Key) -> Gain | None:
    """Return how pictures of 8 bits are made in a session; None where counts are kept."""
    rng = room.stream(Purpose.GAIN)
    return draw_gain(variety.exports_white, rng) if rng.random() < variety.exports else None


@lru_cache(maxsize=2)
def _camera(seed: int, sensor: str, netd: float | None) -> ThermalCamera:
    """Return the one thermal camera of a kind that a dataset has."""
    bank = draw_bank(stream(seed, Purpose.THERMAL_NOISE))
    return make_camera(sensor, netd, bank, stream(seed, Purpose.CAMERA))


def _take_sample(recording: _Recording, key: Key, frames: int) -> Iterator[Sample]:
    """Take the thermal images of a sample, and the visible partner of the first."""
    settings = recording.settings
    pose = (settings.yaw_sd, settings.pitch_sd, settings.roll_sd)
    capture = draw_capture(key.condition, pose, key.stream(Purpose.CAPTURE))
    for frame in range(frames):
        at = replace(key, frame=frame)
        seen = draw_later(capture, key.condition, at.stream(Purpose.CAPTURE)) if frame else capture
        seen = vary(seen, settings.variety, elevation=recording.elevation, key=at)
        moment = make_moment(recording.face, seen)
        hand = hold_hand(recording.face, settings.variety, at)
        sway = draw_sway(settings.motion, settings.defocus, at.stream(Purpose.SWAY))
        yield _take_thermal(recording, moment, at, sway=sway, hand=hand)
        if recording.paired and not frame:
            yield _take_visible(recording, moment, at, sway=sway, hand=hand)


def _look(
    recording: _Recording, moment: Moment, place: Place, rng: np.random.Generator
) -> tuple[Framing, View]:
    """Point a camera at a moment."""
    framing = frame_face(
        recording.settings,
        moment.capture,
        moment.landmarks,
        place=place,
        seat=recording.seat,
        rng=rng,
    )
    step = recording.step or place.step
    view = look(framing.camera, moment.height, recording.face.silhouette, step=step)
    return framing, view


def _take_thermal(
    recording: _Recording, moment: Moment, key: Key, *, sway: Sway, hand: Hand | None
) -> Sample:
    framing, view = _look(
        recording, moment, THERMAL_PLACES[key.range], key.stream(Purpose.THERMAL_CROP)
    )
    pixels = render_thermal(
        recording.face,
        view,
        recording.emission,
        moment.deformation,
        breath=moment.capture.breath,
        ambient=recording.session.ambient,
        behind=thermal_backdrop(
            recording.face,
            recording.room,
            framing,
            session=recording.session,
            band=recording.camera.sensor.band,
        ),
        glasses=recording.settings.glasses,
        hand=hand,
        camera=recording.camera,
        coarser=recording.settings.variety.coarser,
        sway=sway,
        rng=key.stream(Purpose.THERMAL_SENSOR),
    )
    kept = make_picture(pixels, recording.gain) if recording.gain else pixels
    return _annotate(recording, moment, key, view=view, hand=hand, pixels=kept)


def _take_visible(
    recording: _Recording, moment: Moment, key: Key, *, sway: Sway, hand: Hand | None
) -> Sample:
    # ASSUME: lamps stay for the resting faces of a session and differ for every speaking face
    speaking = key.condition == "expression"
    light = draw_light(key.stream(Purpose.LIGHT)) if speaking else recording.light
    framing, view = _look(recording, moment, VISIBLE_PLACE, key.stream(Purpose.VISIBLE_CROP))
    pixels = render_visible(
        recording.face,
        view,
        moment.height,
        moment.deformation,
        scene=visible_backdrop(
            recording.face, recording.room, framing, light=light, step=view.step
        ),
        light=light,
        glasses=recording.settings.glasses,
        hand=hand,
        colour=recording.settings.colour,
        sway=sway,
        rng=key.stream(Purpose.VISIBLE_SENSOR),
    )
    return _annotate(recording, moment, key, view=view, hand=hand, pixels=pixels, thermal=False)


def _annotate(
    recording: _Recording,
    moment: Moment,
    key: Key,
    *,
    view: View,
    hand: Hand | None,
    pixels: npt.NDArray[Any],
    thermal: bool = True,
) -> Sample:
    """Put names and landmarks to an image."""
    seen = view.camera.project(moment.landmarks)
    visible = landmark_visibility(view, moment.landmarks, seen)
    modality = "thermal" if thermal else "visible"
    worn = recording.face.glasses if recording.settings.glasses else None
    if hand:
        visible &= ~behind_hand(hand, view.camera, seen)
    if worn and thermal:  # glass is opaque to thermal radiation
        visible &= ~_behind_lenses(see_glasses(worn, view.camera)[..., 0], seen)
    if recording.face.peak:
        visible &= ~behind_peak(recording.face.peak, view.camera, seen)
    points = view.to_image(seen)
    if noise := recording.settings.annotation_noise:
        scores = key.stream(ANNOTATION[modality]).standard_normal(points.shape)
        points = points + noise * interocular_distance(points) * scores
    return Sample(
        image_id=f"{key.moment}_{modality}",
        subject_id=key.subject,
        session=str(key.session),
        volume=key.volume,
        range=key.range,
        condition=key.condition,
        modality=modality,
        pair_id=key.moment if recording.paired and not key.frame else "",
        moment=key.sample,
        pixels=pixels,
        points=points,
        visible=visible,
        attributes=attributes_of(recording.face, recording.settings),
    )


def _behind_lenses(lenses: Map, points: Matrix) -> npt.NDArray[np.bool_]:
    """Return which landmarks a lens covers, (5,) bool."""
    x, y = points.T.astype(np.float32)
    return np.asarray(sample(lenses, x[None], y[None])[0] > 0.5)
