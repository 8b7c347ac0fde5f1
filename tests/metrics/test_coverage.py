"""Intervals on simulated scores whose truth is known: smaller runs of `benchmarks/coverage*.py`."""

import importlib.util
import sys
from pathlib import Path

import pytest


def load(name):
    path = Path(__file__).parents[2] / f"benchmarks/{name}.py"
    spec = importlib.util.spec_from_file_location(f"{name}_benchmark", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look themselves up there
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def benchmark():
    return load("coverage")


@pytest.mark.slow
@pytest.mark.parametrize("folds", [1, 4])
def test_intervals_of_few_people_hold_the_truth_about_as_often_as_they_say(benchmark, folds):
    study = benchmark.Study(subjects=40, tested=20, folds=folds, images=3)
    found = benchmark.coverage(study, repetitions=200, draws=200)
    assert 0.90 <= found["eer"]["covered"] <= 0.98
    # 200 repetitions of 95 % have a standard deviation of 1.5 points
    for name in ("rank1", "nmse", benchmark.UNEVEN):
        assert 0.90 <= found[name]["covered"] <= 0.99, name


@pytest.mark.slow
def test_intervals_hold_the_truth_where_faces_are_lost_and_models_have_other_images():
    failures = load("coverage_failures")
    found = failures.coverage(failures.Study(), repetitions=300, draws=200, samples=10)
    # 300 repetitions of 95 % have a standard deviation of 1.3 points
    for name in ("d_prime", failures.NMSE_PAIR, failures.EER_ANNOTATED):
        assert 0.91 <= found[name]["covered"] <= 0.99, name
