"""`snakemake --report` of a finished study: page, figures, tables and data, with captions."""

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from test_end_to_end import ROOT, run, study, tiny
from thermalign.report.page import CHAPTERS

CAPTIONS = ROOT / "workflow" / "report"
RULES = (ROOT / "workflow/rules/report.smk").read_text()

__all__ = ["study"]  # the fixture


def test_every_caption_that_a_rule_names_is_there_and_every_one_there_is_named():
    named = set(re.findall(r'caption="../report/(\w+\.rst)"', RULES))
    assert named | {"workflow.rst"} == {path.name for path in CAPTIONS.iterdir()}


def test_the_captions_of_figures_speak_of_chapters_that_there_are():
    chapters = {match for module in CHAPTERS for match in ids(module)}
    told = re.findall(r'^  "([\w-]+)":', (CAPTIONS / "figures.rst").read_text(), flags=re.M)
    assert told
    assert set(told) <= chapters


def ids(module):
    text = Path(module.__file__).read_text(encoding="utf-8")
    return re.findall(r'Chapter\(\s*"([\w-]+)"', text)


def embedded(page, name):
    """Return a dictionary that the page carries as JSON in its script."""
    start = re.search(rf'<script id="{name}">\s*var {name} = ', page).end()
    return json.JSONDecoder().raw_decode(page[start:])[0]


@pytest.mark.slow
def test_the_report_of_snakemake_has_our_categories_and_asks_the_network_for_nothing(study):
    status, printed = run(study, tiny(), "--report", "report.html")
    assert status == 0, printed
    page = (study / "report.html").read_text(encoding="utf-8")
    assert set(embedded(page, "categories")) == {"Report", "Figures", "Tables", "Data"}
    results = embedded(page, "results")
    figures = [path for path in results if path.endswith(".svg")]
    drawn = list((study / "results/report/figures").rglob("*.svg"))
    assert len(figures) == len(drawn) > 20
    for path, result in results.items():
        assert len(re.sub("<[^>]*>", "", result["caption"]).split()) > 10, path
        assert "snakemake.wildcards" not in result["caption"], path
    assert not re.findall(r'<(?:script|link|img|iframe)[^>]*(?:src|href)="https?:', page)
    assert "Nothing to be done" in run(study, tiny())[1]


@pytest.mark.slow
def test_the_report_of_snakemake_is_a_folder_in_an_archive_too(study):
    status, printed = run(study, tiny(), "--report", "report.zip")
    assert status == 0, printed
    names = zipfile.ZipFile(study / "report.zip").namelist()
    assert "report/report.html" in names
    assert sum(name.endswith(".csv") for name in names) == 6


@pytest.mark.slow
def test_what_snakemake_needs_for_a_report_comes_with_the_project():
    pygments = [sys.executable, "-c", "import pygments, snakemake.report.html_reporter"]
    assert subprocess.run(pygments, capture_output=True).returncode == 0
    assert '"pygments==' in (ROOT / "pyproject.toml").read_text()
