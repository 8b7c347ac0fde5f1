"""The matcher of a fold on another dataset: its gallery enrolled, its probes verified."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd
from torch import Tensor

from thermalign.evaluation.carried import describe_images, measure_carried
from thermalign.evaluation.draws import Draws
from thermalign.evaluation.measured import Measured, without_few
from thermalign.geometry import LANDMARKS
from thermalign.records import points_of
from thermalign.schemas.keys import ACROSS
from thermalign.verification import alignment
from thermalign.verification.contract import Described
from thermalign.verification.descriptors import Descriptors
from thermalign.verification.enrolment import select
from thermalign.verification.matcher import FittedMapping, Matcher, Settings, enrol

OWN = "own\n"
"""Before every name of the protocol's own dataset: datasets may name people and images alike."""


class Joined:
    """Descriptors of two datasets' faces; no call asks for faces of both.

    Parameters
    ----------
    own : Described
        Of the protocol's dataset, whose names begin with ``OWN`` here.
    theirs : Described
        Of the other dataset.
    """

    def __init__(self, own: Described, theirs: Described) -> None:
        self._own, self._theirs = own, theirs

    def have(self, image_ids: pd.Series) -> npt.NDArray[np.bool_]:
        """Return which images have an aligned face, (N,)."""
        own = image_ids.str.startswith(OWN).to_numpy()
        bare = self._own.have(image_ids.str.removeprefix(OWN))
        return np.where(own, bare, self._theirs.have(image_ids))

    def of(self, image_ids: Sequence[str]) -> Tensor:
        """Return the descriptors of images of one dataset, (N, rows, columns, D)."""
        if image_ids[0].startswith(OWN):
            return self._own.of([name.removeprefix(OWN) for name in image_ids])
        return self._theirs.of(image_ids)


def described_gallery(
    rows: pd.DataFrame,
    annotations: pd.DataFrame,
    settings: Settings,
    aligned: alignment.Settings,
    *,
    where: str,
) -> Descriptors:
    """Describe the faces that may be enrolled, aligned by their annotated points.

    Parameters
    ----------
    rows : DataFrame of IMAGES of the other dataset with ``role``
    annotations : DataFrame of ANNOTATIONS
    settings : Settings
    aligned : settings of the alignment
    where : str
        Key of the configuration, for messages.

    Raises
    ------
    ValueError
        If no face can be aligned.
    """
    chosen = select(rows[rows["role"] == "test"], settings.gallery)
    points = points_of(annotations, list(chosen["image_id"]))
    usable = alignment.alignable(points, aligned)
    if len(chosen) and not usable.any():
        lacking = [n for k, n in enumerate(LANDMARKS) if np.isnan(points[:, k]).all()]
        raise ValueError(
            f"{where}.gallery: none of its {len(chosen)} images can be aligned, for lack of "
            f"{', '.join(lacking) or 'usable landmarks'}; annotate them, set alignment.method: "
            "two_point where the eyes are there, or take gallery out"
        )
    return describe_images(chosen[usable], points[usable], aligned, settings)


def enrol_across(
    own: pd.DataFrame,
    rows: pd.DataFrame,
    described: tuple[Described, Described],
    mapping: FittedMapping,
    settings: Settings,
    *,
    seed: list[int],
    where: str,
) -> Matcher:
    """Enrol the gallery of another dataset under a fold's mapping.

    Negatives are the other dataset's gallery and, as at home, people whom the fold trained on.

    Parameters
    ----------
    own : DataFrame of IMAGES of the fold with ``role``
    rows : the same of the other dataset, of whom all are tested
    described : of ``own`` and of ``rows``
    mapping : FittedMapping
    settings : Settings
        Whose gallery and probe are the other dataset's.
    seed : list of int
        As for :func:`thermalign.verification.matcher.enrol`.
    where : str
        Key of the configuration, for messages.

    Raises
    ------
    ValueError
        If the mapping was trained elsewhere on somebody of the other dataset.
    """
    mapping.refuse(rows["subject_id"], {*mapping.subjects} - {*own["subject_id"]}, where)
    trained = own[own["role"] != "test"]
    named = {name: OWN + trained[name].astype(str) for name in ("image_id", "subject_id", "moment")}
    both = pd.concat([trained.assign(**named), rows], ignore_index=True)
    made = enrol(both, Joined(*described), mapping, settings, seed=seed)
    return replace(
        made, other_subjects=tuple(name.removeprefix(OWN) for name in made.other_subjects)
    )


def measure(
    name: str,
    rows: pd.DataFrame,
    points: pd.DataFrame,
    matcher: Matcher,
    *,
    draws: Draws,
    settings: Settings,
    aligned: alignment.Settings,
) -> Iterator[Measured]:
    """Yield the EER of probes of another dataset, of all and of each range; few have no interval.

    Nothing where no image that has points, or should have, is a probe.

    Parameters
    ----------
    name : str
        As ``evaluate_on:`` calls it.
    rows : DataFrame of IMAGES of the other dataset with ``role``
    points : DataFrame of PREDICTIONS, or of ANNOTATIONS
        An image without a row is no probe.
    matcher : Matcher
    draws : Draws
    settings : Settings
    aligned : settings of the alignment
    """
    asked = rows[rows["image_id"].isin(points["image_id"])]
    probes = select(asked[asked["role"] == "test"], settings.probe)
    if probes["image_id"].isin(matcher.enrolment.images).all():
        return
    shown: Mapping[str, pd.DataFrame] = {name: rows.set_index("image_id")}
    figures = measure_carried(
        asked,
        shown,
        {name: points},
        matcher,
        draws=draws,
        settings=settings,
        aligned=aligned,
        experiment=ACROSS,
    )
    yield from map(without_few, figures)
