"""Training scenes: faces cut out and set before other grounds, frames as they are, none at all."""

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from thermalign.geometry import LANDMARKS, Floats
from thermalign.landmarks.finder import grounds, heads
from thermalign.landmarks.finder.bodies import blank_head, body
from thermalign.landmarks.finder.cells import BOX
from thermalign.landmarks.finder.grounds import Rng
from thermalign.landmarks.finder.heads import Stock
from thermalign.landmarks.finder.pictures import as_recorded, framed, levels_of
from thermalign.landmarks.finder.settings import Settings

_HIDDEN = 0.3  # share of a face's box from which on a covered face is doubtful
_LEGIBLE = 19.0  # px: width of a face from which on its features tell it from a blank head
_INSIDE = 0.1  # interocular distances that landmarks lie within an image at least
_FAINT = 0.025  # least deviation of a face's values, of the range of the image's
_FRAMED = 0.2  # of scenes, those that show where an image ends
_CLOSE = 0.4  # of those with a face, in which it fills the image


@dataclass
class Scene:
    """A scene in the making.

    Attributes
    ----------
    canvas : (S, S) float32
    points : list of (L, 2) float, pixels of the scene
        Of the faces so far.
    covered : list of float
        How much of each is covered by what came after.
    """

    canvas: Floats
    points: list[Floats] = field(default_factory=list)
    covered: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Scenes:
    """A batch of K scenes with N faces.

    Attributes
    ----------
    images : (K, 1, S, S) float32
    levels : (K, 2) float32
        As :func:`thermalign.landmarks.finder.network.show` takes them.
    scenes : (N,) int64
        The scene of each face.
    points : (N, L, 2) float32, pixels of the scene
    doubtful : (N,) bool
        Whether a face is hidden so far that it need not be found.
    """

    images: Tensor
    levels: Tensor
    scenes: Tensor
    points: Tensor
    doubtful: Tensor


def make_scenes(stock: Stock, settings: Settings, count: int, draws: Rng) -> Scenes:
    """Compose scenes at the scale of one copy of an image."""
    images, levels, points, of, doubtful = [], [], [], [], []
    for n in range(count):
        scene = _compose(stock, settings, draws)
        image, frame = as_recorded(scene.canvas, draws), (0, 0, settings.scene, settings.scene)
        if draws.random() < _FRAMED:
            close = len(scene.points) > 0 and draws.random() < _CLOSE
            image, frame = framed(image, draws, _box(scene.points[-1]) if close else None)
        images.append(image)
        left, top, right, bottom = frame
        levels.append(levels_of(image[top:bottom, left:right], draws))
        for its, covered in zip(scene.points, scene.covered, strict=True):
            points.append(its)
            of.append(n)
            hidden = covered > _HIDDEN or _cut(its, frame)
            doubtful.append(hidden or _faint(image, its, levels[-1]))
    shape = (-1, len(LANDMARKS), 2)
    return Scenes(
        torch.from_numpy(np.array(images, np.float32))[:, None],
        torch.from_numpy(np.array(levels, np.float32)),
        torch.tensor(of, dtype=torch.int64),
        torch.from_numpy(np.array(points, np.float32).reshape(shape)),
        torch.tensor(doubtful, dtype=torch.bool),
    )


def _compose(stock: Stock, settings: Settings, draws: Rng) -> Scene:
    side, kind = settings.scene, draws.random()
    if kind >= settings.crowds + settings.blanks:
        scene = _frame(stock, settings, draws)
        if draws.random() < 0.3:
            _people(scene, stock, settings, 1, draws)
        return scene
    scene = Scene(grounds.ground(side, stock.textures, draws))
    if kind < settings.crowds:
        _people(scene, stock, settings, int(draws.integers(1, 5)), draws)
    else:
        for _ in range(int(draws.integers(0, 4))):
            _decoy(scene.canvas, stock, settings, draws)
    return scene


def _width(settings: Settings, draws: Rng) -> float:
    """Draw the width of a face: mostly one to be found, else smaller or much larger."""
    small, large = settings.sizes
    kind = draws.random()
    if kind < 0.8:
        return float(np.exp(draws.uniform(np.log(small), np.log(large))))
    if kind < 0.86:
        return float(draws.uniform(0.4, 1) * small)
    return float(large * np.exp(draws.uniform(0, np.log(10))))


