"""The jobs that a plan counts, held to what Snakemake would start."""

import re
from collections import Counter

import pytest

from thermalign.config.models import read_study
from thermalign.plan.jobs import UNITS, jobs_of
from workflow_rules import ROOT, RULES, snakemake

OVERLAY = """
base: config.yaml
results: elsewhere
models:
  mean_shape: {seeds: [1, 2]}
  finder: {}
variants: {shift_20: {shift: 0.2}, found: {detector: finder}}
sweep: {pls: {mapping: none}}
detector:
  landmarks: {protocol: p1, model: heatmap}
  finder: {protocol: p1, model: finder}
"""


@pytest.fixture
def study(tmp_path):
    file = tmp_path / "study.yaml"
    file.write_text(OVERLAY)
    return file


def test_every_rule_has_a_unit_of_work():
    assert set(UNITS) == set(RULES) - {"all"}


def test_jobs_are_those_that_snakemake_would_start(study):
    done = snakemake(ROOT, "-n", "--directory", str(study.parent), "--configfile", str(study))
    assert done.returncode == 0, done.stdout + done.stderr
    stats = done.stdout.partition("Job stats:")[2].partition("total")[0]
    counted = {rule: int(count) for rule, count in re.findall(r"^(\w+) +(\d+)$", stats, re.M)}
    del counted["all"]
    assert Counter(job.rule for job in jobs_of(read_study([study], {}))) == counted
