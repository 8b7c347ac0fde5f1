"""What a camera sees before the person is put in: the room, and the torso on which the head sits.

Both are out of focus or smooth, and painted at a lower resolution.
"""

from thermalign.simulator.person.face import Face
from thermalign.simulator.person.temperature import Session
from thermalign.simulator.person.torso import thermal_torso, visible_torso
from thermalign.simulator.physics.capture import Light
from thermalign.simulator.physics.fields import Map, spread
from thermalign.simulator.physics.radiometry import Band
from thermalign.simulator.scene.framing import Framing
from thermalign.simulator.scene.room import Room, thermal_room, visible_room
from thermalign.simulator.scene.shading import light_from_ahead
from thermalign.simulator.scene.visible import Picture, make_picture

SMOOTH = 2  # px a side, in whose means the thermal camera's backdrop is painted; ASSUME


def thermal_backdrop(
    face: Face, room: Room, framing: Framing, *, session: Session, band: Band
) -> Map:
    """Return room and torso, (h, w) K of linearised radiance."""
    seen = framing.coarser(SMOOTH)
    scene = thermal_room(room, seen.camera, seen.axis, air=session.ambient, band=band)
    thermal_torso(scene, face.torso, seen.camera, band.radiance(session.cloth))
    return spread(scene, framing.camera.shape, SMOOTH)


def visible_backdrop(
    face: Face, room: Room, framing: Framing, *, light: Light, step: int
) -> Picture:
    """Return the light of room and torso, colour at the middles of ``step`` x ``step`` pixels."""
    seen = framing.coarser(step)
    scene = visible_room(room, seen.camera, seen.axis, tint=light.tints[1])
    visible_torso(scene, face.torso, seen.camera, face.cloth * light_from_ahead(light))
    return make_picture(scene, framing.camera.shape, step)
