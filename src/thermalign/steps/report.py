"""Gather what the study measured and write the report."""

from pathlib import Path
from typing import Any

from thermalign import tables
from thermalign.provenance import commit
from thermalign.report import files, inputs, tabulated
from thermalign.report.page import TITLE, render, write_chapters
from thermalign.report.pictures import pictures
from thermalign.report.study import Study
from thermalign.schemas.dataset import ANNOTATIONS, BOXES, IMAGES
from thermalign.schemas.descriptions import CARD, LIKENESS
from thermalign.schemas.measures import DIFFERENCES, SPREAD, SUMMARY
from thermalign.schemas.predictions import CURVES, PREDICTIONS


def run(
    *,
    dataset: list[str],
    images: list[Path],
    annotations: list[Path],
    boxes: list[Path],
    summary: Path,
    differences: Path,
    spread: Path,
    seeds: dict[str, Any],
    curves: list[Path],
    predictions: list[Path],
    cards: list[Path],
    likenesses: list[Path],
    contacts: list[Path],
    marked: list[Path],
    recorded: list[str],
    recordings: list[Path],
    logs: Path,
    config: dict[str, Any],
    page: Path,
    figures: Path,
    csv: Path,
    code: str,
) -> None:
    """Write the report, one self-contained HTML page, and its drawings and tables as files.

    Parameters
    ----------
    dataset : names of the datasets of protocols
    images, annotations, boxes : lists of Path of their tables, one each
    summary, differences : Path of the tables of ``compare``
    spread : Path of SPREAD
    seeds : model -> (name under ``models:``, training seed), where a model lists seeds
    curves, predictions : lists of Path of the tables
    cards, likenesses, contacts, marked : lists of Path of what ``describe`` wrote, one each
    recorded : names of the datasets of variants
    recordings : list of Path of their IMAGES
    logs : folder of the jobs' logs
    config : the whole configuration
    page : Path
    figures, csv : folders of the drawings as SVG, PDF and PNG, and of tables as CSV, LaTeX and
        Parquet
    code : str
    """
    setup = inputs.read_setup(config)
    known, truth, where = (
        {name: tables.read(path, schema) for name, path in zip(dataset, paths, strict=True)}
        for paths, schema in ((images, IMAGES), (annotations, ANNOTATIONS), (boxes, BOXES))
    )
    other = {n: tables.read(path, IMAGES) for n, path in zip(recorded, recordings, strict=True)}
    shown = inputs.shown_predictions(tables.Shelf(predictions, PREDICTIONS), seeds)
    study = Study(
        title=TITLE,
        config=config,
        setup=setup,
        summary=tables.read(summary, SUMMARY),
        differences=tables.read(differences, DIFFERENCES),
        spread=tables.read(spread, SPREAD),
        seeds={training: (model, seed) for training, (model, seed) in seeds.items()},
        costs=inputs.costs(path.read_text("utf-8") for path in sorted(logs.rglob("*.log"))),
        curves=tables.read_many(curves, CURVES),
        parameters=inputs.parameters(config["models"], map(tables.read_metadata, curves), seeds),
        examples=inputs.examples(setup, shown, truth, known, where),
        dataset=inputs.counts(known),
        boxes=[inputs.box_sentence(n, config["datasets"][n]["box"], where[n]) for n in dataset],
        cards=inputs.cards(
            dataset,
            (tables.read(path, CARD) for path in cards),
            (tables.read(path, LIKENESS) for path in likenesses),
            (path.read_bytes() for path in contacts),
            (path.read_bytes() for path in marked),
        ),
        pictures=pictures(setup, known | other, where),
        commit=commit(),
        versions=inputs.versions(code),
    )
    chapters = write_chapters(study)
    files.write_folder(figures, files.figures(chapters))
    files.write_folder(csv, tabulated.tables(study, chapters))
    text = render(study, chapters)
    tables.replace_file(page, lambda path: path.write_text(text, encoding="utf-8"))
