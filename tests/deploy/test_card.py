"""The model card tells what it is given, and nothing that it cannot know."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from thermalign.deploy.card import Card, Part, Run, Tried, card_text
from thermalign.deploy.faces import LARGEST_ERROR, SMALLEST
from thermalign.evaluation.measured import Measured
from thermalign.metrics.intervals import POSITIVE, RATE
from thermalign.schemas.keys import ALL, Subset

DRAWS = np.random.default_rng(1).normal(0.05, 0.004, 200)


def figure(metric, value, subset=ALL, *, drawn=False, scale=POSITIVE):
    replicates = {"replicates": DRAWS, "subjects": 20, "scale": scale} if drawn else {}
    return Measured(subset, metric, value, 40, **replicates)


def part(name, **changes):
    measured = {
        "landmarks": [
            figure("nmse", 0.05, drawn=True),
            figure("failure_rate", 0.0),
            figure("nmse", 0.0625, Subset(range="2")),
            figure("coverage_95", 0.951, Subset(range="2"), scale=RATE),
        ],
        "finder": [
            figure("detection_recall", 0.975),
            figure("false_alarms", 0.1),
            figure("without_detection", 0.02),
        ],
    }[name]
    made = Part(
        file=f"{name}.safetensors",
        size=1_234_567,
        model=name,
        protocol="p1",
        fold=0,
        dataset="broad",
        metadata={
            "settings": {"detector": name, "model": name, "seed": 3, "steps": 700},
            "precision": "float32",
            "device": "cpu",
            "commit": "abc",
        },
        values=401_566,
        stages={"maps": 9000, "spread": 700},
        core_seconds=1194.4,
        data={"adapter": "simulator", "seed": 5, "settings": {"glasses": True}},
        people={"train": (160, 900), "test": (20, 110)},
        measured=measured,
    )
    return dataclasses.replace(made, **changes)


def text(**changes):
    given = {
        "landmarks": part("landmarks"),
        "finder": part("finder"),
        "recorded": None,
        "onnx": 1_600_001,
        "no_onnx": "",
        "versions": {"thermalign": "9.8.7", "torch": "2"},
    }
    return card_text(Card(**(given | changes)))


def row(card, start):
    (line,) = [line for line in card.splitlines() if line.startswith(f"| {start} |")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_files_people_and_training_are_those_that_are_given():
    card = text()
    assert card.startswith("# Model card: landmarks in thermal faces, thermalign 9.8.7\n")
    assert row(card, "`finder.safetensors`")[2:] == ["finder", "1,234,567", "401,566"]
    assert row(card, "`landmarks.onnx`")[3] == "1,600,001"
    assert row(card, "landmarks | broad")[2:] == [
        "160 people, 900 images",
        "0 people, 0 images",
        "20 people, 110 images",
    ]
    training = ["3", "maps 9,000, spread 700", "1,194", "float32", "cpu", "–", "random weights"]
    assert row(card, "landmarks | landmarks")[2:] == training
    assert card.count("glasses: true") == 1  # both models are of one dataset


def test_figures_have_their_intervals_and_what_is_unknown_a_dash():
    card = text()
    low, high = part("landmarks").measured[0].interval()
    shown = f".050 [{low:.3f}, {high:.3f}]".replace("0.", ".")
    assert f"| all | 40 | {shown} |" in card
    assert row(card, "2")[1:] == ["40", ".062", "–", "–", "–", "–", ".95"]
    assert "| all | 40 | .975 | .100 | .020 |" in card


def test_without_recorded_faces_or_onnx_it_says_so():
    card = text(onnx=0, no_onnx="onnx is not installed; pip install it")
    assert "No ONNX file: onnx is not installed; pip install it." in card
    assert "landmarks.onnx" not in card
    assert "None were measured: the study named no recorded, annotated faces" in card


def test_recorded_faces_stand_by_source():
    source = Subset(attribute="source", attribute_value="camera a")
    figures = [
        figure(metric, value, subset)
        for subset, value in ((source, 0.25), (ALL, 0.5))
        for metric in ("nmse", "detection_recall", "false_alarms")
    ]
    statuses = {"unsure": 1, "ok": 35, "not thermal": 4}
    card = text(recorded=Tried("ours", figures, statuses))
    assert row(card, "camera a") == ["camera a", "40", ".250", "–", "–", ".25", ".25"]
    assert card.index("| all | 40 | .500") < card.index("| camera a |")
    assert "Dataset `ours`" in card
    assert "5 of 40 (1 unsure, 4 not thermal)." in card
    assert "0 of 40." in text(recorded=Tried("ours", figures, {"ok": 40}))


@pytest.mark.parametrize(
    "change",
    [
        {"data": {"adapter": "table", "folder": "/home/me/faces", "manifest": "/home/me/a.csv"}},
        {"metadata": {**part("finder").metadata, "init": "0123456789abcdef"}},
    ],
)
def test_only_what_is_known_to_be_simulated_is_called_that(change):
    told = "Trained on simulated people alone"
    assert told in text()
    assert "Adults from the front" in text()
    card = text(finder=part("finder", **change), recorded=Tried("ours", [], {}))
    for claim in (told, "No recorded face was trained on", "Adults from the front", "Apache-2.0"):
        assert claim not in card
    assert "/home/me" not in card


def test_test_people_are_called_simulated_only_where_they_are():
    headings = "## Landmarks of simulated test people", "## Faces found in images of test people"
    data = {"adapter": "table", "folder": "faces", "manifest": "/home/me/a.csv"}
    card = text(finder=part("finder", data=data))
    assert all(heading in card for heading in headings)
    assert "manifest: a.csv" in card


def test_limits_name_each_status_and_its_limit():
    limits = " ".join(text().split("## Limits")[1].split())
    assert f"nearer than {SMALLEST:g} px (`too small`, `--smallest`)" in limits
    assert f"is above {LARGEST_ERROR:g} (`unsure`, `--largest-error`)" in limits
    assert "(`not thermal`, `--no-check`)" in limits


def test_figures_of_another_run_stand_beside_with_what_they_are_of():
    runs = [
        Run(
            [("broad", {"maps": 9, "spread": 2}, 3.4), ("scenes", {"cells": 7}, 5.0)],
            pd.DataFrame(
                [
                    ("broad", "nmse", 0.05, 0.04, 0.06, 110),
                    ("scenes", "detection_recall", 0.9, 0.8, 0.95, 40 + n),
                    ("scenes", "false_alarms", 0.125, np.nan, np.nan, 40 + n),
                    ("ours", "nmse", 0.25, np.nan, np.nan, 20),
                    ("ours", "detection_recall", 0.5, np.nan, np.nan, 20),
                ],
                columns=["dataset", "metric", "value", "low", "high", "n"],
            ),
        )
        for n in range(2)
    ]
    card = text(runs=runs)
    assert "## Another training" in card
    cells = ["maps 9, spread 2 + 7", "3 + 5", "broad 110, scenes 41, ours 20"]
    figures = [".050 [.040, .060]", ".900 [.800, .950]", ".125", ".250"]
    assert row(card, "other 1")[1:] == [*cells, *figures]
    assert row(card, "this one")[3] == "broad 110, scenes 40, ours 20"
    assert "## Another training" not in text(runs=runs[:1])
