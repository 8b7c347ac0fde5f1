"""A dataset's card on the page: what it holds, how it spreads, how it looks."""

from dataclasses import dataclass

import pandas as pd

from thermalign.images import DEGREES
from thermalign.report.card_captions import contact_caption, marked_caption
from thermalign.report.card_table import card_table
from thermalign.report.card_values import Card, look_of
from thermalign.report.cells import Table, number
from thermalign.report.figures import Panel
from thermalign.report.histograms import histogram_panels
from thermalign.report.likeness import likeness_table
from thermalign.report.names import Look, subset_parts
from thermalign.report.sheet import Sheet, sheet


@dataclass(frozen=True)
class DatasetCard:
    """What the step ``describe`` found of one dataset.

    Attributes
    ----------
    name : str
    card, likeness : DataFrame
        CARD and LIKENESS.
    contact, marked : bytes
        PNG files.
    """

    name: str
    card: pd.DataFrame
    likeness: pd.DataFrame
    contact: bytes
    marked: bytes


@dataclass(frozen=True)
class CardChapter:
    """What the page shows of one dataset."""

    name: str
    absent: list[str]
    table: Table
    panels: list[Panel]
    legend: list[Look]
    likeness: Table | None
    sheets: list[Sheet]


def card_chapter(dataset: DatasetCard) -> CardChapter:
    """Arrange the card of a dataset for the page."""
    card = Card(dataset.card)
    name = dataset.name
    return CardChapter(
        name=name,
        absent=absent(card),
        table=card_table(card, name),
        panels=histogram_panels(card, name),
        legend=[look_of(subset) for subset in card.with_faces()],
        likeness=likeness_table(dataset.likeness, name),
        sheets=[
            sheet(
                dataset.contact, title=f"Contact sheet of {name}.", caption=contact_caption(card)
            ),
            sheet(
                dataset.marked,
                title=f"Boxes and landmarks of {name}.",
                caption=marked_caption(card),
            ),
        ],
    )


def absent(card: Card) -> list[str]:
    """Say which parts of a card are missing, and why."""
    sentences = []
    annotated, images = card.count("all", "annotated"), card.count("all", "images")
    if not annotated:
        sentences.append(
            "No image has annotated points: geometry, the mean shape’s error and the comparison "
            "with real faces are left out."
        )
    elif annotated < images:
        sentences.append(
            f"{number(annotated)} of {number(images)} images have annotated points: geometry and "
            "the mean shape’s error are theirs."
        )
    return [*sentences, *_absent_degrees(card)]


def _absent_degrees(card: Card) -> list[str]:
    sentences = []
    units = {s: f[3] for s in card.columns if (f := card.get(s, "image_mean"))}
    thermal = [s for s in card.columns if subset_parts(s)["modality"] == "thermal"]
    bare = [look_of(s).label for s in thermal if units.get(s, DEGREES) != DEGREES]
    mixed = [look_of(s).label for s in card.columns if s not in units]
    if not thermal:
        sentences.append("There are no thermal images, so there are no temperatures.")
    if bare:
        sentences.append(
            f"{'; '.join(bare)}: no scale to degrees Celsius is known (8-bit images have none, "
            "16-bit ones where it is stated), so there are no temperatures."
        )
    if mixed:
        sentences.append(
            f"{'; '.join(mixed)}: images of several units, so what their pixels hold is left out."
        )
    return sentences
