"""Light as other cameras record it, in normalised units: -1 and 1 are the levels of the face.

In the order of a camera: what stands in the way, optics, pixels and their noise, details against
the large, the grey levels of an export, and the levels measured anew. Sizes are those of the face.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from thermalign import geometry
from thermalign.geometry import LEFT_EYE, RIGHT_EYE, interocular_distance
from thermalign.landmarks.augment.distortion import places, to_face
from thermalign.landmarks.augment.settings import Augmentation
from thermalign.landmarks.contract import Faces, constant
from thermalign.landmarks.normalise import OVERSHOOT

_DETAIL = 0.3  # interocular distances; ``local_contrast``
_PIECES = 6  # of ``curve``
_EDGE = 0.05  # interocular distances over which an occluder begins
_TURN = 2 * math.pi
_LEAST = 1e-5  # weights of a Gaussian that count, over its highest

_DRAWS = {
    "occluders": 5,
    "surround": 2,
    "blur": 0,
    "low_resolution": 1,
    "noise": 0,
    "fixed_pattern": 0,
    "shading": 3,
    "local_contrast": 0,
    "curve": 0,
    "saturation": 2,
    "eight_bit": 1,
}
"""Effects that some faces have: draws of each beside whether and how much."""


@dataclass(frozen=True)
class View:
    """Which faces J crops show, and how.

    Attributes
    ----------
    rows : (J,) int64
    to_face : (J, 2, 3) float
        From crop to interocular distances from the centre of the landmarks.
    unit : (J,) float, pixels of the crop
        Interocular distance.
    """

    rows: Tensor
    to_face: Tensor
    unit: Tensor

    def take(self, some: Tensor) -> "View":
        """Return some of the crops."""
        return View(self.rows[some], self.to_face[some], self.unit[some])

    def places(self, like: Tensor) -> Tensor:
        """Return where pixels of crops (J, H, W) lie on the face, (J, 2, H, W)."""
        return places(self.to_face, width=like.shape[2], height=like.shape[1])


Change = Callable[[Tensor, View], Tensor]
"""Of images (J, H, W), or of their values (J, P)."""


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
    noise : (height, width) of crops -> (K, height + 1, width + 1) float32
        What was drawn so far, so that every call sees the same.
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
    noise: dict[tuple[int, int], Tensor] = field(default_factory=dict)

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
        its, view, values = self.settings, self._view(rows, matrices), crops[:, 0].clone()
        for effect, change in (
            ("surround", self._surround),
            ("occluders", self._occlude),
            ("shading", self._shade),
            ("blur", self._blur),
        ):
            self._change(effect, change, values, view)
        self._sensor(values, view)
        self._change("local_contrast", self._amplify, values, view)
        if its.curve or its.saturation or its.eight_bit:
            ends = constant((-1.0, 1.0), values.device).expand(len(rows), 2)
            flat = torch.cat([values.flatten(1), ends], dim=1)
            self._grey(flat, view)
            low, high = torch.split(flat[:, -2:], 1, dim=1)  # rising, so levels stay levels
            scale = 2 / (high - low).clamp(min=1e-3)
            values = (flat[:, :-2] * scale - (low * scale + 1)).view_as(values)
        if its.gain or its.offset:
            gain = (its.gain * self.normal[rows, -2, None, None]).exp()
            values = values * gain + its.offset * self.normal[rows, -1, None, None]
        return values.clamp(-OVERSHOOT, OVERSHOOT)[:, None]

    def _change(self, effect: str, change: Change, values: Tensor, view: View) -> None:
        """Change in place those images whose camera has an effect."""
        if getattr(self.settings, effect):
            _change_some(self.on[effect][view.rows], change, values, view)

    def _view(self, rows: Tensor, matrices: Tensor) -> View:
        on_face = to_face(matrices, self.centre[rows], self.unit[rows])
        (a, b), (c, d) = on_face[:, 0, :2].unbind(1), on_face[:, 1, :2].unbind(1)
        return View(rows, on_face, (a * d - b * c).abs().rsqrt())

    def _surround(self, values: Tensor, view: View) -> Tensor:
        at = view.places(values)
        oval = 1 + self.place["surround"][view.rows] * constant((0.35, 0.45), at.device)
        oval = (oval + constant((0.0, 0.35), at.device))[..., None, None]
        beyond = _soft(((at / oval).square().sum(1) - 1) / 2)
        level = -OVERSHOOT + 1.6 * self.amount["surround"][view.rows, None, None].square()
        return torch.lerp(values, level.expand_as(values), beyond)

    def _occlude(self, values: Tensor, view: View) -> Tensor:
        """Put a patch before 40 % of the faces, an edge before 30 %, cold lenses before 30 %."""
        at, drawn = view.places(values), self.place["occluders"][view.rows]
        kind, turn, away, wide, high = drawn.T[..., None, None]
        level = OVERSHOOT * (2 * self.amount["occluders"][view.rows, None, None] - 1)
        across = at[:, 0] * (_TURN * turn).cos() + at[:, 1] * (_TURN * turn).sin()
        along = at[:, 1] * (_TURN * turn).cos() - at[:, 0] * (_TURN * turn).sin()
        radii = 0.12 + 0.3 * wide, 0.12 + 0.3 * high
        patch = ((across - 0.9 * away) / radii[0]).square() + (along / radii[1]).square()
        patch = (1 - patch) * torch.minimum(*radii) / 2
        edge = across - 0.5 - 0.8 * away
        lens = constant((0.28, 0.2), at.device) * (1 + 0.5 * wide[..., 0])  # (J, 2)
        apart = at[:, None] - self.eyes[view.rows][..., None, None]  # (J, 2 eyes, 2, H, W)
        lenses = (apart / lens[:, None, :, None, None]).square().sum(2).amin(1)
        lenses = (1 - lenses) * lens[:, 1, None, None] / 2
        deep = torch.where(kind < 0.4, patch, torch.where(kind < 0.7, edge, lenses))
        level = torch.where(kind < 0.7, level, (level - OVERSHOOT) / 2)
        return torch.lerp(values, level.expand_as(values), _soft(deep))

    def _shade(self, values: Tensor, view: View) -> Tensor:
        angle, phase, length = (_TURN * self.place["shading"][view.rows]).unbind(1)
        turns = _TURN / (2 * 4 ** (length / _TURN))  # per interocular distance
        along = torch.stack([turns * angle.cos(), turns * angle.sin()], dim=1)
        wave = (along[:, None] @ view.to_face)[:, 0, :, None, None]  # (J, 3, 1, 1)
        x = torch.arange(values.shape[2], device=values.device)
        y = torch.arange(values.shape[1], device=values.device)[:, None]
        phases = wave[:, 0] * x + (wave[:, 1] * y + (wave[:, 2] + phase[:, None, None]))
        return values.addcmul(self._most("shading", view.rows)[:, None, None], phases.cos_())

    def _blur(self, values: Tensor, view: View) -> Tensor:
        return _smooth(values, self._most("blur", view.rows) * view.unit)

    def _sensor(self, values: Tensor, view: View) -> None:
        """Average over the camera's pixels, add their noise and interpolate back."""
        its = self.settings
        coarse = torch.zeros(len(values), dtype=torch.bool, device=values.device)
        pixel = self._most("low_resolution", view.rows) * view.unit
        if its.low_resolution:
            coarse = self.on["low_resolution"][view.rows] & (pixel > 1)
            _change_some(coarse, self._coarsen, values, view)
        if its.noise or its.fixed_pattern:
            _change_some(self._noisy[view.rows] & ~coarse, self._add_noise, values, view)

    def _add_noise(self, values: Tensor, view: View) -> Tensor:
        height, width = values.shape[1:]
        return values + self._noise(view.rows, height, width)[:, :height, :width]

    def _coarsen(self, values: Tensor, view: View) -> Tensor:
        its, (height, width) = self.settings, values.shape[1:]
        pixel = self._most("low_resolution", view.rows) * view.unit
        phase = self.place["low_resolution"][view.rows, 0]
        down, up = cells(height, pixel, phase)
        across = (down, up) if width == height else cells(width, pixel, phase)
        seen = down @ values @ across[0].mT
        if its.noise or its.fixed_pattern:
            seen = seen + self._noise(view.rows, height, width)
        return up @ seen @ across[1].mT

    @property
    def _noisy(self) -> Tensor:
        its = self.settings
        noise, pattern = self.on["noise"], self.on["fixed_pattern"]
        return (noise & (its.noise > 0)) | (pattern & (its.fixed_pattern > 0))

    def _noise(self, rows: Tensor, height: int, width: int) -> Tensor:
        """Return noise and pattern (J, height + 1, width + 1); the same ever after."""
        if (height, width) not in self.noise:
            self.noise[height, width] = self._draw_noise(height + 1, width + 1)
        return self.noise[height, width][rows]

    def _draw_noise(self, height: int, width: int) -> Tensor:
        device = self.unit.device
        total = torch.zeros((len(self.unit), height, width), device=device)
        for effect, shape, share in (
            ("noise", (height, width), 1.0),
            ("fixed_pattern", (1, width), 1.0),
            ("fixed_pattern", (height, 1), 0.5),
        ):
            if getattr(self.settings, effect):
                some, here = _places(self.on[effect]), self.on[effect]
                drawn = torch.randn((len(some), *shape), generator=self.generator, device=device)
                drawn *= (share * self._most(effect, some) * here[some])[:, None, None]
                total.index_add_(0, some, drawn.expand(-1, height, width))
        return total

    def _amplify(self, values: Tensor, view: View) -> Tensor:
        """Amplify what is small over what is large, as if both had the same variance."""
        large = _smooth(values, _DETAIL * view.unit)
        drawn = self.amount["local_contrast"][view.rows, None, None]
        ratio = (1 + self.settings.local_contrast) ** drawn
        return torch.lerp(large, values, ratio) * ((1 + ratio.square()) / 2).rsqrt()

    def _grey(self, values: Tensor, view: View) -> None:
        """Map values (J, P) in place to grey levels: a rising curve, saturation, 8 bits."""
        for effect, change in (
            ("curve", self._bend_curve),
            ("saturation", self._saturate),
            ("eight_bit", self._round),
        ):
            self._change(effect, change, values, view)

    def _bend_curve(self, values: Tensor, view: View) -> Tensor:
        return rising(values, (self.settings.curve * self.normal[view.rows, :_PIECES]).exp())

    def _saturate(self, values: Tensor, view: View) -> Tensor:
        cut = 2 * self.settings.saturation * self.place["saturation"][view.rows]
        return torch.maximum(torch.minimum(values, 1 - cut[:, 1:]), cut[:, :1] - 1)

    def _round(self, values: Tensor, view: View) -> Tensor:
        spans = self.settings.eight_bit ** self.amount["eight_bit"][view.rows, None]
        low = -1 - 2 * (spans - 1) * self.place["eight_bit"][view.rows]
        return to_eight_bit(values, low, low + 2 * spans)

    def _most(self, effect: str, rows: Tensor) -> Tensor:
        """Return a strength of each face (J,), drawn evenly up to the setting."""
        most: float = getattr(self.settings, effect)
        return most * self.amount[effect][rows]


