"""The people that a network is trained on: who is in both modalities, and their faces."""

import sys

import numpy as np
import pandas as pd
import torch

from thermalign.geometry import Floats
from thermalign.networks.copies import describe_copies
from thermalign.networks.two_branch import Settings, Side, Sides
from thermalign.training.loop import derived_seed
from thermalign.verification import alignment, descriptors
from thermalign.verification.contract import THERMAL, VISIBLE


def paired(
    rows: pd.DataFrame, points: Floats, aligned: alignment.Settings
) -> tuple[pd.DataFrame, Floats]:
    """Return the images that can be aligned, of people who then are in both modalities.

    The log says how many people are not.

    Parameters
    ----------
    rows : DataFrame of N IMAGES
    points : (N, L, 2) float, pixels, (x, y)
        Annotated; NaN without.
    aligned : settings of the alignment

    Raises
    ------
    ValueError
        If nobody is.
    """
    usable = alignment.alignable(points, aligned)
    usable &= rows["modality"].isin([VISIBLE, THERMAL]).to_numpy()
    sides = rows[usable].groupby("subject_id")["modality"].nunique()
    taking = usable & rows["subject_id"].isin(sides.index[sides == 2]).to_numpy()
    if not taking.any():
        raise ValueError(
            "networks: nobody in the dataset has annotated images of both modalities; name "
            "another dataset"
        )
    everybody, seen = (its["subject_id"].nunique() for its in (rows, rows[taking]))
    if seen < everybody:
        left = f"{everybody - seen} of {everybody} people"
        print(f"{left} have no annotated images of both modalities: left out", file=sys.stderr)
    return rows[taking], points[taking]


def sides_of(
    rows: pd.DataFrame,
    points: Floats,
    settings: Settings,
    *,
    described: descriptors.Settings,
    aligned: alignment.Settings,
    seed: int,
    on: torch.device,
) -> Sides:
    """Return the described faces of both modalities, on a device.

    Parameters
    ----------
    rows, points : of :func:`paired`
    settings : Settings of the network
    described, aligned : settings of the descriptors and of the alignment
    seed : int
        Of the displaced copies.
    on : torch.device
    """
    numbers = pd.factorize(rows["subject_id"], sort=True)[0]
    found = {}
    for k, modality in enumerate((VISIBLE, THERMAL)):
        of = np.flatnonzero((rows["modality"] == modality).to_numpy())
        of = of[np.argsort(numbers[of], kind="stable")]
        faces, files = describe_copies(
            rows.iloc[of],
            points[of],
            copies=settings.copies,
            jitter=settings.jitter,
            described=described,
            aligned=aligned,
            seed=derived_seed(seed, k),
        )
        people = torch.as_tensor(numbers[of]).to(on)
        there = faces.to(on)
        found[modality] = Side.of_all(there, people, files if there is faces else ())
    return found
