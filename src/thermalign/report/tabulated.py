"""Tables beside the page: each of its own as CSV, LaTeX and Parquet, and those it was made from."""

import io
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import pandas as pd

from thermalign.report.blocks import Cell, Chapter, Row, Table
from thermalign.report.claims.verdicts import claims, verdict
from thermalign.report.files import free, slug, subject
from thermalign.report.first import SIMULATED, First, about, first
from thermalign.report.latex import latex
from thermalign.report.setup import READINGS
from thermalign.report.study import Study
from thermalign.schemas.keys import SUBSET

FEW = 4
"""Abscissae of a metric that is no curve: a rate at a few operating points."""

PAGE = "page.json"
"""What the page says first, and its tables as it prints them: what ``thermalign show`` reads."""


@dataclass(frozen=True)
class Placed:
    """A table of the page, the chapter and part that show it, and its files' name without end."""

    table: Table
    chapter: Chapter
    part: str
    path: str


def tables(study: Study, chapters: Sequence[Chapter]) -> dict[str, str | bytes]:
    """Return every file of a table, by its path below ``report/tables``.

    Tidy tables, one row a figure, stand at the root as CSV and Parquet; those of the page stand by
    chapter and part, ``error/protocol-1/nmse-by-model-and-range``, as CSV, Parquet and LaTeX.
    """
    found: dict[str, str | bytes] = {}
    for name, frame in tidy(study).items():
        found |= {f"{name}.csv": as_csv(frame), f"{name}.parquet": as_parquet(frame)}
    every = placed(chapters)
    for its in every:
        frame = flat(its.table)
        found[f"{its.path}.csv"] = as_csv(frame)
        found[f"{its.path}.parquet"] = as_parquet(frame)
        found[f"{its.path}.tex"] = latex(its.table, its.path.replace("/", ":"))
    found[PAGE] = json.dumps(printed(study, every), ensure_ascii=False, indent=1)
    return found


def tidy(study: Study) -> dict[str, pd.DataFrame]:
    """Return the tables that one reads or plots on, by name.

    ``summary`` holds figures of the study itself, without curves and experiments; ``card``
    statistics without histograms.
    """
    cards = pd.concat([its.card for its in study.cards]) if study.cards else pd.DataFrame()
    if not cards.empty:
        cards = cards[~cards["statistic"].str.endswith("_histogram")]
    return {
        "summary": headline(study.summary),
        "differences": study.differences,
        "spread": study.spread,
        "card": cards,
        "training": study.curves,
        "costs": study.costs.sort_values(["rule", "job"]),
    }


