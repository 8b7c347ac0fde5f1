"""ARL Polarimetric, Volume 1: 60 people, Stokes images of 16 bits at three ranges, visible images.

Layout: ``Registered/Visible/IOD87_{B,E}/A01_IOD87_B_VI_f01.png`` and
``Registered/Polarimetric/A01_R1_B_S0_f01.png``: person, range, condition (baseline or expression),
Stokes image (S0, S1, S2, or DP, the degree of linear polarization), frame.

**Registered images carry the eyes at the same pixels (EYES)**: a detector that always answers the
same places is right on all of them, so that no study of landmarks is possible. Their rows have no
landmarks, and :mod:`thermalign.ingest` refuses a manifest that gives them those.

Source: ``create.py`` and guide of bob.db.pola_thermal. Not shown by them: how the images before
registration and their annotations lie on disk (the adapter refuses such a tree), other volumes, and
whether frames of one number in both modalities were taken together (ASSUME: they are one moment, so
that they are not compared with each other).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from thermalign.ingest import tree
from thermalign.ingest.found import Found
from thermalign.ingest.tree import Mark, Tree, Walk
from thermalign.settings import setting

EYES = {"right_eye": (65, 106), "left_eye": (140, 106)}
"""Of every registered image, pixels (x, y); right and left are the subject's."""
FIXED = "at the same pixel of every registered image, by the registration"
POINTS = {
    "right_eye": Mark((), FIXED),
    "left_eye": Mark((), FIXED),
    "nose_base": Mark((), "not shown by any source"),
    "right_mouth_corner": Mark((), "not shown by any source"),
    "left_mouth_corner": Mark((), "not shown by any source"),
}
CONDITIONS = {"B": "baseline", "E": "expression"}
VISIBLE = re.compile(
    r"Registered/Visible/IOD\d+_[BE]/(?P<subject>[A-Z]+\d+)_IOD\d+_(?P<condition>[BE])_VI"
    r"_f(?P<frame>\d+)\.png"
)
THERMAL = re.compile(
    r"Registered/Polarimetric/(?P<subject>[A-Z]+\d+)_R(?P<range>[123])_(?P<condition>[BE])"
    r"_(?P<stokes>S0|S1|S2|DP)_f(?P<frame>\d+)\.png"
)


@dataclass(frozen=True, kw_only=True)
class Settings(tree.Settings):
    """ARL Polarimetric, Volume 1, as its users hold it.

    Attributes
    ----------
    stokes : str
        Which image is the thermal one: S0 is what a thermal camera sees without a polarizer.
    """

    stokes: str = setting("S0", choices=("S0", "S1", "S2", "DP"))


def rows(settings: Settings) -> Tree:
    """Return the rows of a manifest."""
    walk = Walk(settings)
    if not (settings.folder / "Registered").is_dir():
        raise ValueError(
            f"{settings.folder}: has no folder Registered; how images lie on disk before they are "
            "registered, and their annotations, is told by no source: list them in a manifest of "
            "your own (docs/adapters.md)"
        )
    visible = walk.place("Registered/Visible", "visible images, IOD87_B and IOD87_E")
    thermal = walk.place("Registered/Polarimetric", "Stokes images")
    names = (
        ("visible", visible, VISIBLE, "Registered/Visible/IOD87_B/A01_IOD87_B_VI_f01.png"),
        ("thermal", thermal, THERMAL, "Registered/Polarimetric/A01_R1_B_S0_f01.png"),
    )
    found = []
    for modality, place, pattern, like in names:
        for image, its in walk.named(walk.files(place, ".png"), pattern, like).items():
            if its.get("stokes", settings.stokes) != settings.stokes:
                continue
            found.append(
                {
                    "path": image,
                    "subject_id": its["subject"],
                    "range": its.get("range", "1"),
                    "condition": CONDITIONS[its["condition"]],
                    "modality": modality,
                    "moment": f"{its['subject']}_{its['condition']}_{its['frame']}",
                }
            )
    return walk.done(found)


def read(settings: Settings, sources: Sequence[Path]) -> Found:
    """Read the manifest that was made of the rows."""
    return tree.read_made(settings, sources)
