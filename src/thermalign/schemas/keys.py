"""What a figure is about, in columns that METRICS and the tables made of it share."""

from typing import NamedTuple

import pandas as pd


class Subset(NamedTuple):
    """The part of a study that a figure is about; "" stands for all of it.

    Attributes
    ----------
    experiment : str
        "" for the study itself, else one of the experiments below.
    setting : str
        Name within the experiment: of the variant, of the matcher, the kind of displacement, the
        other protocol, by what probes are rejected, the other dataset as evaluate_on names it.
    level : float
        Dose of the setting where it has several (displacement: interocular distances; rejection:
        share of probes), else 0.
    same_moment : str
        Reading of ``same_moment``; "" for the protocol's headline.
    session, volume, range, condition, modality : str
        Columns of IMAGES, as text.
    landmark : str
    attribute, attribute_value : str
        Name and value of ATTRIBUTES.
    """

    experiment: str = ""
    setting: str = ""
    level: float = 0.0
    same_moment: str = ""
    session: str = ""
    volume: str = ""
    range: str = ""
    condition: str = ""
    landmark: str = ""
    modality: str = ""
    attribute: str = ""
    attribute_value: str = ""


ALL = Subset()
"""The whole study under the headline reading."""

SUBSET = Subset._fields

KEY = ("dataset", "protocol", "model", *SUBSET, "metric", "at")
"""Columns that tell one figure over folds from every other."""

VARIANT, MATCHER, SWEEP = "variant", "matcher", "sweep"

DISPLACEMENT, PLACEMENT, OTHER_PROTOCOL = "displacement", "placement", "protocol"

REJECTION, ACROSS = "rejection", "across"
"""Experiments."""

UNDISTURBED = "none"
"""Setting of VARIANT: the condition that the detectors were trained for."""

CONFIDENCE, RANDOM, TRUE_ERROR = "confidence", "random", "true_error"
"""Settings of REJECTION: by what the probes to be rejected are chosen."""

STUDY = "study"
"""Setting of MATCHER and SWEEP: the matcher as it is configured."""

ANNOTATED = "annotated"
"""Model of the annotated points: the upper bound of every detector."""


def rows_of(table: pd.DataFrame, subset: Subset = ALL) -> pd.DataFrame:
    """Return the rows of a table that are about one subset, whatever their metric and model."""
    return table[(table[[*SUBSET]] == [*subset]).all(axis=1)]
