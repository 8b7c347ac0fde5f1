"""The pictures of README.md, drawn from a finished study: `make pictures`.

Usage: python docs/pictures.py [--results results] [--configfile config.yaml] [--out docs/pictures]

faces.png      test faces as each detector sees them
cost.png       equal error rate over landmark error, and each detector on it
terminal.svg   what `thermalign show` prints
report.png     the first screen of the report, where Chromium is; else the one that is there stays
"""

import argparse
import io
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from thermalign import tables
from thermalign.config.models import read_study
from thermalign.report import inputs, terminal
from thermalign.report.chapters.placement import placements
from thermalign.report.exhibits import Example
from thermalign.report.looks import Look, looks
from thermalign.report.views import View
from thermalign.schemas.dataset import ANNOTATIONS, BOXES, IMAGES
from thermalign.schemas.keys import ANNOTATED
from thermalign.schemas.measures import SUMMARY
from thermalign.schemas.predictions import PREDICTIONS

LARGEST = 400 * 1024
"""Bytes of all pictures together, at most."""

COLOURS = 64
"""Of a PNG picture: flat areas and grey faces need no more."""

LINES = 46
"""Of the terminal that are shown."""

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e4e2de",
}


def main() -> None:
    """Draw every picture and say how large it is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, default=Path("results"))
    parser.add_argument("--configfile", type=Path, default=Path("config.yaml"))
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "pictures")
    asked = parser.parse_args()
    config = read_study([asked.configfile], {})
    asked.out.mkdir(parents=True, exist_ok=True)
    protocol = next(iter(config["protocols"]))
    with mpl.rc_context(STYLE):
        save(faces(asked.results, config, protocol), asked.out / "faces.png")
        save(cost(asked.results, config, protocol), asked.out / "cost.png")
    show(asked.results, asked.out / "terminal.svg")
    photograph(asked.results / "report" / "index.html", asked.out / "report.png")
    sizes = {path.name: path.stat().st_size for path in sorted(asked.out.iterdir())}
    for name, size in sizes.items():
        print(f"{asked.out / name}: {size / 1024:.0f} KiB")
    if sum(sizes.values()) > LARGEST:
        raise SystemExit(f"{asked.out}: {sum(sizes.values())} bytes, more than {LARGEST}")


def faces(results: Path, config: dict[str, Any], protocol: str) -> Figure:
    """Draw one typical and one worst test face of each detector in the first fold.

    Rings are annotated points, crosses predicted ones; above stands the face's NMSE.
    """
    named = looks(config["models"])
    found = examples(results, config, protocol, list(named))
    kinds = ("typical", "worst")
    figure = Figure(figsize=(1.45 * len(named), 1.95 * len(kinds)), layout="constrained")
    grid = figure.subplots(len(kinds), len(named), squeeze=False)
    for row, kind in zip(grid, kinds, strict=True):
        for axes, (model, look) in zip(row, named.items(), strict=True):
            mine = [its for its in found if (its.model, its.kind) == (model, kind)]
            axes.axis("off")
            if mine:
                draw_face(axes, mine[0], look)
    return figure


def examples(
    results: Path, config: dict[str, Any], protocol: str, models: Sequence[str]
) -> list[Example]:
    """Return the faces that the report shows of a protocol."""
    name = config["protocols"][protocol]["dataset"]
    folder, fold = results / "data" / name, results / protocol / "fold0"
    images, annotations, boxes = (
        {name: tables.read(folder / f"{table}.parquet", schema)}
        for table, schema in (("images", IMAGES), ("annotations", ANNOTATIONS), ("boxes", BOXES))
    )
    paths = [fold / model / "predictions.parquet" for model in models]
    predictions = [tables.read(path, PREDICTIONS) for path in paths if path.exists()]
    return inputs.examples(inputs.read_setup(config), predictions, annotations, images, boxes)


def draw_face(axes: Axes, example: Example, look: Look) -> None:
    """Draw a face with its points, and what the detector is called."""
    low, high = np.percentile(example.pixels, (1, 99.5))
    axes.imshow(example.pixels, cmap="gray", vmin=low, vmax=high, interpolation="bilinear")
    height, width = example.pixels.shape
    edged = [withStroke(linewidth=3, foreground="#222222")]
    for points, how in (
        (example.annotated, {"marker": "o", "mfc": "none", "mec": "white", "ms": 7}),
        (example.predicted, {"marker": "x", "mec": look.colour, "ms": 4.5, "mew": 1.6}),
    ):
        if points is not None:
            axes.plot(*np.transpose(points), linestyle="none", path_effects=edged, **how)
    axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))
    told = f"{example.nmse:.3f}".removeprefix("0")
    axes.set_title(f"{look.label}\n{example.kind}: {told}", fontsize=8, color="#222222")


def cost(results: Path, config: dict[str, Any], protocol: str) -> Figure:
    """Draw the equal error rate over landmark error of displaced points, and detectors on it.

    Bars and the band are 95 % intervals of a bootstrap over subjects.
    """
    summary = tables.read(results / "compare" / "summary.parquet", SUMMARY)
    setup = inputs.read_setup(config)
    view = View(summary, setup.protocol(protocol), looks=looks([ANNOTATED, *config["models"]]))
    kind = setup.displacements.kinds[0]
    curve = view.response("eer", kind)
    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axes = figure.subplots()
    x = [nmse for nmse, _ in curve]
    axes.plot(x, [100 * its.value for _, its in curve], color="#222222", label="displaced points")
    low, high = ([100 * getattr(its, end) for _, its in curve] for end in ("low", "high"))
    axes.fill_between(x, low, high, color="#222222", alpha=0.12, linewidth=0)
    for model, its in placements(view, kind).items():
        look, (nmse, eer) = view.looks[model], (its.nmse, its.eer)
        axes.errorbar(
            nmse.value,
            100 * eer.value,
            xerr=[[nmse.value - nmse.low], [nmse.high - nmse.value]],
            yerr=[[100 * (eer.value - eer.low)], [100 * (eer.high - eer.value)]],
            fmt="o",
            color=look.colour,
            label=look.label,
        )
    axes.set(xlabel="NMSE, interocular distances", ylabel="equal error rate, %", ylim=(0, None))
    axes.set_xlim(0, 1.15 * max(its.nmse.high for its in placements(view, kind).values()))
    axes.legend(frameon=False, fontsize=8, ncols=2, loc="lower right")
    axes.set_title(f"{view.label}, {kind} displacement, nearest range", fontsize=9, loc="left")
    return figure


def save(figure: Figure, path: Path) -> None:
    """Write a drawing as a PNG of few colours."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=120, facecolor="white")
    pixels = cv2.imdecode(np.frombuffer(file.getvalue(), np.uint8), cv2.IMREAD_COLOR)
    write(pixels, path)


