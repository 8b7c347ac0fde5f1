"""The dataset as files and tables."""

from dataclasses import fields, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from thermalign import images, tables
from thermalign.boxes import Settings as BoxSettings
from thermalign.boxes import derive
from thermalign.geometry import LANDMARKS, LEFT_EYE, RIGHT_EYE, interocular_distance
from thermalign.schemas.dataset import ANNOTATIONS, IMAGES
from thermalign.simulator import dataset
from thermalign.simulator.dataset import (
    Settings,
    Volume,
    render_subject,
    settings_from,
    subjects,
    write_chunk,
)
from thermalign.simulator.person.attributes import attributes_of
from thermalign.simulator.physics.capture import draw_capture, draw_later
from thermalign.simulator.physics.sensor import SENSORS

SEED = 11
SMALL = Settings(
    (
        Volume(2, ranges=(1, 3), baseline=1, expression=1),
        Volume(1, ranges=(2,), baseline=1, expression=0, visible_ranges=()),
    )
)


def write(folder, settings=SMALL, **options):
    given = {"seed": SEED, "chunk": 0, "chunks": 1, "progress": False} | options
    write_chunk(folder, settings, **given)
    frame = tables.read(folder / "images.parquet", IMAGES)
    return frame, tables.read(folder / "annotations.parquet", ANNOTATIONS)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dataset") / "chunk"
    return folder, *write(folder)


def test_the_same_seed_gives_the_same_bytes(written, tmp_path):
    folder, *_ = written
    write(tmp_path / "again")
    for path in sorted(folder.glob("*.png")):
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes()


def test_another_seed_gives_other_people(written, tmp_path):
    _, frame, _ = written
    other, _ = write(tmp_path / "other", seed=SEED + 1)
    assert other["image_id"].tolist() == frame["image_id"].tolist()
    assert not set(other["sha256"]) & set(frame["sha256"])


def test_chunks_together_are_the_whole(written, tmp_path):
    _, frame, points = written
    parts = [write(tmp_path / str(k), chunk=k, chunks=4) for k in range(4)]
    joined = pd.concat([part for part, _ in parts]).sort_values("image_id", ignore_index=True)
    whole = frame.sort_values("image_id", ignore_index=True)
    pd.testing.assert_frame_equal(joined.drop(columns="path"), whole.drop(columns="path"))
    annotated = pd.concat([part for _, part in parts]).sort_values("image_id", kind="stable")
    expected = points.sort_values("image_id", kind="stable")
    pd.testing.assert_frame_equal(annotated.reset_index(drop=True), expected.reset_index(drop=True))
    assert len(parts[3][0]) == 0  # fewer subjects than chunks


def test_more_samples_leave_the_first_ones_as_they_are(written):
    plan = Volume(2, ranges=(1,), baseline=2, expression=0)
    first = next(iter(render_subject(Settings((plan,)), seed=SEED, volume=1, number=1)))
    _, frame, _ = written
    stored = images.read_counts(_path(frame, first.image_id))
    assert np.array_equal(first.pixels, stored)


def test_rows_describe_their_files(written):
    folder, frame, points = written
    assert len(list(folder.iterdir())) == len(frame) + 3
    for row in frame.to_dict("records"):
        counts = images.read_counts(_path(frame, row["image_id"]))
        assert counts.shape == (row["height"], row["width"])
        assert counts.dtype == (np.uint16 if row["modality"] == "thermal" else np.uint8)
        assert images.digest(_path(frame, row["image_id"])) == row["sha256"]
    assert points["landmark"].tolist() == list(LANDMARKS) * len(frame)


