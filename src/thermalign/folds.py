"""Subject-disjoint folds, with mirrored copies in training only.

Test subjects are drawn before training subjects, so that a protocol may change how many it trains
on without changing whom it tests on, and smaller training sets lie within larger ones.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from thermalign.settings import SEED, setting

ROLES = ("train", "validation", "test")


@dataclass(frozen=True)
class Settings:
    """How a protocol splits its subjects.

    Attributes
    ----------
    volumes : tuple of int
        Parts of the dataset that take part.
    train_subjects, test_subjects : int
        Subjects of each kind in every fold; validation subjects are among the training subjects.
    validation_share : float
        Share of the training subjects held out for early stopping, at least one subject; 0 holds
        out nobody, and every training keeps its last state.
    seed : int
        Of the random splits; fold k draws with (seed, k). Protocols of one seed, with the same
        volumes and number of test subjects, have the same test subjects in every fold.
    """

    volumes: tuple[int, ...] = setting(low=1)
    train_subjects: int = setting(low=2)
    test_subjects: int = setting(low=2)
    validation_share: float = setting(low=0, high=0.99)
    seed: int = setting(low=0, high=SEED)


def split(images: pd.DataFrame, settings: Settings, *, protocol: str, fold: int) -> pd.DataFrame:
    """Draw one random, subject-disjoint fold.

    Parameters
    ----------
    images : DataFrame of IMAGES
    settings : Settings
    protocol : str
    fold : int
        From 0.

    Returns
    -------
    DataFrame of FOLDS
        One row per image of a drawn subject, and a second, flipped one in training.

    Raises
    ------
    ValueError
        If the volumes hold fewer subjects than the protocol asks for, or nobody is left to train.

    Source
    ------
    Poster et al. 2019, section 4.1: random splits by subject, horizontal flips of the training
    images. Differs from it in: validation subjects, which the paper does not mention.
    """
    taking_part = images[images["volume"].isin(settings.volumes)]
    subjects = np.sort(taking_part["subject_id"].unique())
    wanted = settings.train_subjects + settings.test_subjects
    if len(subjects) < wanted:
        raise ValueError(
            f"protocol {protocol} asks for {settings.train_subjects} training and "
            f"{settings.test_subjects} test subjects, but volumes {list(settings.volumes)} hold "
            f"{len(subjects)}: lower train_subjects or test_subjects, or add volumes"
        )
    if _validation_subjects(settings.train_subjects, settings) >= settings.train_subjects:
        raise ValueError(
            f"protocol {protocol} holds out all {settings.train_subjects} training subjects: lower "
            f"validation_share ({settings.validation_share:g}) or raise train_subjects"
        )
    roles = draw_roles(subjects, settings, fold)
    rows = taking_part.assign(role=taking_part["subject_id"].map(roles)).dropna(subset="role")
    plain = pd.DataFrame({"image_id": rows["image_id"], "role": rows["role"], "flipped": False})
    mirrored = plain[plain["role"] == "train"].assign(flipped=True)
    table = pd.concat([plain, mirrored], ignore_index=True)
    return table.assign(protocol=protocol, fold=fold)


def draw_roles(subjects: npt.NDArray[Any], settings: Settings, fold: int) -> dict[str, str]:
    """Return the role of every drawn subject; the others are left out.

    One random order of all subjects gives the test subjects first, then the training subjects.
    With one more training subject nobody else's role changes: a subject is held out where
    it raises the number of validation subjects, so that both parts of a smaller training set lie
    within those of a larger one of the same share.

    Parameters
    ----------
    subjects : (S,) str, sorted
    settings : Settings
    fold : int
    """
    order = np.random.default_rng([settings.seed, fold]).permutation(subjects)
    held_out = [_validation_subjects(n, settings) for n in range(settings.train_subjects + 1)]
    roles = ["test"] * settings.test_subjects
    roles += ["validation" if more else "train" for more in np.diff(held_out)]
    return dict(zip(order[: len(roles)], roles, strict=True))


def _validation_subjects(n_train: int, settings: Settings) -> int:
    """Return how many of the first ``n_train`` training subjects are held out."""
    if not settings.validation_share:
        return 0
    return min(n_train, max(1, round(settings.validation_share * n_train)))


def check_disjoint(folds: pd.DataFrame, images: pd.DataFrame) -> None:
    """Refuse a fold table that would let a model see a test subject.

    Raises
    ------
    ValueError
        If a role is unknown, a subject has two roles, or an image outside training is flipped.
    """
    unknown = set(folds["role"]) - set(ROLES)
    if unknown:
        raise ValueError(f"folds: unknown role {sorted(unknown)[0]!r}; use one of {list(ROLES)}")
    subjects = folds.merge(images[["image_id", "subject_id"]], on="image_id", how="left")
    if subjects["subject_id"].isna().any():
        lost = subjects.loc[subjects["subject_id"].isna(), "image_id"].iloc[0]
        raise ValueError(f"folds: image {lost} is not in the images table; fold the dataset again")
    roles = subjects.groupby("subject_id")["role"].nunique()
    if (roles > 1).any():
        raise ValueError(
            f"folds: subject {roles.index[roles > 1][0]} is in two roles; "
            "give each subject one of train, validation and test"
        )
    if (folds["flipped"] & (folds["role"] != "train")).any():
        raise ValueError("folds: a validation or test image is flipped; flip training images only")
