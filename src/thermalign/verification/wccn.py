"""Within-class covariance normalisation: what tells images of one person apart counts for less."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import torch
from torch import Tensor

from thermalign.settings import check, setting
from thermalign.verification.centring import means
from thermalign.verification.contract import THERMAL, VISIBLE, Examples, State

NEGLIGIBLE = 1e-9
"""Share of the largest variance below which a principal direction is rounding."""

WITHIN = True
"""Images of one modality are brought together alike, so that a control may compare them."""


@dataclass(frozen=True)
class Settings:
    """Hyper-parameters of the normalisation.

    Attributes
    ----------
    components : int
        Of the PCA before it, or as many as the images span.
    shrinkage : float
        Share of the mean variance within people that stands for their own covariance.
    images : int
        Of each person and modality that it is fitted to, at most. ASSUME: bounds the memory.
    """

    components: int = setting(300, low=1)
    shrinkage: float = setting(0.3, low=1e-6, high=1)
    images: int = setting(24, low=1)

    def __post_init__(self) -> None:
        """Refuse what is out of range."""
        check(self)


def fit(examples: Examples, settings: Settings, *, seed: int) -> State:
    """Return :func:`fit_people` of training subjects; validation subjects are not looked at."""
    visible, thermal = (
        examples.known("train", modality, most=settings.images) for modality in (VISIBLE, THERMAL)
    )
    return fit_people(visible, thermal, settings)


def apply(state: State, descriptors: Tensor, modality: str) -> Tensor:
    """Return descriptors (N, rows, columns, D) less their modality's mean, normalised, (N, C)."""
    centred = descriptors - state[modality].to(descriptors)
    return centred.flatten(1) @ state["projection"].to(descriptors)


def fit_people(
    visible: tuple[Tensor, list[str]], thermal: tuple[Tensor, list[str]], settings: Settings
) -> State:
    """Learn the means of both modalities and one projection for both.

        x = PCA(v - mean of its modality),   S = (1 - s) W + s tr(W) / C,   y = L^-1 x,  L L' = S

    W is the covariance of x around the mean of its person, in which both modalities that a person
    has count alike, however many images there are of each. A cosine of two y is that of W's metric.

    Parameters
    ----------
    visible, thermal : descriptors (N, rows, columns, D) float, and who is on each, N str
        Of training images.
    settings : Settings

    Returns
    -------
    State
        ``visible`` and ``thermal``, (rows, columns, D), and ``projection``, (rows x ..., C).

    Raises
    ------
    ValueError
        If a modality has no image, or nobody has two images.

    Source
    ------
    Hatch, Kajarekar and Stolcke, Interspeech 2006: the Cholesky factor of the inverse covariance
    within classes, smoothed towards a diagonal one, after PCA (Hatch and Stolcke, ICASSP 2006).
    Dehak et al., IEEE TASLP 19(4), 2011, for the cosine. Differs from them in: means by modality,
    which they have one of, and the mean variance for their diagonal matrix.
    """
    state = means(visible[0], thermal[0])
    sides = ((visible, VISIBLE), (thermal, THERMAL))
    flat = torch.cat([(given - state[m]).flatten(1) for (given, _), m in sides])
    basis = principal(flat, settings.components)
    people = [*visible[1], *thermal[1]]
    modalities = [m for (_, whose), m in sides for _ in whose]
    within = within_people((flat @ basis).double(), people, modalities)
    mean_variance = within.diagonal().mean()
    if not mean_variance > 0:
        raise ValueError(
            "matcher: mapping: wccn finds nobody with two different training images; give more "
            "images of a person, or set centring"
        )
    shrunk = (1 - settings.shrinkage) * within
    shrunk.diagonal().add_(settings.shrinkage * mean_variance)
    factor = torch.linalg.cholesky(shrunk)
    whole = torch.linalg.solve_triangular(factor, basis.double().T, upper=False).T
    return {**state, "projection": whole.to(flat.dtype).contiguous()}


def principal(centred: Tensor, components: int) -> Tensor:
    """Return the principal directions of centred rows (N, D), at most so many, (D, C).

    By the products of rows or those of columns, whichever are fewer.
    """
    few = len(centred) <= centred.shape[1]
    products = (centred @ centred.T if few else centred.T @ centred).double()
    variances, directions = torch.linalg.eigh(products)
    kept = variances > NEGLIGIBLE * variances[-1].clamp(min=torch.finfo(torch.float64).tiny)
    kept[:-components] = False
    found = directions[:, kept].to(centred.dtype)
    if few:
        found = centred.T @ (found / variances[kept].sqrt().to(centred.dtype))
    return found.flip(1)


def within_people(rows: Tensor, people: Sequence[str], modalities: Sequence[str]) -> Tensor:
    """Return the covariance of rows (N, C) around the means of their people, (C, C).

    Everybody weighs alike, and both modalities that a person has, in mean and covariance.
    """
    told = pd.DataFrame({"person": people, "modality": modalities})
    number = torch.tensor(told.groupby("person").ngroup().to_numpy()).to(rows.device)
    images = told.groupby(["person", "modality"])["person"].transform("size")
    weight = 1 / (images * told.groupby("person")["modality"].transform("nunique"))
    share = torch.tensor(weight.to_numpy()[:, None]).to(rows)
    mean = rows.new_zeros(told["person"].nunique(), rows.shape[1])
    mean.index_add_(0, number, share * rows)
    away = rows - mean.index_select(0, number)
    return (share * away).T @ away / len(mean)
