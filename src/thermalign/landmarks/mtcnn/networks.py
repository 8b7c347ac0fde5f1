"""The three networks of MTCNN: widths and sizes from the study's paper, Tables 1 to 3.

"Same" pools round the size up, as Caffe does. Pooling before PReLU gives what pooling behind it
would (while slopes are not negative) at a quarter of the work.
"""

import torch
from torch import Tensor, nn

from thermalign.geometry import LANDMARKS
from thermalign.landmarks.contract import channels_last
from thermalign.training.precision import Mixed

Heads = tuple[Tensor, Tensor, Tensor]
"""Face logits (K, 2), box offsets (K, 4), landmarks (K, L, 2); the last two in sides of a crop."""


def _widths(width: float, *channels: int) -> tuple[int, ...]:
    return tuple(max(1, round(n * width)) for n in channels)


class PNet(Mixed):
    """The proposal network: fully convolutional, a 12 x 12 window every 2 pixels (12-10-5-3-1)."""

    size = 12
    stride = 2

    def __init__(self, width: float) -> None:
        super().__init__()
        c1, c2, c3 = _widths(width, 10, 16, 32)
        self.trunk = nn.Sequential(
            nn.Conv2d(1, c1, 3),
            nn.MaxPool2d(2, 2, ceil_mode=True),
            nn.PReLU(c1),
            nn.Conv2d(c1, c2, 3),
            nn.PReLU(c2),
            nn.Conv2d(c2, c3, 3),
            nn.PReLU(c3),
        )
        self.face = nn.Conv2d(c3, 2, 1)
        self.box = nn.Conv2d(c3, 4, 1)
        self.landmarks = nn.Conv2d(c3, 2 * len(LANDMARKS), 1)
        channels_last(self)

    def forward(self, images: Tensor) -> Heads:
        """Return maps (K, 2, R, C), (K, 4, R, C), (K, L, 2, R, C), a cell per window."""
        with self.trunk_precision(images):
            features = self.trunk(channels_last(images)).float()  # (K, 32, R, C)
        face, box, landmarks = self.face(features), self.box(features), self.landmarks(features)
        return face, box, landmarks.unflatten(1, (-1, 2))

    def on_crops(self, crops: Tensor) -> Heads:
        """Return the heads of crops (K, 1, 12, 12)."""
        face, box, landmarks = self(crops)
        return face[..., 0, 0], box[..., 0, 0], landmarks[..., 0, 0]


class _Dense(Mixed):
    """A trunk that ends in a dense layer, and three dense heads."""

    def __init__(self, trunk: nn.Sequential, hidden: int) -> None:
        super().__init__()
        self.trunk = trunk
        self.face = nn.Linear(hidden, 2)
        self.box = nn.Linear(hidden, 4)
        self.landmarks = nn.Linear(hidden, 2 * len(LANDMARKS))
        channels_last(self)

    def forward(self, crops: Tensor) -> Heads:
        """Return the heads of crops of the network's size, (K, 1, size, size)."""
        with self.trunk_precision(crops):
            features = self.trunk(channels_last(crops)).float()  # (K, hidden)
        face, box, landmarks = self.face(features), self.box(features), self.landmarks(features)
        return face, box, landmarks.unflatten(1, (-1, 2))

    def on_crops(self, crops: Tensor) -> Heads:
        """Return what calling the network gives."""
        heads: Heads = self(crops)
        return heads


class RNet(_Dense):
    """The refinement network (24-22-11-9-4-3); Table 2's third pool is not in its total."""

    size = 24

    def __init__(self, width: float) -> None:
        c1, c2, c3, hidden = _widths(width, 28, 48, 64, 128)
        trunk = nn.Sequential(
            nn.Conv2d(1, c1, 3),
            nn.MaxPool2d(3, 2, ceil_mode=True),
            nn.PReLU(c1),
            nn.Conv2d(c1, c2, 3),
            nn.MaxPool2d(3, 2),
            nn.PReLU(c2),
            nn.Conv2d(c2, c3, 2),
            nn.PReLU(c3),
            nn.Flatten(),
            nn.Linear(c3 * 3 * 3, hidden),
            nn.PReLU(hidden),
        )
        super().__init__(trunk, hidden)


class ONet(_Dense):
    """The output network (48-46-23-21-10-8-4-3)."""

    size = 48

    def __init__(self, width: float) -> None:
        c1, c2, c3, c4, hidden = _widths(width, 32, 64, 64, 128, 256)
        trunk = nn.Sequential(
            nn.Conv2d(1, c1, 3),
            nn.MaxPool2d(3, 2, ceil_mode=True),
            nn.PReLU(c1),
            nn.Conv2d(c1, c2, 3),
            nn.MaxPool2d(3, 2),
            nn.PReLU(c2),
            nn.Conv2d(c2, c3, 3),
            nn.MaxPool2d(2, 2, ceil_mode=True),
            nn.PReLU(c3),
            nn.Conv2d(c3, c4, 2),
            nn.PReLU(c4),
            nn.Flatten(),
            nn.Linear(c4 * 3 * 3, hidden),
            nn.PReLU(hidden),
        )
        super().__init__(trunk, hidden)


Network = PNet | RNet | ONet


def initialise(networks: nn.Module) -> None:
    """Draw all weights uniformly as Glorot and Bengio 2010 do (Xavier), and set biases to zero."""
    for layer in networks.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def face_probability(logits: Tensor) -> Tensor:
    """Return the probability of a face from logits with (no face, face) along dimension 1."""
    return torch.sigmoid(logits[:, 1] - logits[:, 0])
