"""One batched warp: training crops, augmentation, patches, DAN's normalisation, alignment.

The images of a fold live on one device as one flat tensor in the bits of their files, their mip
levels as another, whatever their sizes; a warp gathers bilinear samples out of them, with no loop
over images.
"""

import mmap
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from thermalign import geometry, room
from thermalign.geometry import Floats, Integers, invert_matrix
from thermalign.images import Kind, Picture

LEVELS = 4
"""Mip levels: the image and its means over 2 x 2, 4 x 4 and 8 x 8 pixels."""

_CACHED = 100_000  # outputs warped at a time on a CPU, whose caches hold that many intermediates
_WRITTEN = 500  # images written to a file before the memory they went through is given back

Sample = Callable[[Tensor], Tensor]
"""Reads K images at places (K, height, width) of a stack's pixels, in physical units."""

_HELD = {"uint8": torch.uint8, "uint16": torch.uint16, "float32": torch.float32}


@dataclass(frozen=True)
class ImageStack:
    """Images of one channel and any sizes, on one device.

    Attributes
    ----------
    pixels : (P,) uint8, uint16 or float32
        Every image, row by row, image after image: counts as stored, or physical units as floats.
    coarse : (Q,) float32
        Every further level of every image, in physical units.
    starts : (N, LEVELS) int64
        Where an image begins in ``pixels``, and where its further levels do in ``coarse``.
    sizes : (N, LEVELS, 2) int64, pixels, (width, height)
    units : (N, 2) float32
        Scale and offset: a count is scale x count + offset in physical units.
    files : tuple of mmap
        What the pixels lie in, where they are too many for memory.
    """

    pixels: Tensor
    coarse: Tensor
    starts: Tensor
    sizes: Tensor
    units: Tensor
    files: tuple[mmap.mmap, ...] = ()

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def device(self) -> torch.device:
        """The device that holds the pixels."""
        return self.pixels.device

    @property
    def widths(self) -> Tensor:
        """Widths of the images, (N,) float32, pixels."""
        return self.sizes[:, 0, 0].float()

    @property
    def kind(self) -> Kind:
        """The type that images are held in."""
        return np.dtype(str(self.pixels.dtype).removeprefix("torch."))

    def picture(self, n: int) -> Picture:
        """Return image ``n`` as it is held; on a CPU its counts are the stack's own memory."""
        scale, offset = self.units[n].tolist()
        return Picture(self._held(n, 0).cpu().numpy(), scale, offset)

    def level(self, n: int, k: int) -> Tensor:
        """Return mip level ``k`` of image ``n``, (height, width) float32, physical units."""
        held = self._held(n, k)
        if held.dtype == torch.float32:
            return held
        return held.float() * self.units[n, 0] + self.units[n, 1]

    def alike(self, rows: Tensor, k: int) -> Tensor:
        """Return mip level ``k`` of images ``rows`` (K,) of one size, (K, height, width) float32.

        The host asks the device for their places at once, not for each image.
        """
        width, height = self.sizes[rows[0], k].tolist()
        values = self.coarse if k else self.pixels
        starts = self.starts[rows, k].tolist()
        held = torch.stack([values[start : start + width * height] for start in starts])
        held = held.view(-1, height, width)
        if held.dtype == torch.float32:
            return held
        scale, offset = self.units[rows][..., None, None].unbind(1)
        return held.float() * scale + offset

    def image(self, n: int) -> Tensor:
        """Return image ``n`` at its own resolution, (height, width) float32, physical units."""
        return self.level(n, 0)

    def take(self, rows: Tensor) -> "ImageStack":
        """Return the images ``rows`` (K,) int64, each as often as named; pixels are shared."""
        parts = {name: getattr(self, name)[rows] for name in ("starts", "sizes", "units")}
        return replace(self, **parts)

    def exchanged(self, total: float) -> "ImageStack":
        """Return the images with every value taken from a total: black and white exchanged."""
        if self.pixels.dtype == torch.float32:
            return replace(self, pixels=total - self.pixels, coarse=total - self.coarse, files=())
        units = torch.stack([-self.units[:, 0], total - self.units[:, 1]], 1)
        return replace(self, coarse=total - self.coarse, units=units)

    def to(self, device: torch.device) -> "ImageStack":
        """Return the same images on a device; a copy elsewhere holds no file."""
        names = ("pixels", "coarse", "starts", "sizes", "units")
        there = {name: getattr(self, name).to(device) for name in names}
        files = self.files if there["pixels"] is self.pixels else ()
        return replace(self, **there, files=files)

    def give_back(self) -> None:
        """Let go of the memory that files were read through."""
        room.give_back(self.files)

    def _held(self, n: int, k: int) -> Tensor:
        width, height = (int(v) for v in self.sizes[n, k])
        start = int(self.starts[n, k])
        values = self.coarse if k else self.pixels
        return values[start : start + width * height].view(height, width)