def test_names_say_who_where_and_when(written):
    _, frame, _ = written
    assert sorted(frame["image_id"])[:4] == [
        "v1_s000_r1_b00_thermal",
        "v1_s000_r1_b00_visible",
        "v1_s000_r1_e00_thermal",
        "v1_s000_r1_e00_visible",
    ]
    pairs = frame[frame["pair_id"] != ""].groupby("pair_id")["modality"].apply(sorted)
    assert set(map(tuple, pairs)) == {("thermal", "visible")}
    assert (frame.loc[frame["range"] != 1, "pair_id"] == "").all()
    assert set(frame["session"]) == {"1"}


@pytest.fixture(scope="module")
def crops():
    settings = Settings((Volume(16, baseline=1, expression=3, visible_ranges=()),))
    return [s for n in range(16) for s in render_subject(settings, seed=3, volume=1, number=n)]


@pytest.mark.parametrize("place", [1, 2, 3])
def test_crops_hold_their_landmarks_and_nearly_every_jittered_box(crops, place):
    chosen = [s for s in crops if s.range == place]
    points = np.array([s.points for s in chosen])
    size = np.array(chosen[0].pixels.shape[::-1])
    assert (points >= 0).all()
    assert (points <= size - 1).all()
    assert np.mean([s.visible for s in chosen]) > 0.98
    boxes = derive(points, [s.image_id for s in chosen], BoxSettings())
    inside = (boxes[:, :2] >= -0.5) & (boxes[:, :2] + boxes[:, 2:] <= size + 0.5)
    assert inside.all(1).mean() > 0.8


@pytest.mark.parametrize("place", [1, 2, 3])
def test_the_mean_shape_in_the_box_is_a_fair_floor(crops, place):
    chosen = [s for s in crops if s.range == place]
    points = np.array([s.points for s in chosen])
    boxes = derive(points, [s.image_id for s in chosen], BoxSettings())
    shapes = (points - boxes[:, None, :2]) / boxes[:, None, 2:]
    half = len(shapes) // 2
    guess = boxes[half:, None, :2] + shapes[:half].mean(0) * boxes[half:, None, 2:]
    error = np.linalg.norm(points[half:] - guess, axis=2).mean(1)
    assert 0.10 < (error / interocular_distance(points[half:])).mean() < 0.20


def test_images_of_a_subject_are_spread_evenly_over_its_samples():
    first, second = (
        Volume(60, baseline=4, expression=12, thermal_images=384),
        Volume(51, ranges=(1,), baseline=15, expression=16, thermal_images=480),
    )
    assert first.frames() == [8] * 48
    assert (len(second.frames()), sum(second.frames())) == (31, 480)
    assert set(second.frames()) == {15, 16}
    assert Volume(2, baseline=1, expression=1).frames() == [1] * 6


def test_later_images_of_a_sample_have_their_own_names_and_no_visible_partner():
    plan = Volume(1, ranges=(1,), baseline=1, expression=1, thermal_images=4)
    taken = list(render_subject(Settings((plan,)), seed=SEED, volume=1, number=0))
    assert [s.image_id for s in taken] == [
        "v1_s000_r1_b00_thermal",
        "v1_s000_r1_b00_visible",
        "v1_s000_r1_b00_f01_thermal",
        "v1_s000_r1_e00_thermal",
        "v1_s000_r1_e00_visible",
        "v1_s000_r1_e00_f01_thermal",
    ]
    assert [bool(s.pair_id) for s in taken] == [True, True, False] * 2
    assert len({s.moment for s in taken[:3]}) == 1  # frames and modalities of one sample
    assert taken[0].moment != taken[3].moment
    still, later = taken[0], taken[2]
    moved = np.linalg.norm(later.points - still.points, axis=1)
    assert (moved > 0).all()
    assert not np.array_equal(still.pixels, later.pixels)


def test_later_images_speak_as_first_ones_do():
    rng = np.random.default_rng(2)
    for _ in range(200):
        first = draw_capture("expression", (5.0, 3.5, 2.0), rng)
        later = draw_later(first, "expression", rng)
        assert not (later.strengths.get("smile") and later.strengths.get("pucker"))
        assert abs(later.yaw - first.yaw) < 5
    resting = draw_capture("baseline", (5.0, 3.5, 2.0), rng)
    kept = draw_later(resting, "baseline", rng).strengths
    assert kept["smile"] == resting.strengths["smile"]


