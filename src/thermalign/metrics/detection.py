"""How many faces a detector finds in whole images, and how much of what it finds is a face.

Every image shows one face, whose box is known. A detection is *true* where its box overlaps that
box enough and no better detection of the image does: one face is found once.
"""

import numpy as np

from thermalign.geometry import Floats, Integers, box_iou
from thermalign.metrics.verification import Booleans

LEAST_IOU = 0.5
"""Intersection over union from which on a detection has found a face.

Source: Everingham et al., The PASCAL Visual Object Classes Challenge, IJCV 88(2), 2010.
"""


def true_detections(
    image: Integers, boxes: Floats, faces: Floats, least: float = LEAST_IOU
) -> Booleans:
    """Return which detections found their image's face.

    Parameters
    ----------
    image : (D,) int
        The image of each detection: a row of ``faces``.
    boxes : (D, 4) float, pixels, (x, y, width, height)
        By falling score within each image.
    faces : (N, 4) float, pixels, (x, y, width, height)
    least : float
        Overlap, as intersection over union, that counts.

    Returns
    -------
    (D,) bool
        Of several detections of one face the first alone.
    """
    near = np.flatnonzero(box_iou(boxes, faces[image]) >= least)
    _, first = np.unique(image[near], return_index=True)
    true = np.zeros(len(image), bool)
    true[near[first]] = True
    return true


def recall(true_per_image: Integers) -> float:
    """Return the share of images (N,) whose face was found.

    Raises
    ------
    ValueError
        If there are no images.
    """
    if true_per_image.size == 0:
        raise ValueError("no images, so there is no recall")
    return float((true_per_image > 0).mean())


def precision(true_per_image: Integers, detections_per_image: Integers) -> float:
    """Return the share of detections that are true.

    Parameters
    ----------
    true_per_image, detections_per_image : (N,) int

    Returns
    -------
    float, 0..1
        NaN where nothing was detected.
    """
    total = detections_per_image.sum()
    return float(true_per_image.sum() / total) if total else float("nan")


def without_detection(detections_per_image: Integers) -> float:
    """Return the share of images (N,) in which nothing was detected: failures to acquire.

    Raises
    ------
    ValueError
        If there are no images.
    """
    if detections_per_image.size == 0:
        raise ValueError("no images, so there is no share of them")
    return float((detections_per_image == 0).mean())


def false_alarms(true_per_image: Integers, detections_per_image: Integers) -> float:
    """Return the mean number of detections of an image that are not true.

    Parameters
    ----------
    true_per_image, detections_per_image : (N,) int

    Raises
    ------
    ValueError
        If there are no images.
    """
    if true_per_image.size == 0:
        raise ValueError("no images, so there is no rate of false alarms")
    return float((detections_per_image - true_per_image).mean())
