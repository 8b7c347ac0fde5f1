"""Per-modality mean centring: the simplest bridge between two modalities."""

from dataclasses import dataclass

from torch import Tensor

from thermalign.verification.contract import THERMAL, VISIBLE, Examples, State


@dataclass(frozen=True)
class Settings:
    """Nothing can be set."""


def fit(examples: Examples, settings: Settings, *, seed: int) -> State:
    """Return :func:`means` of training subjects; validation subjects are not looked at."""
    return means(*(examples.of("train", modality) for modality in (VISIBLE, THERMAL)))


def means(visible: Tensor, thermal: Tensor) -> State:
    """Return the mean descriptor of every place of the face, for each modality.

    Parameters
    ----------
    visible, thermal : (N, rows, columns, D), (M, rows, columns, D) float
        Descriptors of training images; pairs are not needed.

    Returns
    -------
    State
        ``visible`` and ``thermal``, (rows, columns, D).

    Raises
    ------
    ValueError
        If a modality has no image.
    """
    for name, side in ((VISIBLE, visible), (THERMAL, thermal)):
        if len(side) == 0:
            raise ValueError(
                f"matcher: mapping: centring finds no {name} training image; give some, or set none"
            )
    return {VISIBLE: visible.mean(0), THERMAL: thermal.mean(0)}


def apply(state: State, descriptors: Tensor, modality: str) -> Tensor:
    """Return descriptors (N, rows, columns, D) of a modality less that modality's mean."""
    return descriptors - state[modality].to(descriptors)
