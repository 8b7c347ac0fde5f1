"""A clean set gives no finding; a spoilt one gives the finding of what was spoilt."""

import re
import sys
from pathlib import Path

import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from drawn import BOX, draw_set
from spoilings import ALSO, SPOILINGS, TOGETHER

from thermalign import tables
from thermalign.audit.findings import KINDS
from thermalign.audit.sources import audit_manifest, audit_tables, write_audit
from thermalign.geometry import interocular_distance
from thermalign.ingest import table
from thermalign.ingest.quarantine import Quarantined
from thermalign.schemas.descriptions import FINDINGS
from thermalign.steps import ingest


def findings_of(drawn, folder):
    audited = audit_manifest(drawn.write(folder))
    write_audit(audited, folder / "audit", {})
    return tables.read(folder / "audit" / "findings.parquet", FINDINGS), audited


def test_a_clean_set_gives_no_finding(tmp_path):
    found, audited = findings_of(draw_set(), tmp_path)
    assert found.empty, list(found["reason"])
    page = (tmp_path / "audit" / "index.html").read_text()
    assert "No finding." in page
    assert all(kind.title.lower() in page for kind in KINDS.values())
    assert not audited.stops


@pytest.mark.parametrize("spoil", SPOILINGS, ids=lambda spoil: spoil.__name__)
def test_what_was_spoilt_is_found_and_nothing_else(spoil, tmp_path):
    check, image = SPOILINGS[spoil]
    drawn = draw_set()
    spoil(drawn)
    found, audited = findings_of(drawn, tmp_path)
    its = found[found["check"] == check]
    assert list(its["image_id"]) == [image]
    assert {*found["check"]} <= {check, *ALSO.get(spoil, ())}, list(found["reason"])
    assert (its["severity"] == KINDS[check].severity).all()
    assert bool(audited.stops) == (KINDS[check].severity == "stops")


def test_a_set_spoilt_in_twelve_ways_at_once_gives_every_finding(tmp_path):
    drawn = draw_set()
    for spoil in TOGETHER:
        spoil(drawn)
    found, _ = findings_of(drawn, tmp_path)
    pairs = {(row.check, row.image_id) for row in found.itertuples()}
    assert len(TOGETHER) >= 12
    assert {SPOILINGS[spoil] for spoil in TOGETHER} <= pairs
    page = (tmp_path / "audit" / "index.html").read_text()
    assert page.count("<figure>") >= 8
    assert all(f'id="{check}"' in page for check, _ in pairs)


def test_the_page_shows_the_worst_first(tmp_path):
    drawn = draw_set()
    for image, unit in (("p2m0t", 8.0), ("p3m0t", 5.0), ("p4m0t", 9.5)):
        points = drawn.points(image)
        shape = (points - points.mean(0)) / interocular_distance(points)
        drawn.place(image, points.mean(0) + unit * shape)
        drawn.rows[image] |= dict.fromkeys(BOX, "")
    findings_of(drawn, tmp_path)
    page = (tmp_path / "audit" / "index.html").read_text().split('id="tiny"')[1]
    places = [page.index(f"<b>{image} (") for image in ("p3m0t", "p2m0t", "p4m0t")]
    assert places == sorted(places)


def test_no_column_of_pictures_is_wider_than_a_narrow_screen(tmp_path):
    findings_of(draw_set(), tmp_path)
    page = (tmp_path / "audit" / "index.html").read_text()
    columns = re.findall(r"minmax\(([^;]*), 1fr\)", page)
    assert len(columns) == 2
    assert all(re.fullmatch(r"min\(\d+px, 100%\)", column) for column in columns)


def test_rows_are_lines_of_the_manifest(tmp_path):
    drawn = draw_set()
    next(iter(SPOILINGS))(drawn)
    found, _ = findings_of(drawn, tmp_path)
    lines = (tmp_path / "faces.csv").read_text().splitlines()
    assert lines[found["row"].iloc[0] - 1].startswith("p3m1t.png")


