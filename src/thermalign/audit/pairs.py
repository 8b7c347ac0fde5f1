"""Moments that lack the thermal or the visible image that others of their kind have."""

from collections.abc import Iterator

from thermalign.audit.findings import Faces, Finding

KIND = ["session", "volume", "range", "condition"]
"""What moments have in common that were recorded in one way."""

BOTH = 2


def check_pairs(faces: Faces) -> Iterator[Finding]:
    """Yield images whose moment lacks a partner in the other modality.

    Where no moment of a session, volume, range and condition has both, one was not recorded: that
    is how the set is made, and nothing is missing.
    """
    if len(faces.modalities) < BOTH:
        return
    images = faces.images.reset_index(drop=True)
    modalities = images.groupby("moment")["modality"].transform("nunique")
    paired = (modalities == BOTH).groupby([images[name] for name in KIND]).transform("any")
    lonely = images[(modalities < BOTH) & paired]
    for at, moment, modality in zip(
        lonely.index, lonely["moment"], lonely["modality"], strict=True
    ):
        lost = "visible" if modality == "thermal" else "thermal"
        yield Finding("missing_pair", f"moment {moment} has no {lost} image", int(at))