def draw_camera(faces: Faces, settings: Augmentation, generator: torch.Generator) -> Camera | None:
    """Draw a camera for every example; None if the settings leave light as it is."""
    if not settings.records:
        return None
    k, device = len(faces), faces.points.device
    n, counts = len(_DRAWS), list(_DRAWS.values())
    drawn = torch.rand((k, 2 * n + sum(counts)), generator=generator, device=device)
    whether, amount, *place = torch.split(drawn, [n, n, *counts], dim=1)
    its = {"occluders": settings.occluders, "surround": settings.surround}
    shares = constant(tuple(its.get(effect, settings.share) for effect in _DRAWS), device)
    centre, unit = faces.points.mean(1), interocular_distance(faces.points)
    eyes = torch.stack([faces.points[:, k] for k in (RIGHT_EYE, LEFT_EYE)], 1) - centre[:, None]
    return Camera(
        settings=settings,
        centre=centre,
        eyes=eyes / unit[:, None, None],
        unit=unit,
        on=dict(zip(_DRAWS, (whether < shares).unbind(1), strict=True)),
        amount=dict(zip(_DRAWS, amount.unbind(1), strict=True)),
        place=dict(zip(_DRAWS, place, strict=True)),
        normal=torch.randn((k, _PIECES + 2), generator=generator, device=device),
        generator=generator,
    )


