"""Rows that are read from files: which file on which fold, and what is refused before any job."""

import copy
from pathlib import Path

import pytest

from thermalign.config.models import (
    check_places,
    check_study,
    file_of,
    from_files,
    roles_of,
    trainings,
    visiting,
)
from thermalign.config.yaml_files import read_yaml

ROOT = Path(__file__).parents[2]
DEFAULT = read_yaml(ROOT / "config.yaml")


def study(**blocks):
    """The default study with further entries in some of its blocks."""
    config = copy.deepcopy(DEFAULT)
    for block, entries in blocks.items():
        config[block] = {**config.get(block, {}), **entries}
    return check_study(config)


def test_a_row_that_is_read_from_files_is_no_training():
    its = study(models={"mine": {"from": "a.csv"}}, matchers={"acme": {"from": "b.csv"}})
    assert set(trainings(its)) == set(trainings(study()))
    assert {name: row.block for name, row in from_files(its).items()} == {
        "mine": "models",
        "acme": "matchers",
    }
    assert set(from_files(its, "matchers")) == {"acme"}
    assert from_files(study()) == {}


def test_the_name_of_a_file_is_filled_in_for_each_fold():
    pattern = "{dataset}/{protocol}-{fold}.csv"
    assert file_of(pattern, DEFAULT, "p1", 1) == "simulated/p1-1.csv"
    assert file_of("all.csv", DEFAULT, "p2", 0) == "all.csv"


def test_points_whose_file_is_one_of_a_dataset_are_tested_on_other_datasets():
    rows = {"mine": {"from": "{dataset}.csv"}, "home": {"from": "{protocol}.csv"}}
    its = study(models=rows, matchers={"acme": {"from": "{dataset}_scores.csv"}})
    assert set(visiting(its)) == {"mine"}
    its["evaluate_on"] = {"there": {"dataset": "theirs"}}
    assert file_of("{dataset}-{fold}.csv", its, "p1", 1, other="there") == "theirs-1.csv"


def test_a_file_of_another_dataset_is_missed_before_any_job_with_who_asks_for_it(tmp_path):
    (tmp_path / "simulated.csv").touch()
    other = copy.deepcopy(DEFAULT["datasets"]["simulated"]) | {"seed": 3}
    probe, places = {"modality": "thermal"}, {"home": "simulated", "there": "theirs"}
    its = study(
        models={"mine": {"from": f"{tmp_path}/{{dataset}}.csv"}},
        datasets={"theirs": other},
        evaluate_on={n: {"dataset": d, "probe": probe} for n, d in places.items()},
    )
    line = r"^models.mine.from: .*/theirs.csv: no such file, and evaluate_on.there asks for it; "
    with pytest.raises(ValueError, match=line) as caught:
        check_places(its, ROOT)
    assert "\n" not in str(caught.value)
    (tmp_path / "theirs.csv").touch()
    check_places(its, ROOT)


def test_a_gallery_that_is_drawn_is_drawn_by_the_protocols_seed():
    its = copy.deepcopy(DEFAULT)
    assert "seed" not in roles_of(its, "p1")["gallery"]
    its["protocols"]["p1"]["gallery"]["images"] = 2
    assert roles_of(its, "p1")["gallery"]["seed"] == its["protocols"]["p1"]["seed"]


WRONG = [
    ({"models": {"a": {"from": "a_{x}.csv"}}}, "models.a.from: 'a_{x}.csv' has braces that mean"),
    (
        {"models": {"a": {"from": "a_{fold.csv"}}},
        "models.a.from: .* a brace without its other",
    ),
    ({"models": {"a": {"from": "a_{fold!r}.csv"}}}, "models.a.from: .* has braces that mean noth"),
    ({"models": {"a": {"from": "~/a.csv"}}}, "models.a.from: '~/a.csv' begins with ~"),
    (
        {"models": {"a": {"from": "a.csv", "steps": 3}}},
        "models.a.steps: no such key; use one",
    ),
    (
        {"matchers": {"a": {"from": "a.csv", "form": ""}}},
        "matchers.a.form: no such key; did you mean from",
    ),
    ({"matchers": {"dan": {"from": "a.csv"}}}, "matchers.dan: models: has a row of that name alre"),
    ({"matchers": {"annotated": {"from": "a.csv"}}}, "matchers.annotated: is no name"),
    (
        {"models": {"dan": {"seeds": [1]}, "dan_seed1": {"from": "a.csv"}}},
        "models.dan_seed1: models: has a row of that name already; rename one",
    ),
    (
        {"models": {"a": {"from": "a.csv"}}, "matchers": {"a": {"from": "b.csv"}}},
        "matchers.a: models: has a row of that name already",
    ),
    (
        {"matchers": {"a": {"from": "a.csv", "thresholds": {"1.5": 2.0}}}},
        r"matchers.a.thresholds: '1.5' is no false match rate; write one below 1, quoted",
    ),
    (
        {"matchers": {"a": {"from": "a.csv", "thresholds": {0.1: 2.0}}}},
        r"matchers.a.thresholds.0.1: the key 0.1 is no text; quote it",
    ),
    (
        {"models": {"a": {"from": "a.csv"}}, "variants": {"found": {"detector": "a"}}},
        "variants.found.detector: a is read from a file and runs on no image; name one that is tr",
    ),
]


@pytest.mark.parametrize(("blocks", "line"), WRONG, ids=[line[:40] for _, line in WRONG])
def test_what_is_wrong_is_said_in_a_line_that_names_the_key(blocks, line):
    with pytest.raises(ValueError, match=f"^{line}") as caught:
        study(**blocks)
    assert "\n" not in str(caught.value).strip()


def test_a_file_that_is_not_there_is_missed_once_before_any_job(tmp_path):
    (tmp_path / "p1.csv").touch()
    its = study(models={"mine": {"from": f"{tmp_path}/{{protocol}}.csv"}})
    with pytest.raises(ValueError, match=r"^models.mine.from: .*/p2.csv: no such file; ") as caught:
        check_places(its, ROOT)
    assert "\n" not in str(caught.value)
