"""What the report is made from: the configuration resolved, datasets kept apart."""

import pandas as pd

from thermalign.report import inputs


def test_blocks_that_a_configuration_lacks_are_empty():
    setup = inputs.read_setup({})
    assert (setup.protocols, setup.metrics, setup.moved) == ({}, (), [])
    named = inputs.read_setup({"evaluation": {"metrics": ["median_error"]}})
    assert named.metrics == ("median_error",)


def test_a_dataset_shows_the_predictions_of_its_own_protocols_alone(monkeypatch):
    config = {"protocols": {"p": {"dataset": "one"}, "q": {"dataset": "two"}}}
    asked = {}

    def examples(predictions, annotations, images, boxes):
        asked.setdefault(images, []).extend(predictions["protocol"])
        assert annotations == boxes == images
        return [predictions["model"].iloc[0]]

    monkeypatch.setattr(inputs.pictures, "examples", examples)
    made = (("q", "a"), ("p", "b"), ("q", "c"))
    predictions = [pd.DataFrame({"protocol": [p], "model": [m]}) for p, m in made]
    tables = {"one": "one", "two": "two"}
    found = inputs.examples(inputs.read_setup(config), predictions, tables, tables, tables)
    assert found == ["b", "a", "c"]
    assert asked == {"one": ["p"], "two": ["q", "q"]}


def test_subjects_and_images_are_counted_by_dataset():
    rows = [(1, 1, "baseline", "thermal", "s1", "a"), (1, 1, "baseline", "thermal", "s1", "b")]
    columns = ["volume", "range", "condition", "modality", "subject_id", "image_id"]
    table = pd.DataFrame(rows, columns=columns)
    counted = inputs.counts({"one": table, "two": table[:1]})
    figures = counted[["dataset", "subjects", "images"]].to_numpy().tolist()
    assert figures == [["one", 1, 2], ["two", 1, 1]]


def test_faces_of_the_first_fold_and_the_lowest_seed_are_shown_and_no_other_table_is_read():
    seeds = {"dan_seed4": ("dan", 4), "dan_seed2": ("dan", 2)}
    jobs = [("p", fold, m) for m in ("dan_seed4", "dan_seed2", "pbc") for fold in (0, 1)]
    read = []

    class Read(dict):
        def __getitem__(self, job):
            read.append(job)
            return super().__getitem__(job)

    shown = inputs.shown_predictions(
        Read({job: pd.DataFrame({"of": [job]}) for job in jobs}), seeds
    )
    assert [table["of"].iloc[0] for table in shown] == [("p", 0, "dan_seed2"), ("p", 0, "pbc")]
    assert read == [("p", 0, "dan_seed2"), ("p", 0, "pbc")]


def test_a_log_whose_cost_line_was_cut_off_is_one_without():
    line = '{"rule": "fold", "job": "p1/fold0", "wall": 1.5}'
    found = inputs.costs([f"read 3\n{line}\n", line[:-10], "", "no line\n"])
    assert list(found["job"]) == ["p1/fold0"]


def test_software_that_is_not_in_the_reports_own_environment_is_left_out(monkeypatch):
    def version(name):
        if name in ("snakemake", "torch"):  # as in envs/report.yaml
            raise inputs.metadata.PackageNotFoundError(name)
        return "1.0"

    monkeypatch.setattr(inputs.metadata, "version", version)
    found = inputs.versions("abc")
    assert {"python", "code", "numpy", "pyarrow"} <= set(found)
    assert not {"snakemake", "torch"} & set(found)
