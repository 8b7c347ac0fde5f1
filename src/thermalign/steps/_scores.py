"""Scores of probes, as every step that verifies makes them."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from torch import Tensor

from thermalign.geometry import Floats
from thermalign.metrics.verification import Booleans
from thermalign.steps._enrolment import NONE
from thermalign.steps._matcher import Matcher


def score_probes(
    matcher: Matcher,
    probes: pd.DataFrame,
    usable: Booleans,
    describe: Callable[[], Tensor],
    *,
    readings: Sequence[str],
) -> pd.DataFrame:
    """Return SCORES without protocol, fold and model, of every probe and enrolled subject.

    Under ``exclude`` a probe that may meet no gallery is no probe. Where no probe's moment is
    enrolled all readings are the same, and only the first is returned.

    Parameters
    ----------
    matcher : Matcher
    probes : DataFrame of IMAGES, P rows of one modality
    usable : (P,) bool
        Whose face could be aligned; the others score -inf.
    describe : function
        Returns the descriptors of the usable probes in their order, (U, rows, columns, D); asked
        once, if there are any.
    readings : of ``same_moment``, the headline first
    """
    tables, descriptors = [], describe() if usable.any() else None
    for reading in readings if matcher.enrolment.partial else readings[:1]:
        met = matcher.enrolment.met_by(probes, reading)
        values = np.full((len(probes), len(matcher.subjects)), -np.inf)
        if descriptors is not None:
            modality = str(probes["modality"].iloc[0])
            values[usable] = matcher.score(descriptors, modality, met[usable])
        takes_part = met != NONE
        table = table_of(probes[takes_part], matcher.subjects, values[takes_part])
        tables.append(table.assign(same_moment=reading))
    return pd.concat(tables, ignore_index=True)


def table_of(probes: pd.DataFrame, subjects: tuple[str, ...], values: Floats) -> pd.DataFrame:
    """Return SCORES without protocol, fold, model and reading.

    Parameters
    ----------
    probes : DataFrame of IMAGES, P rows
    subjects : S enrolled subjects
    values : (P, S) float, -inf where no face was aligned
    """
    gallery = np.tile(np.asarray(subjects, object), len(probes))
    own = np.repeat(probes["subject_id"].to_numpy(object), len(subjects))
    return pd.DataFrame(
        {
            "probe_id": np.repeat(probes["image_id"].to_numpy(object), len(subjects)),
            "gallery_id": gallery,
            "genuine": gallery == own,
            "score": values.ravel(),
        }
    )
