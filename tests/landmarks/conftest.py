"""Toy faces: five blobs in a plausible arrangement, learnt within seconds."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from thermalign.landmarks.contract import Faces, make_faces
from thermalign.warp import stack_images

WIDTH, HEIGHT = 110, 120
SHAPE = np.array([[37, 46], [73, 46], [55, 66], [41, 85], [69, 85]], float)
BLOBS = [(-4, 4), (-4, 4), (4, 5), (-3, 3), (-3, 3)]  # height in degrees, radius in pixels


@pytest.fixture(scope="session")
def toy_faces() -> Callable[..., Faces]:
    """Return a maker of toy faces: an image, a jittered box and five points each."""

    def make(count: int, *, seed: int = 0, flips: bool = False) -> Faces:
        rng = np.random.default_rng(seed)
        move = rng.normal(0, 3, (count, 1, 2)) + rng.normal(0, 1, (count, 5, 2))
        points = SHAPE + move
        y, x = np.mgrid[:HEIGHT, :WIDTH]
        images = []
        for face in points:
            image = 30 - 0.002 * ((x - 55) ** 2 + (y - 60) ** 2)
            for (height, radius), (px, py) in zip(BLOBS, face, strict=True):
                image += height * np.exp(-((x - px) ** 2 + (y - py) ** 2) / (2 * radius**2))
            images.append(image + rng.normal(0, 0.1, image.shape))
        corner = np.array([10, 5]) + rng.normal(0, 1.5, (count, 2))
        boxes = np.concatenate([corner, np.tile([90.0, 108.0], (count, 1))], axis=1)
        once = torch.arange(count)
        index = torch.cat([once, once]) if flips else once
        flipped = torch.arange(len(index)) >= count
        return make_faces(
            stack_images(images, torch.device("cpu")),
            index,
            flipped,
            torch.tensor(boxes, dtype=torch.float32)[index],
            torch.tensor(points, dtype=torch.float32)[index],
        )

    return make
