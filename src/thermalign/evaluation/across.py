"""What becomes of a trained detector on another dataset than its own, as Measured."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from thermalign.evaluation.draws import Draws, by_range, errors_of
from thermalign.evaluation.landmarks import LIMITS, failure_at, failure_rate, nmse
from thermalign.evaluation.measured import Measured, without_few
from thermalign.evaluation.stated import Stated, of_part, stated_of
from thermalign.geometry import LANDMARKS, LEFT_EYE, RIGHT_EYE
from thermalign.schemas.keys import ACROSS, Subset

EYES = (LANDMARKS[RIGHT_EYE], LANDMARKS[LEFT_EYE])
"""Whatever is compared, their distance is the unit."""


def comparable(
    annotations: pd.DataFrame, test: pd.DataFrame, asked: Sequence[str], *, where: str
) -> tuple[list[str], pd.DataFrame]:
    """Return the landmarks that can be compared, and the annotations of images that have them all.

    Of landmarks that a dataset does not annotate nothing is measured there, of no model; the log
    says which, and how many images lack one of the others.

    Parameters
    ----------
    annotations : DataFrame of ANNOTATIONS
    test : DataFrame of IMAGES
        Those that are tested.
    asked : names of landmarks; empty for all
    where : str
        Key of the configuration, for messages.

    Raises
    ------
    ValueError
        If no tested image is annotated, or none whole, or an eye never is.
    """
    theirs = annotations[annotations["image_id"].isin(test["image_id"])]
    there = {*theirs["landmark"]}
    if not there:
        raise ValueError(
            f"{where}: none of its {len(test)} tested images is annotated, so that no error can be "
            "measured; annotate some, or test other people, or another modality"
        )
    for eye in EYES:
        if eye not in there:
            raise ValueError(
                f"{where}: no tested image has {eye}; errors are in distances between the eyes, so "
                "annotate both, or take it out"
            )
    used = [name for name in LANDMARKS if name in there and name in (asked or LANDMARKS)]
    if not used:
        raise ValueError(f"{where}.landmarks: no tested image has {' or '.join(asked)}; ask others")
    needed = {*used, *EYES}
    count = theirs[theirs["landmark"].isin(needed)].groupby("image_id").size()
    whole = count.index[count == len(needed)]
    if whole.empty:
        raise ValueError(
            f"{where}: each of its {len(count)} annotated images lacks a landmark that others "
            "have; annotate some whole, or name those that all have under landmarks:"
        )
    if left := [name for name in LANDMARKS if name not in used]:
        print(f"{where}: compared without {', '.join(left)}", file=sys.stderr)
    if len(whole) < len(count):
        told = f"{len(count) - len(whole)} of {len(count)} annotated images lack a landmark"
        print(f"{where}: {told} that others have: left out", file=sys.stderr)
    return used, theirs[theirs["image_id"].isin(whole)]


def measure(
    name: str,
    found: pd.DataFrame,
    compared: tuple[Sequence[str], pd.DataFrame],
    test: pd.DataFrame,
    *,
    constant: Mapping[str, Any],
    draws: Draws,
) -> Iterator[Measured]:
    """Yield what points on another dataset show: see :func:`evaluate`.

    Parameters
    ----------
    name : str
        Of the other dataset, as ``evaluate_on:`` calls it.
    found : DataFrame of PREDICTIONS
    compared : of :func:`comparable`
    test : DataFrame of IMAGES
        Those that are tested.
    constant : as for :func:`thermalign.evaluation.stated.stated_of`
    draws : Draws
        Of the other dataset's people.
    """
    used, annotated = compared
    errors = errors_of(found, annotated, test, used)
    whole = tuple(used) == LANDMARKS
    stated = stated_of(found, annotated, test, constant) if whole else None
    yield from evaluate(name, errors, stated, draws, landmarks=used)


def evaluate(
    name: str,
    errors: pd.DataFrame,
    stated: Stated | None,
    draws: Draws,
    *,
    landmarks: Sequence[str],
) -> Iterator[Measured]:
    """Yield what a detector's errors on another dataset show; no interval of few people.

    Of all images and each range ``failure_rate``, ``nmse`` and ``failure_at``; of all images the
    NMSE of every landmark that is compared, ``tested_people``, whose n is their images, and what is
    stated of errors.

    Parameters
    ----------
    name : str
        Of the other dataset, as ``evaluate_on:`` calls it.
    errors : DataFrame of :func:`thermalign.evaluation.draws.errors_of`
    stated : Stated, or None where landmarks lack
    draws : Draws
        Of the other dataset's people.
    landmarks : those of ``errors``
    """
    whole = Subset(experiment=ACROSS, setting=name)
    for part, rows in by_range(errors):
        subset = whole._replace(range=part.range)
        yield without_few(failure_rate(subset, rows, draws))
        yield without_few(nmse(subset, rows, draws))
        for at in LIMITS:
            yield without_few(failure_at(subset, rows, draws, at))
    for landmark in landmarks:
        theirs = errors.assign(error=errors[landmark])
        yield without_few(nmse(whole._replace(landmark=landmark), theirs, draws))
    yield Measured(whole, "tested_people", errors["subject_id"].nunique(), len(errors))
    if stated is not None and len(stated):
        yield from map(without_few, of_part(whole, stated, draws))
