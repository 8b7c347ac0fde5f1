"""How metrics are measured and their intervals drawn: the ``evaluation:`` block."""

from dataclasses import dataclass

from thermalign.settings import check, setting


@dataclass(frozen=True)
class Thresholds:
    """Thresholds of the cumulative error distribution, evenly from 0.

    Attributes
    ----------
    stop : float
        Last threshold.
    count : int
        Number of thresholds.
    """

    stop: float = setting(0.5, low=1e-6, unit="interocular distances")
    count: int = setting(101, low=2, high=10_000)

    def __post_init__(self) -> None:
        """Refuse what is out of range."""
        check(self)


@dataclass(frozen=True)
class Rates:
    """Abscissae of the ROC, logarithmic up to 1.

    Attributes
    ----------
    start : float
        Lowest false match rate.
    count : int
        Number of rates.
    """

    start: float = setting(0.001, low=1e-6, high=0.999999)
    count: int = setting(61, low=2, high=10_000)

    def __post_init__(self) -> None:
        """Refuse what is out of range."""
        check(self)


@dataclass(frozen=True)
class Settings:
    """Metrics and their intervals.

    Attributes
    ----------
    replicates : int
        Draws of the subject-level bootstrap.
    seed : int
        Of the bootstrap, and of what variants and displacements draw.
    ced_thresholds : Thresholds
    false_match_rates : Rates
    tar_at_far : tuple of float
        False match rates at which the true accept rate is told; each once.
    metrics : tuple of str
        Further metrics: modules of ``metrics`` with of_errors() or of_scores(); each once.
    """

    replicates: int = setting(500, low=50, high=10_000)
    seed: int = setting(1, low=0, high=4_294_967_295)
    ced_thresholds: Thresholds = Thresholds()
    false_match_rates: Rates = Rates()
    tar_at_far: tuple[float, ...] = setting((0.1, 0.05, 0.01), low=1e-6, high=0.999999)
    metrics: tuple[str, ...] = setting(())

    def __post_init__(self) -> None:
        """Refuse what is out of range, and a rate that stands there twice."""
        check(self)
        if len(set(self.tar_at_far)) < len(self.tar_at_far):
            raise ValueError(f"tar_at_far is {list(self.tar_at_far)}; give every rate once")
        if len(set(self.metrics)) < len(self.metrics):
            raise ValueError(f"metrics is {list(self.metrics)}; name every metric once")
