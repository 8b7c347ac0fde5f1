"""What cells are to say of faces, what that is worth, and faces from what they say.

Places are pixels of a copy, (x, y), from the centre of its top-left pixel. A face's centre and size
are those of the box that :mod:`thermalign.boxes` derives from its points.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid, max_pool2d, smooth_l1_loss

from thermalign.geometry import CENTRE_BELOW_EYES, LANDMARKS, interocular_distance
from thermalign.landmarks.finder.network import CELL, OUTPUTS
from thermalign.landmarks.finder.settings import Settings
from thermalign.training.loop import sent

BOX = (2.3, 2.87)
"""Width and height of a face's box, interocular distances: the study's tight one."""

_SPREAD = 0.15  # standard deviation of a face's normal peak, of its size
_TELLS = 0.5  # of the peak: cells above say box and points
_AWAY = 1.4  # ratio to the sizes found beyond which a face is ground like any other
_NEAR = 0.5  # of a face's size: cells nearer to one of a doubtful size or sight are not judged


@dataclass(frozen=True)
class Goal:
    """What the cells of K scenes are to say.

    Attributes
    ----------
    peaks : (K, H, W) float32
        1 in the cell of a face's centre, falling off as a normal density around it.
    judged : (K, H, W) bool
        Where the score counts.
    tells : (K, H, W) float32
        Weight of box and points; 0 away from faces.
    says : (K, C, H, W) float32
        All but the score.
    """

    peaks: Tensor
    judged: Tensor
    tells: Tensor
    says: Tensor

    def to(self, device: torch.device) -> "Goal":
        """Return the same on a device."""
        parts = (self.peaks, self.judged, self.tells, self.says)
        return Goal(*(sent(part, device) for part in parts))


def centres_and_sizes(points: Tensor) -> tuple[Tensor, Tensor]:
    """Return centres (N, 2) and widths (N,) of the boxes of faces (N, L, 2), pixels."""
    apart = interocular_distance(points)
    eyes, mouth = points[:, :2].mean(1), points[:, 3:].mean(1)
    down = torch.nn.functional.normalize(mouth - eyes, dim=1)
    return eyes + CENTRE_BELOW_EYES * down * apart[:, None], BOX[0] * apart


def make_goal(
    scenes: Tensor, points: Tensor, doubtful: Tensor, settings: Settings, *, count: int, side: int
) -> Goal:
    """Return what cells are to say of faces in scenes.

    Parameters
    ----------
    scenes : (N,) int64
        The scene of each face.
    points : (N, L, 2) float32, pixels of the scene
    doubtful : (N,) bool
        Faces that are to be neither found nor passed over: half hidden, or partly outside.
    settings : Settings
    count, side : int
        Scenes, and pixels along their sides.

    Returns
    -------
    Goal
    """
    cells = side // CELL
    along = CELL * torch.arange(cells, dtype=torch.float32) + (CELL - 1) / 2
    peaks, tells = torch.zeros(2, count, cells, cells)
    judged = torch.ones(count, cells, cells, dtype=torch.bool)
    says = torch.zeros(count, OUTPUTS - 1, cells, cells)
    centres, widths = centres_and_sizes(points)
    smallest, largest = settings.sizes
    for n in range(len(points)):
        scene, (x, y), size = int(scenes[n]), centres[n].tolist(), float(widths[n])
        if not smallest / _AWAY < size < largest * _AWAY:
            continue
        squares = (along[None] - x) ** 2 + (along[:, None] - y) ** 2
        if bool(doubtful[n]) or not smallest <= size <= largest:
            judged[scene] &= squares > (_NEAR * size) ** 2
            continue
        peak = torch.exp(-squares / (2 * (_SPREAD * size) ** 2))
        if not (-0.5 <= x < side - 0.5 and -0.5 <= y < side - 0.5):
            continue
        middle = (math.floor((y + 0.5) / CELL), math.floor((x + 0.5) / CELL))
        peak[middle] = 1
        own = (peak > _TELLS) & (peak > peaks[scene])
        peaks[scene] = torch.maximum(peaks[scene], peak)
        tells[scene][own] = settings.unit / size
        said = _encoded(along, centres[n], size, points[n], settings)
        says[scene][:, own] = said[:, own]
    judged |= peaks == 1  # a face is judged, however near a doubtful one lies
    return Goal(peaks, judged, tells, says)


def _encoded(
    along: Tensor, centre: Tensor, size: float, points: Tensor, settings: Settings
) -> Tensor:
    """Return what every cell would say of a face, (C, H, W)."""
    places = torch.cat([centre[None], points])  # (1 + L, 2)
    grid = torch.stack(torch.meshgrid(along, along, indexing="xy"))  # (2, H, W)
    offsets = (places[:, :, None, None] - grid) / settings.unit
    log_size = torch.full((1, *offsets.shape[2:]), size / settings.unit).log()
    return torch.cat([offsets[0], log_size, offsets[1:].flatten(0, 1)])


def loss(cells: Tensor, goal: Goal, settings: Settings) -> Tensor:
    """Return how far cells (K, C, H, W) are from what they are to say.

    Source
    ------
    Lin et al., ICCV 2017 (focal loss); Law and Deng, ECCV 2018, equation 1, and CenterNet, equation
    1, for peaks: powers 2 and 4, over the number of faces.
    """
    odds = cells[:, 0]
    face = goal.peaks == 1
    found = (1 - odds.sigmoid()) ** 2 * logsigmoid(odds)
    passed = (1 - goal.peaks) ** 4 * odds.sigmoid() ** 2 * logsigmoid(-odds)
    each = torch.where(face, found, passed) * goal.judged
    score = -each.sum() / face.sum().clamp(min=1)
    apart = smooth_l1_loss(cells[:, 1:], goal.says, reduction="none", beta=0.05).mean(1)
    told = (apart * goal.tells).sum() / goal.tells.sum().clamp(min=1)
    return score + 10 * settings.regression * told


@dataclass(frozen=True)
class Told:
    """Faces by what cells say, D of them.

    Attributes
    ----------
    copies : (D,) int64
        The copy of each.
    scores : (D,) float32
    centres : (D, 2) float32, pixels of the copy
    sizes : (D,) float32, pixels of the copy: widths of the boxes
    points : (D, L, 2) float32, pixels of the copy
    """

    copies: Tensor
    scores: Tensor
    centres: Tensor
    sizes: Tensor
    points: Tensor


def read(cells: Tensor, settings: Settings, *, score: float) -> Told:
    """Return the faces of cells (K, C, H, W): those that are surer than their eight neighbours.

    Parameters
    ----------
    cells : (K, C, H, W) float32
    settings : Settings
    score : float
        Least score; cells at it or below are no faces.
    """
    scores = cells[:, :1].sigmoid()
    best = (scores == max_pool2d(scores, 3, 1, 1)) & (scores > score)
    copies, _, rows, columns = best.nonzero(as_tuple=True)
    return read_cells(cells, copies, rows, columns, settings)


def read_cells(
    cells: Tensor, copies: Tensor, rows: Tensor, columns: Tensor, settings: Settings
) -> Told:
    """Return what named cells of cells (K, C, H, W) say."""
    said = cells[copies, :, rows, columns]
    at = CELL * torch.stack([columns, rows], dim=1) + (CELL - 1) / 2
    offsets = torch.cat([said[:, 1:3], said[:, 4:]], dim=1)
    places = at[:, None] + settings.unit * offsets.view(len(said), 1 + len(LANDMARKS), 2)
    sizes = settings.unit * said[:, 3].clamp(-3, 3).exp()
    return Told(copies, said[:, 0].sigmoid(), places[:, 0], sizes, places[:, 1:])
