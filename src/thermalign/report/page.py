"""The report: one page that carries everything it shows."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from thermalign.report.cells import Table
from thermalign.report.chapters.ablation import ablation_chapter
from thermalign.report.chapters.cost import cost_table, parameter_table
from thermalign.report.chapters.dataset import DatasetCard, card_chapter, dataset_table
from thermalign.report.chapters.differences import difference_tables
from thermalign.report.chapters.dose import dose_chapter
from thermalign.report.chapters.errors import ced_panels, detail_table, nmse_table, summary_table
from thermalign.report.chapters.findings import SIMULATED, Sources, Told, findings, uses_simulator
from thermalign.report.chapters.people import (
    error_attributes,
    of_reading,
    rate_attributes,
    reading_table,
    readings_of,
    shared_words,
    verified,
)
from thermalign.report.chapters.rates import cmc_panels, counted, det_panels, roc_panels
from thermalign.report.chapters.spread import spread_chapter
from thermalign.report.chapters.training import price_panel, training_panels
from thermalign.report.chapters.variants import stress_chapter
from thermalign.report.chapters.verification import (
    eer_table,
    failed,
    failure_sentence,
    failure_tables,
    other_reading,
    rate_tables,
)
from thermalign.report.faces import Album, Example, albums, images
from thermalign.report.figures import Panel
from thermalign.report.gallery import Picture
from thermalign.report.names import Look, looks
from thermalign.report.paper import CITATION
from thermalign.report.summary import View, as_configured

__all__ = ["DatasetCard", "Example", "Picture", "Study", "render"]


@dataclass(frozen=True)
class Study:
    """Everything the report shows; see :mod:`thermalign.tables` for the tables.

    Attributes
    ----------
    title : str
    config : dict
        The whole configuration.
    summary, differences, spread, costs : DataFrame
        SUMMARY, DIFFERENCES, SPREAD, COSTS.
    seeds : dict of str to (str, int)
        Name under ``models:`` and training seed of every model that is one of several trainings.
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
    cards : list of DatasetCard
    pictures : list of Picture
        A face of each protocol under the variants.
    commit : str
    versions : dict of str to str
    """

    title: str
    config: dict[str, Any]
    summary: pd.DataFrame
    differences: pd.DataFrame
    spread: pd.DataFrame
    seeds: dict[str, tuple[str, int]]
    costs: pd.DataFrame
    curves: pd.DataFrame
    parameters: pd.DataFrame
    examples: list[Example]
    notes: list[str]
    dataset: pd.DataFrame
    boxes: list[str]
    cards: list[DatasetCard]
    pictures: list[Picture]
    commit: str
    versions: dict[str, str]


@dataclass(frozen=True)
class Chapter:
    """What the page shows of one protocol.

    Tables of ``rates`` stand before the curves, those of ``more_rates`` after them; ``det_found``
    are DET curves without failures, ``shared`` says which other protocols test the same people.
    """

    label: str
    errors: list[Table]
    ced: list[Panel]
    ced_legend: list[Look]
    rates: list[Table]
    failures: str
    roc: list[Panel]
    det: list[Panel]
    det_found: list[Panel]
    det_legend: list[Look]
    cmc: list[Panel]
    among: str
    comparisons: str
    probes: str
    more_rates: list[Table]
    differences: list[Table]
    shared: str
    albums: list[Album]
    training: list[Panel]


def render(study: Study) -> str:
    """Return the report as HTML: no script, no reference outside itself, same study same bytes.

    Parameters
    ----------
    study : Study
        The tables, pictures and texts to show.

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
    models = [*study.summary["model"], *study.curves["model"], *study.parameters["model"]]
    models += [*study.spread["model"]]
    drawn = looks((str(m) for m in [*models, *(e.model for e in study.examples)]), study.seeds)
    told = [_told(study, protocol, drawn) for protocol in _protocols(study)]
    every = [one.every for one in told]
    config = {**study.config, "models": _trainings(study)}
    stressed = [stress_chapter(view, config, study.pictures) for view in every]
    sources = Sources(_paired(study), study.spread, study.config, study.seeds)
    dosed = [dose_chapter(view, config, seeds=study.seeds) for view in every]
    ablated = [ablation_chapter(view, config) for view in every]
    return environment.get_template("page.html.j2").render(
        study=study,
        style=(folder / "style.css").read_text(encoding="utf-8"),
        simulated=SIMULATED if uses_simulator(study.config) else "",
        findings=findings(told, sources),
        chapters=[_chapter(study, one) for one in told],
        spread=spread_chapter(
            study.spread,
            as_configured(study.summary),
            study.config.get("protocols", {}),
            looks=drawn,
            seeds=study.seeds,
        ),
        stressed=[chapter for chapter in stressed if chapter],
        dosed=[chapter for chapter in dosed if chapter],
        ablated=[chapter for chapter in ablated if chapter],
        images=images(study.examples),
        dataset=dataset_table(study.dataset),
        cards=[card_chapter(card) for card in study.cards],
        costs=cost_table(study.costs),
        parameters=parameter_table(study.parameters, drawn),
        citation=CITATION,
        config=yaml.safe_dump(study.config, sort_keys=False, allow_unicode=True, width=88),
    )


