"""The network of the patch-based classifier, for single patches and whole faces."""

from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, conv2d

from thermalign.geometry import LANDMARKS
from thermalign.landmarks.contract import channels_last
from thermalign.landmarks.pbc.settings import Settings
from thermalign.training.precision import Mixed


class Network(Mixed):
    """Six convolutions and a 1 x 1 classifier; a crop gives a map of logits, 8 pixels apart.

    As printed (``same``), a 60 x 60 patch shrinks to 6 x 6 and not to one vector. ASSUME, for
    ``same``: a cell's logits are the mean over 2 x 2 cells, of which a patch has one centred set.
    ``valid``: the last three convolutions are not padded and the pools round up, as in O-Net, which
    gives one vector (60-58-29-27-13-13-7-5-3-1). The parameter count cannot tell the two apart.

    Printed padding puts zeros around a patch that is run alone, where a map of the whole face has
    pixels of the image. So that both are one function, training and search run ``surrounded``: the
    padded layers see the image's own pixels around the patch, 73 x 73 in all (``same``: 81 x 81).
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.same = settings.padding == "same"
        c1, c2, c3, c4, c5, c6 = (
            max(1, round(n * settings.width)) for n in (32, 64, 64, 128, 256, 256)
        )
        late = 1 if self.same else 0
        self.layers = nn.Sequential(
            nn.Conv2d(1, c1, 3),
            nn.MaxPool2d(3, 2, ceil_mode=True),
            nn.PReLU(c1),  # ASSUME: PReLU as in MTCNN; behind the pool, which is cheaper
            nn.Conv2d(c1, c2, 3),
            nn.MaxPool2d(3, 2),
            nn.PReLU(c2),
            nn.Conv2d(c2, c3, 3, padding=1),
            nn.MaxPool2d(2, 2, ceil_mode=not self.same),
            nn.PReLU(c3),
            nn.Conv2d(c3, c4, 3, padding=late),
            nn.PReLU(c4),
            nn.Conv2d(c4, c5, 3, padding=late),
            nn.PReLU(c5),
            nn.Conv2d(c5, c6, 3, padding=late),
            nn.PReLU(c6),
        )
        self.classes = nn.Conv2d(c6, len(LANDMARKS) + 1, 1)
        channels_last(self)

    @property
    def margin(self) -> int:
        """Cells of the map before the one whose patch starts at the crop's corner."""
        return margin(self.same)

    @property
    def before(self) -> int:
        """Pixels that a surrounded patch shows to the left of it, and above."""
        return 12 if self.same else 4

    @property
    def around(self) -> int:
        """Pixels of both sides together: a surrounded patch is 60 + ``around`` wide and high."""
        return self.before + 9

    def forward(self, crops: Tensor, *, surrounded: bool = False) -> Tensor:
        """Return a map of logits, 8 pixels apart.

        Parameters
        ----------
        crops : (K, 1, height, width) float32
            60 + 8 a pixels wide, as printed; or 60 + 8 a + ``around``.
        surrounded : bool
            Whether no layer is padded, since the crops come with what lies around them.

        Returns
        -------
        (K, L + 1, rows, columns) float32
            1 + a columns; as printed and ``same``, ``margin`` more on both sides.
        """
        with self.trunk_precision(crops):
            features = channels_last(crops)
            for layer in self.layers:
                if surrounded and isinstance(layer, nn.Conv2d):
                    features = conv2d(features, layer.weight, layer.bias)
                else:
                    features = layer(features)
        logits: Tensor = self.classes(features.float())
        return avg_pool2d(logits, 2, stride=1) if self.same else logits


def margin(same: bool) -> int:
    """Return the cells that a map has, on every side, before the patch in its crop's corner."""
    return 2 if same else 0
