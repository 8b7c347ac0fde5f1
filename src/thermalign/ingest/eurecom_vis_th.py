"""EURECOM VIS-TH: 50 people, 12 annotated variations in visible and thermal pictures, six points.

Layout: ``NNN/{VIS,TH}/{VIS|TH}_NNN_1_kk_CODE.bmp``, and a folder of annotation files ``NNN.xml``. A
thermal picture and the visible one of the same person and number were taken at the same time.

Source: annotation files of the repository
Thermal-to-Visible-Face-Recognition-Using-Deep-Autoencoders (Alpkant); for the recording the
abstract of Mallat and Dugelay, BIOSIG 2018. Not shown by either: what the codes mean (they are the
conditions, as they are spelt), and whether the thermal pictures are grey.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from thermalign.ingest import tree
from thermalign.ingest.dlib_xml import SIX_POINTS, annotated_rows
from thermalign.ingest.found import Found
from thermalign.ingest.lines import Cells
from thermalign.ingest.tree import NOSES, Tree, Walk
from thermalign.settings import setting

POINTS = SIX_POINTS
MODALITIES = {"VIS": "visible", "TH": "thermal"}
NAME = re.compile(
    r"(?P<subject>\d+)/(?P<kind>VIS|TH)/(?P=kind)_(?P=subject)_(?P<session>\d)_"
    r"(?P<number>\d\d)_(?P<code>[A-Za-z]+)\.bmp"
)


@dataclass(frozen=True, kw_only=True)
class Settings(tree.Settings):
    """EURECOM VIS-TH as its users hold it.

    Attributes
    ----------
    annotations : str
        Folder of the annotation files, relative to ``folder``.
    nose : str
        What stands for the nose base, which nobody marked: ``none`` (images have a box and no
        landmarks) or ``estimated`` from eyes and mouth (docs/adapters.md).
    """

    nose: str = setting(choices=NOSES)
    annotations: str = setting("Eurecom_annotations")


def rows(settings: Settings) -> Tree:
    """Return the rows of a manifest."""
    walk = Walk(settings)
    annotations = walk.place(settings.annotations, "an annotation file of each person, 001.xml")
    images = walk.named(walk.files(settings.folder, ".bmp"), NAME, "001/TH/TH_001_1_01_NN.bmp")
    return annotated_rows(walk, annotations, images, settings.nose, _cells)


def _cells(path: str, said: dict[str, str]) -> Cells:
    return {
        "subject_id": said["subject"],
        "session": said["session"],
        "condition": said["code"],
        "modality": MODALITIES[said["kind"]],
        "pair_id": f"{said['subject']}_{said['session']}_{said['number']}",
    }


def read(settings: Settings, sources: Sequence[Path]) -> Found:
    """Read the manifest that was made of the rows."""
    return tree.read_made(settings, sources)
