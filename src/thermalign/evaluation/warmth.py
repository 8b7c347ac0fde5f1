"""How warm the faces of a dataset are, region by region and person by person."""

from collections.abc import Iterator

import pandas as pd

from thermalign.evaluation.card import Part, Row, mean_row, parts, sampled
from thermalign.images import DEGREES, read_image, unit_of
from thermalign.metrics.temperatures import REGIONS, region_temperatures
from thermalign.records import points_of

People = dict[Part, pd.DataFrame]
"""Part of a dataset to the means of its people: a row each, a column for every region."""


def temperatures(images: pd.DataFrame, annotations: pd.DataFrame) -> People:
    """Read the regions of the faces of every part whose pixels are degrees.

    Of the images that :func:`thermalign.evaluation.card.sampled` draws, those count that have all
    of their landmarks in sight: behind a lens there is no skin.

    Parameters
    ----------
    images : DataFrame of IMAGES
    annotations : DataFrame of ANNOTATIONS
    """
    seen = annotations.groupby("image_id")["visible"].all()
    shown = set(seen.index[seen])
    people: People = {}
    for part, rows in parts(images):
        if {unit_of(row) for row in rows.to_dict("records")} != {DEGREES}:
            continue
        chosen = sampled(rows)
        chosen = chosen[chosen["image_id"].isin(shown)]
        if chosen.empty:
            continue
        points = points_of(annotations, list(chosen["image_id"]))
        read = [
            region_temperatures(read_image(row), at)
            for row, at in zip(chosen.to_dict("records"), points, strict=True)
        ]
        table = pd.DataFrame(read, columns=list(REGIONS))
        people[part] = table.groupby(chosen["subject_id"].to_numpy()).mean()
    return people


def temperature_rows(people: People) -> Iterator[Row]:
    """Yield mean and standard deviation over people of every region that anybody shows."""
    for part, means in people.items():
        for region in means:
            if len(known := means[region].dropna()):
                yield mean_row(part, str(region), known.to_numpy(), DEGREES)
