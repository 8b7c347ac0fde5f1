"""Two readings of a protocol: a probe may meet an image of its own moment, or it may not.

``exclude``: no probe is compared with an image of its own moment. ``keep``: it may be. A protocol
lists one or both under ``same_moment:``; the first is its headline.
"""

from collections.abc import Iterator

import pandas as pd

EXCLUDE, KEEP = "exclude", "keep"


def by_reading(comparisons: pd.DataFrame, headline: str) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the rows of every reading, after its name: empty for the headline."""
    for reading, rows in comparisons.groupby("same_moment", sort=False):
        yield "" if reading == headline else str(reading), rows
