"""Bright rectangles for faces, of which everything is known, and what finds them."""

import json

import numpy as np
import torch

from thermalign.landmarks import mtcnn
from thermalign.landmarks.contract import Detections
from thermalign.states import State, save_state

SHAPE = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.62], [0.36, 0.8], [0.64, 0.8]])
"""Landmarks in shares of the face box."""

SETTINGS = {"model": "mean_shape", "detector": "mean_shape", "seed": 1}


def state_of(shape=SHAPE, calibration=None):
    return State(
        {"mean_shape": torch.tensor(shape, dtype=torch.float32)}, calibration=calibration or {}
    )


def bright(stack):
    """Find in each image the bounding box of what is brighter than half, if anything is."""
    index, boxes = [], []
    for n in range(len(stack)):
        image = stack.image(n)
        rows, columns = (image > (image.min() + image.max()) / 2).nonzero().T
        if image.max() > image.min() + 0.3:
            index.append(n)
            low, high = (torch.stack([f(columns), f(rows)]) for f in (torch.min, torch.max))
            boxes.append(torch.cat([low, high - low + 1]).float())
    found = torch.stack(boxes) if boxes else torch.empty(0, 4)
    where = torch.tensor(index, dtype=torch.int64)
    return Detections(where, found, torch.full((len(found),), 0.9), torch.zeros(len(found), 5, 2))


def picture(*boxes, shape=(120, 160)):
    """Return an 8-bit image with bright rectangles (x, y, width, height) on dark noise."""
    image = np.random.default_rng(1).integers(20, 50, shape).astype(np.uint8)
    for x, y, width, height in boxes:
        image[y : y + height, x : x + width] += 180
    return image


def shape_in(box):
    """Return where the landmarks of a box are placed, (L, 2) pixels."""
    return np.array(box[:2]) - 0.5 + SHAPE * np.array(box[2:])


def save_mtcnn(path, stages):
    """Write a small cascade of random weights; return the path."""
    its = {"stages": stages, "width": 0.25}
    tensors = mtcnn.network(mtcnn.Settings(**its)).state_dict()
    told = {"model": "mtcnn", "detector": "mtcnn", "seed": 1, **its}
    save_state(path, State(tensors), {"settings": json.dumps(told)})
    return path
