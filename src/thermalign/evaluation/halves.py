"""Folds inside a fold, of its training subjects alone: to choose by, and to set thresholds on."""

import numpy as np
import pandas as pd

FEWEST = 4
"""Training subjects that can be halved: two to test on, two to train on."""


def halves(rows: pd.DataFrame, *, seed: list[int]) -> list[pd.DataFrame]:
    """Return both folds in which half of the training subjects become the test subjects.

    The fold's own test subjects are left out, its validation subjects stay. None where there are
    fewer than ``FEWEST`` training subjects.

    Parameters
    ----------
    rows : DataFrame of IMAGES with ``role``
    seed : list of int
    """
    people = np.sort(rows.loc[rows["role"] == "train", "subject_id"].unique())
    if len(people) < FEWEST:
        return []
    shuffled = np.random.default_rng(seed).permutation(people)
    kept = rows[rows["role"] != "test"]
    parts = np.split(shuffled, [len(people) // 2])
    return [kept.assign(role=kept["role"].mask(kept["subject_id"].isin(p), "test")) for p in parts]


def within_training(rows: pd.DataFrame, *, seed: list[int]) -> pd.DataFrame:
    """Return a fold inside a fold: half of the training subjects become its test subjects.

    Parameters
    ----------
    rows : DataFrame of IMAGES with ``role``
    seed : list of int

    Raises
    ------
    ValueError
        If there are fewer than four training subjects: two to test on, two to train on.
    """
    inner = halves(rows, seed=seed)
    if not inner:
        people = rows.loc[rows["role"] == "train", "subject_id"].nunique()
        raise ValueError(
            f"sweep: {people} training subjects cannot be halved; give {FEWEST} at least, or take "
            "sweep: out"
        )
    return inner[0]