def test_anothers_seed_changes_nobody_else(written):
    reseeded = replace(SMALL, subject_seeds={"v1_s000": SEED + 1})
    changed, kept = (
        [s.pixels for s in render_subject(reseeded, seed=SEED, volume=1, number=n)] for n in (0, 1)
    )
    before, same = (
        [s.pixels for s in render_subject(SMALL, seed=SEED, volume=1, number=n)] for n in (0, 1)
    )
    assert all(np.array_equal(a, b) for a, b in zip(kept, same, strict=True))
    assert not any(np.array_equal(a, b) for a, b in zip(changed, before, strict=True))


def test_whole_frames_show_the_person_that_the_crops_show():
    plan = Volume(3, baseline=1, expression=0)
    for number in range(3):
        frames, crops = (
            list(render_subject(Settings((plan,), frames=on), seed=SEED, volume=1, number=number))
            for on in (True, False)
        )
        for frame, crop in zip(frames, crops, strict=True):
            assert frame.image_id == crop.image_id
            wanted = (480, 640) if frame.modality == "thermal" else (494, 659)
            assert frame.pixels.shape[:2] == wanted
            assert frame.visible.all()
            same_face = frame.points - frame.points.mean(0), crop.points - crop.points.mean(0)
            assert np.abs(same_face[0] - same_face[1]).max() < 1.0


def test_annotation_noise_is_as_wide_as_asked():
    plan = (Volume(1, ranges=(1,), baseline=40, expression=0, visible_ranges=()),)
    exact, noisy = (
        np.array([s.points for s in render_subject(settings, seed=1, volume=1, number=0)])
        for settings in (Settings(plan), Settings(plan, annotation_noise=0.02))
    )
    apart = np.linalg.norm(exact[:, LEFT_EYE] - exact[:, RIGHT_EYE], axis=1)
    spread = ((noisy - exact) / apart[:, None, None]).std()
    assert spread == pytest.approx(0.02, rel=0.15)


def test_subjects_are_listed_volume_by_volume():
    assert subjects(SMALL) == [(1, 0), (1, 1), (2, 0)]


def test_a_failing_render_leaves_nothing(tmp_path, monkeypatch):
    def fail(*_, **__):
        yield from render_subject(SMALL, seed=SEED, volume=2, number=0)
        raise RuntimeError("out of paint")

    monkeypatch.setattr(dataset, "render_subject", fail)
    with pytest.raises(RuntimeError, match="out of paint"):
        write(tmp_path / "chunk")
    assert not list(tmp_path.iterdir())


def test_an_empty_folder_is_replaced_and_a_full_one_is_refused(tmp_path):
    folder = tmp_path / "chunk"
    folder.mkdir()
    write(folder, chunk=2, chunks=3)
    with pytest.raises(ValueError, match="chunk: is not an empty folder"):
        write(folder, chunk=2, chunks=3)


def test_settings_are_read_from_a_configuration():
    read = settings_from(
        {"volumes": [{"subjects": 3, "ranges": [2], "visible_ranges": []}], "gap": 1}
    )
    assert read == Settings((Volume(3, ranges=(2,), visible_ranges=()),), gap=1.0)


