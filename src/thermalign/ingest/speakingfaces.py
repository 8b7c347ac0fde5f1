"""SpeakingFaces: films of 142 people, thermal and visible, from nine sides; no landmarks, no boxes.

Layout: ``sub_N/trial_T/{thr_image,rgb_image,rgb_image_aligned}/N_T_1_POSITION_FRAME_STREAM.png`` of
the silent session, ``{thr_image_cmd,rgb_image_cmd}/N_T_2_POSITION_COMMAND_FRAME_STREAM.png`` of the
spoken one.

Source: README and scripts of the repository IS2AI/SpeakingFaces. Not shown by them: where aligned
visible images of the spoken session lie, and whether the thermal ones are grey.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from thermalign.ingest import tree
from thermalign.ingest.found import Found
from thermalign.ingest.is2ai import cells_of, pair_of, pattern, people_of
from thermalign.ingest.tree import Mark, Tree, Walk
from thermalign.settings import setting

POINTS = {
    name: Mark((), "not marked")
    for name in ("right_eye", "left_eye", "nose_base", "right_mouth_corner", "left_mouth_corner")
}
STREAMS = {"thermal": "1", "raw": "2", "aligned": "3"}
FOLDERS = {
    (1, "thermal"): "thr_image",
    (1, "raw"): "rgb_image",
    (1, "aligned"): "rgb_image_aligned",
    (2, "thermal"): "thr_image_cmd",
    (2, "raw"): "rgb_image_cmd",
}


@dataclass(frozen=True, kw_only=True)
class Settings(tree.Settings):
    """SpeakingFaces as it is handed out.

    Attributes
    ----------
    silent : bool
        The silent session, or else the spoken one.
    visible : str
        Visible images: ``aligned`` to the thermal ones, ``raw``, or ``none``.
    every : int
        One frame of so many of a film is read, from the first.
    people : str
        Table of people (metadata/subjects.csv), relative to ``folder``; empty is not read.
    """

    silent: bool = setting(True)
    visible: str = setting("aligned", choices=("aligned", "raw", "none"))
    every: int = setting(100, low=1, unit="frames")
    people: str = setting("")
    RELATIONS = (
        (
            "silent or visible != 'aligned'",
            "visible: no source showed where aligned images of the spoken session lie; give raw or "
            "none",
        ),
    )


def rows(settings: Settings) -> Tree:
    """Return the rows of a manifest."""
    walk = Walk(settings)
    people = people_of(walk, settings.people)
    session = 1 if settings.silent else 2
    kinds = ["thermal"] if settings.visible == "none" else ["thermal", settings.visible]
    places = {FOLDERS[session, kind]: kind for kind in kinds}
    trials = [path for path in sorted(walk.folder.glob("sub_*/trial_*")) if path.is_dir()]
    there = []
    for trial in trials:
        inner = trial.relative_to(walk.folder).as_posix()
        for name, kind in places.items():
            there += walk.files(walk.place(f"{inner}/{name}", f"{kind} images"), ".png")
    for path in {walk.folder, *(trial.parent for trial in trials)}:
        walk.sources[path] = None
    folders = rf"sub_(?P<sub>\d+)/trial_(?P<of>\d+)/(?P<place>{'|'.join(places)})"
    said = walk.named(there, pattern(folders), "sub_1/trial_1/thr_image/1_1_1_1_1_1.png")
    found = []
    for image, its in said.items():
        stream = STREAMS[places[its["place"]]]
        told = (its["subject"], its["trial"], its["session"], its["stream"])
        if told != (its["sub"], its["of"], str(session), stream):
            walk.misfit(image, 0, image, "is of another person, trial, session or stream")
        elif (int(its["frame"]) - 1) % settings.every == 0:
            modality = "thermal" if its["stream"] == "1" else "visible"
            cells = {"path": image, "modality": modality, "pair_id": pair_of(its)}
            found.append(cells | cells_of(its) | people.get(its["subject"], {}))
    return walk.done(found)


def read(settings: Settings, sources: Sequence[Path]) -> Found:
    """Read the manifest that was made of the rows."""
    return tree.read_made(settings, sources)
