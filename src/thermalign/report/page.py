"""The report: one page that carries everything it shows."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from thermalign.report.cells import Table
from thermalign.report.faces import Album, Example, albums, images
from thermalign.report.figures import Panel, ced_panels, roc_panels, shown, training_panels
from thermalign.report.findings import SIMULATED, findings, uses_simulator
from thermalign.report.inventory import cost_table, dataset_table, parameter_table
from thermalign.report.names import Look, looks, protocol_label, slug
from thermalign.report.paper import CITATION
from thermalign.report.summary import Summary
from thermalign.report.tables import (
    detail_table,
    difference_tables,
    eer_table,
    nmse_table,
    operating_table,
)

__all__ = ["Example", "Study", "render"]


@dataclass(frozen=True)
class Study:
    """Everything the report shows; see :mod:`thermalign.tables` for the tables.

    Attributes
    ----------
    title : str
    config : dict
        The whole configuration.
    summary, differences, costs : DataFrame
        SUMMARY, DIFFERENCES, COSTS.
    curves : DataFrame
        CURVES: protocol, fold, model, stage, step, loss, validation_nmse.
    parameters : DataFrame
        model, detector, configured, paper: counts of trainable parameters.
    examples : list of Example
    notes : list of str
        What the study left out and why.
    dataset : DataFrame
        dataset, volume, range, condition, modality, subjects, images.
    boxes : list of str
        A sentence per dataset: which face box was used.
    commit : str
    versions : dict of str to str
    """

    title: str
    config: dict[str, Any]
    summary: pd.DataFrame
    differences: pd.DataFrame
    costs: pd.DataFrame
    curves: pd.DataFrame
    parameters: pd.DataFrame
    examples: list[Example]
    notes: list[str]
    dataset: pd.DataFrame
    boxes: list[str]
    commit: str
    versions: dict[str, str]


@dataclass(frozen=True)
class Chapter:
    """What the page shows of one protocol."""

    label: str
    anchor: str
    errors: list[Table]
    ced: list[Panel]
    ced_legend: list[Look]
    rates: list[Table]
    roc: list[Panel]
    differences: list[Table]
    albums: list[Album]
    training: list[Panel]


def render(study: Study) -> str:
    """Return the report as HTML: no script, no reference outside itself, same study same bytes.

    Parameters
    ----------
    study : Study

    Returns
    -------
    str
        A whole document.
    """
    folder = Path(__file__).parent
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    summary = Summary(study.summary)
    trained = {str(m) for m in study.curves["model"]} | {str(m) for m in study.parameters["model"]}
    drawn = looks({*summary.models, *trained, *(e.model for e in study.examples)})
    chapters = [
        _chapter(study, summary, protocol, drawn) for protocol in _protocols(study, summary)
    ]
    return environment.get_template("page.html.j2").render(
        study=study,
        style=(folder / "style.css").read_text(encoding="utf-8"),
        simulated=SIMULATED if uses_simulator(study.config) else "",
        findings=findings(summary, study.differences, drawn),
        chapters=chapters,
        images=images(study.examples),
        dataset=dataset_table(study.dataset),
        costs=cost_table(study.costs),
        parameters=parameter_table(study.parameters, drawn),
        citation=CITATION,
        config=yaml.safe_dump(study.config, sort_keys=False, allow_unicode=True, width=88),
    )


def _protocols(study: Study, summary: Summary) -> list[str]:
    """List the protocols as configured, then any the tables add."""
    measured = [*summary.protocols, *(str(p) for p in study.curves["protocol"])]
    present = dict.fromkeys([*measured, *(e.protocol for e in study.examples)])
    configured = [str(p) for p in study.config.get("protocols", {}) if str(p) in present]
    return list(dict.fromkeys([*configured, *present]))


def _chapter(study: Study, summary: Summary, protocol: str, drawn: dict[str, Look]) -> Chapter:
    errors = [nmse_table(summary, protocol, drawn), detail_table(summary, protocol, drawn)]
    rates = [eer_table(summary, protocol, drawn), operating_table(summary, protocol, drawn)]
    return Chapter(
        label=protocol_label(protocol),
        anchor=slug(protocol),
        errors=[table for table in errors if table],
        ced=ced_panels(summary, protocol, drawn),
        ced_legend=shown(drawn, summary.models_with(protocol, "ced")),
        rates=[table for table in rates if table],
        roc=roc_panels(summary, protocol, drawn),
        differences=difference_tables(study.differences, protocol, drawn),
        albums=albums(study.examples, protocol, drawn),
        training=training_panels(study.curves, protocol, drawn),
    )