def _frame(stock: Stock, settings: Settings, draws: Rng) -> Scene:
    """Show a training image as it was recorded, its face anywhere."""
    side = settings.scene
    m = int(draws.integers(len(stock.source)))
    width = _width(settings, draws)
    its = heads.pose(stock.source, m, width, draws.uniform(0.05, 0.95, 2) * side, draws)
    seen = heads.warped(stock.source, m, its.matrix, its.scale, (side, side))
    cold, skin = float(stock.source.cold[m]), float(stock.source.skin[m])
    canvas = np.clip((seen - cold) / (skin - cold), -1.0, 1.8).astype(np.float32)
    return Scene(canvas, [its.points], [0.0])


def _people(scene: Scene, stock: Stock, settings: Settings, count: int, draws: Rng) -> None:
    """Set people into a scene, the farthest first, with bodies or without."""
    side = len(scene.canvas)
    common = _width(settings, draws)
    widths = np.sort(common * np.exp(draws.normal(0, 0.25, count)))
    bodies = draws.random() < 0.75
    for width in widths:
        m = int(draws.integers(len(stock.source)))
        its = heads.pose(stock.source, m, width, draws.uniform(-0.02, 1.02, 2) * side, draws)
        before = scene.canvas.copy() if scene.points else None
        spoil = draws.random() < 0.1 and width > _LEGIBLE
        if bodies or spoil:
            body(scene.canvas, its, stock.textures, draws)
        heads.set_head(scene.canvas, stock, m, its, draws, spoil=spoil)
        if before is not None:
            _cover(scene, scene.canvas != before)
        if not spoil:
            scene.points.append(its.points)
            scene.covered.append(0.0)
    if draws.random() < 0.15:
        _occlude(scene, settings, draws)


def _decoy(canvas: Floats, stock: Stock, settings: Settings, draws: Rng) -> None:
    """Put a body with a head that is no face, limbs, or a spoilt face into a scene."""
    side = len(canvas)
    m = int(draws.integers(len(stock.source)))
    width, centre = _width(settings, draws), draws.uniform(0, 1, 2) * side
    its = heads.pose(stock.source, m, width, centre, draws)
    kind = draws.random()
    if kind < 0.85:
        body(canvas, its, stock.textures, draws)
    if kind < 0.65 and width < _LEGIBLE:
        return
    if kind < 0.4:
        blank_head(canvas, its, stock.textures, draws)
    elif kind < 0.65:
        heads.set_head(canvas, stock, m, its, draws, spoil=True)
    elif kind < 0.75:  # cut off by the border, or seen from below the neck
        canvas[: max(0, int(its.eyes[1] + 2.3 * its.unit))] = draws.uniform(-0.1, 1.1)


def _occlude(scene: Scene, settings: Settings, draws: Rng) -> None:
    """Hide part of a scene behind a post or another thing."""
    before = scene.canvas.copy()
    side = len(before)
    at = draws.uniform(0, side, 2)
    way = draws.normal(0, side, 2)
    thick = draws.uniform(1, 0.6 * settings.unit)
    value = float(draws.uniform(-0.2, 1.2))
    grounds.limb(scene.canvas, [at - way, at + way], thick=thick, value=value)
    _cover(scene, scene.canvas != before)


def _cover(scene: Scene, changed: Floats) -> None:
    """Note how much of each face's box something new covers."""
    side = len(changed)
    for n, points in enumerate(scene.points):
        left, top, right, bottom = np.clip(np.round(_box(points)), 0, side).astype(int)
        part = changed[top:bottom, left:right]
        if part.size:
            scene.covered[n] = min(1.0, scene.covered[n] + float(part.mean()))


def _cut(points: Floats, frame: tuple[int, int, int, int]) -> bool:
    """Return whether a landmark lies outside a frame (left, top, right, bottom), or nearly so."""
    near = _INSIDE * float(np.hypot(*(points[1] - points[0])))
    after = (points >= np.array(frame[:2]) + near).all()
    return not bool(after and (points < np.array(frame[2:]) - near).all())


def _faint(image: Floats, points: Floats, levels: tuple[float, float]) -> bool:
    """Return whether nothing is to be seen of a face: washed out, or too dark."""
    corners = np.clip(np.round(_box(points)), 0, len(image)).astype(int)
    part = image[corners[1] : corners[3], corners[0] : corners[2]]
    return not part.size or float(part.std()) < _FAINT * (levels[1] - levels[0])


def _box(points: Floats) -> Floats:
    """Return left, top, right and bottom of a face's box, about."""
    half = np.array(BOX) * float(np.hypot(*(points[1] - points[0]))) / 2
    centre = (points[:2].mean(0) + points[3:].mean(0)) / 2
    return np.concatenate([centre - half, centre + half])