def write(pixels: np.ndarray, path: Path) -> None:
    """Write a picture (H, W, 3) uint8 as small as PNG gets it, in few levels of each channel."""
    step = 256 // COLOURS
    coarse = np.minimum((pixels.astype(np.uint16) + step // 2) // step * step, 255)
    encoded = cv2.imencode(".png", coarse.astype(np.uint8), [cv2.IMWRITE_PNG_COMPRESSION, 9])[1]
    tables.replace_file(path, lambda place: place.write_bytes(encoded.tobytes()))


def show(results: Path, path: Path) -> None:
    """Write what `thermalign show` prints first on a terminal of 100 columns."""
    how: dict[str, Any] = {"width": 100, "force_terminal": True, "color_system": "truecolor"}
    printed, drawn = Console(file=io.StringIO(), **how), Console(file=io.StringIO(), **how)
    terminal.show(results, console=printed)
    lines = printed.file.getvalue().splitlines()[:LINES]
    drawn.record = True
    drawn.print(Text.from_ansi("\n".join(lines)))
    text = drawn.export_svg(title="thermalign show", theme=MONOKAI, unique_id="show")
    text = re.sub(
        r"<!--.*?-->|@font-face \{.*?\}\n?", "", text, flags=re.S
    )  # asks the network for nothing
    tables.replace_file(path, lambda place: place.write_text(text, encoding="utf-8"))


def photograph(page: Path, path: Path) -> None:
    """Write the first screen of the report as a picture, if there is a Chromium."""
    browser = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if not browser:
        print(f"{path}: not drawn, there is no Chromium here")
        return
    with TemporaryDirectory() as folder:
        shot = Path(folder, "report.png")
        command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        command += [f"--user-data-dir={folder}/home", "--window-size=1280,860"]
        command += [f"--screenshot={shot}", page.absolute().as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        write(cv2.resize(cv2.imread(str(shot)), (960, 645), interpolation=cv2.INTER_AREA), path)


if __name__ == "__main__":
    main()
