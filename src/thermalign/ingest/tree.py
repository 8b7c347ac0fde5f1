"""Datasets that lie on disk as their publishers hand them out: a tree becomes a manifest.

The adapter of such a dataset is one file of ``ingest`` with

``Settings``
    Those below and its own: the keys of the dataset's block.
``POINTS``
    Of each landmark of the scheme, which of the dataset's points stand for it and what they mean.
``rows(settings)``
    A :class:`Tree`: the rows of a manifest as :mod:`thermalign.ingest.table` describes it, what is
    left out and why, and the files and folders that decided both. It opens no image.
``read(settings, sources)``
    As of every adapter; here it is :func:`read_made`.

Rule ``adapt`` and ``thermalign adapt`` write the rows down; ``ingest`` then reads and checks that
manifest and its images as it does anybody's. docs/adapters.md shows how to write one.
"""

import csv
import importlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from re import Pattern
from typing import Any, NamedTuple

from thermalign import tables
from thermalign.geometry import LANDMARKS
from thermalign.ingest import table
from thermalign.ingest.columns import BOX, OURS, Rows, rows_of
from thermalign.ingest.found import Found
from thermalign.ingest.lines import Cells, Lines, Records
from thermalign.ingest.manifest import Manifest
from thermalign.ingest.quarantine import Quarantined, read_quarantine, write_quarantine
from thermalign.ingest.read_rows import AllRead
from thermalign.settings import parse, setting

MISFITS = ("refuse", "leave_out")
"""What may be done with what does not fit: end with it, or leave it out by name."""
NOSES = ("none", "estimated")
"""What may stand for a nose base that nobody marked: no landmarks at all, or an estimate."""
NOSE_SHARE = 0.63
"""Of the way from the middle of the eyes to the middle of the mouth corners.

Source: it is .61 (standard deviation .06) on 20 recorded thermal faces of three kinds of camera and
.65 (.04) on 60 visible portraits of the Face Research Lab London Set, all marked by hand.
"""
DECIMALS = 4

Point = tuple[float, float]


class Mark(NamedTuple):
    """What stands for a landmark of the scheme.

    Attributes
    ----------
    points : tuple of str
        The dataset's own points, of which the mean is taken; none where it has no such point.
    meaning : str
        What they are, in words.
    """

    points: tuple[str, ...]
    meaning: str