def stack_images(images: Sequence[Floats], device: torch.device) -> ImageStack:
    """Put images in physical units on a device with their mip levels.

    Parameters
    ----------
    images : N arrays (height, width), float
        Of any sizes, at least one pixel each.
    device : torch.device

    Returns
    -------
    ImageStack

    Raises
    ------
    ValueError
        If there is no image, or one is not a two-dimensional array.
    """
    for n, image in enumerate(images):
        if image.ndim != 2 or image.size == 0:
            raise ValueError(f"image {n} has shape {image.shape}, not (height, width)")
    sizes = np.array([image.shape[::-1] for image in images], np.int64)
    pictures = (Picture(np.asarray(image, np.float32)) for image in images)
    return stack_pictures(pictures, sizes, np.dtype(np.float32), device)


def stack_pictures(
    pictures: Iterable[Picture], sizes: Integers, kind: Kind, device: torch.device
) -> ImageStack:
    """Put images on a device one by one, in the bits that they have, with their mip levels.

    Parameters
    ----------
    pictures : N Pictures
        Each may go once it is copied.
    sizes : (N, 2) int, pixels, (width, height)
        Of each.
    kind : uint8, uint16 or float32
        Of all.
    device : torch.device

    Returns
    -------
    ImageStack
        On a CPU what is too much for memory lies in a temporary file: see :mod:`thermalign.room`.

    Raises
    ------
    ValueError
        If there is no image.
    OSError
        If there is no room for the file.
    """
    if not len(sizes):
        raise ValueError("a stack needs at least one image")
    extents = np.empty((len(sizes), LEVELS, 2), np.int64)
    for k in range(LEVELS):
        extents[:, k] = -(-sizes // 2**k)
    areas = extents.prod(-1)
    starts = np.concatenate([_starts(areas[:, :1]), _starts(areas[:, 1:])], axis=1)
    held = {
        "pixels": (int(areas[:, 0].sum()), _HELD[kind.name]),
        "coarse": (int(areas[:, 1:].sum()), torch.float32),
    }
    tensors, files = room.make_room(held, device)
    units = np.empty((len(sizes), 2), np.float32)
    for n, picture in enumerate(pictures):
        units[n] = picture.scale, picture.offset
        _put(
            tensors["pixels"], starts[n, 0], torch.from_numpy(np.ascontiguousarray(picture.counts))
        )
        level = torch.from_numpy(picture.physical())[None, None]
        for start in starts[n, 1:]:
            level = avg_pool2d(level, 2, ceil_mode=True, count_include_pad=False)
            _put(tensors["coarse"], start, level)
        if n % _WRITTEN == _WRITTEN - 1:
            room.give_back(files)
    room.give_back(files)
    on = {"starts": starts, "sizes": extents, "units": units}
    return ImageStack(
        **tensors, **{k: torch.as_tensor(v).to(device) for k, v in on.items()}, files=files
    )


def _starts(areas: Integers) -> Integers:
    """Return where parts of so many pixels begin, one behind the other."""
    ends: Integers = areas.ravel().cumsum()
    return (ends - areas.ravel()).reshape(areas.shape)


def _put(values: Tensor, start: int, part: Tensor) -> None:
    values[start : start + part.numel()] = part.flatten()


def mirrored(stack: ImageStack) -> ImageStack:
    """Return the images mirrored left to right, with mip levels of their own."""
    pictures = (stack.picture(n).mirrored() for n in range(len(stack)))
    return stack_pictures(pictures, stack.sizes[:, 0].cpu().numpy(), stack.kind, stack.device)


def warp(
    stack: ImageStack,
    index: Tensor,
    matrices: Tensor,
    *,
    width: int,
    height: int,
    offsets: tuple[Tensor, Tensor] | None = None,
) -> Tensor:
    """Warp images into a common frame by bilinear sampling.

    Each output samples the mip level whose pixels are nearest to (and not coarser than) its own,
    so that shrinking does not alias. Beyond an image's border its outermost pixels repeat.

    Parameters
    ----------
    stack : ImageStack
    index : (M,) int64
        Which image of the stack each output shows.
    matrices : (M, 2, 3) float
        From image coordinates to output coordinates; a reflection mirrors.
    width, height : int, pixels
        Size of the outputs.
    offsets : (M, 2) float, pixels of the images, and (M, height, width) float, optional
        How far, (x, y), outputs sample from where the matrix says, and which share of it each does.

    Returns
    -------
    (M, 1, height, width) float32, in the units of the stack
    """
    inverse = invert_matrix(matrices.to(torch.float32))
    shrink = (inverse[:, 0, 0] * inverse[:, 1, 1] - inverse[:, 0, 1] * inverse[:, 1, 0]).abs()
    level = torch.floor(0.5 * torch.log2(shrink) + 1e-4).clamp(0, LEVELS - 1).long()
    scale = torch.exp2(-level.float())[:, None]
    # A level's pixel k covers the pixels 2k and 2k + 1 of the level before: centres shift by 1/2.
    centre = 0.5 * scale - 0.5
    to_level = torch.cat(
        [inverse[..., :2] * scale[..., None], (inverse[..., 2] * scale + centre)[..., None]], dim=-1
    )
    grid = _grid(width, height, stack.device)
    out = matrices.new_empty((len(index), 1, height, width), dtype=torch.float32)
    # 32 bits halve the traffic of the index arithmetic, which is what a CPU waits for.
    kind = torch.int32 if max(len(stack.pixels), len(stack.coarse)) < 2**31 else torch.int64
    for rows, sample in _batches(stack, index, level == 0, width * height):
        start = stack.starts[index[rows], level[rows]]
        size = stack.sizes[index[rows], level[rows]]
        shift = None
        if offsets is not None:
            shift = (offsets[0][rows] * scale[rows], offsets[1][rows])
        seen = _bilinear(sample, start, size, to_level[rows], grid, shift=shift, kind=kind)
        out.index_copy_(0, rows, seen[:, None])
    stack.give_back()
    return out


def _batches(
    stack: ImageStack, index: Tensor, own: Tensor, area: int
) -> Iterator[tuple[Tensor, Sample]]:
    """Go through outputs: which they are, and what reads the pixels of their images.

    On a CPU a batch is small, and all of its images are shown at their own resolution, as ``own``
    (M,) bool says, or none; elsewhere it is everything, so that nobody waits for a count.
    """
    if not geometry.on_host(own):
        yield torch.arange(len(own), device=own.device), _either(stack, index, own)
        return
    for rows in _small(own.nonzero()[:, 0], area):
        yield rows, _stored(stack, index[rows])
    for rows in _small((~own).nonzero()[:, 0], area):
        yield rows, partial(_at, stack.coarse)


def _small(rows: Tensor, area: int) -> tuple[Tensor, ...]:
    return torch.split(rows, max(1, _CACHED // area)) if len(rows) else ()


def _either(stack: ImageStack, index: Tensor, own: Tensor) -> Sample:
    """Return what reads images at their own resolution where ``own``, else a further mip level."""
    read, here = _stored(stack, index), own[:, None, None]
    return lambda where: torch.where(here, read(where * here), _at(stack.coarse, where * ~here))


def _stored(stack: ImageStack, index: Tensor) -> Sample:
    """Return what reads images ``index`` (K,) at their own resolution."""
    bits = stack.pixels.view(torch.int16) if stack.pixels.dtype == torch.uint16 else stack.pixels
    scale, offset = stack.units[index][..., None, None].unbind(1)

    def read(where: Tensor) -> Tensor:
        found = _at(bits, where)
        if bits.dtype == torch.float32:
            return found
        return found.view(stack.pixels.dtype).float().mul_(scale).add_(offset)

    return read


def _at(values: Tensor, where: Tensor) -> Tensor:
    return values.index_select(0, where.flatten()).view(where.shape)


def _grid(width: int, height: int, device: torch.device) -> tuple[Tensor, Tensor]:
    columns = torch.arange(width, device=device, dtype=torch.float32)
    return columns, torch.arange(height, device=device, dtype=torch.float32)[:, None]


def _bilinear(
    sample: Sample,
    start: Tensor,
    size: Tensor,
    to_level: Tensor,
    grid: tuple[Tensor, Tensor],
    *,
    shift: tuple[Tensor, Tensor] | None,
    kind: torch.dtype,
) -> Tensor:
    columns, rows = size.to(kind)[..., None, None].unbind(1)
    m = to_level[..., None, None]
    x = m[:, 0, 0] * grid[0] + (m[:, 0, 1] * grid[1] + m[:, 0, 2])
    y = m[:, 1, 0] * grid[0] + (m[:, 1, 1] * grid[1] + m[:, 1, 2])
    if shift is not None:
        way, share = shift
        x.addcmul_(way[:, 0, None, None], share)
        y.addcmul_(way[:, 1, None, None], share)
    x, y = torch.minimum(x.clamp(min=0), columns - 1.0), torch.minimum(y.clamp(min=0), rows - 1.0)
    x0, y0 = x.to(kind), y.to(kind)
    right = (x0 + 1 < columns).to(kind)
    down = (y0 + 1 < rows).to(kind) * columns
    corner = start.to(kind)[:, None, None] + y0 * columns + x0
    f_x, f_y = x - x0, y - y0

    top = torch.lerp(sample(corner), sample(corner + right), f_x)
    corner = corner + down
    bottom = torch.lerp(sample(corner), sample(corner + right), f_x)
    return torch.lerp(top, bottom, f_y)
