"""A face as it is at one moment, and where a moment stands in the dataset."""

from dataclasses import dataclass

import numpy as np

from thermalign.simulator.person.expression import Deformation, deform
from thermalign.simulator.person.face import Face
from thermalign.simulator.physics.capture import CONDITIONS, Capture, Matrix
from thermalign.simulator.physics.fields import Map
from thermalign.simulator.physics.seeds import Purpose, stream
from thermalign.simulator.scene.view import expressed_height, expressed_landmarks
from thermalign.simulator.settings import subject_name


@dataclass(frozen=True)
class Key:
    """Where a moment stands in the dataset: its names, and the key of its random streams.

    Attributes
    ----------
    seed : int
        Of the subject.
    volume, number : int
        Volume from 1, subject from 0.
    range : int
    condition : str
        Empty for what everything at one range in one session shares.
    index, frame : int
        Sample of the condition, and thermal image of the sample, from 0.
    session : int
        From 1.
    """

    seed: int
    volume: int
    number: int
    range: int
    condition: str = ""
    index: int = 0
    frame: int = 0
    session: int = 1

    def stream(self, purpose: Purpose) -> np.random.Generator:
        """Return the stream of one draw."""
        condition = 1 + CONDITIONS.index(self.condition) if self.condition else 0
        sample = (self.range, condition, self.index, self.frame)
        return stream(self.seed, purpose, (self.volume, self.number), sample, self.session)

    @property
    def subject(self) -> str:
        """The name of the subject."""
        return subject_name(self.volume, self.number)

    @property
    def sample(self) -> str:
        """The name of the sample that the moment is a frame of; the first session has no number."""
        session = f"_session{self.session}" if self.session > 1 else ""
        return f"{self.subject}{session}_r{self.range}_{self.condition[0]}{self.index:02d}"

    @property
    def moment(self) -> str:
        """The name of the moment; a sample's first image has no number."""
        return self.sample + (f"_f{self.frame:02d}" if self.frame else "")


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


def make_moment(face: Face, capture: Capture) -> Moment:
    """Put a face into the expression of a moment."""
    deformation = deform(face.bases, face.identity, face.mouth, capture.strengths)
    height = expressed_height(face.height, deformation)
    landmarks = expressed_landmarks(face.landmarks, deformation, height)
    return Moment(capture, deformation, height, landmarks)