class Tree(NamedTuple):
    """A dataset as its folders and annotation files tell of it.

    Attributes
    ----------
    rows : cells by column, a row an image
    left_out : records that take no part
    sources : files and folders that decided both; a changed one is noticed
    """

    rows: Records
    left_out: list[Quarantined]
    sources: list[Path]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Where a tree is, and how strictly it is read.

    What :class:`thermalign.ingest.table.Settings` has as well goes to the reader of the manifest.

    Attributes
    ----------
    folder : Path
        Root of the tree.
    misfits : str
        What becomes of names that do not parse, images without annotation and annotations without
        image: ``refuse`` the tree, or ``leave_out`` each by name.
    thermal_colour : str
        ``refuse`` thermal pictures in colour, or take their ``luma``.
    attributes : tuple of str
        Columns of the manifest that become attributes.
    quarantine : Path or None
        A CSV file, relative to ``folder``, of images that are left out: ``image`` (image_id or path
        of the manifest that is made) and ``reason``.
    leave_out : mapping of str to str
        The same without a file: image_id or path to reason.
    """

    folder: Path = setting()
    misfits: str = setting("refuse", choices=MISFITS)
    thermal_colour: str = setting("refuse", choices=("refuse", "luma"))
    attributes: tuple[str, ...] = setting(())
    quarantine: Path | None = setting(None)
    leave_out: Mapping[str, str] = setting({})


class Walk:
    """One walk through a tree, which notes what was looked at and what does not fit."""

    def __init__(self, settings: Settings) -> None:
        """Begin at the root.

        Raises
        ------
        ValueError
            If there is no such folder.
        """
        folder = settings.folder
        self.folder, self.misfits = folder, settings.misfits
        self.left_out: list[Quarantined] = []
        self.faults: list[str] = []
        self.sources: dict[Path, None] = {}
        if not folder.is_dir():
            raise ValueError(f"{folder}: no such folder; correct data: or the dataset's folder:")

    def place(self, name: str, holds: str) -> Path:
        """Return a folder of the tree.

        Raises
        ------
        ValueError
            If it is not there, saying what it ``holds``.
        """
        path = self.folder / name
        if not path.is_dir():
            raise ValueError(
                f"{path}: no such folder, which holds {holds}; complete the copy, or correct it"
            )
        return path

    def file(self, path: Path, holds: str) -> Path:
        """Return a file of the tree, noted as a source.

        Raises
        ------
        ValueError
            If it is not there.
        """
        if not path.is_file():
            raise ValueError(
                f"{path}: no such file, which holds {holds}; complete the copy, or correct it"
            )
        self.sources[path] = None
        return path

    def files(self, place: Path, *suffixes: str) -> list[str]:
        """Return the files below a folder, relative to the tree's root, in order of their names.

        Hidden files and folders are passed over; every folder is noted as a source.

        Raises
        ------
        ValueError
            If a folder cannot be read.
        """
        found = []
        for path, folders, names in os.walk(place, onerror=_unreadable, followlinks=True):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            self.sources[Path(path)] = None
            inner = Path(path).relative_to(self.folder)
            before = "" if inner == Path() else f"{inner.as_posix()}/"
            wanted = (n for n in names if n.lower().endswith(suffixes) and not n.startswith("."))
            found += [before + name for name in wanted]
        return sorted(found)

    def named(self, paths: Iterable[str], pattern: Pattern[str], like: str) -> dict[str, Any]:
        """Return what the names of images say, by path; a name that does not parse is a misfit.

        Parameters
        ----------
        paths : relative to the tree's root
        pattern : of the whole path
        like : str
            A name that parses, for the message.
        """
        found = {path: pattern.fullmatch(path) for path in paths}
        for path, match in found.items():
            if match is None:
                self.misfit(path, 0, path, f"its name does not parse as {like} does")
        return {path: match.groupdict() for path, match in found.items() if match}

    def matched(self, marked: Mapping[str, tuple[Path, int]], there: Iterable[str]) -> set[str]:
        """Return the images that are both annotated and there; the others are misfits.

        Parameters
        ----------
        marked : path of an image -> annotation file and row (0 for the whole file)
        there : paths of the images on disk
        """
        images = set(there)
        for path, (file, row) in marked.items():
            if path not in images:
                self.misfit(str(file), row, path, "is annotated, but there is no such image")
        for path in sorted(images - marked.keys()):
            self.misfit(path, 0, path, "has no annotation")
        return images & marked.keys()

    def leave_out(self, file: object, row: int, image: str, reason: str) -> None:
        """Note a record that takes no part."""
        self.left_out.append(Quarantined(str(file), row, image, reason))

    def misfit(self, file: object, row: int, image: str, reason: str) -> None:
        """Leave a record out where the settings say so; else the tree is refused for it."""
        self.leave_out(file, row, image, reason)
        if self.misfits == "refuse":
            where = self.left_out[-1].told()
            inner = not Path(str(file)).is_absolute() and not str(file).startswith(str(self.folder))
            self.faults.append(f"{self.folder}: {where}" if inner else where)

    def done(self, rows: Iterable[Cells]) -> Tree:
        """Return the tree.

        Parameters
        ----------
        rows : cells by column, one dictionary an image; many are given one by one
            What comes up while they are made is noted as what came up before.

        Raises
        ------
        ValueError
            If something does not fit that is not to be left out, or nothing is left.
        """
        kept = Records(rows)
        if self.faults:
            more = f" (and {len(self.faults) - 1} more)" if len(self.faults) > 1 else ""
            raise ValueError(
                f"{self.faults[0]}{more}; complete the copy, or set misfits: leave_out, which "
                "leaves such records out by name"
            )
        if not kept:
            raise ValueError(
                f"{self.folder}: holds no image of this dataset that fits; correct folder: or the "
                "settings that choose images"
            )
        return Tree(kept, self.left_out, list(self.sources))


def _unreadable(error: OSError) -> None:
    raise ValueError(f"{error.filename}: cannot be read ({error.strerror}); correct its rights")


def landmark_cells(points: Mapping[str, Point], *, nose: str = "marked") -> Cells:
    """Return the cells of landmarks.

    Parameters
    ----------
    points : landmark -> (x, y), pixels
    nose : str
        ``marked``: all landmarks are given. ``none``: without a nose base there are none.
        ``estimated``: it is put NOSE_SHARE of the way from the eyes to the mouth, and noted as
        hidden.
    """
    if nose == "none":
        return {}
    cells = {}
    if nose == "estimated":
        points = {**points, "nose_base": estimated_nose(points)}
        cells["nose_base_visible"] = "false"
    for name in LANDMARKS:
        cells |= {f"{name}_{axis}": plain(v) for axis, v in zip("xy", points[name], strict=True)}
    return cells


def estimated_nose(points: Mapping[str, Point]) -> Point:
    """Return where a nose base is to be expected, from the eyes and the mouth corners."""
    eyes = mean(points["right_eye"], points["left_eye"])
    mouth = mean(points["right_mouth_corner"], points["left_mouth_corner"])
    x, y = (e + NOSE_SHARE * (m - e) for e, m in zip(eyes, mouth, strict=True))
    return x, y


def mean(*points: Point) -> Point:
    """Return the mean of points."""
    xs, ys = zip(*points, strict=True)
    return sum(xs) / len(xs), sum(ys) / len(ys)


def box_cells(x: float, y: float, width: float, height: float) -> Cells:
    """Return the cells of a face box, pixels."""
    return dict(zip(BOX, map(plain, (x, y, width, height)), strict=True))


def plain(value: float) -> str:
    """Return a number as a manifest has it: as few decimals as it needs, at most DECIMALS."""
    return f"{value:.{DECIMALS}f}".rstrip("0").rstrip(".")


def list_tree(adapter: str, block: Mapping[str, Any], where: str) -> Tree:
    """Return what an adapter makes of a tree.

    Parameters
    ----------
    adapter : str
        Module of ``ingest`` with a ``rows``.
    block : mapping
        Its settings.
    where : str
        How messages call the block.

    Raises
    ------
    ValueError
        If the settings are wrong, or the adapter refuses the tree.
    """
    module = importlib.import_module(f"thermalign.ingest.{adapter}")
    made: Tree = module.rows(parse(module.Settings, block, where))
    return made


def rows_of_tree(tree: Tree, folder: Path, attributes: Sequence[str] = ()) -> Rows:
    """Return of every row its line and its cells by our names, as of a manifest that is written."""
    header = _header(tree)
    cells = (([row.get(name, "") for name in header]) for row in tree.rows)
    return rows_of(Manifest(folder, header, Lines(enumerate(cells, 2))), {}, {}, attributes)


def write_tree(tree: Tree, manifest: Path, left_out: Path) -> None:
    """Write a tree's rows as a manifest, and what takes no part beside it."""

    def fill(path: Path) -> None:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, _header(tree), restval="", lineterminator="\n")
            writer.writeheader()
            writer.writerows(tree.rows)
        write_quarantine(left_out, tree.left_out)  # nothing is left behind by a full disk

    tables.replace_file(manifest, fill)


