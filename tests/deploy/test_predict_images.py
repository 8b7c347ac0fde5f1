"""Images, folders and manifests to a table: all of them, whatever some are."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from bright import picture, shape_in

from thermalign import tables
from thermalign.deploy import inputs, predict_images
from thermalign.deploy.faces import FaceDetector
from thermalign.deploy.folders import INDEX, PictureFolder, stem_of
from thermalign.deploy.points import POINTS
from thermalign.geometry import LANDMARKS

FACE, OTHER, SMALL = (30, 20, 60, 80), (90, 30, 45, 60), (30, 20, 18, 26)
HEADER = "path,subject_id,box_x,box_y,box_width,box_height"


@pytest.fixture
def frames(tmp_path, monkeypatch):
    """A folder: a face, none, another face, a small one, a damaged file, and a note."""
    monkeypatch.chdir(tmp_path)
    folder = Path("frames")
    (folder / "more").mkdir(parents=True)
    for name, boxes in {"a": [FACE], "b": [], "c": [OTHER], "more/d": [SMALL]}.items():
        cv2.imwrite(f"frames/{name}.png", picture(*boxes))
    (folder / "e.png").write_bytes((folder / "a.png").read_bytes()[:200])
    (folder / "notes.txt").write_text("mine")
    return folder


def write_manifest(*rows, header=HEADER):
    Path("faces.csv").write_text("\n".join([header, *rows]))
    return Path("faces.csv")


def predicted(detector, *given, out="points.csv", **options):
    outcome = predict_images([*map(Path, given)], detector, Path(out), **options)
    return outcome, pd.read_csv(out, keep_default_na=False, na_values=["nan", ""])


def points_of(row):
    return np.array([[row[f"{name}_x"], row[f"{name}_y"]] for name in LANDMARKS])


def test_every_image_of_a_folder_has_a_row_that_says_what_was_found(frames, detector):
    outcome, table = predicted(detector, frames)
    assert list(table["image"]) == [f"frames/{n}" for n in ("a.png", "b.png", "c.png", "e.png")] + [
        "frames/more/d.png"
    ]
    assert list(table["status"]) == ["ok", "no face", "ok", "unreadable", "too small"]
    assert list(table["face"]) == [1, 0, 1, 0, 1]
    assert "ends in the middle of the picture" in table["note"][3]
    np.testing.assert_allclose(points_of(table.loc[0]), shape_in(FACE), atol=1e-3)
    np.testing.assert_allclose(table.loc[2, [f"box_{n}" for n in ("x", "y")]], OTHER[:2], atol=1e-3)
    assert np.isnan(points_of(table.loc[4])).all()
    assert str(outcome) == "5 images: 2 ok, 1 no face, 1 too small, 1 unreadable"
    assert len(outcome.unreadable) == 1


def test_parquet_holds_what_csv_holds_and_how_it_was_made(frames, detector):
    _, table = predicted(detector, frames)
    predict_images([frames], detector, Path("points.parquet"))
    other = tables.read(Path("points.parquet"), POINTS)
    pd.testing.assert_frame_equal(other, table.fillna({"note": ""}).astype(other.dtypes.to_dict()))
    assert tables.read_metadata(Path("points.parquet"))["model"] == str(detector.landmarks.path)


def test_batches_change_nothing(frames, detector, monkeypatch):
    _, whole = predicted(detector, frames)
    monkeypatch.setattr(inputs, "IMAGES", 2)
    _, by_two = predicted(detector, frames)
    monkeypatch.setattr(inputs, "PIXELS", 1)
    _, one_by_one = predicted(detector, frames)
    pd.testing.assert_frame_equal(whole, by_two)
    pd.testing.assert_frame_equal(whole, one_by_one)


def test_images_and_folders_may_be_named_together_but_once(frames, detector):
    _, table = predicted(detector, "frames/more", "frames/a.png")
    assert list(table["image"]) == ["frames/more/d.png", "frames/a.png"]
    with pytest.raises(ValueError, match=r"frames/a\.png: names 2 images; give each once"):
        predicted(detector, frames, "frames/a.png")


def test_nothing_is_no_input(detector):
    with pytest.raises(ValueError, match="there are no inputs; name images"):
        predict_images([], detector, Path("points.csv"))


def test_a_folder_with_the_name_of_an_image_is_no_image(frames, detector):
    Path("frames/a.png.png").mkdir()
    cv2.imwrite("frames/a.png.png/inside.png", picture(FACE))
    _, table = predicted(detector, frames)
    assert "frames/a.png.png/inside.png" in set(table["image"])
    assert "frames/a.png.png" not in set(table["image"])


@pytest.mark.parametrize("given", ["frames", "frames/a.png"])
def test_a_way_with_colour_that_there_is_not_is_refused(frames, detector, given):
    with pytest.raises(ValueError, match="thermal_colour is 'lumma'; use one of refuse, luma"):
        predicted(detector, given, thermal_colour="lumma")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("gone", "gone: no such image, folder or manifest"),
        ("empty", "empty: holds no image; give a folder of"),
        ("frames/notes.txt", "no rows below the header"),
        ("state.safetensors", "is a trained model; name it by --model"),
    ],
)
def test_what_holds_no_images_is_refused(frames, detector, given, message):
    Path("empty").mkdir()
    with pytest.raises(ValueError, match=message):
        predicted(detector, given)
    assert not Path("points.csv").exists()


# --- manifests ---


def test_a_manifest_gives_boxes_and_names(frames, detector):
    manifest = write_manifest("frames/a.png,s1,20,10,60,80", "frames/c.png,s2,,,,")
    _, table = predicted(detector, manifest)
    assert list(table["image"]) == ["frames/a", "frames/c"]
    np.testing.assert_allclose(points_of(table.loc[0]), shape_in((20, 10, 60, 80)), atol=1e-3)
    np.testing.assert_allclose(points_of(table.loc[1]), shape_in(OTHER), atol=1e-3)
    assert np.isnan(table["score"][0])
    _, found = predicted(detector, manifest, boxes="found")
    np.testing.assert_allclose(points_of(found.loc[0]), shape_in(FACE), atol=1e-3)
    _, whole = predicted(detector, manifest, boxes="whole")
    np.testing.assert_allclose(points_of(whole.loc[0]), shape_in((0, 0, 160, 120)), atol=1e-3)


def test_boxes_that_are_not_given_are_asked_for_before_anything_is_predicted(frames, detector):
    manifest = write_manifest("frames/a.png,s1,20,10,60,80", "frames/c.png,s2,,,,")
    with pytest.raises(ValueError, match="frames/c: has no face box; give box_x"):
        predicted(detector, manifest, boxes="given")
    with pytest.raises(ValueError, match="boxes is 'all'; use one of found, given, whole"):
        predicted(detector, manifest, boxes="all")


def test_a_row_that_cannot_be_read_does_not_stop_the_others(frames, detector):
    manifest = write_manifest(
        "frames/e.png,s1,20,10,60,80",
        "frames/gone.png,s2,,,,",
        "frames/a.png,s3,500,10,60,80",
        "frames/c.png,s4,,,,",
    )
    outcome, table = predicted(detector, manifest)
    assert list(table["status"]) == ["unreadable"] * 3 + ["ok"]
    assert "no such image file" in table["note"][1]
    assert "is empty or outside the image" in table["note"][2]
    assert all("faces.csv row" in line for line in outcome.unreadable)


def test_boxes_that_are_edges_over_a_whole_manifest_are_refused(frames, detector, monkeypatch):
    rows = [f"frames/{name}.png,s{name},90,60,140,115" for name in "abc"]
    asked = []
    monkeypatch.setattr(FaceDetector, "batch_of_values", lambda *given: asked.append(given))
    with pytest.raises(ValueError, match="face boxes end far outside their images"):
        predicted(detector, write_manifest(*rows), overlay=Path("drawn"))
    assert not asked  # it shows before hours are spent
    assert not Path("points.csv").exists()
    assert not Path("drawn").exists()


@pytest.mark.parametrize("boxes", ["whole", "found"])
def test_boxes_that_are_not_used_may_be_anything(frames, detector, boxes):
    rows = [f"frames/{name}.png,s{name},90,60,140,115" for name in "abc"]
    rows += ["frames/more/d.png,sd,900,1,-5,115"]
    _, table = predicted(detector, write_manifest(*rows), boxes=boxes)
    if boxes == "whole":
        assert list(table["status"]) == ["ok"] * 4
        np.testing.assert_allclose(points_of(table.loc[1]), shape_in((0, 0, 160, 120)), atol=1e-3)
    else:
        assert list(table["status"]) == ["ok", "no face", "ok", "too small"]


def test_of_a_long_manifest_a_few_rows_show_what_its_boxes_are(frames, detector, monkeypatch):
    monkeypatch.setattr(inputs, "LOOKED", 3)
    read = []
    wrapped = inputs.table.read_row
    monkeypatch.setattr(inputs.table, "read_row", lambda *a: read.append(a) or wrapped(*a))
    rows = [f"../{frames.parent.resolve().name}/frames/{n}.png" for n in "abc"]
    rows = [f"{row},s{n},90,60,140,115,{k}{n}" for k in "xyz" for n, row in enumerate(rows)]
    with pytest.raises(ValueError, match="3 of 3 face boxes end far outside"):
        predicted(detector, write_manifest(*rows, header=f"{HEADER},image_id"))
    assert len(read) == 3


def test_a_visible_image_of_a_manifest_is_not_taken_for_thermal(frames, detector):
    manifest = write_manifest(
        "frames/a.png,s1,visible", "frames/c.png,s1,thermal", header="path,subject_id,modality"
    )
    _, table = predicted(detector, manifest)
    assert list(table["status"]) == ["not thermal", "ok"]
    assert "--modality visible" in table["note"][0]
    visible = FaceDetector(detector.landmarks, detector.finder, modality="visible")
    _, table = predicted(visible, manifest)
    assert list(table["status"]) == ["ok", "not visible"]
    assert list(table["face"]) == [1, 0]
    assert table["note"][1] == "its manifest says thermal; --modality thermal predicts it"


# --- pictures ---


def test_overlays_show_what_was_found_at_a_readable_size(frames, detector):
    predicted(detector, frames, overlay=Path("drawn"))
    index = pd.read_csv(Path("drawn") / INDEX)
    assert list(index["image"]) == [
        "frames/a.png",
        "frames/b.png",
        "frames/c.png",
        "frames/more/d.png",
    ]
    assert sorted(p.name for p in Path("drawn").iterdir()) == sorted([INDEX, *index["path"]])
    drawn = cv2.imread(str(Path("drawn") / index["path"][0]))
    assert max(drawn.shape) >= 700
    zoom = drawn.shape[1] / 160
    for x, y in shape_in(FACE):
        at = drawn[round((y + 0.5) * zoom), round((x + 0.5) * zoom)]
        assert int(at[0]) - int(at[2]) > 100  # a blue dot
    grey = cv2.imread(str(Path("drawn") / index["path"][1]))[:-30]
    assert (grey[..., 0] == grey[..., 2]).all()  # nothing was found


def test_aligned_faces_are_counts_with_a_scale(frames, detector):
    values = cv2.imread("frames/a.png", cv2.IMREAD_UNCHANGED) / 255
    predicted(detector, frames, aligned=Path("faces"))
    index = pd.read_csv(Path("faces") / INDEX)
    assert list(index["image"]) == ["frames/a.png", "frames/c.png"]
    assert list(index["face"]) == [1, 1]
    counts = cv2.imread(str(Path("faces") / index["path"][0]), cv2.IMREAD_UNCHANGED)
    assert counts.shape == (128, 112)
    assert counts.dtype == np.uint16
    face = counts * index["scale"][0] + index["offset"][0]
    inside = values[FACE[1] : FACE[1] + FACE[3], FACE[0] : FACE[0] + FACE[2]]
    assert abs(face[64, 56] - inside.mean()) < 0.05


def test_images_of_one_name_are_drawn_apart(frames, detector):
    cv2.imwrite("frames_a.png", picture(OTHER))
    predicted(detector, frames, "frames_a.png", overlay=Path("drawn"))
    index = pd.read_csv(Path("drawn") / INDEX)
    assert index["path"].is_unique
    assert len(index) == 5


def test_names_of_pictures_are_short_and_keep_their_dots(frames, detector):
    deep = Path("frames", *["f" * 90] * 4)
    deep.mkdir(parents=True)
    (deep / "x.png").write_bytes((frames / "a.png").read_bytes())
    (frames / ("\N{GREEK SMALL LETTER ALPHA}" * 120 + ".png")).write_bytes(
        (frames / "c.png").read_bytes()
    )
    predicted(detector, frames, overlay=Path("drawn"), aligned=Path("faces"))
    for folder in map(Path, ("drawn", "faces")):
        its = pd.read_csv(folder / INDEX)["path"]
        assert all((folder / name).is_file() for name in its)
        assert max(len(name.encode()) for name in its) == 104
    header = f"{HEADER},image_id"
    rows = [f"frames/{n}.png,s,,,,,{name}" for n, name in zip("ac", ("s1.2", "s1.3"), strict=True)]
    predicted(detector, write_manifest(*rows, header=header), overlay=Path("d"), aligned=Path("f"))
    assert list(pd.read_csv(Path("d") / INDEX)["path"]) == ["s1.2.png", "s1.3.png"]
    assert list(pd.read_csv(Path("f") / INDEX)["path"]) == ["s1.2_1.png", "s1.3_1.png"]


@pytest.mark.parametrize(
    ("name", "stem"),
    [("a/b.png", "a/b"), ("s1.2", "s1.2"), (".", "."), ("x.PNG", "x"), (".png", ".png"), ("", "")],
)
def test_only_suffixes_of_images_are_left_out(name, stem):
    assert stem_of(name, inputs.SUFFIXES) == stem


def pictures(folder, *names):
    """Write pictures as one run does, without its end; the run's folder."""
    run = PictureFolder(folder, ["image", "scale"], [])
    run.begin()
    for name in names:
        run.add(name, np.full((20, 20), len(name), np.uint8), image=name, scale=len(name))
    return run


