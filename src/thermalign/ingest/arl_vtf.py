"""ARL-VTF: more than 500,000 thermal and visible images of 395 people, with boxes and landmarks.

Layout: ``metadata.csv`` with the columns camera, condition, eyewear, subid, filepath, top_leftX,
top_leftY, bottom_rightX, bottom_rightY and those of landmarks; images lie in ``images/`` at
``filepath``, which is ``{dev|test}/SUBID/.../CAMERA_REST.png``. The thermal camera is FLIR_USB, a
visible one BAS_RGB2; images of one folder whose names are alike behind the camera's were taken
together.

Source: ``data/aligned_arl_dataset.py`` and ``face_verf_arl.ipynb`` of the repository
sam575/axial-gan; for counts, the abstract of Poster et al., WACV 2021. Not shown by them: the names
of the columns of landmarks (``landmarks:`` tells them), what the landmarks mean, how sessions are
told. Splits by row numbers (``splits/test/*.txt``) are not read.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from thermalign.geometry import LANDMARKS
from thermalign.ingest import tree
from thermalign.ingest.cells import number
from thermalign.ingest.columns import POINTS as CELLS
from thermalign.ingest.found import Found
from thermalign.ingest.lines import Cells
from thermalign.ingest.manifest import Manifest, load
from thermalign.ingest.tree import Mark, Tree, Walk, box_cells, plain
from thermalign.settings import setting

POINTS = {name: Mark((), "not shown by any source: landmarks: names it") for name in LANDMARKS}
CORNERS = ("top_leftX", "top_leftY", "bottom_rightX", "bottom_rightY")
COLUMNS = ("camera", "condition", "eyewear", "subid", "filepath", *CORNERS)
EXPLAINED = {*COLUMNS, "timestamp"}


@dataclass(frozen=True, kw_only=True)
class Settings(tree.Settings):
    """ARL-VTF as its users hold it.

    Attributes
    ----------
    landmarks : mapping of str to str
        Column of metadata.csv by ours: ``{right_eye_x: ..., right_eye_y: ..., ...}``, all ten.
    points : str
        ``named`` by ``landmarks``, or ``none``: images have a box alone.
    images : str
        Folder that ``filepath`` is relative to, relative to ``folder``.
    thermal, visible : str
        Cameras whose images are read.
    poses : bool
        Read images that are marked as poses as well, whose faces are turned.
    """

    landmarks: Mapping[str, str] = setting({})
    points: str = setting("named", choices=("named", "none"))
    images: str = setting("images")
    thermal: str = setting("FLIR_USB")
    visible: str = setting("BAS_RGB2")
    poses: bool = setting(False)


def rows(settings: Settings) -> Tree:
    """Return the rows of a manifest."""
    walk = Walk(settings)
    file = walk.file(settings.folder / "metadata.csv", "one row an image")
    table = load(file)
    _check_columns(file, table.header, settings)
    cameras = {settings.thermal: "thermal", settings.visible: "visible"}
    places: dict[str, int] = {}
    for at, (row, cells) in enumerate(table.rows):
        its = dict(zip(table.header, cells, strict=True))
        image = (PurePosixPath(settings.images) / its["filepath"]).as_posix()
        if its["camera"] not in cameras or ("pose" in its["filepath"] and not settings.poses):
            continue
        if image in places:
            walk.misfit(file, row, image, "is listed twice")
            continue
        places[image] = at
    place = walk.place(settings.images, "the images")
    there = (p for p in walk.files(place, ".png") if _is_meant(p, cameras, poses=settings.poses))
    marked = {image: (file, table.rows.numbers[at]) for image, at in places.items()}
    kept = {image: places[image] for image in sorted(walk.matched(marked, there))}
    del marked, places
    return walk.done(_rows(walk, table, kept, settings))


def _check_columns(file: Path, header: Sequence[str], settings: Settings) -> None:
    for name in COLUMNS:
        if name not in header:
            raise ValueError(f"{file}: no column {name!r}; get the table again")
    if settings.points == "none":
        return
    others = ", ".join(name for name in header if name not in EXPLAINED) or "none"
    for ours in CELLS:
        if ours not in settings.landmarks:
            raise ValueError(
                f"{file}: which column is {ours} is told by no source; name all ten under "
                f"landmarks: (columns that it may be: {others}), or set points: none"
            )
    for ours, theirs in settings.landmarks.items():
        if ours not in CELLS or theirs not in header:
            what = f"no landmark {ours!r}" if ours not in CELLS else f"no column {theirs!r}"
            raise ValueError(f"{file}: {what}, which landmarks: names; correct it")


def _is_meant(path: str, cameras: Mapping[str, str], *, poses: bool) -> bool:
    """Return whether an image on disk is of a camera that is read."""
    name = PurePosixPath(path).name
    return any(name.startswith(f"{camera}_") for camera in cameras) and (
        poses or "pose" not in path
    )


def _rows(
    walk: Walk, table: Manifest, kept: Mapping[str, int], settings: Settings
) -> Iterator[Cells]:
    """Yield the rows of images whose places in the table are known."""
    file, camera = table.file, table.header.index("camera")
    seen: dict[str, set[str]] = {settings.thermal: set(), settings.visible: set()}
    for path, at in kept.items():
        its_camera = table.rows[at][1][camera]
        seen[its_camera].add(_pair(path, its_camera))
    both = set.intersection(*seen.values()) if len(seen) > 1 else set()
    del seen
    for path, at in kept.items():
        row, cells = table.rows[at]
        its = dict(zip(table.header, cells, strict=True))
        pair, where = _pair(path, its["camera"]), f"{file} row {row} (image {path})"
        names = settings.landmarks.items() if settings.points == "named" else ()
        told = {ours: its[theirs] for ours, theirs in names}
        empty = [ours for ours, cell in told.items() if not cell]
        if empty and len(empty) < len(told):
            walk.leave_out(file, row, path, f"{empty[0]} is not marked")
            continue
        points = {} if empty else {n: plain(number(c, n, where)) for n, c in told.items()}
        is_thermal = its["camera"] == settings.thermal
        yield (
            {
                "path": path,
                "subject_id": its["subid"],
                "condition": its["condition"],
                "modality": "thermal" if is_thermal else "visible",
                "pair_id": pair if pair in both else "",
                "moment": pair,
                "eyewear": its["eyewear"],
                "split": its["filepath"].split("/")[0],
                "record": f"{file.name} row {row}",
            }
            | points
            | _box(its, where)
        )


def _pair(path: str, camera: str) -> str:
    place = PurePosixPath(path)
    return (place.parent / place.stem.removeprefix(f"{camera}_")).as_posix()


def _box(its: Cells, where: str) -> Cells:
    if not any(its[name] for name in CORNERS):
        return {}
    left, top, right, bottom = (number(its[name], name, where) for name in CORNERS)
    return box_cells(left, top, right - left, bottom - top)


def read(settings: Settings, sources: Sequence[Path]) -> Found:
    """Read the manifest that was made of the rows."""
    return tree.read_made(settings, sources)
