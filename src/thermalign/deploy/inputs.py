"""What to predict: image files, folders of them, and manifests, one image after the other."""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from thermalign.geometry import Floats
from thermalign.images import DEFAULT_SCALES, to_physical
from thermalign.ingest import table
from thermalign.ingest.columns import BOX
from thermalign.ingest.layout import check_layout
from thermalign.ingest.pictures import read_picture
from thermalign.ingest.read_rows import GIVEN, Row, join

T = TypeVar("T")

SUFFIXES = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".pgm", ".ppm"}
"""Of the files of a folder that are taken for images."""

COLOURS = ("refuse", "luma")
IMAGES = 64  # of a batch
PIXELS = 16_000_000  # of a batch, unless one image has more
READERS = 2  # PNGs opened at once
LOOKED = 256  # rows of a manifest that show whether its boxes are what they should be


@dataclass(frozen=True)
class Source:
    """An image to look at, not yet opened.

    Attributes
    ----------
    name : str
        What the output calls it: the ``image_id`` of a manifest, or the path as it was given.
    path : Path
        Of the image file, as far as it is known.
    row : cells of its row of a manifest, or None
    settings : of that manifest
    where : str
        Manifest and row.
    """

    name: str
    path: Path
    row: dict[str, str] | None = None
    settings: table.Settings | None = None
    where: str = ""

    @property
    def has_box(self) -> bool:
        """Whether its row gives a face box."""
        return self.row is not None and any(self.row.get(name) for name in BOX)

    def without_box(self) -> "Source":
        """Return the same image without the face box that its row gives, right or wrong."""
        if self.row is None:
            return self
        return replace(self, row={k: v for k, v in self.row.items() if k not in BOX})


@dataclass(frozen=True)
class Picture:
    """An image that was opened.

    Attributes
    ----------
    source : Source
    values : (height, width) float32
        In physical units; empty where it could not be read.
    box : (1, 4) float64, pixels, (x, y, width, height), or None
        That the manifest gives.
    problem : str
        Why it could not be read, in one line.
    read : Row, or None
        What else its manifest says.
    """

    source: Source
    values: Floats
    box: Floats | None = None
    problem: str = ""
    read: Row | None = None


@dataclass(frozen=True)
class Reading:
    """How images are read that do not say it themselves.

    Attributes
    ----------
    modality : ``thermal`` or ``visible``
    thermal_colour : ``refuse``, or ``luma``: thermal images in colour are read as that
    """

    modality: str = "thermal"
    thermal_colour: str = "refuse"

    def __post_init__(self) -> None:
        """Refuse what is neither.

        Raises
        ------
        ValueError
            Naming the field and its choices.
        """
        choices = {"modality": table.MODALITIES, "thermal_colour": COLOURS}
        for name, its in choices.items():
            if getattr(self, name) not in its:
                raise ValueError(f"{name} is {getattr(self, name)!r}; use one of {', '.join(its)}")


def check_inputs(inputs: Sequence[Path]) -> None:
    """Refuse inputs that are not there, and states, which commands of version 0.1.0 began with.

    Raises
    ------
    ValueError
        Naming the input.
    """
    for given in inputs:
        if given.suffix.lower() == ".safetensors":
            raise ValueError(
                f"{given}: is a trained model; name it by --model, and the table to write by "
                "--out: thermalign predict faces.csv --model state.safetensors --out points.csv"
            )
        if not given.exists():
            raise ValueError(f"{given}: no such image, folder or manifest; correct the path")


def list_sources(inputs: Sequence[Path], reading: Reading) -> list[Source]:
    """List the images of files, folders (with those in them) and manifests, in order.

    Raises
    ------
    ValueError
        If there is no input or one is missing, a folder holds no image, a manifest is none, or two
        images have one name.
    """
    if not inputs:
        raise ValueError("there are no inputs; name images, folders of them or manifests")
    check_inputs(inputs)
    sources = [source for given in inputs for source in _list(given, reading)]
    name, times = Counter(source.name for source in sources).most_common(1)[0]
    if times > 1:
        raise ValueError(f"{name}: names {times} images; give each once, or an image_id of its own")
    return sources


