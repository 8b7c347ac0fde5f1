"""Patch-based classification: every patch of the face is one landmark or background."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from thermalign.landmarks import normalise
from thermalign.landmarks.augment import augmented
from thermalign.landmarks.contract import (
    Faces,
    draw_rows,
    point_error,
    unannotated,
    untold,
)
from thermalign.landmarks.normalise import NormalisedFaces
from thermalign.landmarks.pbc.network import Network, margin
from thermalign.landmarks.pbc.patches import (
    BACKGROUND,
    NEITHER,
    PATCH,
    STRIDE,
    draw_patches,
    native_crops,
    neighbour_classes,
    refuse_unmet,
    translations,
)
from thermalign.landmarks.pbc.settings import Settings
from thermalign.states import State
from thermalign.training import loop
from thermalign.training.loop import UNKEPT, Run, keep, restore
from thermalign.warp import ImageStack

PAPER = True  # it prints how many parameters this detector has

_SURE = 1e-6  # a probability nearer to 0 or 1 counts as this near
_CROPS = 64  # crops per batch of prediction


def reach(settings: Settings) -> float:
    """Return how far beyond a face box PBC looks, in sides of the box: some pixels at most.

    They do not grow with the box, and are fewer than every part of an image keeps around it.
    """
    return 0.0


def grid(settings: Settings) -> dict[str, int]:
    """Return the grid on which points lie, as :mod:`thermalign.metrics.reach` takes it.

    Returns
    -------
    dict
        ``patch`` and ``stride``, pixels; ``margin``, cells beyond the patch in a crop's corner.
    """
    return {"patch": PATCH, "stride": STRIDE, "margin": margin(settings.padding == "same")}


def network(settings: Settings) -> nn.Module:
    """Return an untrained network."""
    return Network(settings)


def fit(
    train: Faces, validation: Faces, settings: Settings, *, seed: int, run: Run = UNKEPT
) -> State:
    """Train the patch classifier.

    Raises
    ------
    ValueError
        As every detector, and if no patch overlaps a landmark enough.

    Source
    ------
    Poster et al. 2019, section 3.2 and Table 4. Differs from it in: the fourth convolution is 3 x 3
    and the classes are six, as the printed total demands, not 2 x 2 and ten; patches are drawn
    anew for every batch.
    """
    if len(train) == 0:
        raise ValueError("pbc: there are no training faces")
    with loop.session("pbc", seed, train.stack.device, run) as session:
        model = Network(settings).to(train.stack.device)
        data = normalise.prepare(train, settings)
        held_out = normalise.prepare(validation, settings)
        draws = torch.Generator(train.stack.device).manual_seed(seed)
        refuse_unmet(train, settings, draws, beyond=STRIDE * model.margin)
        session.optimise(
            model,
            "patches",
            settings.steps,
            settings,
            loss=partial(_loss, model, data, settings, session.generator),
            validate=partial(_error, model, held_out, settings) if len(validation) else None,
        )
    return keep(model, session.curve, settings)


def predict(
    state: State, stack: ImageStack, boxes: Tensor, settings: Settings
) -> tuple[Tensor, Tensor]:
    """Find the most landmark-like patch of each face box, per landmark, at native resolution.

    Points are centres of patches, 8 pixels apart; their covariance is that of the probability map
    around the chosen patch, whatever the choice was by: see `ScoreMaps.covariance`.

    Source
    ------
    Poster et al. 2019, equations 2 and 3. Differs from it in: see `evidence`.
    """
    data = normalise.prepare(unannotated(stack, boxes), settings)
    model = restore(Network(settings), state, stack.device, settings)
    return locate(model, data, settings)


@dataclass(frozen=True)
class ScoreMaps:
    """How likely each patch of some faces, whose maps have one size, shows each class.

    Attributes
    ----------
    rows : (K,) int64
        The faces.
    first : (K, 2) float32, pixels, (x, y)
        Centres of the top-left patches; the others lie ``STRIDE`` pixels apart.
    logits : (K, L + 1, rows, columns) float32
    """

    rows: Tensor
    first: Tensor
    logits: Tensor

    @property
    def centres(self) -> Tensor:
        """Centres of all patches, row by row, (K, rows * columns, 2) float32, pixels."""
        rows, columns = self.logits.shape[2:]
        place = torch.arange(rows * columns, device=self.logits.device)
        cell = torch.stack([place % columns, place // columns], dim=-1)
        return self.first[:, None] + STRIDE * cell

    def covariance(self, points: Tensor, boxes: Tensor) -> Tensor:
        """Return the second moments of each landmark's map around its point.

        If one patch alone shows the landmark, it is patch k with a probability proportional to the
        odds p / (1 - p) of k's probability p (softmax over the classes). Moments around the chosen
        patch, not around the mean, count a second peak by its way from the first.

        A landmark whose patch is at the border of the map may lie beyond it, where no patch lies
        inside the crop. Landmarks lie in the inner half of a face box, a quarter of its side from
        the edges: the square way from the border to there is added, across the border.

        Parameters
        ----------
        points : (K, L, 2) float32, pixels
            Centres of the chosen patches.
        boxes : (K, 4) float32, pixels, (x, y, width, height)

        Returns
        -------
        (K, L, 2, 2) float32, square pixels
        """
        odds = self.logits.softmax(1)[:, :BACKGROUND].flatten(2).logit(eps=_SURE).exp()  # (K, L, P)
        away = self.centres[:, None] - points[:, :, None]  # (K, L, P, 2)
        moments = ((odds / odds.sum(2, keepdim=True))[..., None] * away).mT @ away
        first, last = (self.centres[:, n] for n in (0, -1))  # (K, 2)
        low = boxes[:, :2] + boxes[:, 2:] / 4
        before, behind = (first - low).clamp(min=0), (low + boxes[:, 2:] / 2 - last).clamp(min=0)
        beyond = torch.zeros_like(points)
        for end, way in ((first, before), (last, behind)):
            beyond += (points == end[:, None]) * way[:, None] ** 2
        return moments + torch.diag_embed(beyond)


@torch.no_grad()
def score_maps(model: Network, data: NormalisedFaces) -> Iterator[ScoreMaps]:
    """Run the network over whole crops at native resolution.

    Crops are trimmed to what the patches cover, 60 + 8 a by 60 + 8 b pixels, evenly on both sides,
    and run in groups of one size. Around them the network sees the image's own pixels and, beyond
    the image, its border repeated: what a patch shows does not depend on where the crop ends.
    ``same`` has ``margin`` cells more on every side, as the printed padding gives, whose patches
    reach out of the crop.

    Parameters
    ----------
    model : Network
    data : NormalisedFaces of M examples

    Yields
    ------
    ScoreMaps, until every example had its own; points in the example frame
    """
    corners, sizes = native_crops(data.faces.boxes)
    covered = sizes - (sizes - PATCH) % STRIDE
    corners = corners + ((sizes - covered) / 2).floor()
    beyond = STRIDE * model.margin
    groups, group = torch.unique(covered.long(), dim=0, return_inverse=True)
    for n, (width, height) in enumerate(groups.tolist()):
        for rows in torch.split((group == n).nonzero()[:, 0], _CROPS):
            begin = corners[rows] - beyond
            whole = {"width": width + 2 * beyond, "height": height + 2 * beyond}
            crops = _surrounded(model, data, rows, begin, **whole)
            yield ScoreMaps(rows, begin + (PATCH - 1) / 2, model(crops, surrounded=True))


def evidence(logits: Tensor, choice: str) -> Tensor:
    """Return what a landmark's patch is chosen by: the highest of all positions.

    ``logit`` is equations 2 and 3 to the letter. But the softmax cross-entropy of training leaves
    a free constant at every position, added to all classes, so that logits of two positions share
    no scale. ``probability`` compares their log-softmax, which such a constant does not change.

    Parameters
    ----------
    logits : (K, L + 1, rows, columns) float
    choice : str
        ``probability`` or ``logit``.

    Returns
    -------
    (K, L, rows, columns) float

    Source
    ------
    Poster et al. 2019, equations 2 and 3. ASSUME: that they mean a class's probability.
    """
    return (logits if choice == "logit" else logits.log_softmax(1))[:, :BACKGROUND]


def locate(model: Network, data: NormalisedFaces, settings: Settings) -> tuple[Tensor, Tensor]:
    """Map each landmark's best patch back to the image.

    Returns
    -------
    points : (M, L, 2) float32, pixels, example frame
    covariance : (M, L, 2, 2) float32, square pixels
        Of the score map around the points.
    """
    points = torch.empty_like(data.faces.points)
    covariance = untold(points)
    for maps in score_maps(model, data):
        cells = evidence(maps.logits, settings.choice).flatten(2).argmax(2)  # (K, L)
        points[maps.rows] = maps.centres.gather(1, cells[..., None].expand(-1, -1, 2))
        covariance[maps.rows] = maps.covariance(points[maps.rows], data.faces.boxes[maps.rows])
    return points, covariance


def _surrounded(
    model: Network,
    data: NormalisedFaces,
    rows: Tensor,
    corners: Tensor,
    *,
    width: int,
    height: int,
) -> Tensor:
    """Cut parts of faces, of a patch's size or more, with the pixels that the network sees around.

    Returns
    -------
    (K, 1, height + around, width + around) float32
    """
    matrices = translations(corners - model.before)
    return data.crops(rows, matrices, width=width + model.around, height=height + model.around)


def _loss(
    model: Network, data: NormalisedFaces, settings: Settings, generator: torch.Generator
) -> Tensor:
    beyond, around = STRIDE * model.margin, STRIDE * settings.neighbours
    if settings.augment.changes:  # patches are drawn of as many varied faces
        some = draw_rows(data.faces, settings.batch_size, generator)
        data = augmented(data, some, settings.augment, generator)
    rows, corners, drawn = draw_patches(data.faces, settings, generator, beyond=beyond)
    classes = neighbour_classes(data.faces, rows, corners, settings, beyond=beyond)
    classes = torch.where((drawn == NEITHER)[:, None, None], NEITHER, classes)
    side = PATCH + 2 * around
    patches = _surrounded(model, data, rows, corners - around, width=side, height=side)
    return balanced_loss(model(patches, surrounded=True), classes, settings.negative_share)


def balanced_loss(logits: Tensor, classes: Tensor, negative_share: float) -> Tensor:
    """Return the mean cross-entropy of background patches and that of the others, weighted.

        share * mean over background + (1 - share) * mean over landmarks

    In a batch that holds as many background patches as asked for, and no neighbours, that is the
    plain mean.

    Parameters
    ----------
    logits : (B, L + 1, ...) float
    classes : (B, ...) int64
        ``NEITHER`` is left out.
    negative_share : float
        A part without a patch counts zero.

    Returns
    -------
    () float
    """
    each = cross_entropy(logits, classes, ignore_index=NEITHER, reduction="none")
    background = classes == BACKGROUND
    shown = ~background & (classes != NEITHER)
    parts = [(each * part).sum() / part.sum().clamp(min=1) for part in (background, shown)]
    return negative_share * parts[0] + (1 - negative_share) * parts[1]


def _error(model: Network, data: NormalisedFaces, settings: Settings) -> Tensor:
    points, _ = locate(model, data, settings)
    return point_error(points, data.faces, torch.arange(len(points), device=points.device))
