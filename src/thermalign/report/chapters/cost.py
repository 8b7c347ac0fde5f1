"""What the study cost, and the size of its networks."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from thermalign.report.blocks import Body, Cell, Chapter, Paragraph, Row, Table
from thermalign.report.looks import Look
from thermalign.report.study import Study
from thermalign.report.words import MISSING, number, percent


def chapter(study: Study) -> Chapter:
    """Show what every rule took, and how many parameters were trained."""
    return Chapter(
        "cost",
        "Cost and size",
        blocks=[
            cost_table(study.costs) or Paragraph("No costs were recorded.", tone="absent"),
            parameter_table(study.parameters, study.looks)
            or Paragraph("No parameter counts were given.", tone="absent"),
        ],
    )


def cost_table(frame: pd.DataFrame) -> Table | None:
    """Lay out what each rule took, most processor time first; None without rows.

    Parameters
    ----------
    frame : DataFrame of COSTS
        rule, wall, cpu, start_up, memory, device, precision.
    """
    if frame.empty:
        return None
    grouped = frame.groupby("rule", sort=True)
    rules = [(str(rule), jobs) for rule, jobs in grouped]
    rules.sort(key=lambda item: (-float(item[1]["cpu"].sum()), item[0]))
    rows = [Row(rule, _cost_cells(jobs)) for rule, jobs in rules]
    rows.append(Row("All rules", _cost_cells(frame), tone="total"))
    return Table(
        caption="What the study cost, by rule",
        head="Rule",
        columns=["Jobs", "Core-seconds", "Wall, s", "Start-up", "Peak memory, MiB", "Device"],
        bodies=[Body(rows)],
        notes=[
            "Core-seconds and wall time are sums over jobs (which may have run side by side), "
            "memory is that of the largest job, start-up the share of wall time before a step "
            "itself began."
        ],
    )


def parameter_table(frame: pd.DataFrame, looks: dict[str, Look]) -> Table | None:
    """Lay out the parameter counts beside the ones the paper prints; None without rows.

    Parameters
    ----------
    frame : DataFrame
        model, detector, configured, paper; 0 of the paper is none, a dash.
    looks : dict of model to Look
    """
    if frame.empty:
        return None
    columns = ["model", "detector", "configured", "paper"]
    rows = []
    for model, *figures, printed in frame[columns].itertuples(index=False, name=None):
        look = looks.get(str(model))
        figures.append(printed or float("nan"))
        rows.append(Row(look.label if look else str(model), [_any(f) for f in figures], look=look))
    return Table(
        caption="Trainable parameters",
        head="Model",
        columns=["Detector", "As configured", "In the paper"],
        bodies=[Body(rows)],
    )


def _cost_cells(jobs: pd.DataFrame) -> list[Cell]:
    wall = float(jobs["wall"].sum())
    share = float(jobs["start_up"].sum()) / wall if wall > 0 else float("nan")
    devices: Sequence[str] = sorted(
        {
            f"{device} ({precision})" if precision else str(device)
            for device, precision in zip(jobs["device"], jobs["precision"], strict=True)
        }
    )
    return [
        Cell(number(len(jobs))),
        Cell(number(float(jobs["cpu"].sum()))),
        Cell(number(wall)),
        Cell(percent(share, digits=0)),
        Cell(number(float(jobs["memory"].max()))),
        Cell(", ".join(devices), tone="words"),
    ]


def _any(figure: Any) -> Cell:
    if isinstance(figure, str):
        return Cell(figure, tone="words")
    text = number(float(figure))
    return Cell(text, tone="missing" if text == MISSING else "")
