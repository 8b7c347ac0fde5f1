"""The step that writes a dataset's tables: all or none, of simulated and of recorded images."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from thermalign import tables
from thermalign.ingest import table
from thermalign.schemas.dataset import ANNOTATIONS, ATTRIBUTES, BOXES, IMAGES
from thermalign.simulator.dataset import Settings, Volume, write_chunk
from thermalign.steps import ingest

SHARED = Path(__file__).parents[3] / "shared" / "data"
SCHEMAS = {
    "images": IMAGES,
    "annotations": ANNOTATIONS,
    "boxes": BOXES,
    "attributes": ATTRIBUTES,
}
LOOKS = {
    "glasses": {"yes", "no"},
    "cap": {"yes", "no"},
    "beard": {"none", "stubble", "moustache", "beard"},
    "skin": {"light", "medium", "dark"},
}


def outputs(folder):
    return {name: folder / f"{name}.parquet" for name in SCHEMAS}


def ingested(block, sources, out):
    record = {"files": out / "files.json", "fingerprint": "as planned"}
    record |= {"findings": out / "findings.parquet", "audit": out / "audit.html"}
    ingest.run(settings=block, sources=sources, code="test", **outputs(out), **record)


@pytest.fixture
def faces(tmp_path):
    """Return the block of a dataset of two images without landmarks."""
    for seed, name in enumerate(("a.png", "b.png")):
        counts = np.random.default_rng(seed).integers(7000, 9000, (48, 40), np.uint16)
        cv2.imwrite(str(tmp_path / name), counts)
    (tmp_path / "faces.csv").write_text("path,subject_id,beard\na.png,s1,full\nb.png,s2,\n")
    return {
        "adapter": "table",
        "folder": str(tmp_path),
        "manifest": "faces.csv",
        "attributes": ["beard"],
        "defaults": {"modality": "thermal"},
        "box": {"source": "fixed", "fixed": [5, 5, 30, 36]},
    }


def run(block, out):
    sources = [Path(block["folder"], block["manifest"])]
    ingested(block, sources, out)
    return {name: tables.read(path, SCHEMAS[name]) for name, path in outputs(out).items()}


def test_all_tables_are_written_together(faces, tmp_path):
    found = run(faces, tmp_path / "out")
    assert found["attributes"].to_numpy().tolist() == [["a", "beard", "full"]]
    assert found["boxes"]["source"].tolist() == ["fixed", "fixed"]
    written = {p.name for p in (tmp_path / "out").iterdir()}
    others = {"files.json", "findings.parquet", "audit.html"}
    assert written == others | {f"{name}.parquet" for name in SCHEMAS}


def test_a_refused_input_leaves_the_tables_of_before(faces, tmp_path):
    run(faces, tmp_path / "out")
    before = {path: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    (tmp_path / "b.png").write_bytes(b"")
    with pytest.raises(ValueError, match=r"row 3: .*b\.png: is empty"):
        run(faces, tmp_path / "out")
    assert {path: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


def test_a_table_that_cannot_be_written_leaves_none(faces, tmp_path):
    (tmp_path / "out" / "attributes.parquet").mkdir(parents=True)
    with pytest.raises(ValueError, match=r"attributes\.parquet: is a folder"):
        run(faces, tmp_path / "out")
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["attributes.parquet"]


def test_a_full_disk_leaves_no_table(faces, tmp_path, monkeypatch):
    write = tables.write

    def fail(path, frame, schema, metadata):
        if schema is BOXES:
            raise OSError(28, "No space left on device")
        write(path, frame, schema, metadata)

    monkeypatch.setattr(tables, "write", fail)
    with pytest.raises(OSError, match="No space left"):
        run(faces, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_the_simulator_says_what_people_wear_and_look_like(tmp_path):
    volume = Volume(3, ranges=(1,), baseline=1, expression=0)
    worn = Settings((volume,), glasses=True, caps=True)
    write_chunk(tmp_path / "chunk", worn, seed=4, chunk=0, chunks=1, progress=False)
    own = {"seed": 4, "chunks": 1, "settings": {"volumes": [{"subjects": 3}]}}
    block = {"adapter": "simulator", **own, "box": {"source": "derived"}}
    ingested(block, [tmp_path / "chunk"], tmp_path / "out")
    told = tables.read(tmp_path / "out" / "attributes.parquet", ATTRIBUTES)
    images = tables.read(tmp_path / "out" / "images.parquet", IMAGES)
    assert told["image_id"].tolist() == [i for i in images["image_id"] for _ in LOOKS]
    for name, its in told.groupby("name"):
        assert set(its["value"]) <= LOOKS[name]
    people = told.merge(images[["image_id", "subject_id"]], on="image_id")
    assert (people.groupby(["subject_id", "name"])["value"].nunique() == 1).all()


@pytest.mark.parametrize(
    ("name", "read", "count"),
    [
        ("london60", {"columns": {"path": "image", "condition": "expression"}}, 120),
        ("real_thermal", {}, 20),
    ],
)
def test_recorded_faces_are_read(name, read, count):
    folder = SHARED / name
    if not folder.is_dir():
        pytest.skip(f"{folder} is not here")
    defaults = {"modality": "visible"} if name == "london60" else {}
    found = table.read(table.Settings(folder, Path("landmarks.csv"), defaults=defaults, **read))
    assert len(found.images) == count


@pytest.mark.parametrize("name", ["speakingfaces_thermal_iron.png", "tfw_4076.png"])
def test_a_recorded_palette_is_refused_and_grey_stored_as_rgb_is_read(tmp_path, name):
    if not SHARED.is_dir():
        pytest.skip(f"{SHARED} is not here")
    path = SHARED / "thermal_samples" / name
    (tmp_path / "m.csv").write_text(f"path,subject_id,modality\n{path.resolve()},s1,thermal\n")
    settings = table.Settings(tmp_path, Path("m.csv"))
    if name.startswith("tfw"):
        assert table.read(settings).images["bit_depth"].tolist() == [8]
    else:
        with pytest.raises(ValueError, match="is thermal and in colour"):
            table.read(settings)
