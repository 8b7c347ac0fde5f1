"""Finder: a small network that finds faces of any size in whole images, with their landmarks.

It is trained on scenes composed of training faces, so that it knows grounds, crowds and things that
are no faces, which the training images lack. From top to bottom: training, prediction, detection.
"""

from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from thermalign.geometry import apply_matrix, box_to_crop, invert_matrix
from thermalign.landmarks.contract import (
    Detections,
    Faces,
    chunks,
    point_error,
    unannotated,
    untold,
)
from thermalign.landmarks.finder import cells
from thermalign.landmarks.finder.grounds import make_textures
from thermalign.landmarks.finder.heads import REACH, Stock, make_source
from thermalign.landmarks.finder.network import COARSEST, Finder, measure, show
from thermalign.landmarks.finder.scenes import make_scenes
from thermalign.landmarks.finder.search import find_faces
from thermalign.landmarks.finder.settings import Settings
from thermalign.states import State
from thermalign.training import loop
from thermalign.training.loop import UNKEPT, Run, derived_seed, keep, restore, sent
from thermalign.warp import ImageStack

__all__ = ["Settings", "detect", "fit", "network", "predict", "reach"]

_WINDOW = 3.2  # side of what is looked at around a given box over the face's width in it
_GIVEN = 0.85  # the face's width there over the largest that is found
_CENTRAL = 0.35  # of the window: a face's centre is looked for within


def reach(settings: Settings) -> float:
    """Return how much around a face box is kept for training and `predict`, in sides of the box.

    The same with all settings; `detect` looks at whole images.
    """
    return REACH


def network(settings: Settings) -> nn.Module:
    """Return an untrained network."""
    return Finder(settings)


def fit(
    train: Faces, validation: Faces, settings: Settings, *, seed: int, run: Run = UNKEPT
) -> State:
    """Train the finder on scenes composed anew for every step; the last state is kept.

    Validation, of points in given boxes, comes once, at the end: it does not say how well faces are
    found, and so chooses nothing.

    Raises
    ------
    ValueError
        If there are no training faces, or a loss is not finite.

    Source
    ------
    Zhou, Wang and Kraehenbuehl, arXiv:1904.07850, 2019. Differs from it in: boxes and points are
    told by all cells near a centre (Tian et al., ICCV 2019, FCOS), by a smooth L1 loss.
    """
    if len(train) == 0:
        raise ValueError("finder: there are no training faces")
    on = train.stack.device
    with loop.session("finder", seed, on, run) as session:
        model = Finder(settings).to(on)
        textures = make_textures(np.random.default_rng(derived_seed(seed, 0)))
        stock = Stock(make_source(train), textures)
        session.optimise(
            model,
            "cells",
            settings.steps,
            settings,
            loss=partial(_loss, model, stock, settings, session.generator),
            validate=partial(_error, model, validation) if len(validation) else None,
        )
    return keep(model, session.curve, settings)


def predict(
    state: State, stack: ImageStack, boxes: Tensor, settings: Settings
) -> tuple[Tensor, Tensor]:
    """Find the landmarks of each face in its box: those of the surest cell near its middle.

    It tells no covariance: a score is of a face, not of where a landmark is.
    """
    model = restore(Finder(settings), state, stack.device, settings)
    points = _locate(model, unannotated(stack, boxes))
    return points, untold(points)


def detect(state: State, stack: ImageStack, settings: Settings) -> Detections:
    """Find faces in whole images, with boxes, scores and landmarks.

    Parameters
    ----------
    state : State
    stack : ImageStack of N images, of any sizes
    settings : Settings

    Returns
    -------
    Detections
        Faces narrower than the first of ``sizes`` in the largest copy are not looked for.

    Raises
    ------
    ValueError
        If the state does not fit the settings.
    """
    model = restore(Finder(settings), state, stack.device, settings)
    return find_faces(model, stack, settings, score=settings.score)


def _loss(
    model: Finder,
    stock: Stock,
    settings: Settings,
    generator: torch.Generator,
) -> Tensor:
    draws = np.random.default_rng(loop.drawn_number(2**62, generator))
    count, side = settings.batch_size, settings.scene
    scenes = make_scenes(stock, settings, count, draws)
    goal = cells.make_goal(
        scenes.scenes, scenes.points, scenes.doubtful, settings, count=count, side=side
    )
    on = generator.device
    stock.source.stack.give_back()
    said = model(show(sent(scenes.images, on), sent(scenes.levels, on)))
    return cells.loss(said, goal.to(on), settings)


def _error(model: Finder, faces: Faces) -> Tensor:
    points = _locate(model, faces)
    return point_error(points, faces, torch.arange(len(faces), device=points.device))


@torch.no_grad()
def _locate(model: Finder, faces: Faces) -> Tensor:
    """Return the landmarks (M, L, 2) in face boxes, pixels of the example frame."""
    found = []
    pixels = COARSEST * round(_WINDOW * _GIVEN * model.settings.sizes[1] / COARSEST)
    for rows in chunks(faces):
        boxes = faces.boxes[rows]
        side = boxes[:, 2:].amax(1, keepdim=True) * (_WINDOW * cells.BOX[0] / cells.BOX[1])
        window = torch.cat([boxes[:, :2] + (boxes[:, 2:] - side) / 2, side.expand(-1, 2)], dim=1)
        matrices = box_to_crop(window, pixels, pixels)
        images = faces.crops(rows, matrices, width=pixels, height=pixels)
        said = model(show(images, measure(images)))
        points = _middle(said, model.settings)
        found.append(apply_matrix(invert_matrix(matrices), points))
    return torch.cat(found)


def _middle(said: Tensor, settings: Settings) -> Tensor:
    """Return the points (K, L, 2) of the surest cell around the middle of each window."""
    first = round((0.5 - _CENTRAL / 2) * said.shape[2])
    last = said.shape[2] - first
    scores = said[:, 0, first:last, first:last].flatten(1)
    best = scores.argmax(1)
    rows, columns = first + best // (last - first), first + best % (last - first)
    every = torch.arange(len(said), device=said.device)
    return cells.read_cells(said, every, rows, columns, settings).points
