"""One batched warp: training crops, augmentation, patches, DAN's normalisation, alignment.

The images of a fold live on one device as one flat tensor with their mip levels behind each other,
whatever their sizes; a warp gathers bilinear samples out of it, with no loop over images.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from thermalign.geometry import Floats, invert_matrix

LEVELS = 4
"""Mip levels kept: the image and its means over 2 x 2, 4 x 4 and 8 x 8 pixels."""

_CACHED = 100_000  # outputs warped at a time on a CPU, whose caches hold that many intermediates


@dataclass(frozen=True)
class ImageStack:
    """Images of one channel and any sizes, on one device.

    Attributes
    ----------
    pixels : (P,) float32
        Every level of every image, row by row, image after image.
    starts : (N, LEVELS) int64
        Where a level begins in ``pixels``.
    sizes : (N, LEVELS, 2) int64, pixels, (width, height)
    """

    pixels: Tensor
    starts: Tensor
    sizes: Tensor

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

    def image(self, n: int) -> Tensor:
        """Return image ``n`` at its own resolution, (height, width) float32."""
        width, height = (int(v) for v in self.sizes[n, 0])
        start = int(self.starts[n, 0])
        return self.pixels[start : start + width * height].view(height, width)

    def take(self, rows: Tensor) -> "ImageStack":
        """Return the images ``rows`` (K,) int64, each as often as named; pixels are shared."""
        return ImageStack(self.pixels, self.starts[rows], self.sizes[rows])


def stack_images(images: Sequence[Floats], device: torch.device) -> ImageStack:
    """Put images on a device with their mip levels.

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
    if not images:
        raise ValueError("a stack needs at least one image")
    pieces: list[Tensor] = []
    sizes = np.empty((len(images), LEVELS, 2), np.int64)
    for n, image in enumerate(images):
        if image.ndim != 2 or image.size == 0:
            raise ValueError(f"image {n} has shape {image.shape}, not (height, width)")
        level = torch.as_tensor(np.ascontiguousarray(image, np.float32))[None, None]
        for k in range(LEVELS):
            sizes[n, k] = level.shape[3], level.shape[2]
            pieces.append(level.flatten())
            level = avg_pool2d(level, 2, ceil_mode=True, count_include_pad=False)
    ends = np.cumsum(sizes.prod(-1).ravel())
    starts = np.concatenate([[0], ends[:-1]]).reshape(len(images), LEVELS)
    return ImageStack(
        torch.cat(pieces).to(device),
        torch.as_tensor(starts).to(device),
        torch.as_tensor(sizes).to(device),
    )


def mirrored(stack: ImageStack) -> ImageStack:
    """Return the images mirrored left to right, with mip levels of their own."""
    images = [stack.image(n).flip(1).cpu().numpy() for n in range(len(stack))]
    return stack_images(images, stack.device)


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
    for rows in _slices(len(index), width * height, stack.device):
        start = stack.starts[index[rows], level[rows]]
        size = stack.sizes[index[rows], level[rows]]
        shift = None
        if offsets is not None:
            shift = (offsets[0][rows] * scale[rows], offsets[1][rows])
        out[rows, 0] = _bilinear(stack.pixels, start, size, to_level[rows], grid, shift=shift)
    return out


def _slices(count: int, area: int, device: torch.device) -> Iterator[slice]:
    step = max(1, _CACHED // area) if device.type == "cpu" else max(1, count)
    return (slice(n, n + step) for n in range(0, count, step))


def _grid(width: int, height: int, device: torch.device) -> tuple[Tensor, Tensor]:
    columns = torch.arange(width, device=device, dtype=torch.float32)
    return columns, torch.arange(height, device=device, dtype=torch.float32)[:, None]


def _bilinear(
    pixels: Tensor,
    start: Tensor,
    size: Tensor,
    to_level: Tensor,
    grid: tuple[Tensor, Tensor],
    *,
    shift: tuple[Tensor, Tensor] | None,
) -> Tensor:
    # 32 bits halve the traffic of the index arithmetic, which is what a CPU waits for.
    kind = torch.int32 if len(pixels) < 2**31 else torch.int64
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

    def at(where: Tensor) -> Tensor:
        return pixels.index_select(0, where.flatten()).view(where.shape)

    top = torch.lerp(at(corner), at(corner + right), f_x)
    corner = corner + down
    bottom = torch.lerp(at(corner), at(corner + right), f_x)
    return torch.lerp(top, bottom, f_y)
