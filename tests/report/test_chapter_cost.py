"""What the study cost, and the size of its networks."""

import pandas as pd
from fake_study import NAN
from fake_view import by_head

from thermalign.report.chapters.cost import cost_table, model_table, parameter_table
from thermalign.report.looks import looks
from thermalign.schemas.descriptions import COSTS


def test_costs_are_summed_and_memory_is_the_largest_jobs():
    rows = [
        ("train", "a", 10.0, 9.0, 1.0, 500.0, "cpu", ""),
        ("train", "b", 30.0, 41.0, 3.0, 800.0, "cpu", "bfloat16"),
    ]
    table = cost_table(pd.DataFrame(rows, columns=COSTS.names))
    assert by_head(table)["train"] == ["2", "50", "40", "10\u202f%", "800", "cpu, cpu (bfloat16)"]
    assert by_head(table)["All rules"] == by_head(table)["train"]


def test_a_parameter_count_the_paper_does_not_print_is_a_dash():
    frame = pd.DataFrame(
        [("mean_shape", "none", 10.0, NAN), ("heatmap", "heatmap", 399_413, 0)],
        columns=["model", "detector", "configured", "paper"],
    )
    table = parameter_table(frame, looks(["mean_shape", "heatmap"]))
    cells = by_head(table)
    assert cells["mean shape"] == ["none", "10", "–"]
    assert [row[-1] for row in cells.values()] == ["–", "–"]


def test_nothing_recorded_makes_no_table():
    assert cost_table(pd.DataFrame(columns=COSTS.names)) is None
    assert parameter_table(pd.DataFrame(), {}) is None


def test_what_a_model_cost_is_told_by_rule(study):
    table = model_table(study.costs, study.looks)
    assert table.columns == ["train", "All"]
    rows = {row.head: [cell.text for cell in row.cells] for row in table.bodies[0].rows}
    assert rows["DAN"] == ["323", "323"]  # three folds of .97 x 111 s
    assert "mean shape" not in rows


def test_jobs_of_no_model_have_no_table_by_model(study):
    rendered = study.costs[study.costs["rule"] == "simulate"]
    assert model_table(rendered, study.looks) is None
