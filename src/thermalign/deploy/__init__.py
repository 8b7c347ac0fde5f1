"""The public Python API: faces and landmarks in one's own images, aligned faces as arrays.

>>> import thermalign
>>> detector = thermalign.load()  # or load(STATE, finder=STATE)
>>> faces = detector(image)  # a path or an array; each face has points, expected_error, box, ...

:class:`FaceDetector` says what goes in and :class:`Face` what comes out; ``detector.batch(images)``
does many at once. ``detector(image, boxes)`` takes face boxes, ``detector(image, "whole")`` an
image that is one face.

>>> from thermalign.deploy import align_faces, load_detector
>>> located = load_detector(Path("state.safetensors")).predict(images, boxes)
>>> aligned = align_faces(images, located.points)

``images`` are N arrays (height, width) of any sizes, in the units that the detector was trained in;
``boxes`` is (N, 4), pixels, (x, y, width, height). What is ``located``
(:class:`thermalign.records.Located`) has ``points`` (N, L, 2), pixels, (x, y), in the order of
:data:`thermalign.geometry.LANDMARKS`, and how sure each is: ``expected_error`` (N, L),
interocular distances.

:func:`predict_images` does the first from files to a table; :func:`export_faces` takes out of a
finished study the faces that it aligned. Neither replaces a file that it has not written.
"""

from thermalign.deploy.aligned import align_faces, export_faces
from thermalign.deploy.detector import TrainedDetector, load_detector
from thermalign.deploy.faces import Face, FaceDetector, load
from thermalign.deploy.predict import predict_images

__all__ = [
    "Face",
    "FaceDetector",
    "TrainedDetector",
    "align_faces",
    "export_faces",
    "load",
    "load_detector",
    "predict_images",
]
