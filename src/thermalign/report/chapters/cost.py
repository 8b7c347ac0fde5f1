"""What the study cost, and the size of its networks."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from thermalign.report.blocks import Body, Cell, Chapter, Paragraph, Row, Table
from thermalign.report.looks import Look
from thermalign.report.study import Study
from thermalign.report.words import MISSING, number, percent

BY_MODEL = ("train", "predict", "align", "score", "measure")
"""Rules with a job of each model, in their order."""


def chapter(study: Study) -> Chapter:
    """Show what every rule took, and how many parameters were trained."""
    return Chapter(
        "cost",
        "Cost and size",
        blocks=[
            cost_table(study.costs) or Paragraph("No costs were recorded.", tone="absent"),
            *([by_model] if (by_model := model_table(study.costs, study.looks)) else []),
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


def model_table(frame: pd.DataFrame, looks: dict[str, Look]) -> Table | None:
    """Lay out what each model took in core-seconds, by rule; None where no job is one of a model.

    Parameters
    ----------
    frame : DataFrame of COSTS
        rule, job, cpu; the last part of a job's name is the model, where it has one.
    looks : dict of model to Look
    """
    if frame.empty:
        return None
    named = frame.assign(model=frame["job"].str.rpartition("/")[2])
    mine = named[named["model"].isin(list(looks))]
    if mine.empty:
        return None
    spent = mine.groupby(["model", "rule"])["cpu"].sum()
    rules = [rule for rule in BY_MODEL if rule in set(mine["rule"])]
    rules += sorted({*mine["rule"]} - {*rules})
    rows = []
    for model in (model for model in looks if model in set(mine["model"])):
        figures = [float(spent.get((model, rule), float("nan"))) for rule in rules]
        whole = float(spent[model].sum())
        rows.append(
            Row(looks[model].label, [_any(f) for f in [*figures, whole]], look=looks[model])
        )
    return Table(
        caption="Core-seconds by model, over all protocols and folds",
        head="Model",
        columns=[*rules, "All"],
        bodies=[Body(rows)],
        notes=[
            "A dash: the model has no such job. Matchers, of which all models of a fold share one, "
            "are not among them."
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
