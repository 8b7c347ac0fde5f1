"""The document of every table: columns, key, who writes it and who reads it.

``python -m thermalign.schemas.document`` writes ``docs/tables.md`` from the schemas and from the
rules; a test holds it equal to them.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from thermalign.config.overlays import PROJECT
from thermalign.schemas import dataset, descriptions, matching, measures, predictions
from thermalign.schemas.keys import KEY, SUBSET

DOCUMENT = PROJECT / "docs" / "tables.md"

INTRODUCTION = """# Every table

Written by `make schema` from `src/thermalign/schemas/` and `workflow/rules/`; a test holds it
equal to them.

Tables are Parquet files, long and tidy. Type, unit and meaning stand in the metadata of each
field, too; settings, fingerprint of the code and git commit in the metadata of the file. **No
column holds nulls**: writing one is refused, as is a missing column, an extra one or another type.
**NaN** stands in columns of floating numbers alone: what is unknown or undefined. An empty text in
a key of figures stands for all of it. No two rows share a key. Paths are below the results' folder.

`thermalign metrics` prints figures of a finished study; `pandas.read_parquet` reads any table. The
table that `thermalign predict` writes is told in `docs/predict.md`.
"""

FIGURE = ("dataset", "protocol", "fold", "model", *SUBSET, "metric", "at")
POINT = ("protocol", "fold", "model", "image_id", "landmark")

TABLES: dict[str, tuple[Any, tuple[str, ...], str]] = {
    "IMAGES": (dataset.IMAGES, ("image_id",), "Every image of a dataset."),
    "ANNOTATIONS": (
        dataset.ANNOTATIONS,
        ("image_id", "landmark"),
        "Landmarks that people or the simulator gave. A landmark without annotation has no row.",
    ),
    "BOXES": (dataset.BOXES, ("image_id",), "The face box of every image."),
    "ATTRIBUTES": (
        dataset.ATTRIBUTES,
        ("image_id", "name"),
        "What is known of images or of the people in them; what is unknown has no row.",
    ),
    "FINDINGS": (
        descriptions.FINDINGS,
        ("check", "image_id", "other_id", "modality", "row", "reason"),
        "What is suspicious in a dataset, and what was left out of it.",
    ),
    "FOLDS": (
        dataset.FOLDS,
        ("protocol", "fold", "image_id", "flipped"),
        "Who trains, validates and tests; an image outside the fold has no row.",
    ),
    "PREDICTIONS": (
        predictions.PREDICTIONS,
        POINT,
        "Landmarks of test images, and how their errors are spread.",
    ),
    "STRESS": (
        predictions.STRESS,
        ("variant", *POINT),
        "The same under every variant of the test condition.",
    ),
    "DETECTIONS": (
        predictions.DETECTIONS,
        ("protocol", "fold", "model", "image_id", "rank"),
        "Faces found in whole images; an image without one has no row.",
    ),
    "CURVES": (
        predictions.CURVES,
        ("protocol", "fold", "model", "stage", "step"),
        "How a training went.",
    ),
    "FACES": (
        matching.FACES,
        ("protocol", "fold", "model", "image_id"),
        "Aligned faces; one that could not be aligned has no row.",
    ),
    "SCORES": (
        matching.SCORES,
        ("protocol", "fold", "model", "probe_id", "gallery_id", "same_moment"),
        "Every comparison of a probe with an enrolled subject.",
    ),
    "METRICS": (measures.METRICS, FIGURE, "Figures of one model on one fold."),
    "REPLICATES": (measures.REPLICATES, FIGURE, "The same figures of every bootstrap draw."),
    "SUMMARY": (measures.SUMMARY, KEY, "Figures over folds."),
    "DIFFERENCES": (
        measures.DIFFERENCES,
        ("dataset", "protocol", *SUBSET, "metric", "at", "model_a", "model_b"),
        "Paired differences of two models.",
    ),
    "SPREAD": (
        measures.SPREAD,
        ("protocol", "model"),
        "How far other training seeds and other test subjects move each NMSE.",
    ),
    "CARD": (
        descriptions.CARD,
        ("dataset", "modality", "range", "statistic", "at"),
        "What a dataset holds and how it spreads.",
    ),
    "LIKENESS": (
        descriptions.LIKENESS,
        ("dataset", "modality", "range", "statistic", "source"),
        "A dataset's faces beside those of a collection of real ones.",
    ),
    "COSTS": (
        descriptions.COSTS,
        ("rule", "job"),
        "What a job took: the last line of its log, as JSON.",
    ),
}
"""Schema, key and content of every table, in the order in which the study makes them."""

FILED = {"curve": "CURVES", "stress/predictions": "STRESS", "admitted": "FOLDS"}
"""Files, and outputs of rules, whose name is not that of their table."""


def document_text() -> str:
    """Return the document, in Markdown."""
    return "\n".join([INTRODUCTION, _contents(), *map(_section, TABLES)])


@cache
def written() -> dict[str, dict[str, str]]:
    """Return the files of every table below the results' folder, by the rule that writes them."""
    found: dict[str, dict[str, str]] = {table: {} for table in TABLES}
    for rule, _inputs, outputs in _rules():
        for path in re.findall(r'f?"([^"]+\.parquet)"', outputs):
            place = path.replace("{RESULTS}/", "").replace("{{", "{").replace("}}", "}")
            place = place.replace("{FOLDER}", "{protocol}/fold{fold}")
            found[table_of(place)][rule] = place
    found["COSTS"]["every rule"] = "logs/{rule}/*.log"
    return found


