"""What can be set of MTCNN."""

from dataclasses import dataclass, field

from thermalign.landmarks.augment.settings import Augmentation
from thermalign.landmarks.normalise import WINDOW_RISES
from thermalign.settings import check, setting


@dataclass(frozen=True)
class Settings:
    """Hyper-parameters of MTCNN; defaults are the papers', or those of ports that train it.

    The original authors published no training code. "Port" is AITTSMD/MTCNN-Tensorflow, "official"
    kpzhang93/MTCNN_face_detection_alignment, "MTCNN paper" Zhang et al. 2016, "paper" the study's.

    Attributes
    ----------
    stages : str
        ``full``; or ``onet``: the last network alone, for images that are face crops.
    losses : str
        ``alternating``: one task a batch; ``weighted_sum``, as ports have it; ``landmarks``: that
        loss alone, of ``onet`` alone.
    given_box : str
        ``squared`` before a network sees it; or ``as_is``: resized with its own proportions.
    width : float
        Share of the channels and units of all networks.
    ratio : tuple of float
        Of negative, part, positive and landmark faces in a batch.
    hard_share : float
        Of a batch's face losses that count, the largest.
    negative_iou : float
        A crop that overlaps a face less is a negative.
    part_iou : float
        From here to ``positive_iou`` a crop is a part.
    positive_iou : float
        A crop that overlaps more is a positive.
    negative_crops : int
        Random ones per face, anywhere.
    near_crops : int
        Random ones per face, touching it.
    face_crops : int
        Random ones per face, around it.
    least_crops : int
        Per face, of mined parts and positives; thrice as many negatives. ASSUME.
    most_negatives : int
        Mined ones per face.
    mined_faces : int
        That mining runs over at most. ASSUME.
    mining_thresholds : tuple of float
        Of P- and R-Net, in mining.
    shift : float
        Of a landmark crop's centre, at most: share of the box.
    scale : tuple of float
        Of a landmark crop's side: range.
    least_iou : float
        Of a landmark crop with the box.
    rotation : float
        Of a landmark crop, at most; the port turns by exactly 5.
    widening : float
        Of the levels of P-Net's images, at most: the port's colour jitter. ASSUME: looked at on
        the default study's faces.
    min_face : float
        The smallest face to find.
    pyramid_factor : float
        Size of each copy of an image over the one before.
    thresholds : tuple of float
        Least probability of a face of P-, R- and O-Net.
    mirrored : bool
        Whether O-Net's landmarks are averaged with the mirrored crop's; official v1 does.
    batch_size : int
        Crops per step.
    pnet_steps : int
        Of P-Net. ASSUME: the port's 30, 22 and 22 epochs of ten crops of the paper's 23,040 images.
    rnet_steps : int
        Of R-Net; as above.
    steps : int
        Of O-Net; as above.
    init : str
        ``xavier``: uniform, biases 0; or ``default``: PyTorch's own.
    l2 : float
        Of the kernels of convolutions, in the loss (not decoupled decay).
    learning_rate : float
        Of Adam, the highest one; the port's is for SGD with momentum.
    schedule : str
        Course of the learning rate; see ``training/loop.py``. ASSUME: a
        cosine falls as the port's, x .1 at epochs 6, 14 and 20.
    validate_every : int
        Steps between validations. ASSUME.
    patience : int
        Validations of O-Net without a lower error before it stops; 0 never stops. ASSUME.
    precision : str
        In which the convolutions and dense layers compute.
    compile : bool
        Whether networks are compiled for training by torch.compile.
    normalisation : str
        Between which values the input is scaled; see ``landmarks/normalise.py``. Ports
        take (x - 127.5) / 128 of 8-bit images.
    window : tuple of float
        Lowest and highest value of ``normalisation: window``.
    augment : Augmentation
        How training faces are varied; see ``landmarks/augment/settings.py``.
    """

    stages: str = setting("full", choices=("full", "onet"), source="paper", costs=True)
    losses: str = setting(
        "alternating",
        choices=("alternating", "weighted_sum", "landmarks"),
        source="paper",
        costs=True,
    )
    given_box: str = setting("squared", choices=("squared", "as_is"), source="official")
    width: float = setting(1.0, low=0.01, high=8, source="paper", costs=True)
    ratio: tuple[float, float, float, float] = setting(
        (3.0, 1.0, 1.0, 2.0), low=0.01, high=1000, source="MTCNN paper"
    )
    hard_share: float = setting(0.7, low=0.01, high=1, source="MTCNN paper")
    negative_iou: float = setting(0.3, low=0, high=1, source="MTCNN paper")
    part_iou: float = setting(0.4, low=0, high=1, source="MTCNN paper")
    positive_iou: float = setting(0.65, low=0, high=1, source="MTCNN paper")
    negative_crops: int = setting(50, low=1, high=10_000, source="port")
    near_crops: int = setting(5, low=0, high=10_000, source="port")
    face_crops: int = setting(20, low=1, high=10_000, source="port")
    least_crops: int = setting(5, low=1, high=10_000)
    most_negatives: int = setting(60, low=1, high=10_000, source="port")
    mined_faces: int = setting(5000, low=1, high=100_000_000, costs=True)
    mining_thresholds: tuple[float, float] = setting((0.3, 0.1), low=0, high=1, source="port")
    shift: float = setting(0.2, low=0, high=1, source="port")
    scale: tuple[float, float] = setting((0.8, 1.25), low=0.1, high=10, source="port")
    least_iou: float = setting(0.65, low=0, high=1, source="MTCNN paper")
    rotation: float = setting(5.0, low=0, high=180, unit="degrees", source="port")
    widening: float = setting(0.7, low=0, high=10)
    min_face: float = setting(20.0, low=12, high=10_000, unit="px", source="official", costs=True)
    pyramid_factor: float = setting(0.709, low=0.1, high=0.95, source="official")
    thresholds: tuple[float, float, float] = setting(
        (0.6, 0.7, 0.7), low=0, high=1, source="official"
    )
    mirrored: bool = setting(False, source="official v2", costs=True)
    batch_size: int = setting(384, low=2, high=65536, source="port")
    pnet_steps: int = setting(18_000, low=1, high=100_000_000)
    rnet_steps: int = setting(13_200, low=1, high=100_000_000)
    steps: int = setting(13_200, low=1, high=100_000_000)
    init: str = setting("xavier", choices=("xavier", "default"), source="port")
    l2: float = setting(5e-4, low=0, high=1, source="port")
    learning_rate: float = setting(1e-3, low=1e-8, high=1, source="port")
    schedule: str = setting("cosine", choices=("constant", "cosine", "one_cycle"))
    validate_every: int = setting(100, low=1, high=100_000_000, unit="steps")
    patience: int = setting(40, low=0, high=1_000_000)
    precision: str = setting("float32", choices=("float32", "bfloat16"), costs=True)
    compile: bool = setting(False)
    normalisation: str = setting("percentile", choices=("percentile", "window", "histogram"))
    window: tuple[float, float] = setting((20.0, 40.0), low=-273.15, high=3000, unit="degrees C")
    augment: Augmentation = field(default_factory=Augmentation)

    RELATIONS = (
        WINDOW_RISES,
        (
            "losses != 'landmarks' or stages != 'full'",
            "losses is landmarks, which finds no faces; give stages: onet too",
        ),
        (
            "negative_iou <= part_iou <= positive_iou",
            "negative_iou, part_iou and positive_iou are {negative_iou:g}, {part_iou:g} and "
            "{positive_iou:g}; let none be above the next",
        ),
    )

    def __post_init__(self) -> None:
        check(self)
