"""Python blocks of documents, run as they stand there."""

import csv
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from thermalign.exchange.points import points_for, read_points
from thermalign.metrics.verification import auc, eer

DOCS = Path(__file__).parents[1] / "docs"


def blocks(document):
    return re.findall(r"^```python\n(.*?)^```", (DOCS / document).read_text(), flags=re.M | re.S)


def test_metrics_are_three_lines_on_a_table_of_scores(capsys):
    people, rng = np.repeat(np.arange(5), 4), np.random.default_rng(1)
    table = pd.DataFrame(
        [(f"p{k}", s, g, s == g) for k, s in enumerate(people) for g in range(5)],
        columns=["probe", "subject", "gallery", "genuine"],
    )
    table["score"] = rng.normal(size=len(table)) + 2 * table["genuine"]
    three, more = blocks("metrics.md")
    assert len([line for line in three.splitlines() if line]) == 3
    known = {"table": table}
    exec(three, known)
    scores, genuine = table["score"].to_numpy(), table["genuine"].to_numpy()
    assert capsys.readouterr().out.split() == [str(eer(scores, genuine)), str(auc(scores, genuine))]
    exec(more, known)
    assert known["pairs"] == 20


def test_points_of_another_scheme_become_a_file_of_points(tmp_path):
    (example,) = blocks("own_rows.md")
    known = {}
    exec(example, known)
    drawn = np.random.default_rng(2).uniform(0, 3, (68, 2))
    face = {range(36, 42): (40, 50), range(42, 48): (80, 50), range(33, 34): (60, 75)}
    face |= {range(48, 49): (45, 95), range(54, 55): (75, 95)}
    for part, place in face.items():
        drawn[list(part)] += place
    known["write"](tmp_path / "points.csv", {"a.png": drawn.tolist(), "b.png": None})
    with (tmp_path / "points.csv").open() as file:
        assert [row["found"] for row in csv.DictReader(file)] == ["yes", "no"]
    images = pd.DataFrame({"image_id": ["a", "b"], "path": ["x/a.png", "x/b.png"]})
    given = read_points(tmp_path / "points.csv")
    located = points_for(given, images, ["a", "b"], dataset="d", whose="images")
    assert located.points[0, 0] == pytest.approx(drawn[36:42].mean(axis=0))
    assert np.isnan(located.points[1]).all()
