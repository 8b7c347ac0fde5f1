"""Per-modality mean centring: the simplest bridge between two modalities."""

from torch import Tensor

State = dict[str, Tensor]


def fit(visible: Tensor, thermal: Tensor) -> State:
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
    for name, side in (("visible", visible), ("thermal", thermal)):
        if len(side) == 0:
            raise ValueError(
                f"matcher: mapping: centring finds no {name} training image; give some, or set none"
            )
    return {"visible": visible.mean(0), "thermal": thermal.mean(0)}


def apply(state: State, descriptors: Tensor, modality: str) -> Tensor:
    """Return descriptors (N, rows, columns, D) of a modality less that modality's mean."""
    return descriptors - state[modality].to(descriptors)