def test_what_is_suspected_can_be_quarantined_as_it_is_written(tmp_path):
    drawn = draw_set()
    for spoil in (*list(SPOILINGS)[:4], list(SPOILINGS)[-3]):
        spoil(drawn)
    findings_of(drawn, tmp_path)
    suspects = Path("audit", "suspects.csv")
    settings = table.Settings(tmp_path, Path("faces.csv"), quarantine=suspects)
    found = table.read(settings)
    left = {its.image for its in found.quarantined}
    assert {"p3m1t", "p5m0v", "p2m0v", "p2m1t", "p3m2t"} <= left
    assert not left & set(found.images["image_id"])
    assert all(its.row and its.reason for its in found.quarantined)


def test_an_ingested_dataset_is_audited_from_its_tables(tmp_path):
    drawn = draw_set()
    next(iter(SPOILINGS))(drawn)
    out = tmp_path / "data" / "faces"
    run_ingest(drawn.write(tmp_path), out)
    by_rule = tables.read(out / "findings.parquet", FINDINGS)
    by_hand = audit_tables(out)
    assert list(by_rule["check"]) == [its.check for its in by_hand.findings] == ["outlier"]
    assert list(by_rule["row"]) == [drawn_line(tmp_path / "faces.csv", "p3m1t")]
    assert "p3m1t" in (out / "audit.html").read_text()


def run_ingest(manifest, out, **block):
    names = ("images", "annotations", "boxes", "attributes", "findings")
    settings = {
        "adapter": "table", "folder": str(manifest.parent), "manifest": manifest.name,
        "box": {"source": "given"}, **block,
    }  # fmt: skip
    ingest.run(
        settings=settings, sources=[manifest], code="test", fingerprint="now",
        **{name: out / f"{name}.parquet" for name in names},
        files=out / "files.json", audit=out / "audit.html",
    )  # fmt: skip
    return tables.read(out / "findings.parquet", FINDINGS)


@pytest.mark.parametrize("kind", ["registered", "duplicate_people"])
def test_the_ingest_rule_stops_until_somebody_looked(tmp_path, kind):
    spoil = next(s for s, (check, _) in SPOILINGS.items() if check == kind)
    drawn = draw_set()
    spoil(drawn)
    manifest, out = drawn.write(tmp_path), tmp_path / "out"
    with pytest.raises(ValueError, match=rf"faces\.csv: .*accept: \[{kind}\] if you looked"):
        run_ingest(manifest, out)
    assert not out.exists() or not list(out.iterdir())
    found = run_ingest(manifest, out, accept=[kind])
    assert kind in set(found["check"])


def test_what_is_left_out_by_name_or_by_row_is_counted_with_its_reason(tmp_path):
    drawn = draw_set()
    manifest = drawn.write(tmp_path)
    (tmp_path / "bad.csv").write_text("row,reason\n2,another person walks in\n")
    found = run_ingest(
        manifest, tmp_path / "out", quarantine="bad.csv", leave_out={"p1m0v": "eyes closed"}
    )
    left = found[found["severity"] == "quarantined"]
    assert sorted(zip(left["image_id"], left["row"], left["reason"], strict=True)) == [
        ("p0m0t", 2, "another person walks in"),
        ("p1m0v", drawn_line(manifest, "p1m0v"), "eyes closed"),
    ]
    record = (tmp_path / "out" / "files.json").read_text()
    assert "bad.csv" in record  # another content of it runs ingest again


def drawn_line(manifest, image):
    lines = manifest.read_text().splitlines()
    return next(k for k, line in enumerate(lines, 1) if line.startswith(f"{image}.png"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image\np1m0v\n", "no column reason among image, row, reason"),
        ("image,why,reason\np1m0v,x,y\n", "column 'why' is none of image, row, reason"),
        ("image,reason\np1m0v,\n", r"bad\.csv row 2: reason is empty; say why"),
        ("row,reason\nsix,blurred\n", r"row 2: row is 'six'; give the number of a line"),
        ("image,row,reason\n,,blurred\n", "row 2: names no image and no row; give one"),
        ("image,reason\np99,blurred\n", r"faces\.csv: no image p99, .*correct quarantine:"),
        ("row,reason\n999,blurred\n", r"faces\.csv: no row 999, which is to be left out"),
        ("image,row,reason\np1m0v,2,blurred\n", r"no image p1m0v in row 2"),
        ("image,image_id,reason\np1m0v,,x\n", r"bad\.csv: has both image and image_id; delete"),
    ],
)
def test_a_quarantine_that_names_nothing_is_refused(tmp_path, text, message):
    draw_set().write(tmp_path)
    (tmp_path / "bad.csv").write_text(text)
    settings = table.Settings(tmp_path, Path("faces.csv"), quarantine=Path("bad.csv"))
    with pytest.raises(ValueError, match=message):
        table.read(settings)