def headline(summary: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of SUMMARY of the study itself, without curves.

    Parameters
    ----------
    summary : DataFrame of SUMMARY
    """
    own = summary[summary["experiment"] == ""]
    key = ["dataset", "protocol", "model", *SUBSET, "metric"]
    abscissae = own.groupby(key)["at"].transform("nunique")
    return own[abscissae <= FEW].drop(columns=["experiment", "setting", "level"])


def placed(chapters: Iterable[Chapter]) -> list[Placed]:
    """Return the tables of the page in its order, each with a path of its own."""
    found: dict[str, Placed] = {}
    for chapter in chapters:
        parts = [("", chapter.blocks), *((part.title, part.blocks) for part in chapter.parts)]
        for part, blocks in parts:
            for whole in (block for block in blocks if isinstance(block, Table)):
                table = in_words(whole)
                about = slug(subject(table.folded or table.caption))
                path = free(f"{slug(chapter.id)}/{slug(part or 'all')}/{about}", found)
                found[path] = Placed(table, chapter, part, path)
    return list(found.values())


def in_words(table: Table) -> Table:
    """Return a table without the columns in which nothing is written, such as bars alone."""
    rows = [row for body in table.bodies for row in body.rows]
    kept = [
        k
        for k in range(len(table.columns))
        if any(cell_at(row, k).text or cell_at(row, k).detail for row in rows)
    ]
    groups = [title for title, width in table.groups for _ in range(width)]
    grouped = [(title, len([*its])) for title, its in groupby(groups[k] for k in kept if groups)]
    bodies = [
        replace(b, rows=[replace(r, cells=[cell_at(r, k) for k in kept]) for r in b.rows])
        for b in table.bodies
    ]
    return replace(table, columns=[table.columns[k] for k in kept], bodies=bodies, groups=grouped)


def flat(table: Table) -> pd.DataFrame:
    """Return a table of the page with one row each of its rows.

    Returns
    -------
    DataFrame
        ``group``, where rows stand under titles; the header of the row; and for each column what
        the page prints, and the numbers behind it, unrounded: see :func:`figures_of`.
    """
    rows = [(body.title, row) for body in table.bodies for row in body.rows]
    columns: dict[str, Any] = {}
    if any(title for title, _ in rows):
        columns["group"] = [title for title, _ in rows]
    columns[table.head or "row"] = [row.head for _, row in rows]
    for k, title in enumerate(titles(table)):
        name = free(title, columns)
        columns |= figures_of([row.cells[k] for _, row in rows], name)
    return pd.DataFrame(columns)


def titles(table: Table) -> Iterator[str]:
    """Return what each column is called: its group and its title."""
    groups = [title for title, width in table.groups for _ in range(width)]
    for k, title in enumerate(table.columns):
        yield ", ".join(words for words in (groups[k] if groups else "", title) if words)


def cell_at(row: Row, column: int) -> Cell:
    """Return a cell of a row; an empty one where the row is shorter."""
    return row.cells[column] if column < len(row.cells) else Cell("")


def figures_of(cells: Sequence[Cell], name: str) -> dict[str, list[Any]]:
    """Return the columns that a column of cells becomes.

    Returns
    -------
    dict of str to list
        Its texts; where any has a number, ``value``, ``low``, ``high`` and ``source`` (the table
        and row it was read from) behind its name, NaN or empty where there is none; where any has
        a second line that is no interval, ``detail``.
    """
    found: dict[str, list[Any]] = {name: [cell.text for cell in cells]}
    values = [cell.value for cell in cells]
    if any(values):
        for end in ("value", "low", "high"):
            found[f"{name} {end}"] = [getattr(v, end) if v else math.nan for v in values]
        found[f"{name} source"] = [v.source if v else "" for v in values]
    below = ["" if v and v.bounded else cell.detail for v, cell in zip(values, cells, strict=True)]
    return found | ({f"{name} detail": below} if any(below) else {})


def as_csv(frame: pd.DataFrame) -> str:
    """Return a table as CSV; NaN is an empty field."""
    return frame.to_csv(index=False, float_format="%.6g")


def as_parquet(frame: pd.DataFrame) -> bytes:
    """Return a table as a Parquet file, numbers as they are."""
    file = io.BytesIO()
    frame.to_parquet(file, index=False)
    return file.getvalue()


def printed(study: Study, every: Sequence[Placed]) -> Mapping[str, Any]:
    """Return what the page says first, and its tables as it prints them, for the terminal."""
    found = claims(study)
    told = ("number", "text", "verdict", "why")
    return {
        "title": study.title,
        "commit": study.commit,
        "about": about(study),
        "warning": SIMULATED if study.setup.simulated else "",
        "first": [said_first(its) for its in first(study)],
        "verdict": verdict(found),
        "claims": [{name: getattr(claim, name) for name in told} for claim in found],
        "tables": [as_told(its) for its in every],
    }


def said_first(its: First) -> Mapping[str, Any]:
    """Return what the first screen says of a protocol under a reading."""
    numbers = [[n.label, f"{n.text} {n.ends}".strip(), n.note] for n in its.numbers]
    return {
        "label": its.label,
        "reading": READINGS.get(its.reading, its.reading),
        "answer": its.answer,
        "numbers": numbers,
    }


def as_told(its: Placed) -> Mapping[str, Any]:
    """Return a table as the page prints it: header, rows of text, what stands below each."""
    table = its.table
    bodies = [
        {"title": body.title, "rows": [row_told(row) for row in body.rows]} for body in table.bodies
    ]
    return {
        "path": its.path,
        "chapter": its.chapter.id,
        "part": its.part,
        "caption": table.caption,
        "head": table.head,
        "columns": list(table.columns),
        "groups": [list(group) for group in table.groups],
        "bodies": bodies,
        "notes": list(table.notes),
        "folded": bool(table.folded),
    }


def row_told(row: Row) -> Mapping[str, Any]:
    """Return a row: header, tone, colour of its model; text, detail and tone of each cell."""
    return {
        "head": row.head,
        "tone": row.tone,
        "colour": row.look.colour if row.look else "",
        "cells": [[cell.text, cell.detail, cell.tone] for cell in row.cells],
    }
