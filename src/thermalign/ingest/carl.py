"""CARL: 41 people, four sessions, three lights; visible and thermal pictures, six points.

Layout: ``NN/session_S/{classic,thermal_bmp}/NNSs{C|B}{NA|IR|AR}{1-5}.bmp`` (C visible, B thermal),
and a folder of annotation files ``NN.xml``. A thermal picture is paired with the visible one whose
name differs in that letter alone, as users of the dataset pair them.

Source: annotation files and ``CarlDataset`` of the repository
Thermal-to-Visible-Face-Recognition-Using-Deep-Autoencoders (Alpkant); for people, sessions and
lights the abstract of Espinosa-Duró, Faundez-Zanuy and Mekyska, Cognitive Computation 5, 2013. Not
shown by either: where the near-infrared pictures lie, and whether ``thermal_bmp`` is grey.
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
LIGHTS = {"NA": "natural", "IR": "infrared", "AR": "artificial"}
MODALITIES = {"classic": "visible", "thermal_bmp": "thermal"}
NAME = re.compile(
    r"(?P<subject>\d+)/session_(?P<session>\d)/(?P<folder>classic|thermal_bmp)/"
    r"(?P<stem>(?P=subject)S(?P=session))[CB](?P<light>NA|IR|AR)(?P<shot>\d)\.bmp"
)


@dataclass(frozen=True, kw_only=True)
class Settings(tree.Settings):
    """CARL as its users hold it.

    Attributes
    ----------
    annotations : str
        Folder of the annotation files, relative to ``folder``.
    nose : str
        What stands for the nose base, which nobody marked: ``none`` (images have a box and no
        landmarks) or ``estimated`` from eyes and mouth (docs/adapters.md).
    """

    nose: str = setting(choices=NOSES)
    annotations: str = setting("Carl_annotations")


def rows(settings: Settings) -> Tree:
    """Return the rows of a manifest."""
    walk = Walk(settings)
    annotations = walk.place(settings.annotations, "an annotation file of each person, 01.xml")
    images = walk.named(
        walk.files(settings.folder, ".bmp"), NAME, "01/session_1/thermal_bmp/01S1BNA1.bmp"
    )
    return annotated_rows(walk, annotations, images, settings.nose, _cells)


def _cells(path: str, said: dict[str, str]) -> Cells:
    pair = f"{said['stem']}{said['light']}{said['shot']}"
    return {
        "subject_id": said["subject"],
        "session": said["session"],
        "condition": LIGHTS[said["light"]],
        "modality": MODALITIES[said["folder"]],
        "pair_id": pair,
    }


def read(settings: Settings, sources: Sequence[Path]) -> Found:
    """Read the manifest that was made of the rows."""
    return tree.read_made(settings, sources)
