"""``thermalign audit``: of a manifest, of a study's dataset, of an ingested one."""

import sys
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parent))

from drawn import draw_set
from spoilings import registered, slip_of_the_hand
from test_audit import run_ingest

from thermalign.cli import app
from trees import SIX, draw, xml

STUDY = """
base: config.yaml
results: {results}
data: "{data}"
datasets:
  mine:
    adapter: table
    folder: "."
    manifest: faces.csv
    leave_out: {{p0m0v: blurred}}
    accept: [registered]
    box: {{source: given}}
"""


def audit(*arguments):
    return CliRunner().invoke(app, ["audit", *map(str, arguments)])


def test_a_manifest_is_audited_and_its_findings_are_counted(tmp_path):
    drawn = draw_set()
    slip_of_the_hand(drawn)
    done = audit(drawn.write(tmp_path / "in"), "--out", tmp_path / "out")
    assert done.exit_code == 0, done.exception
    assert done.output == f"faces: 1 outlier: {tmp_path}/out/index.html\n"
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["findings.csv", "findings.parquet", "index.html", "suspects.csv"]
    assert (tmp_path / "out" / "suspects.csv").read_text().splitlines()[1].startswith("p3m1t,")
    again = audit(tmp_path / "in" / "faces.csv", "--out", tmp_path / "out")
    assert again.exit_code == 0, again.exception


def test_what_stops_a_study_is_told_and_the_page_is_there(tmp_path):
    drawn = draw_set()
    registered(drawn)
    done = audit(drawn.write(tmp_path / "in"), "--out", tmp_path / "out")
    assert isinstance(done.exception, ValueError)
    assert "the eyes of 36 visible images of 12 people" in str(done.exception)
    assert "1 registered: see" in str(done.exception)
    assert (tmp_path / "out" / "index.html").is_file()


def test_a_dataset_of_a_study_is_read_as_the_study_reads_it(tmp_path):
    drawn = draw_set()
    registered(drawn)
    drawn.write(tmp_path)
    study = tmp_path / "study.yaml"
    study.write_text(STUDY.format(results=tmp_path / "results", data=tmp_path))
    done = audit(study, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.exception
    assert done.output.startswith("mine: 1 registered, 1 missing_pair, 1 left out: ")
    assert "goes on: accepted" in (tmp_path / "out" / "index.html").read_text()


def test_an_ingested_dataset_is_audited_as_it_was_ingested_and_stays_as_it_is(tmp_path):
    drawn = draw_set()
    registered(drawn)
    made = tmp_path / "data" / "mine"
    run_ingest(drawn.write(tmp_path), made, accept=["registered"], leave_out={"p0m0v": "blurred"})
    before = (made / "findings.parquet").read_bytes()
    done = audit(made, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.exception
    assert done.output.startswith("mine: 1 registered, 1 missing_pair, 1 left out: ")
    done = audit(made, "--out", made)
    assert "findings.parquet: is there and is no earlier audit's" in str(done.exception)
    assert (made / "findings.parquet").read_bytes() == before
    for path in tmp_path.glob("*.png"):
        path.unlink()
    done = audit(made, "--out", tmp_path / "other")
    assert "mine: none of its images is there, " in str(done.exception)
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize(
    ("place", "content", "message"),
    [
        ("out", "a file", "out: is a file; name a folder"),
        ("out/index.html", "mine", "is there and is no earlier audit's; name another folder"),
    ],
)
def test_nothing_is_replaced_but_an_earlier_audit(tmp_path, place, content, message):
    manifest = draw_set().write(tmp_path / "in")
    file = tmp_path / place
    file.parent.mkdir(exist_ok=True)
    file.write_text(content)
    done = audit(manifest, "--out", tmp_path / "out")
    assert message in str(done.exception)
    assert file.read_text() == content


def test_what_is_no_dataset_is_refused_in_a_line(tmp_path):
    done = audit(tmp_path / "none.csv", "--out", tmp_path / "out")
    assert "none.csv: no such manifest" in str(done.exception)
    done = audit(tmp_path, "--out", tmp_path / "out")
    assert "images.parquet: no such table" in str(done.exception)
    done = audit(draw_set().write(tmp_path), "--modality", "lwir", "--out", tmp_path / "out")
    assert "--modality lwir: is none; use one of ['thermal', 'visible']" in str(done.exception)
    assert not (tmp_path / "out").exists()


# --- a tree ---


@pytest.fixture
def carl(tmp_path):
    """Two people in CARL's layout, a study of them that was not run, and an image too many."""
    for seed, person in enumerate(("01", "02")):
        image = f"{person}/session_1/thermal_bmp/{person}S1BNA1.bmp"
        draw(tmp_path / "carl" / image, seed)
        xml(tmp_path / "carl/Carl_annotations" / f"{person}.xml", {image: SIX})
    study = tmp_path / "study.yaml"
    block = {"adapter": "carl", "folder": "carl", "nose": "estimated", "box": {"source": "given"}}
    datasets = {"faces": block | {"leave_out": {}}}
    study.write_text(
        yaml.safe_dump(
            {"base": "config.yaml", "results": str(tmp_path / "results"), "data": str(tmp_path)}
            | {"datasets": datasets}
        )
    )
    return tmp_path


def test_a_tree_is_audited_before_its_study_made_a_manifest_of_it(carl):
    done = audit(carl / "study.yaml", "--dataset", "faces", "--out", carl / "out")
    assert done.exit_code == 0, done.exception
    assert done.output == f"faces: no finding: {carl}/out/index.html\n"
    assert "2 images of 2 people, 2 with landmarks" in (carl / "out/index.html").read_text()
    assert not (carl / "results").exists()


def test_what_does_not_fit_in_a_tree_stops_and_the_rest_is_audited(carl):
    more = carl / "carl/02/session_1/thermal_bmp/02S1BNA2.bmp"
    draw(more, 7)
    more.with_name("02S1BNA1.bmp").write_bytes(b"BM")
    done = audit(carl / "study.yaml", "--dataset", "faces", "--out", carl / "out")
    assert isinstance(done.exception, ValueError)
    assert "02S1BNA2.bmp): has no annotation" in str(done.exception)
    told = (carl / "out/findings.csv").read_text()
    assert "manifest.csv row 3: " in told
    assert "02S1BNA1.bmp: has a damaged header" in told
    assert "quarantined,quarantined,02/session_1/thermal_bmp/02S1BNA2.bmp" in told


def test_what_a_study_leaves_out_of_a_tree_is_left_out_of_its_audit(carl):
    study = carl / "study.yaml"
    image = "01/session_1/thermal_bmp/01S1BNA1"
    study.write_text(study.read_text().replace("{}", f"{{{image}: blurred}}"))
    done = audit(study, "--dataset", "faces", "--out", carl / "out")
    assert done.exit_code == 0, done.exception
    assert done.output.startswith("faces: no finding, 1 left out: ")


def test_a_simulated_dataset_is_audited_once_it_is_there(carl):
    done = audit(carl / "study.yaml", "--dataset", "simulated", "--out", carl / "out")
    assert "datasets.simulated: is not rendered yet; run the study first" in str(done.exception)