def test_an_interrupted_run_leaves_every_picture_listed(tmp_path):
    folder = tmp_path / "pictures"
    pictures(folder, "a", "b", "ccc").finish()
    pictures(folder, "ddddd", "a")  # and no end
    index = pd.read_csv(folder / INDEX)
    assert list(index["path"]) == [f"{n}.png" for n in ("a", "b", "ccc", "ddddd", "a")]
    assert {path.name for path in folder.iterdir()} == {INDEX, *index["path"]}
    assert list(index["scale"]) == [1, 1, 3, 5, 1]
    pictures(folder, "b", "a").finish()
    index = pd.read_csv(folder / INDEX)
    assert list(index["path"]) == ["b.png", "a.png"]
    assert {path.name for path in folder.iterdir()} == {INDEX, "a.png", "b.png"}


def test_what_is_not_in_the_index_is_never_replaced_or_removed(tmp_path):
    folder, other = tmp_path / "pictures", tmp_path / "mine.png"
    pictures(folder, "a").finish()
    other.write_bytes(b"mine")
    (folder / "b.png").write_bytes(b"mine")
    with (folder / INDEX).open("a") as file:
        file.write("../mine.png,x,1\n")
    pictures(folder, "a", "b").finish()
    assert list(pd.read_csv(folder / INDEX)["path"]) == ["a.png", "b_2.png"]
    assert (folder / "b.png").read_bytes() == other.read_bytes() == b"mine"
    pictures(folder).finish()
    assert {path.name for path in folder.iterdir()} == {INDEX, "b.png"}