@cache
def read() -> dict[str, list[str]]:
    """Return the rules that read every table."""
    found: dict[str, list[str]] = {table: [] for table in TABLES}
    for rule, inputs, _outputs in _rules():
        paths = re.findall(r'([\w./{}]+)\.parquet"', inputs)
        paths += re.findall(r'\b(?:table|recordings|visited|aside)\("(\w+)"\)', inputs)
        paths += [
            f"{'stress/' if made == 'stress' else ''}{name}"
            for made, name in re.findall(r"rules\.(\w+)\.output\.(\w+)", inputs)
        ]
        tables = {table_of(path) for path in paths if _is_table(path)}
        for table in tables:
            found[table].append(rule)
    found["COSTS"].append("report")
    return found


def table_of(path: str) -> str:
    """Return the table that a file of the results holds.

    Raises
    ------
    ValueError
        If no table is called so.
    """
    if not _is_table(path):
        raise ValueError(f"{path}: no table of TABLES is filed there; add it, or its name to FILED")
    return _named(path)


def _is_table(path: str) -> bool:
    return _named(path) in TABLES


def _named(path: str) -> str:
    parts = path.removesuffix(".parquet").split("/")
    return FILED.get("/".join(parts[-2:])) or FILED.get(parts[-1]) or parts[-1].upper()


@cache
def _rules() -> list[tuple[str, str, str]]:
    """Return name, inputs and outputs of every rule, as they are written."""
    found = []
    for file in sorted((PROJECT / "workflow" / "rules").glob("*.smk")):
        text = file.read_text(encoding="utf-8")
        for name, body in re.findall(r"^rule (\w+):\n((?:    .*\n|\n)+)", text, flags=re.M):
            found.append((name, _directive(body, "input"), _directive(body, "output")))
    return found


def _directive(body: str, name: str) -> str:
    block = re.search(rf"^    {name}:\n((?:        .*\n)+)", body, flags=re.M)
    return block[1] if block else ""


def _contents() -> str:
    rows = (f"| [{name}](#{name.lower()}) | {its[2]} |" for name, its in TABLES.items())
    return "\n".join(["| table | what |", "|---|---|", *rows, ""])


def _section(name: str) -> str:
    schema, key, content = TABLES[name]
    return "\n".join([f"## {name}\n", f"{content}\n", *_places(name, key), "", *_columns(schema)])


def _places(name: str, key: tuple[str, ...]) -> Iterator[str]:
    yield f"- Key: {', '.join(f'`{column}`' for column in key)}"
    made = "; ".join(f"`{place}` by `{rule}`" for rule, place in written()[name].items())
    yield f"- Written: {made.replace('`every rule`', 'every rule')}"
    yield f"- Read by: {', '.join(f'`{rule}`' for rule in read()[name]) or 'no rule'}"


def _columns(schema: Any) -> Iterator[str]:
    yield "| column | type | unit | meaning |\n|---|---|---|---|"
    for field in schema:
        told = {key.decode(): value.decode() for key, value in field.metadata.items()}
        kind = str(field.type).replace("element: double not null", "double")
        cells = (f"`{field.name}`", kind, told["unit"], told["meaning"].replace("|", "\\|"))
        yield f"| {' | '.join(cells)} |"
    yield ""


def write() -> None:
    """Write the document."""
    DOCUMENT.write_text(document_text(), encoding="utf-8")


if __name__ == "__main__":
    write()
