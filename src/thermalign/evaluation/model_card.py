"""What the model card of a detector to take home tells of its errors, as Measured."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pandas as pd

from thermalign.evaluation import detection, landmarks, stated
from thermalign.evaluation.draws import Draws, by_range, errors_of
from thermalign.evaluation.measured import LEAST, NONE, Measured
from thermalign.geometry import Floats
from thermalign.records import BOX
from thermalign.schemas.keys import ALL, Subset

STATED = ("coverage_50", "coverage_80", "coverage_95", "nmse_expected")
"""Of what is stated of errors, what a card tells."""


def of_landmarks(
    predictions: pd.DataFrame, annotations: pd.DataFrame, images: pd.DataFrame, draws: Draws
) -> Iterator[Measured]:
    """Yield NMSE, failure rate and what is stated of errors, of all images and each range.

    Parameters
    ----------
    predictions, annotations : DataFrame of PREDICTIONS, ANNOTATIONS
    images : DataFrame of IMAGES
        Those that were tested.
    draws : Draws
    """
    for subset, rows in by_range(errors_of(predictions, annotations, images)):
        yield landmarks.nmse(subset, rows, draws)
        yield landmarks.failure_rate(subset, rows, draws)
    its = stated.stated_of(predictions, annotations, images)
    for subset, rows in by_range(its.images):
        if len(rows):
            made = stated.of_part(subset, its.take(rows.index.to_numpy()), draws)
            yield from (figure for figure in made if figure.metric in STATED)


def of_finder(
    detections: pd.DataFrame, given: Floats, images: pd.DataFrame, draws: Draws
) -> Iterator[Measured]:
    """Yield what the detections in whole images are worth, of all images and each range.

    Parameters
    ----------
    detections : DataFrame of DETECTIONS
    given : (N, 4) float, pixels, (x, y, width, height)
        Box of the face of each image.
    images : N rows of IMAGES
    draws : Draws
    """
    placed = detections.sort_values(["image_id", "rank"])
    index = pd.Index(images["image_id"]).get_indexer(placed["image_id"])
    found = placed[BOX].to_numpy(float)[index >= 0]
    yield from detection.evaluate(
        detection.count_detections(images, index[index >= 0], found, given), draws
    )


def of_recorded(
    predictions: pd.DataFrame,
    annotations: pd.DataFrame,
    counts: pd.DataFrame,
    draws: Draws,
    *,
    attributes: pd.DataFrame,
    by: str,
    composed: Sequence[str],
) -> Iterator[Measured]:
    """Yield errors in given boxes and faces found in whole images: of all, and of every source.

    Where sources are composed, of all others together, too. An image of which no source is told is
    in all alone. A figure of fewer than ``LEAST`` people has no interval.

    Parameters
    ----------
    predictions, annotations : DataFrame of PREDICTIONS, ANNOTATIONS
    counts : DataFrame of :func:`thermalign.evaluation.detection.count_detections`
    draws : Draws
    attributes : DataFrame of ATTRIBUTES
    by : the attribute that tells sources apart
    composed : values of it

    Raises
    ------
    ValueError
        If no image has one of ``composed``.
    """
    told = attributes[attributes["name"] == by].set_index("image_id")["value"]
    source = counts["image_id"].map(told)
    unknown = sorted(set(composed) - set(source))
    if unknown:
        raise ValueError(
            f"no recorded image has {' or '.join(unknown)} as its {by}; they have "
            f"{', '.join(sorted(source.dropna().unique())) or 'none'}"
        )
    for subset, kept in _sources(source, by, composed):
        rows = counts[kept]
        figures = of_landmarks(
            predictions[predictions["image_id"].isin(rows["image_id"])], annotations, rows, draws
        )
        for figure in (*figures, *detection.evaluate(rows, draws)):
            if figure.subset == ALL:  # ranges of recorded images mean nothing
                its = replace(figure, subset=subset)
                few = rows["subject_id"].nunique() < LEAST
                yield replace(its, replicates=NONE) if few else its


def _sources(
    source: pd.Series, by: str, composed: Sequence[str]
) -> Iterator[tuple[Subset, pd.Series]]:
    """Yield what each part of the images is, and which images are in it."""
    yield ALL, pd.Series(True, index=source.index)
    whole = source.notna() & ~source.isin(composed)
    if composed and whole.any():
        about = f"without {', '.join(composed)}"
        yield Subset(attribute=by, attribute_value=about), whole
    for name in sorted(source.dropna().unique()):
        yield Subset(attribute=by, attribute_value=str(name)), source == name
