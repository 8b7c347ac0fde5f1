"""Probes of a fold, and their scores as a table."""

from typing import Any

import numpy as np
import pandas as pd

from thermalign.geometry import Floats
from thermalign.steps._inputs import select


def probes_of(rows: pd.DataFrame, settings: dict[str, Any]) -> pd.DataFrame:
    """Return the test images that are probes; an enrolled image never is.

    Parameters
    ----------
    rows : DataFrame of IMAGES with ``role``
    settings : mapping with the protocol's ``gallery`` and ``probe``
    """
    test = rows[rows["role"] == "test"]
    enrolled = select(test, settings["gallery"])["image_id"]
    probes = select(test, settings["probe"])
    return probes[~probes["image_id"].isin(enrolled)].reset_index(drop=True)


def table_of(probes: pd.DataFrame, subjects: tuple[str, ...], values: Floats) -> pd.DataFrame:
    """Return SCORES without protocol, fold and model.

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
