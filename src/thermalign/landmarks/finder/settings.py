"""What can be set of the finder."""

from dataclasses import dataclass

from thermalign.settings import check, setting


@dataclass(frozen=True)
class Settings:
    """Hyper-parameters of the finder. ASSUME: all chosen on simulated scenes.

    ``docs/methods/finder.md`` says what they are for; what each alone is worth was not measured.

    Attributes
    ----------
    longest : int
        Longer side of the largest copy of an image that is looked at; larger images are shrunk.
    sizes : tuple of float
        Widths of the face boxes that are found in one copy. Every copy is half as large as the one
        before, so the last is to be at least twice the first.
    score : float
        Least probability of a face.
    width : float
        Share of the 16, 32, 64 and 96 channels.
    scene : int
        Side of a training scene.
    crowds, blanks : float
        Shares of scenes with faces cut out and set before other grounds, and without any face; the
        others are training images as they were recorded.
    regression : float
        Weight of the error of boxes and points beside that of the scores.
    batch_size : int
        Scenes per step.
    steps : int
        Of the training.
    learning_rate : float
        Of Adam, the highest one.
    schedule : str
        Of the learning rate; see ``training/loop.py``.
    precision : str
        In which the convolutions compute.
    compile : bool
        Whether the network is compiled for training by torch.compile.
    """

    longest: int = setting(384, low=64, high=8192, unit="px", costs=True)
    sizes: tuple[float, float] = setting((14.0, 36.0), low=8, high=128, unit="px")
    score: float = setting(0.45, low=0.001, high=1)
    width: float = setting(1.0, low=0.05, high=16, costs=True)
    scene: int = setting(128, low=64, high=1024, multiple_of=16, unit="px", costs=True)
    crowds: float = setting(0.55, low=0, high=1)
    blanks: float = setting(0.25, low=0, high=1)
    regression: float = setting(1.0, low=0, high=100)
    batch_size: int = setting(32, low=2, high=65536)
    steps: int = setting(4000, low=1, high=100_000_000)
    learning_rate: float = setting(3e-3, low=1e-8, high=1)
    schedule: str = setting("one_cycle", choices=("constant", "cosine", "one_cycle"))
    precision: str = setting("float32", choices=("float32", "bfloat16"), costs=True)
    compile: bool = setting(False)

    RELATIONS = (
        (
            "2 * sizes[0] <= sizes[1]",
            "sizes is {sizes[0]:g}, {sizes[1]:g}; give a last size of at least twice the first, so "
            "that copies of half the size leave no gap",
        ),
        (
            "scene >= 2 * sizes[1]",
            "scene is {scene} and the last of sizes {sizes[1]:g}; give a scene of at least twice "
            "that, so that a face and what is around it are in it",
        ),
        (
            "crowds + blanks <= 1",
            "crowds and blanks are {crowds:g} and {blanks:g}; give shares whose sum is at most 1",
        ),
    )

    def __post_init__(self) -> None:
        check(self)

    @property
    def validate_every(self) -> int:
        """Steps between validations: all of them, since none chooses a state."""
        return self.steps

    @property
    def patience(self) -> int:
        """Training never stops early."""
        return 0

    @property
    def unit(self) -> float:
        """The middle of ``sizes``, pixels: what boxes and points are told in."""
        return float((self.sizes[0] * self.sizes[1]) ** 0.5)
