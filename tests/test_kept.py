"""Results of which Snakemake's records do not say how they were made are refused, by one line."""

import base64
import re
import shutil
from pathlib import Path

import pytest
import yaml

from reruns import write_study
from test_dag import run_with_fake_steps
from thermalign.due.kept import check_records, outputs_in
from workflow_rules import snakemake

RESULTS = Path("results/p1")
TABLE = "results/p1/fold0/folds.parquet"
LONG = f"results/{'x' * 250}/folds.parquet"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working directory with a table and Snakemake's record of it."""
    monkeypatch.chdir(tmp_path)
    keep("metadata", TABLE, '{"rule": "fold"}')
    Path(TABLE).parent.mkdir(parents=True)
    Path(TABLE).touch()
    return tmp_path


def keep(kind, output, text):
    """Write what Snakemake keeps about an output; return the file."""
    name = base64.urlsafe_b64encode(output.encode()).decode()
    parts = [name[at : at + 254] for at in range(0, len(name), 254)]
    file = Path(".snakemake", kind, *[f"@{part}" for part in parts[:-1]], parts[-1])
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


DAMAGES = {
    "empty": b"",
    "cut off": b'{"rule": "fo',
    "no text": b"\x80\xff\x00",
    "no record": b"[1, 2]",
    "nothing in it": b"{}",
}


@pytest.mark.parametrize("content", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_record_is_refused_by_its_file_and_its_result(content, folder):
    file = keep("metadata", TABLE, "")
    file.write_bytes(content)
    with pytest.raises(ValueError, match=rf"^{file}: .*; delete {TABLE} and run again") as caught:
        check_records([RESULTS])
    assert "\n" not in str(caught.value)
    Path(TABLE).unlink()  # the cure
    check_records([RESULTS])


def test_a_record_that_a_kill_cut_off_is_of_a_job_that_runs_again_and_no_damage(folder):
    keep("metadata", TABLE, "")
    keep("incomplete", TABLE, '{"external_jobid": null}')
    check_records([RESULTS])


def test_what_is_no_record_among_them_is_left_alone(folder):
    for kind in ("metadata", "incomplete"):
        (folder / ".snakemake" / kind).mkdir(exist_ok=True)
        (folder / ".snakemake" / kind / "migration_underway").touch()
    check_records([RESULTS])


def test_the_name_of_an_output_is_read_from_its_records_name_however_long(folder):
    keep("metadata", LONG, "{}")
    assert set(outputs_in(Path(".snakemake/metadata"))) == {TABLE, LONG}


def test_results_that_were_moved_are_refused_with_one_of_their_tables(folder):
    Path("results").rename("moved")
    check_records([RESULTS])
    with pytest.raises(ValueError, match=r"^moved/p1/fold0/folds.parquet: no record .* says how"):
        check_records([Path("moved")])
    shutil.rmtree("moved")
    check_records([Path("moved")])


def test_tables_that_lost_their_records_are_counted_and_those_of_a_folder_that_has_one_are_not(
    folder,
):
    keep("metadata", "results/data/simulated/chunks/0", '{"rule": "simulate"}')
    for name in ("data/simulated/chunks/0/pairs", "p1/fold0/scores", "p1/fold0/dan/metrics"):
        path = Path("results", f"{name}.parquet")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    with pytest.raises(ValueError, match=r"^results/p1/fold0/dan/metrics.parquet and 1 more table"):
        check_records([RESULTS, Path("results/data")])


def test_a_table_of_a_users_own_beside_the_results_is_none_of_theirs(folder):
    Path("results/points.parquet").touch()
    check_records([RESULTS, Path("results/data")])


def test_results_whose_first_jobs_were_killed_are_not_refused(folder):
    keep("metadata", TABLE, "").unlink()
    keep("incomplete", TABLE, '{"external_jobid": null}')
    check_records([RESULTS])


def test_a_run_on_moved_results_or_a_damaged_record_ends_in_that_line_and_touches_nothing(tmp_path):
    project = tmp_path / "project"
    write_study(project)
    run_with_fake_steps(project)
    before = sorted((project / "results").rglob("*"))
    config = yaml.safe_load((project / "config.yaml").read_text())

    (project / "results").rename(project / "moved")
    (project / "config.yaml").write_text(yaml.safe_dump(config | {"results": "moved"}))
    refused_in_one_line(
        project, "thermalign: moved/.* more tables: no record in .snakemake/metadata says how"
    )

    (project / "moved").rename(project / "results")
    (project / "config.yaml").write_text(yaml.safe_dump(config))
    (record,) = [
        path
        for output, path in outputs_in(project / ".snakemake/metadata").items()
        if output == TABLE
    ]
    record.write_text("")
    refused_in_one_line(project, f"thermalign: .snakemake/metadata/.* how {TABLE} was made is dam")
    assert sorted((project / "results").rglob("*")) == before


def refused_in_one_line(project, pattern):
    done = snakemake(project)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert re.match(pattern, line)