def _protocols(study: Study) -> list[str]:
    """List the protocols that anything is known of: first as configured, then any others."""
    named = [*study.summary["protocol"], *study.curves["protocol"]]
    present = [str(p) for p in [*named, *(e.protocol for e in study.examples)]]
    configured = [str(p) for p in study.config.get("protocols", {}) if str(p) in present]
    return list(dict.fromkeys([*configured, *present]))


def _told(study: Study, protocol: str, drawn: dict[str, Look]) -> Told:
    """Return the views of a protocol: as configured, with all rows, and of the other reading."""
    readings = readings_of(study.config, protocol)
    plain, every = (
        View(frame, protocol, looks=drawn, readings=readings)
        for frame in (as_configured(study.summary), study.summary)
    )
    others = [
        View(of_reading(study.summary, name), protocol, looks=drawn, readings=(name,))
        for name in readings[1:]
    ]
    measured = [view for view in others if view.models("eer", "rank1")]
    return Told(plain, every, measured[0] if measured else None)


def _chapter(study: Study, told: Told) -> Chapter:
    view = told.plain
    errors = [nmse_table(view), detail_table(view), error_attributes(told.every)]
    both = [reading_table(view, told.other), other_reading(told.other)] if told.other else []
    rates = [eer_table(view), *failure_tables(view), *both]
    more = [*rate_tables(view), rate_attributes(told.every)]
    return Chapter(
        label=view.label,
        errors=[table for table in [*errors, summary_table(view)] if table],
        ced=ced_panels(view),
        ced_legend=[view.looks[m] for m in _models(study, view.models("ced"))],
        rates=[table for table in rates if table],
        failures=failure_sentence(view),
        roc=roc_panels(view),
        det=det_panels(view),
        det_found=det_panels(view, "roc_found") if failed(view) else [],
        det_legend=[view.looks[m] for m in _models(study, view.models("roc"))],
        cmc=cmc_panels(view),
        among=verified(view),
        comparisons=counted(view, "roc"),
        probes=counted(view, "cmc"),
        more_rates=[table for table in more if table],
        differences=difference_tables(_paired(study), view.protocol, looks=view.looks),
        shared=shared_words(told.every),
        albums=albums(study.examples, view.protocol, looks=view.looks),
        training=[
            *price_panel(study.curves, view.protocol, looks=view.looks),
            *training_panels(study.curves, view.protocol, looks=view.looks, seeds=study.seeds),
        ],
    )


def _trainings(study: Study) -> dict[str, Any]:
    """Return the block of every training: that of its model, where the model lists seeds."""
    blocks = study.config.get("models", {})
    return {**blocks, **{t: blocks.get(name, {}) for t, (name, _) in study.seeds.items()}}


def _models(study: Study, names: list[str]) -> list[str]:
    """Return the models of trainings, each once: all its seeds share one line."""
    return list(dict.fromkeys(study.seeds[m][0] if m in study.seeds else m for m in names))


def _paired(study: Study) -> pd.DataFrame:
    """Return the differences without those of two trainings with different seeds."""
    table = study.differences
    first, second = (
        table[side].map(lambda name: study.seeds[name][1] if name in study.seeds else None)
        for side in ("model_a", "model_b")
    )
    return table[first.isna() | second.isna() | (first == second)]
