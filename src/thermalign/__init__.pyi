from thermalign.deploy import Face as Face
from thermalign.deploy import FaceDetector as FaceDetector
from thermalign.deploy import load as load
