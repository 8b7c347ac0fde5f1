"""Light as other cameras record it, in normalised units: -1 and 1 are the levels of the face.

In the order of a camera: what stands in the way, optics, pixels and their noise, details against
the large, the grey levels of an export, and the levels measured anew. Sizes are those of the face.
"""

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from thermalign.geometry import LEFT_EYE, RIGHT_EYE, interocular_distance
from thermalign.landmarks.augment.distortion import places
from thermalign.landmarks.augment.settings import Augmentation
from thermalign.landmarks.contract import Faces
from thermalign.landmarks.normalise import OVERSHOOT

_DETAIL = 0.3  # interocular distances; ``local_contrast``
_PIECES = 6  # of ``curve``
_EDGE = 0.05  # interocular distances over which an occluder begins
_TURN = 2 * math.pi

_DRAWS = {
    "occluders": 5,
    "surround": 2,
    "blur": 0,
    "low_resolution": 2,
    "noise": 0,
    "fixed_pattern": 0,
    "shading": 3,
    "local_contrast": 0,
    "curve": 0,
    "saturation": 2,
    "eight_bit": 1,
}
"""Effects that some faces have: draws of each beside whether and how much."""

Bank = dict[tuple[int, int], tuple[Tensor, Tensor, Tensor]]


@dataclass(frozen=True)
class Camera:
    """The cameras of K faces.

    Attributes
    ----------
    settings : Augmentation
    centre : (K, 2) float32, pixels
        Of the landmarks, example frame.
    eyes : (K, 2, 2) float32, interocular distances
        From the centre.
    unit : (K,) float32, pixels
        Interocular distance.
    on : effect -> (K,) bool
    amount : effect -> (K,) float32, 0..1
    place : effect -> (K, n) float32, 0..1
        Further draws.
    normal : (K, 8) float32
        Of the six slopes of a curve, of gain and offset.
    generator : torch.Generator
        Of the noise.
    noise : dict
        The noise drawn so far, by the size of crops, so that every call sees the same.
    """

    settings: Augmentation
    centre: Tensor
    eyes: Tensor
    unit: Tensor
    on: dict[str, Tensor]
    amount: dict[str, Tensor]
    place: dict[str, Tensor]
    normal: Tensor
    generator: torch.Generator
    noise: Bank = field(default_factory=dict)

    def record(self, crops: Tensor, rows: Tensor, matrices: Tensor) -> Tensor:
        """Change crops as their cameras do.

        Parameters
        ----------
        crops : (J, 1, height, width) float32, normalised
        rows : (J,) int64
            The face of each.
        matrices : (J, 2, 3) float
            From its example frame to the crop.

        Returns
        -------
        (J, 1, height, width) float32, within -1.4 and 1.4
        """
        its = self.settings
        (a, b), (c, d) = matrices[:, 0, :2].unbind(1), matrices[:, 1, :2].unbind(1)
        scale = (a * d - b * c).abs().sqrt() * self.unit[rows]  # pixels per interocular distance
        values = crops[:, 0]
        if its.occluders or its.surround or its.shading:
            values = self._scene(values, rows, matrices)
        if its.blur or its.low_resolution or its.noise or its.fixed_pattern:
            values = self._sensor(values, rows, scale)
        if its.local_contrast:
            values = self._details(values, rows, scale)
        if its.curve or its.saturation or its.eight_bit:
            ends = values.new_tensor([[-1.0, 1.0]]).expand(len(rows), 2)[:, None]
            low, high = self.grey(ends, rows).unbind(-1)  # monotone, so levels stay levels
            span = (high - low).clamp(min=1e-3)[..., None]
            values = (self.grey(values, rows) - low[..., None]) * (2 / span) - 1
        gain, offset = its.gain * self.normal[rows, -2], its.offset * self.normal[rows, -1]
        values = values * gain.exp()[:, None, None] + offset[:, None, None]
        return values.clamp(-OVERSHOOT, OVERSHOOT)[:, None]

    def grey(self, values: Tensor, rows: Tensor) -> Tensor:
        """Map values (J, H, W) to grey levels: a rising curve, saturation, 8 bits."""
        its = self.settings
        if its.curve:
            sd = its.curve * self.on["curve"][rows, None]
            values = rising(values, (sd * self.normal[rows, :_PIECES]).exp())
        if its.saturation:
            ends = 2 * its.saturation * self.place["saturation"][rows]
            cut = torch.where(self.on["saturation"][rows, None], ends, -torch.inf)[..., None, None]
            values = torch.maximum(torch.minimum(values, 1 - cut[:, 1]), cut[:, 0] - 1)
        if its.eight_bit:
            spans = self._factor("eight_bit", rows, max(its.eight_bit, 1.0))
            low = -1 - 2 * (spans - 1) * self.place["eight_bit"][rows, :, None]
            coarse = to_eight_bit(values, low, low + 2 * spans)
            values = torch.where(self.on["eight_bit"][rows, None, None], coarse, values)
        return values

    def _most(self, effect: str, rows: Tensor, most: float) -> Tensor:
        """Return a strength of each face (J,), drawn evenly up to ``most``, 0 where it is off."""
        return most * self.amount[effect][rows] * self.on[effect][rows]

    def _factor(self, effect: str, rows: Tensor, most: float) -> Tensor:
        """Return a factor (J, 1, 1), its logarithm drawn evenly from 1 up to ``most``."""
        return (most ** (self.amount[effect][rows] * self.on[effect][rows]))[:, None, None]

    def _scene(self, values: Tensor, rows: Tensor, matrices: Tensor) -> Tensor:
        height, width = values.shape[1:]
        at = places(matrices, width=width, height=height) - self.centre[rows, :, None, None]
        at = at / self.unit[rows, None, None, None]  # (J, 2, H, W)
        its = self.settings
        if its.surround:
            beyond = self._around(at, rows) * self.on["surround"][rows, None, None]
            level = -OVERSHOOT + 1.6 * self.amount["surround"][rows, None, None].square()
            values = torch.lerp(values, level.expand_as(values), beyond)
        if its.occluders:
            before, level = self._before(at, rows)
            before = before * self.on["occluders"][rows, None, None]
            values = torch.lerp(values, level.expand_as(values), before)
        if its.shading:
            angle, phase, length = self.place["shading"][rows].T[..., None, None]
            along = at[:, 0] * (_TURN * angle).cos() + at[:, 1] * (_TURN * angle).sin()
            wave = torch.cos(_TURN * (along / (2 * 4**length) + phase))
            values = values + self._most("shading", rows, its.shading)[:, None, None] * wave
        return values

    def _around(self, at: Tensor, rows: Tensor) -> Tensor:
        """Return what lies beyond an oval around the face, 0..1, (J, H, W)."""
        oval = self.place["surround"][rows] * at.new_tensor([0.35, 0.45]) + at.new_tensor([1, 1.35])
        return _soft(((at / oval[..., None, None]).square().sum(1) - 1) / 2)

    def _before(self, at: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return where something stands before the face, 0..1, (J, H, W), and its level (J, 1, 1).

        A patch in 40 % of the faces, an edge in 30 %, lenses, colder than the face, in 30 %.
        """
        kind, turn, away, wide, high = self.place["occluders"][rows].T[..., None, None]
        level = OVERSHOOT * (2 * self.amount["occluders"][rows, None, None] - 1)
        across = at[:, 0] * (_TURN * turn).cos() + at[:, 1] * (_TURN * turn).sin()
        along = at[:, 1] * (_TURN * turn).cos() - at[:, 0] * (_TURN * turn).sin()
        radii = 0.12 + 0.3 * wide, 0.12 + 0.3 * high
        patch = ((across - 0.9 * away) / radii[0]).square() + (along / radii[1]).square()
        patch = (1 - patch) * torch.minimum(*radii) / 2
        edge = across - 0.5 - 0.8 * away
        lens = at.new_tensor([0.28, 0.2]) * (1 + 0.5 * wide[..., 0])  # (J, 2)
        apart = at[:, None] - self.eyes[rows][..., None, None]  # (J, 2 eyes, 2, H, W)
        lenses = (apart / lens[:, None, :, None, None]).square().sum(2).amin(1)
        lenses = (1 - lenses) * lens[:, 1, None, None] / 2
        deep = torch.where(kind < 0.4, patch, torch.where(kind < 0.7, edge, lenses))
        return _soft(deep), torch.where(kind < 0.7, level, (level - OVERSHOOT) / 2)

    def _sensor(self, values: Tensor, rows: Tensor, scale: Tensor) -> Tensor:
        """Blur, average over the camera's pixels, add their noise and interpolate back."""
        its = self.settings
        height, width = values.shape[1:]
        sigma = self._most("blur", rows, its.blur) * scale
        pixel = (self._most("low_resolution", rows, its.low_resolution) * scale).clamp(min=1)
        phase = torch.where(pixel[:, None] > 1, self.place["low_resolution"][rows], 0.0)
        down_y, up_y = cells(height, pixel, phase[:, 0])
        down_x, up_x = cells(width, pixel, phase[:, 1])
        if its.blur:
            down_y, down_x = down_y @ gaussian(height, sigma), down_x @ gaussian(width, sigma)
        seen = down_y @ values @ down_x.mT
        if its.noise or its.fixed_pattern:
            white, columns, lines = (part[rows] for part in self._drawn(height, width))
            noise = self._most("noise", rows, its.noise)[:, None, None]
            pattern = self._most("fixed_pattern", rows, its.fixed_pattern)[:, None, None]
            seen = seen + noise * white + pattern * (columns + 0.5 * lines)
        return up_y @ seen @ up_x.mT

    def _drawn(self, height: int, width: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return noise (K, height + 1, width + 1), of columns and of rows; the same ever after."""
        if (height, width) not in self.noise:
            shapes = ((height + 1, width + 1), (1, width + 1), (height + 1, 1))
            self.noise[height, width] = tuple(  # type: ignore[assignment]
                torch.randn(
                    (len(self.unit), *shape), generator=self.generator, device=self.unit.device
                )
                for shape in shapes
            )
        return self.noise[height, width]

    def _details(self, values: Tensor, rows: Tensor, scale: Tensor) -> Tensor:
        """Amplify what is small over what is large."""
        height, width = values.shape[1:]
        sigma = _DETAIL * scale
        large = gaussian(height, sigma) @ values @ gaussian(width, sigma).mT
        ratio = self._factor("local_contrast", rows, 1 + self.settings.local_contrast)
        # As if both had the same variance, whatever a crop shows.
        return (large + ratio * (values - large)) * ((1 + ratio.square()) / 2).rsqrt()


def draw_camera(faces: Faces, settings: Augmentation, generator: torch.Generator) -> Camera | None:
    """Draw a camera for every example; None if the settings leave light as it is."""
    if not settings.records:
        return None
    k, device = len(faces), faces.points.device
    counts = [2 + more for more in _DRAWS.values()]
    drawn = torch.rand((k, sum(counts)), generator=generator, device=device).split(counts, dim=1)
    draws = dict(zip(_DRAWS, drawn, strict=True))
    shares = dict.fromkeys(_DRAWS, settings.share)
    shares |= {"occluders": settings.occluders, "surround": settings.surround}
    centre, unit = faces.points.mean(1), interocular_distance(faces.points)
    eyes = faces.points[:, [RIGHT_EYE, LEFT_EYE]] - centre[:, None]
    return Camera(
        settings=settings,
        centre=centre,
        eyes=eyes / unit[:, None, None],
        unit=unit,
        on={effect: its[:, 0] < shares[effect] for effect, its in draws.items()},
        amount={effect: its[:, 1] for effect, its in draws.items()},
        place={effect: its[:, 2:] for effect, its in draws.items()},
        normal=torch.randn((k, _PIECES + 2), generator=generator, device=device),
        generator=generator,
    )


def rising(values: Tensor, slopes: Tensor) -> Tensor:
    """Map values by rising curves of straight pieces, of one width each between -1 and 1.

    Both ends stay where they are.

    Parameters
    ----------
    values : (K, H, W) float
        Beyond -1 and 1 the outermost pieces go on.
    slopes : (K, P) float, above 0
        Relative to each other.

    Returns
    -------
    (K, H, W) float
    """
    pieces = slopes.shape[1]
    rises = slopes * (2 / slopes.sum(1, keepdim=True))
    begins = torch.cat([torch.zeros_like(rises[:, :1]), rises.cumsum(1)], dim=1)[:, :-1] - 1
    position = ((values + 1) * (pieces / 2)).flatten(1)
    piece = position.floor().clamp(0, pieces - 1).long()
    mapped = begins.gather(1, piece) + rises.gather(1, piece) * (position - piece)
    return mapped.view(values.shape)


def to_eight_bit(values: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Round values to the nearest of 256 levels from ``low`` to ``high``; the ends saturate."""
    step = (high - low) / 255
    return low + step * ((values - low) / step).round().clamp(0, 255)


def gaussian(size: int, sigma: Tensor) -> Tensor:
    """Return matrices (K, size, size) that blur a line of pixels, weights normalised inside it.

    Parameters
    ----------
    size : int, pixels
    sigma : (K,) float, pixels
        At 0 the matrix is the identity.
    """
    at = torch.arange(size, device=sigma.device, dtype=sigma.dtype)
    squared = (at - at[:, None]).square()
    weights = (-0.5 * squared / sigma.clamp(min=0.05).square()[:, None, None]).exp()
    return weights / weights.sum(2, keepdim=True)


def cells(size: int, pixel: Tensor, phase: Tensor) -> tuple[Tensor, Tensor]:
    """Return matrices that average a line of pixels over larger ones, and interpolate it back.

    Parameters
    ----------
    size : int, pixels
    pixel : (K,) float, pixels
        Side of the larger ones, at least 1.
    phase : (K,) float, 0..1
        How much of the first one lies before the line.

    Returns
    -------
    (K, size + 1, size), (K, size, size + 1) float
        With ``pixel`` 1 and ``phase`` 0 their product is the identity.
    """
    at = torch.arange(size + 1, device=pixel.device, dtype=pixel.dtype)
    side = pixel[:, None, None]
    begin = ((at - phase[:, None]) * pixel[:, None] - 0.5)[..., None]  # (K, size + 1, 1)
    line = at[:size]
    shared = torch.minimum(begin + side, line + 0.5) - torch.maximum(begin, line - 0.5)
    shared = shared.clamp(min=0)
    covered = shared.sum(2, keepdim=True)
    down = shared / covered.clamp(min=1e-3)
    centre = (begin + side / 2).mT
    up = (1 - (line[:, None] - centre).abs() / side).clamp(min=0) * (covered > 1e-3).mT
    return down, up / up.sum(2, keepdim=True)


def _soft(deep: Tensor) -> Tensor:
    """Return 0 outside and 1 inside, with a soft edge; of depths in interocular distances."""
    return torch.sigmoid(deep * (4 / _EDGE))
