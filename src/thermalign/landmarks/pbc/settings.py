"""What can be set of the patch-based classifier."""

from dataclasses import dataclass, field

from thermalign.landmarks.augment.settings import Augmentation
from thermalign.landmarks.normalise import WINDOW_RISES
from thermalign.settings import check, setting


@dataclass(frozen=True)
class Settings:
    """Hyper-parameters of PBC; defaults are the paper's where it states them.

    Attributes
    ----------
    padding : str
        Of the last three convolutions; see ``landmarks/pbc/network.py``.
        ASSUME: ``valid``, where the paper prints ``same``.
    width : float
        Share of the 32, 64, 64, 128, 256 and 256 channels.
    positive_iou : float
        A patch shows a landmark if it overlaps more with the patch centred there.
    negative_iou : float
        A patch is background if it overlaps no more with any of these. ASSUME.
    negative_share : float
        Share of background in a batch and in the loss. ASSUME.
    neighbours : int
        Patches of the grid on every side of a drawn one that are trained on with it.
    choice : str
        By what a landmark's patch is chosen. ASSUME: see
        :func:`thermalign.landmarks.pbc.evidence`.
    batch_size : int
        Patches drawn per step.
    steps : int
        ASSUME: as many as for DAN; the paper does not say.
    learning_rate : float
        Of Adam, the highest one.
    schedule : str
        Course of the learning rate; see ``training/loop.py``.
    validate_every : int
        Steps between validations. ASSUME.
    patience : int
        Validations without a lower error before training stops; 0 never stops. ASSUME.
    precision : str
        In which the convolutions compute.
    compile : bool
        Whether the network is compiled for training by torch.compile.
    normalisation : str
        Between which values the input is scaled; see ``landmarks/normalise.py``.
        ASSUME: the paper does not say.
    window : tuple of float
        Lowest and highest value of ``normalisation: window``.
    augment : Augmentation
        How training faces are varied; see ``landmarks/augment/settings.py``.
    """

    padding: str = setting("valid", choices=("valid", "same"), costs=True)
    width: float = setting(1.0, low=0.01, high=8, source="paper", costs=True)
    positive_iou: float = setting(0.8, low=0, high=0.99, source="paper")
    negative_iou: float = setting(0.8, low=0, high=1)
    negative_share: float = setting(0.5, low=0, high=0.95)
    neighbours: int = setting(0, low=0, high=8, source="paper", costs=True)
    choice: str = setting("probability", choices=("probability", "logit"))
    batch_size: int = setting(128, low=2, high=65536, source="paper")
    steps: int = setting(36_000, low=1, high=100_000_000)
    learning_rate: float = setting(1e-3, low=1e-8, high=1, source="paper")
    schedule: str = setting("constant", choices=("constant", "cosine", "one_cycle"), source="paper")
    validate_every: int = setting(200, low=1, high=100_000_000, unit="steps")
    patience: int = setting(40, low=0, high=1_000_000)
    precision: str = setting("float32", choices=("float32", "bfloat16"), costs=True)
    compile: bool = setting(False)
    normalisation: str = setting("percentile", choices=("percentile", "window", "histogram"))
    window: tuple[float, float] = setting((20.0, 40.0), low=-273.15, high=3000, unit="degrees C")
    augment: Augmentation = field(default_factory=Augmentation)

    RELATIONS = (WINDOW_RISES,)

    def __post_init__(self) -> None:
        check(self)
