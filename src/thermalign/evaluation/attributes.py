"""Subsets of a fold by what is known of the people: glasses, beard, or any column of a manifest."""

import sys
from collections.abc import Iterable, Iterator

import pandas as pd

from thermalign.evaluation.draws import by_range
from thermalign.verification.readings import marked

MOST_VALUES = 12
"""Values beyond which an attribute names single people or numbers rather than groups. ASSUME."""


def telling(attributes: pd.DataFrame, image_ids: Iterable[str]) -> pd.DataFrame:
    """Return the ATTRIBUTES of images that part them: of two values at least.

    An attribute of more than ``MOST_VALUES`` values is left out, and the log says so.

    Parameters
    ----------
    attributes : DataFrame of ATTRIBUTES
    image_ids : the images that are to be parted

    Raises
    ------
    ValueError
        If a name or a value holds a sign that a subset's name is put together by.
    """
    theirs = attributes[attributes["image_id"].isin(set(image_ids))]
    for name, value in theirs[["name", "value"]].drop_duplicates().itertuples(index=False):
        if any(sign in name + value for sign in "&=") or ":" in name:
            raise ValueError(
                f"attribute {name!r} has the value {value!r}: '&' and '=' cannot stand in either, "
                "':' not in the name, for subsets of metrics are named by them; reword it"
            )
    values = theirs.groupby("name")["value"].nunique()
    for name, count in values[values > MOST_VALUES].items():
        print(f"attribute {name} has {count} values: not measured by value", file=sys.stderr)
    return theirs[theirs["name"].isin(values.index[values.between(2, MOST_VALUES)])]


def by_attribute(
    table: pd.DataFrame, attributes: pd.DataFrame
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the rows of every value of every attribute, all of them and of each range.

    The name is ``attribute=NAME:VALUE``, or ``attribute=NAME:VALUE&range=R``.

    Parameters
    ----------
    table : DataFrame with ``image_id`` and ``range``
    attributes : DataFrame of :func:`telling`
    """
    for (name, value), images in attributes.groupby(["name", "value"], sort=True):
        rows = table[table["image_id"].isin(set(images["image_id"]))]
        for part, its in by_range(rows) if len(rows) else ():
            yield marked(f"attribute={name}:{value}", part), its
