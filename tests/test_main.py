import json
import subprocess
import sys

import pandas as pd
import pytest

from thermalign import tables
from thermalign.__main__ import parse
from thermalign.schemas.dataset import FOLDS, IMAGES
from thermalign.steps import fold


def step(*arguments):
    command = [sys.executable, "-m", "thermalign", *arguments]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.fixture
def images(tmp_path):
    columns = dict.fromkeys(IMAGES.names, "")
    numbers = {"volume": 1, "range": 1, "width": 9, "height": 9, "bit_depth": 8}
    rows = [
        {
            **columns,
            **numbers,
            "scale": 1.0,
            "offset": 0.0,
            "image_id": f"i{n}",
            "subject_id": f"s{n}",
        }
        for n in range(6)
    ]
    tables.write(tmp_path / "images.parquet", pd.DataFrame(rows), IMAGES)
    return tmp_path / "images.parquet"


def arguments(images, **changes):
    settings = {"volumes": [1], "train_subjects": 3, "test_subjects": 3} | changes
    settings |= {"validation_share": 0.3, "seed": 1}
    folder = images.parent
    return [
        "fold", "--log", str(folder / "fold.log"), "--job", "p1/fold0", "--images", str(images),
        "--protocol", "p1", "--fold", "0", "--settings", json.dumps(settings),
        "--folds", str(folder / "folds.parquet"), "--code", "abc",
    ]  # fmt: skip


def test_a_step_reads_its_keywords_from_its_signature(images):
    log, job, keywords = parse(fold.run, "fold", arguments(images)[1:])
    assert (log.name, job) == ("fold.log", "p1/fold0")
    assert keywords["fold"] == 0
    assert keywords["settings"]["train_subjects"] == 3


def test_a_step_writes_its_output_and_ends_its_log_with_its_cost(images):
    done = step(*arguments(images))
    assert done.returncode == 0, done.stderr
    assert len(tables.read(images.parent / "folds.parquet", FOLDS)) == 6 + 2
    cost = json.loads((images.parent / "fold.log").read_text().splitlines()[-1])
    assert cost["rule"] == "fold"
    assert cost["memory"] > 10
    assert (cost["device"], cost["precision"]) == ("cpu", "")


def test_a_users_mistake_is_one_line_and_leaves_nothing(images):
    done = step(*arguments(images, train_subjects=9))
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "protocol p1 asks for 9 training" in done.stderr
    assert "Traceback" in (images.parent / "fold.log").read_text()
    assert not (images.parent / "folds.parquet").exists()


def test_an_unknown_step_is_refused():
    done = step("nothing")
    assert done.returncode == 2
    assert "no step nothing" in done.stderr
