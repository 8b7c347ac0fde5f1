"""The cascade of MTCNN in use: P-Net over image pyramids, R-Net and O-Net over what it proposes.

Source: kpzhang93/MTCNN_face_detection_alignment, detect_face.m, for the order of suppression,
calibration and squaring. Differs from it in: each stage runs over the candidates of all images at
once; how the input is normalised; at most 512 windows of a copy of the pyramid and 300 proposals
of an image go on, which bounds memory while a network is still bad.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from thermalign.geometry import box_to_crop, from_box_units, mirror_points
from thermalign.landmarks import normalise
from thermalign.landmarks.contract import Detections, Faces
from thermalign.landmarks.mtcnn.boxes import calibrate, pyramid, squared, suppress
from thermalign.landmarks.mtcnn.crops import Crops, Pools, mined_pools, top_up
from thermalign.landmarks.mtcnn.networks import Heads, ONet, PNet, RNet, face_probability
from thermalign.landmarks.mtcnn.settings import Settings

_PIXELS = 500_000  # of the pyramid per batch
_CROPS = 512  # per batch
_WINDOWS = 512  # of a copy of the pyramid that go on
_PROPOSALS = 300  # of an image that go on
_SAME_COPY = 0.5  # overlaps beyond which the worse box is dropped; official
_ACROSS_COPIES = 0.7
_REFINED = 0.7
_OUTPUT = 0.7  # of the smaller box
_ROWS = 4096  # that a pile begins with


class Piled:
    """Rows of several tensors, part behind part, each in one growing piece of memory.

    Small tensors that are kept while large ones come and go lie between them in a host's memory:
    what is free there is neither given back nor large enough for what comes next. So a part is
    copied, and may go.
    """

    def __init__(self, *none: Tensor) -> None:
        """Begin with tensors that have the shape and type of a part, and no row."""
        self._held, self._count = none, 0

    def put(self, *parts: Tensor) -> None:
        """Copy a part (K, ...) of each."""
        first, self._count = self._count, self._count + len(parts[0])
        if self._count > len(self._held[0]):
            self._held = tuple(self._grown(held, first) for held in self._held)
        for held, part in zip(self._held, parts, strict=True):
            held[first : self._count] = part

    def rows(self) -> tuple[Tensor, ...]:
        """Return all rows of each, as views."""
        return tuple(held[: self._count] for held in self._held)

    def _grown(self, held: Tensor, used: int) -> Tensor:
        larger = held.new_empty((max(2 * self._count, _ROWS), *held.shape[1:]))
        larger[:used] = held[:used]
        return larger


@dataclass(frozen=True)
class Candidates:
    """Squares that may hold a face, by example, then by falling score.

    Attributes
    ----------
    crops : Crops
    scores : (K,) float32
        The last network's probability of a face.
    """

    crops: Crops
    scores: Tensor


def image_levels(faces: Faces, settings: Settings) -> Tensor:
    """Measure the levels of each example's whole image, (M, K).

    ASSUME: a proposal network sees an image before there is a box, so its levels are the image's.
    Networks behind it see crops, whose levels are measured on each crop (`normalised_crops`): a
    lamp elsewhere in the room then does not change how a face looks to them.
    """
    whole = replace(faces, boxes=_image_boxes(faces))
    return normalise.prepare(whole, settings).levels


def normalised_crops(faces: Faces, crops: Crops, settings: Settings, *, size: int) -> Tensor:
    """Cut crops out of examples, resize them and normalise each by its own levels.

    Returns
    -------
    (K, 1, size, size) float32
    """
    matrices = box_to_crop(crops.boxes, size, size)
    values = faces.crops(crops.rows, matrices, width=size, height=size)
    return normalise.normalise(values, normalise.measure(values, settings))


def look(
    net: RNet | ONet,
    faces: Faces,
    crops: Crops,
    settings: Settings,
    *,
    mirrored: bool,
) -> Heads:
    """Return what a network makes of crops of examples.

    Parameters
    ----------
    net : RNet or ONet
    faces : Faces
    crops : K Crops
    settings : Settings
    mirrored : bool
        Whether landmarks are averaged with those of the mirrored crops, mirrored back.

    Returns
    -------
    (K,), (K, 4), (K, L, 2)
        Probability of a face, box offsets and landmarks; the last two in sides of the crop.

    Source
    ------
    kpzhang93/MTCNN_face_detection_alignment, MTCNNv1/detect_face.m, for the mirrored average.
    """
    images = normalised_crops(faces, crops, settings, size=net.size)
    face, offsets, landmarks = net(images)
    if mirrored:
        other = net(images.flip(3))[2]
        # From edge to edge a crop is one wide: x becomes 1 - x, as in an image of two pixels.
        landmarks = (landmarks + mirror_points(other, 2.0)) / 2
    return face_probability(face), offsets, landmarks


@torch.no_grad()
def propose(pnet: PNet, faces: Faces, settings: Settings, *, threshold: float) -> Candidates:
    """Scan every example's image at all scales.

    Parameters
    ----------
    pnet : PNet
    faces : Faces
        Their boxes and points are not looked at.
    settings : Settings
    threshold : float
        Least probability of a face.

    Returns
    -------
    Candidates
    """
    levels = image_levels(faces, settings)
    none = faces.boxes[:0]
    found = Piled(faces.index[:0], none, none[:, 0], none)
    for rows, copy in _copies(faces, settings, pnet.size):
        found.put(*_scan(pnet, faces, rows, levels[rows], copy=copy, threshold=threshold))
    rows, boxes, scores, offsets = found.rows()
    kept = suppress(boxes, scores, rows, threshold=_ACROSS_COPIES, most=_PROPOSALS)
    calibrated = squared(calibrate(boxes[kept], offsets[kept]))
    return Candidates(Crops(rows[kept], calibrated), scores[kept])


@torch.no_grad()
def refine(
    rnet: RNet, faces: Faces, candidates: Candidates, settings: Settings, *, threshold: float
) -> Candidates:
    """Keep the candidates that R-Net takes for faces, calibrated."""
    scores, offsets, _ = _look(rnet, faces, candidates, settings, mirrored=False)
    sure = (scores > threshold).nonzero()[:, 0]
    crops, scores, offsets = candidates.crops[sure], scores[sure], offsets[sure]
    kept = suppress(crops.boxes, scores, crops.rows, threshold=_REFINED)
    calibrated = squared(calibrate(crops.boxes[kept], offsets[kept]))
    return Candidates(Crops(crops.rows[kept], calibrated), scores[kept])


@torch.no_grad()
def output(
    onet: ONet, faces: Faces, candidates: Candidates, settings: Settings, *, threshold: float
) -> Detections:
    """Return the faces that O-Net confirms, with their landmarks.

    Landmarks are fractions of the square that O-Net saw, not of the calibrated box.
    """
    mirrored = settings.mirrored
    scores, offsets, landmarks = _look(onet, faces, candidates, settings, mirrored=mirrored)
    sure = (scores > threshold).nonzero()[:, 0]
    crops, scores = candidates.crops[sure], scores[sure]
    boxes = calibrate(crops.boxes, offsets[sure])
    points = from_box_units(landmarks[sure], crops.boxes)
    kept = suppress(boxes, scores, crops.rows, threshold=_OUTPUT, smaller=True)
    return Detections(faces.index[crops.rows[kept]], boxes[kept], scores[kept], points[kept])


def mine(
    train: Faces,
    settings: Settings,
    generator: torch.Generator,
    *,
    pnet: PNet,
    rnet: RNet | None = None,
) -> Pools:
    """Sort what trained networks find in training images by overlap, topped up with random crops.

    Parameters
    ----------
    train : Faces
        Of many, ``mined_faces`` are drawn; mirrored copies count as faces of their own.
    settings : Settings
    generator : torch.Generator
        Of this stage alone (`crops.generator`), so that a training that goes on after a kill
        mines the same.
    pnet : PNet
    rnet : RNet, optional
        Refines what P-Net finds.

    Returns
    -------
    Pools
        Of the examples of ``train``.

    Raises
    ------
    ValueError
        If there are no crops of one kind, neither mined nor random ones.
    """
    device = train.stack.device
    rows = torch.randperm(len(train), generator=generator, device=device)[: settings.mined_faces]
    rows = rows.sort().values
    some = train.subset(rows)
    first, second = settings.mining_thresholds
    found = propose(pnet, some, settings, threshold=first)
    if rnet is not None:
        found = refine(rnet, some, found, settings, threshold=second)
    mined = mined_pools(some, found.crops, settings)
    return top_up(mined, some, settings, generator).of(rows)


def _copies(
    faces: Faces, settings: Settings, cell: int
) -> Iterator[tuple[Tensor, tuple[int, int]]]:
    """Go through batches of examples of one image size, and the copies of the pyramid."""
    sizes, group = torch.unique(faces.sizes.long(), dim=0, return_inverse=True)
    for n, (width, height) in enumerate(sizes.tolist()):
        members = (group == n).nonzero()[:, 0]
        for copy in pyramid(
            width, height, cell=cell, min_face=settings.min_face, factor=settings.pyramid_factor
        ):
            for rows in torch.split(members, max(1, _PIXELS // (copy[0] * copy[1]))):
                yield rows, copy


def _scan(
    pnet: PNet,
    faces: Faces,
    rows: Tensor,
    levels: Tensor,
    *,
    copy: tuple[int, int],
    threshold: float,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return rows, boxes, scores and offsets of the best windows in one copy of some images."""
    whole = _image_boxes(faces)[rows]
    images = faces.crops(rows, box_to_crop(whole, *copy), width=copy[0], height=copy[1])
    face, offsets, _ = pnet(normalise.normalise(images, levels))
    columns = face.shape[3]
    scores = face_probability(face).flatten(1)  # (B, cells)
    scores, cells = scores.topk(min(_WINDOWS, scores.shape[1]), dim=1)
    image, place = (scores > threshold).nonzero(as_tuple=True)
    cell = cells[image, place]
    pixel = whole[image, 2:] / torch.tensor(copy, device=whole.device)  # of the copy, in pixels
    corner = pnet.stride * torch.stack([cell % columns, cell // columns], dim=1) * pixel
    boxes = torch.cat([corner, pnet.size * pixel], dim=1)
    scores = scores[image, place]
    kept = suppress(boxes, scores, image, threshold=_SAME_COPY)
    offset = offsets.flatten(2)[image, :, cell]
    return rows[image[kept]], boxes[kept], scores[kept], offset[kept]


def _look(
    net: RNet | ONet, faces: Faces, candidates: Candidates, settings: Settings, *, mirrored: bool
) -> Heads:
    """Look at all candidates, some at a time."""
    crops = candidates.crops
    batches = torch.split(torch.arange(len(crops), device=crops.rows.device), _CROPS)
    none = crops.boxes[:0]
    seen = Piled(none[:, 0], none, faces.points[:0])
    for some in batches:
        seen.put(*look(net, faces, crops[some], settings, mirrored=mirrored))
    scores, offsets, landmarks = seen.rows()
    return scores, offsets, landmarks


def _image_boxes(faces: Faces) -> Tensor:
    return torch.cat([torch.zeros_like(faces.sizes), faces.sizes], dim=1)
