"""What the datasets of ISSAI's SpeakingFaces recordings share: names of images, people, cameras.

``SUB_TRIAL_1_POSITION_FRAME_STREAM`` of the silent session, and
``SUB_TRIAL_2_POSITION_COMMAND_FRAME_STREAM`` of the spoken one; streams: 1 thermal, 2 visible, 3
visible and aligned to the thermal one. Frames of one position are one film, and so are one moment.

Source: README files and scripts of the repositories IS2AI/SpeakingFaces, IS2AI/TFW and
IS2AI/thermal-facial-landmarks-detection. Not shown by them: how many
days lie between the two trials.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from thermalign.ingest.lines import Cells
from thermalign.ingest.manifest import load
from thermalign.ingest.tree import Walk

NAME = (
    r"(?P<subject>\d+)_(?P<trial>\d)_(?P<session>\d)_(?P<position>\d)"
    r"(_(?P<command>\d+))?_(?P<frame>\d+)_(?P<stream>\d)"
)
PEOPLE = {
    "Sub_ID": "",
    "Split": "split",
    "Age": "age",
    "Gender": "gender",
    "Ethnicity": "ethnicity",
}
"""Columns of the table of people, and what they are called here."""


def cells_of(said: Mapping[str, str | None]) -> Cells:
    """Return the cells that a name tells of, without modality and path."""
    film = [said[key] for key in ("subject", "trial", "session", "position", "command")]
    return {
        "subject_id": str(said["subject"]),
        "session": str(said["trial"]),
        "condition": f"position {said['position']}",
        "moment": "_".join(part for part in film if part),
        "speaking": "yes" if said["session"] == "2" else "no",
    }


def pair_of(said: Mapping[str, str | None]) -> str:
    """Return what images of one instant share, whatever stream they are of."""
    keys = ("subject", "trial", "session", "position", "command", "frame")
    return "_".join(part for part in (said[key] for key in keys) if part)


def people_of(walk: Walk, place: str) -> dict[str, Cells]:
    """Return what a table of people tells, by person; nothing without one.

    Raises
    ------
    ValueError
        If the table is not there, or has other columns.
    """
    if not place:
        return {}
    file = walk.file(Path(walk.folder, place), "the table of people")
    table = load(file)
    for name in PEOPLE:
        if name not in table.header:
            raise ValueError(f"{file}: no column {name!r}; get the table of people again")
    rows = (dict(zip(table.header, cells, strict=True)) for _, cells in table.rows)
    return {row["Sub_ID"]: {ours: row[its] for its, ours in PEOPLE.items() if ours} for row in rows}


def pattern(folders: str) -> re.Pattern[str]:
    """Return the pattern of a path: folders, then a name."""
    return re.compile(rf"{folders}/{NAME}\.png")
