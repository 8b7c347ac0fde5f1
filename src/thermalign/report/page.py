"""The report: one page that carries everything it shows."""

from collections.abc import Sequence

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined

from thermalign.report.blocks import Chapter
from thermalign.report.chapters import (
    ablation,
    across,
    confidence,
    cost,
    dataset,
    dataset_faces,
    differences,
    dose,
    errors,
    faces,
    findings,
    left_out,
    operating,
    placement,
    rates,
    spread,
    training,
    variants,
    verification,
)
from thermalign.report.study import Study

TITLE = "Landmark detectors on thermal faces, and what their error costs verification"

CHAPTERS = (
    findings,
    left_out,
    dataset,
    dataset_faces,
    errors,
    spread,
    variants,
    verification,
    rates,
    operating,
    confidence,
    dose,
    placement,
    across,
    ablation,
    differences,
    faces,
    training,
    cost,
)
"""In the order of the page; each has a function ``chapter(study)``."""


def write_chapters(study: Study) -> list[Chapter]:
    """Return the chapters that the study has something for, in the order of the page."""
    chapters = [module.chapter(study) for module in CHAPTERS]
    return [chapter for chapter in chapters if chapter]


def render(study: Study, chapters: Sequence[Chapter] | None = None) -> str:
    """Return the report as HTML: no script, no reference outside itself, same study same bytes.

    Parameters
    ----------
    study : Study
        The tables, pictures and texts to show.
    chapters : sequence of Chapter, optional
        As :func:`write_chapters` returns them, where they are at hand.

    Returns
    -------
    str
        A whole document.
    """
    environment = Environment(
        loader=PackageLoader("thermalign.report", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("page.html.j2").render(
        study=study,
        chapters=write_chapters(study) if chapters is None else chapters,
        images=faces.images(study.examples),
        citation=errors.CITATION,
        config=yaml.safe_dump(study.config, sort_keys=False, allow_unicode=True, width=88),
    )
