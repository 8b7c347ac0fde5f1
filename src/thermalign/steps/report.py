"""Gather what the study measured and write the report."""

from pathlib import Path
from typing import Any

import pandas as pd

from thermalign import tables
from thermalign.provenance import commit
from thermalign.report import inputs
from thermalign.report.faces import examples
from thermalign.report.gallery import pictures
from thermalign.report.page import render
from thermalign.report.setup import read_setup
from thermalign.report.study import DatasetCard, Study
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
    code: str,
) -> None:
    """Write the report, one self-contained HTML page.

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
    code : str
    """
    setup = read_setup(config)
    known = {n: tables.read(path, IMAGES) for n, path in zip(dataset, images, strict=True)}
    truth = {
        n: tables.read(path, ANNOTATIONS) for n, path in zip(dataset, annotations, strict=True)
    }
    where = {n: tables.read(path, BOXES) for n, path in zip(dataset, boxes, strict=True)}
    other = {n: tables.read(path, IMAGES) for n, path in zip(recorded, recordings, strict=True)}
    found = inputs.first_trainings(tables.read_many(predictions, PREDICTIONS), seeds)
    of_dataset = {n: found[found["protocol"].isin(setup.protocols_of(n))] for n in dataset}
    study = Study(
        title=inputs.TITLE,
        config=config,
        summary=tables.read(summary, SUMMARY),
        differences=tables.read(differences, DIFFERENCES),
        spread=tables.read(spread, SPREAD),
        seeds={training: (model, seed) for training, (model, seed) in seeds.items()},
        costs=inputs.costs(
            path.read_text(encoding="utf-8") for path in sorted(logs.rglob("*.log"))
        ),
        curves=tables.read_many(curves, CURVES),
        parameters=inputs.parameters(setup, map(tables.read_metadata, curves), seeds),
        examples=[
            example
            for n in dataset
            for example in examples(of_dataset[n], truth[n], known[n], where[n])
        ],
        dataset=pd.concat([inputs.counts(n, known[n]) for n in dataset], ignore_index=True),
        boxes=[inputs.box_sentence(n, setup.boxes[n], where[n]) for n in dataset],
        cards=[
            DatasetCard(
                name,
                tables.read(card, CARD),
                tables.read(likeness, LIKENESS),
                contact.read_bytes(),
                mark.read_bytes(),
            )
            for name, card, likeness, contact, mark in zip(
                dataset, cards, likenesses, contacts, marked, strict=True
            )
        ],
        pictures=pictures(setup, known | other, where),
        commit=commit(),
        versions=inputs.versions(code),
    )
    tables.replace_file(page, lambda path: path.write_text(render(study), encoding="utf-8"))