def _places(chosen: Tensor) -> Tensor:
    """Return where something (K,) bool is chosen; all places where one would wait for that."""
    if geometry.on_host(chosen):
        return chosen.nonzero()[:, 0]
    return torch.arange(len(chosen), device=chosen.device)


def _change_some(chosen: Tensor, change: Change, values: Tensor, view: View) -> None:
    """Change chosen images in place: on a CPU they alone cost time, elsewhere nobody waits."""
    some = _places(chosen)
    changed = change(values[some], view.take(some))
    here = chosen[some].view(-1, *[1] * (values.dim() - 1))
    values.index_copy_(0, some, torch.where(here, changed, values[some]))


def rising(values: Tensor, slopes: Tensor) -> Tensor:
    """Map values by rising curves of straight pieces, of one width each between -1 and 1.

    Both ends stay where they are.

    Parameters
    ----------
    values : (K, P) float
        Beyond -1 and 1 the outermost pieces go on.
    slopes : (K, Q) float, above 0
        Relative to each other, of Q pieces.

    Returns
    -------
    (K, P) float
    """
    pieces = slopes.shape[1]
    rises = slopes * (2 / slopes.sum(1, keepdim=True))
    position = (values + 1) * (pieces / 2)
    piece = position.floor().clamp(0, pieces - 1).long()
    # A piece's line at its own left end is all that rose before it, less 1.
    knots = torch.arange(pieces, device=values.device)
    shift = rises.cumsum(1) - rises * (1 + knots) - 1
    return shift.gather(1, piece) + rises.gather(1, piece) * position


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
    at = torch.arange(1 - size, size, device=sigma.device, dtype=sigma.dtype)
    bell = (-0.5 * (at / sigma.clamp(min=0.05)[:, None]).square()).exp()
    bell = (bell - _LEAST).clamp(min=0)  # subnormal weights would slow the products down
    weights = bell.unfold(1, size, 1).flip(1)
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


def _smooth(values: Tensor, sigma: Tensor) -> Tensor:
    """Blur images (J, H, W) by Gaussians of sigma (J,) pixels."""
    height, width = values.shape[1:]
    down = gaussian(height, sigma)
    across = down if width == height else gaussian(width, sigma)
    return down @ values @ across.mT


def _soft(deep: Tensor) -> Tensor:
    """Return 0 outside and 1 inside, with a soft edge; of depths in interocular distances."""
    return torch.sigmoid(deep * (4 / _EDGE))
