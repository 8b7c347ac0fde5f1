"""Small studies of hand-written rows, for the tests of chapters."""

from dataclasses import replace
from typing import Any

import pandas as pd
from fake_study import Rows, configured, visible_only_study

from thermalign.report.blocks import Table
from thermalign.report.looks import looks
from thermalign.report.setup import Protocol
from thermalign.report.study import Study
from thermalign.report.views import View

MODELS = ("annotated", "dan", "mean_shape", "mtcnn", "pbc")


def view_of(rows: Rows, protocol: Protocol | str = "own", *, models: Any = MODELS) -> View:
    return View(rows.frame(), protocol, looks=looks(models))


def study_of(rows: Rows | pd.DataFrame, **changes: Any) -> Study:
    """A study that knows of nothing but rows of SUMMARY and what is given beside them."""
    summary = rows.frame() if isinstance(rows, Rows) else rows
    config = changes.pop("config", {})
    given = {"summary": summary, "boxes": [], "dataset": pd.DataFrame()} | changes
    return replace(configured(visible_only_study(), config), **given)


def texts(table: Table, body: int = 0) -> list[list[str]]:
    """Header and cells of every row of a body."""
    return [[row.head, *(cell.text for cell in row.cells)] for row in table.bodies[body].rows]


def cells(table: Table, body: int = 0, row: int = 0) -> list[str]:
    return texts(table, body)[row][1:]


def by_head(table: Table) -> dict[str, list[str]]:
    """Cells of the rows of all bodies by their header."""
    rows = [row for body in table.bodies for row in body.rows]
    return {row.head: [cell.text for cell in row.cells] for row in rows}


def titled(tables: Any, words: str) -> Table:
    """The table whose caption holds words."""
    return next(table for table in tables if words in table.caption)