def twice(folder):
    """Write a set whose first image has the name of the third."""
    drawn = draw_set()
    drawn.rows["p0m0t"]["image_id"] = "p0m1t"
    return drawn.write(folder)


def test_an_image_that_is_there_twice_is_a_finding_in_both_rows(tmp_path):
    audited = audit_manifest(twice(tmp_path))
    told = [(its.check, its.row, its.image) for its in audited.findings if its.check == "refused"]
    assert told == [("refused", 2, "p0m1t"), ("refused", 4, "p0m1t")]
    assert audited.findings[0].reason.endswith("image_id p0m1t is there twice; make it unique")
    assert len(audited.faces.images) == 70


def test_one_of_two_images_of_a_name_is_left_out_by_its_row_alone(tmp_path):
    manifest = twice(tmp_path)
    bad = tmp_path / "bad.csv"
    settings = table.Settings(tmp_path, Path(manifest.name), quarantine=Path(bad.name))
    bad.write_text("image,row,reason\np0m1t,2,the wrong name\n")
    assert [its.row for its in table.read(settings).quarantined] == [2]
    bad.write_text("image,reason\np0m1t,the wrong name\n")
    with pytest.raises(
        ValueError, match=r"image p0m1t is in rows 2, 4 \(row tells which\), and is"
    ):
        table.read(settings)


@pytest.mark.parametrize("go_on", [True, False])
def test_a_manifest_of_which_every_row_is_left_out_is_refused(tmp_path, go_on):
    manifest = draw_set().write(tmp_path)
    every = dict.fromkeys(draw_set().rows, "too dark")
    settings = table.Settings(tmp_path, Path(manifest.name), leave_out=every)
    with pytest.raises(ValueError, match=r"faces\.csv: all 72 rows are left out; keep some"):
        table.read_all(settings, go_on=go_on)


@pytest.mark.parametrize("copied", [48, 60, 72])
def test_shapes_that_were_copied_from_image_to_image_are_no_obstacle(tmp_path, copied):
    drawn = draw_set()
    shape = drawn.points("p0m0t") - drawn.points("p0m0t").mean(0)
    for number, image in enumerate(list(drawn.rows)[:copied]):
        drawn.place(image, shape + drawn.points(image).mean(0).round() + number / 1000)
    slip = drawn.points("p3m1t")
    slip[2, 0] += 9
    drawn.place("p3m1t", slip)
    found, _ = findings_of(drawn, tmp_path)
    assert list(found.loc[found["check"] == "outlier", "image_id"]) == ["p3m1t"]


def test_a_record_that_an_adapter_left_out_of_the_manifest_is_no_fault(tmp_path):
    draw_set().write(tmp_path)
    (tmp_path / "bad.csv").write_text("file,row,image,reason\nall.xml,7,gone.png,no nose\n")
    settings = table.Settings(tmp_path, Path("faces.csv"), quarantine=Path("bad.csv"))
    assert table.read(settings).quarantined == ()


def test_a_finding_has_one_row_of_the_table_and_a_left_out_record_too(tmp_path):
    drawn = draw_set()
    manifest = drawn.write(tmp_path)
    settings = table.Settings(tmp_path, Path(manifest.name), leave_out={"p0m0t.png": "mask"})
    found = table.read(settings)
    assert found.quarantined == (Quarantined(str(manifest), 2, "p0m0t", "mask"),)
    assert isinstance(found.images, pd.DataFrame)
