"""The report: one page that carries everything it shows."""

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from itertools import count

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from thermalign.report import overview
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
    matchers,
    operating,
    paper,
    placement,
    rates,
    spread,
    training,
    variants,
    verification,
)
from thermalign.report.chapters.verification import READING_COLUMNS
from thermalign.report.claims.verdicts import claims, verdict
from thermalign.report.first import SIMULATED, about, first
from thermalign.report.inline import inline, palettes, stroke, switches
from thermalign.report.looks import Look
from thermalign.report.questions import questions
from thermalign.report.study import Study

TITLE = "Landmark detectors on thermal faces, and what their error costs verification"

CHAPTERS = (
    paper,
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
    matchers,
    ablation,
    differences,
    faces,
    training,
    cost,
    findings,
)
"""Each has a function ``chapter(study)``; what asks for which stands in ``questions.ASKED``."""

SCRIPT = "script.js"
"""Values under the pointer and the keyboard: the page is whole without it."""


def write_chapters(study: Study) -> list[Chapter]:
    """Return the chapters that the study has something for."""
    chapters = [module.chapter(study) for module in CHAPTERS]
    return [chapter for chapter in chapters if chapter]


def render(study: Study, chapters: Sequence[Chapter] | None = None) -> str:
    """Return the report as HTML: no reference outside itself, same study same bytes.

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
    written = write_chapters(study) if chapters is None else chapters
    numbers = count()
    found, light_dark, told = claims(study), palettes(), about(study)
    readings = _readings(study)
    script = files("thermalign.report").joinpath(SCRIPT).read_text(encoding="utf-8")
    return environment.get_template("page.html.j2").render(
        study=study,
        first=first(study),
        pictures={v.protocol.name: overview.overview(study, v) for v in study.views},
        caption_of={v.protocol.name: overview.caption(study, v) for v in study.views},
        verdict=verdict(found),
        about=told,
        simulated=SIMULATED if study.setup.simulated else "",
        questions=questions(study, written, found, told),
        places={view.protocol.name: str(i) for i, view in enumerate(study.views)},
        models_shown=_models(study),
        readings=readings,
        palettes=light_dark,
        switches=switches(study.looks.values(), len(study.views), readings),
        inline=lambda svg: inline(svg, next(numbers)),
        stroke=stroke,
        images=faces.images(study.examples),
        citation=errors.CITATION,
        config=yaml.safe_dump(study.config, sort_keys=False, allow_unicode=True, width=88),
        script=Markup(script),
        allowed=Markup(_hash(script)),
    )


def _models(study: Study) -> list[Look]:
    """Return the look of every model, one for all its trainings."""
    shown = {look.key: look for look in reversed(study.looks.values())}
    return list(reversed(shown.values()))


def _readings(study: Study) -> dict[str, str]:
    """Return the names of the readings that one may choose between, the headline first."""
    both = [view.protocol.readings[:2] for view in study.views if view.other]
    found = dict.fromkeys(reading for readings in both for reading in readings)
    return {reading: READING_COLUMNS.get(reading, reading) for reading in found}


@cache
def _hash(script: str) -> str:
    """Return the hash by which the page's policy allows its own script and no other."""
    digest = hashlib.sha256(script.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