def _list(given: Path, reading: Reading) -> Iterator[Source]:
    if given.is_dir():
        named = (path for path in given.rglob("*") if path.suffix.lower() in SUFFIXES)
        files = sorted(path for path in named if not path.is_dir())
        if not files:
            raise ValueError(
                f"{given}: holds no image; give a folder of {', '.join(sorted(SUFFIXES))} files"
            )
        yield from (Source(str(path), path) for path in files)
    elif given.suffix.lower() in SUFFIXES:
        yield Source(str(given), given)
    else:
        yield from _rows(given, reading)


def _rows(manifest: Path, reading: Reading) -> Iterator[Source]:
    usual = {"modality": reading.modality}
    settings = table.Settings(
        manifest.parent,
        Path(manifest.name),
        defaults=usual,
        thermal_colour=reading.thermal_colour,
    )
    for line, row in table.list_rows(settings)[0]:
        path = manifest.parent / row["path"]
        yield Source(table.name_of(row), path, row, settings, f"{manifest} row {line}")


def batches(sources: Iterable[Source], reading: Reading) -> Iterator[list[Picture]]:
    """Open images in order, as many at a time as fit a bounded memory.

    One that cannot be read is there with its ``problem``.
    """
    batch: list[Picture] = []
    for picture in _opened(sources, partial(_open, reading=reading)):
        held = sum(other.values.size for other in batch)
        if batch and (len(batch) == IMAGES or held + picture.values.size > PIXELS):
            yield batch
            batch = []
        batch.append(picture)
    if batch:
        yield batch


def _opened(sources: Iterable[Source], look: Callable[[Source], T]) -> Iterator[T]:
    """Yield what opening each source gives, in order; PNGs a few at once, others each alone.

    What decoders of other formats say on standard error while they go on is caught and read
    (:func:`thermalign.ingest.pictures.read_picture`), whoever says it: so nothing else, no PNG's
    decoder and no progress bar, works meanwhile. A PNG's decoder stops at an error; what it may
    print of one goes where standard error goes.
    """
    with ThreadPoolExecutor(READERS) as pool:
        ahead: deque[Future[T]] = deque()
        for source in sources:
            if _is_png(source.path):
                ahead.append(pool.submit(look, source))
                if len(ahead) > READERS:
                    yield ahead.popleft().result()
            else:
                while ahead:
                    yield ahead.popleft().result()
                yield look(source)
        while ahead:
            yield ahead.popleft().result()


def _is_png(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(4) == b"\x89PNG"
    except OSError:
        return False


def _open(source: Source, reading: Reading) -> Picture:
    try:
        if source.row is None or source.settings is None:
            colour = reading.thermal_colour == "luma"
            picture = read_picture(source.path, reading.modality, colour=colour)
            scale = {"scale": DEFAULT_SCALES[picture.depth], "offset": 0.0}
            return Picture(source, to_physical(picture.counts, scale))
        row, counts = table.read_row(source.row, source.settings, source.where)
    except ValueError as error:
        return Picture(source, np.empty((0, 0), np.float32), problem=str(error))
    boxes = [[its[name] for name in GIVEN[1:]] for its in row.boxes]
    values = to_physical(counts, row.image)
    return Picture(source, values, np.array(boxes) if boxes else None, read=row)


def check_manifests(sources: Iterable[Source]) -> None:
    """Refuse boxes that, taken over a whole manifest, are not what they should be.

    Of a manifest at most ``LOOKED`` rows with a box are opened, evenly spread; one that cannot be
    read is left out.

    Raises
    ------
    ValueError
        As :func:`thermalign.ingest.layout.check_layout` does.
    """
    by_file: dict[str, list[Source]] = {}
    for source in sources:
        if source.has_box:
            by_file.setdefault(source.where.rpartition(" row ")[0], []).append(source)
    for file, its in by_file.items():
        step = -(-len(its) // LOOKED)
        rows = [row for row in _opened(its[::step], _told) if row is not None]
        if rows:
            check_layout(join(rows), file)


def _told(source: Source) -> Row | None:
    """Return what a manifest says of an image, or None if that or the image cannot be read."""
    if source.row is None or source.settings is None:
        return None
    try:
        return table.read_row(source.row, source.settings, source.where)[0]
    except ValueError:
        return None