def test_the_noise_of_a_sensor_may_be_left_to_its_kind():
    volumes = [{"subjects": 1}]
    read = settings_from({"volumes": volumes, "sensor": "uncooled", "netd": None})
    assert (read.sensor, read.netd) == ("uncooled", None)
    assert settings_from({"volumes": volumes, "netd": 0}).netd == 0.0


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({}, "volumes is missing"),
        ({"volumes": []}, "volumes is empty"),
        (
            {"volumes": [{"subjects": 2}], "gep": 1.0},
            "unknown setting 'gep'; allowed: volumes, gap",
        ),
        ({"volumes": [{"subjects": 2, "colour": 1}]}, r"volumes\[0\]: unknown setting 'colour'"),
        ({"volumes": [{"ranges": [1]}]}, "subjects is missing"),
        ({"volumes": [{"subjects": "two"}]}, "subjects is 'two'; give a value of type int"),
        ({"volumes": [{"subjects": 0}]}, "subjects is 0; give at least 1"),
        ({"volumes": [{"subjects": 2, "ranges": [1, 4]}]}, "ranges is 4; give 1 to 3"),
        ({"volumes": [{"subjects": 2, "ranges": [2]}]}, r"visible_ranges is \[1\]"),
        ({"volumes": [{"subjects": 2}], "gap": True}, "gap is True; give a value of type float"),
        (
            {"volumes": [{"subjects": 2}], "gap": -1},
            "gap is -1.0; give 0 to 5",
        ),
        ({"volumes": [{"subjects": 2}], "glasses": 1}, "glasses is 1; give a value of type bool"),
        (
            {"volumes": [{"subjects": 2, "thermal_images": 5}]},
            "thermal_images is 5; give 0, or at least one for each of the 24 samples",
        ),
        (
            {"volumes": [{"subjects": 2}], "subject_seeds": {"v1_s002": 1}},
            "names 'v1_s002', who is not in the dataset; subjects are v1_s000 to v1_s001",
        ),
        (
            {"volumes": [{"subjects": 2}], "subject_seeds": {"v1_s001": -1}},
            "subject_seeds is -1; give at least 0",
        ),
        (
            {"volumes": [{"subjects": 2}], "sensor": "warm"},
            "sensor is 'warm'; give one of cooled",
        ),
        ({"volumes": [{"subjects": 2}], "sensor": 1}, "sensor is 1; give a value of type str"),
        (
            {"volumes": [{"subjects": 2}], "netd": "low"},
            "netd is 'low'; give a value of type float",
        ),
        ({"volumes": [{"subjects": 2}], "ambient_mean": 80}, "ambient_mean is 80.0; give 0 to 35"),
        ({"volumes": [{"subjects": 2}], "defocus": 5}, "defocus is 5.0; give 0 to 2"),
        (
            {"volumes": [{"subjects": 2}], "subject_seeds": 3},
            "subject_seeds is 3; give a value of type Mapping",
        ),
        ({"volumes": [{"subjects": 2}], "crop_width": 20}, "crop_width is 20; give 180 to 480"),
    ],
)
def test_wrong_settings_are_refused_by_name(block, message):
    with pytest.raises(ValueError, match=message):
        settings_from(block)


def test_the_sensors_of_the_settings_are_those_there_are():
    declared = next(f for f in fields(Settings) if f.name == "sensor")
    assert set(declared.metadata["choices"]) == set(SENSORS)


def test_attributes_say_what_is_worn_and_drawn():
    face = SimpleNamespace(
        identity=SimpleNamespace(beard=0.05, moustache=0.8, melanin=0.5), glasses=object(), cap=True
    )
    told = attributes_of(face, Settings((), glasses=True))
    assert told == {"glasses": "yes", "cap": "yes", "beard": "moustache", "skin": "medium"}
    assert attributes_of(face, Settings(()))["glasses"] == "no"  # owned, but not worn here
    for beard, word in ((0.05, "none"), (0.15, "stubble"), (0.3, "stubble"), (0.75, "beard")):
        face.identity.beard = face.identity.moustache = beard
        assert attributes_of(face, Settings(()))["beard"] == word
    for melanin, word in ((0.03, "light"), (0.34, "medium"), (0.7, "dark"), (1.0, "dark")):
        face.identity.melanin = melanin
        assert attributes_of(face, Settings(()))["skin"] == word


def _path(frame, image_id):
    return Path(frame.set_index("image_id").loc[image_id, "path"])