def _header(tree: Tree) -> list[str]:
    known = tree.rows.columns
    return [*(name for name in OURS if name in known), *(n for n in known if n not in OURS)]


def read_made(settings: Settings, sources: Sequence[Path]) -> Found:
    """Read the manifest that was made of a tree, and what was left out of it.

    Parameters
    ----------
    settings : Settings
    sources : the manifest and the table of what was left out, as :func:`write_tree` wrote them

    Raises
    ------
    ValueError
        As :func:`thermalign.ingest.table.read` does.
    """
    manifest, left_out = sources
    found = table.read(_of_manifest(settings, manifest))
    return found._replace(quarantined=(*read_quarantine(left_out), *found.quarantined))


def read_all(settings: Settings, tree: Tree, manifest: Path) -> AllRead:
    """Read a tree's rows and every image of them, and note what is wrong instead of raising it.

    Parameters
    ----------
    settings : Settings
    tree : Tree
    manifest : Path
        That is made of it, or would be: what messages count rows of.

    Raises
    ------
    ValueError
        As :func:`thermalign.ingest.table.read_all` does.
    """
    like = _of_manifest(settings, manifest)
    rows, left = table.without_chosen(rows_of_tree(tree, settings.folder, like.attributes), like)
    read = table.read_listed(rows, like, left=left, go_on=True)
    return read._replace(found=read.found._replace(quarantined=(*tree.left_out, *left)))


def _of_manifest(settings: Settings, manifest: Path) -> table.Settings:
    """Return how the manifest of a tree is read."""
    names = {its.name for its in fields(table.Settings)} & {its.name for its in fields(Settings)}
    shared = {name: getattr(settings, name) for name in names}
    return table.Settings(manifest=manifest.absolute(), **shared)