@pytest.mark.parametrize("kind", ["overlay", "aligned"])
@pytest.mark.parametrize("again", [False, True])
def test_a_table_does_not_lie_in_a_folder_of_pictures(frames, detector, kind, again):
    if again:
        predicted(detector, frames, **{kind: Path("new")})
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    for out in ("new/index.csv", "frames/../new/points.csv"):
        with pytest.raises(ValueError, match=r"lies in a folder of pictures|was not written by"):
            predict_images([frames], detector, Path(out), **{kind: Path("new")})
    assert before == {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    assert Path("new").exists() == again


def test_both_folders_are_looked_at_before_either_is_made(frames, detector):
    Path("full").mkdir()
    (Path("full") / "mine.png").write_bytes(b"mine")
    with pytest.raises(ValueError, match="full: holds files that this command did not write"):
        predicted(detector, frames, overlay=Path("new"), aligned=Path("full"))
    with pytest.raises(ValueError, match="new: is the folder of drawn images and of aligned faces"):
        predicted(detector, frames, overlay=Path("new"), aligned=Path("full/../new"))
    assert not Path("new").exists()


@pytest.mark.parametrize("kind", ["overlay", "aligned"])
def test_a_folder_of_pictures_may_be_written_again_but_is_never_somebody_elses(
    frames, detector, kind
):
    for _ in range(2):
        predicted(detector, frames, **{kind: Path("new/pictures")})
    Path("full").mkdir()
    (Path("full") / "mine.png").write_bytes(b"mine")
    with pytest.raises(ValueError, match="full: holds files that this command did not write"):
        predicted(detector, frames, **{kind: Path("full")})
    with pytest.raises(ValueError, match="frames: holds what is read"):
        predicted(detector, frames, **{kind: Path("frames")})
    with pytest.raises(ValueError, match=r"a\.png: is a file; name a folder"):
        predicted(detector, frames, **{kind: Path("frames/a.png")})
    with pytest.raises(ValueError, match="new/pictures: holds what is read"):
        predicted(detector, "new/pictures", **{kind: Path("new/pictures")})
    assert (Path("full") / "mine.png").read_bytes() == b"mine"


@pytest.mark.parametrize(
    ("out", "message"),
    [
        ("points.txt", "is neither .csv nor .parquet"),
        ("faces.csv", "is the manifest"),
        ("mine.csv", "was not written by this command"),
        ("mine.parquet", "was not written by this command"),
    ],
)
def test_a_table_replaces_nothing_but_an_earlier_one(frames, detector, out, message):
    manifest = write_manifest("frames/a.png,s1,20,10,60,80")
    for name in ("mine.csv", "mine.parquet"):
        Path(name).write_text("mine")
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    with pytest.raises(ValueError, match=message):
        predict_images([manifest], detector, Path(out))
    assert before == {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
