"""What is said below the contact sheets of a dataset, by what they show of it."""

from thermalign.report.card_values import Card
from thermalign.report.cells import MINUS, number
from thermalign.report.names import subset_parts


def contact_caption(card: Card) -> str:
    """Say which images the contact sheet shows, and how."""
    shown, subjects = card.count("all", "contact_subjects"), card.count("all", "subjects")
    whose = "every subject"
    if shown < subjects:
        whose = (
            f"{number(shown)} of {number(subjects)} subjects: those who have the most of these, "
            "spread evenly over the dataset"
        )
    return (
        f"The first image by name of {_kinds(card, 'contact_kinds')}, for {whose}. Crops are shown "
        "whole, frames cut around the face box, all at one size, so that far faces are enlarged. "
        f"{_colours(card)}"
    ).rstrip()


def marked_caption(card: Card) -> str:
    """Say which images the sheet of boxes and landmarks shows, and how."""
    count, subjects = card.count("all", "marked_images"), card.count("all", "marked_subjects")
    images = f"{number(count)} images" if count > 1 else "An image"
    apart = ", each of another subject," if 1 < count == subjects else ""
    annotated = card.count("all", "annotated")
    points = " and the annotated points" if annotated else ""
    some = " where there are any" if 0 < annotated < card.count("all", "images") else ""
    return (
        f"{images} of {_kinds(card, 'marked_kinds')}{apart} with the face box that detectors are "
        f"given{points}{some}. Light grey lies outside of an image. {_colours(card)}"
    ).rstrip()


def _kinds(card: Card, statistic: str) -> str:
    shown, kinds = card.count("all", statistic), card.count("all", "kinds")
    if shown == kinds:
        return "every modality, range and condition"
    return f"{number(shown)} of {number(kinds)} kinds (modality, range and condition)"


def _colours(card: Card) -> str:
    low, high = card.get("all", "colour_low"), card.get("all", "colour_high")
    if low and high:
        ends = f"{low[0]:g} to {high[0]:g}".replace("-", MINUS)
        return f"Thermal colours span {ends} °C and clip beyond."
    if any(subset_parts(s)["modality"] == "thermal" for s in card.columns):
        return "Thermal images are grey, each between its own percentiles 1 and 99."
    return ""
