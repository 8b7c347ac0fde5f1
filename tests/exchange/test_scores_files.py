"""Files of scores: those that are read, those that are written, and what is refused in a line."""

import json

import numpy as np
import pandas as pd
import pytest

from thermalign import tables
from thermalign.exchange.scores import COLUMNS, read_scores, scores_for, told
from thermalign.exchange.written import as_table, by_blanks, write_by_blanks
from thermalign.verification.enrolment import NONE, Selection
from thermalign.verification.trials import Trials

PEOPLE = ("s1", "s2", "s3")
SCORED = ["probe_id", "gallery_id", "genuine", "score", "same_moment"]


def images(*, shared):
    """Two moments of each person; visible images are enrolled, thermal ones probe."""
    rows = [
        (
            f"{side[0]}/{person}/{n}",
            person,
            side,
            f"{person}{n}" if shared else f"{person}{n}{side}",
        )
        for side in ("visible", "thermal")
        for person in PEOPLE
        for n in range(2)
    ]
    table = pd.DataFrame(rows, columns=["image_id", "subject_id", "modality", "moment"])
    fixed = {"role": "test", "condition": "baseline", "range": 1, "session": "1"}
    return table.assign(path="faces/" + table["image_id"] + ".png", **fixed)


def trials(rows, readings=("exclude", "keep")):
    sides = Selection("visible"), Selection("thermal")
    return Trials.of(rows, set(rows["image_id"]), *sides, readings)


def scored(rows):
    """SCORES of every comparison, with digits to the last; the first probe failed."""
    asked, drawn = trials(rows), np.random.default_rng(7)
    made = []
    for reading, met in asked.by_reading():
        values = drawn.normal(size=(len(asked.probes), len(PEOPLE))) / 3
        values[0] = -np.inf
        made.append(asked.table(reading, met, values))
    return pd.concat(made, ignore_index=True)


def read_for(path, rows, readings=("exclude", "keep")):
    return scores_for(read_scores(path), trials(rows, readings), rows, dataset="d", whose="p,")


SHARED = images(shared=True)
APART = images(shared=False)


def written(folder, table, name="scores.csv"):
    path = folder / name
    table.to_parquet(path) if path.suffix == ".parquet" else table.to_csv(path, index=False)
    return path


def test_who_meets_whom_is_every_probe_and_person_under_every_reading_that_differs():
    shared, apart = trials(SHARED), trials(APART)
    assert [reading for reading, _ in shared.by_reading()] == ["exclude", "keep"]
    assert [reading for reading, _ in apart.by_reading()] == ["exclude"]
    table = scored(SHARED)
    assert list(table) == SCORED
    assert len(table) == 2 * 6 * 3
    assert (table["genuine"] == (table["probe_id"].str[2:4] == table["gallery_id"])).all()


def test_a_probe_that_may_meet_no_gallery_is_none():
    asked = trials(SHARED)
    met = np.array([1, NONE, 1, 1, 1, 1])
    table = asked.table("exclude", met, np.zeros((6, 3)))
    assert asked.probes["image_id"].iloc[1] not in set(table["probe_id"])


@pytest.mark.parametrize("name", ["scores.csv", "scores.parquet"])
@pytest.mark.parametrize("rows", [SHARED, APART], ids=["shared", "apart"])
def test_what_is_written_is_read_back_to_the_last_bit_in_any_order(tmp_path, name, rows):
    path = written(tmp_path, as_table(scored(rows)).sample(frac=1, random_state=1), name)
    pd.testing.assert_frame_equal(read_for(path, rows), scored(rows), check_exact=True)


@pytest.mark.parametrize("form", ["bob4", "bob5", "pyeer"])
def test_what_is_parted_by_blanks_is_read_back_to_the_last_bit(tmp_path, form):
    table = scored(APART)
    subjects = dict(zip(APART["image_id"], APART["subject_id"], strict=True))
    path = tmp_path / "scores"
    for suffix, rows in by_blanks(table, form, subjects).items():
        write_by_blanks(tmp_path / f"part{suffix}", rows)
    parts = sorted(tmp_path.glob("part*"))
    assert len(parts) == (2 if form == "pyeer" else 1)
    path.write_text("# scores\n\n" + "".join(part.read_text() for part in parts))
    pd.testing.assert_frame_equal(read_for(path, APART), table, check_exact=True)


def test_bobs_columns_are_claimed_and_real_identity_probe_and_score():
    subjects = dict(zip(APART["image_id"], APART["subject_id"], strict=True))
    row = {form: by_blanks(scored(APART), form, subjects)[""].iloc[4] for form in ("bob4", "bob5")}
    assert row["bob4"].tolist()[:3] == ["s2", "s1", "t/s1/1"]
    assert row["bob5"].tolist()[:4] == ["s2", "s2", "s1", "t/s1/1"]


def test_pyeers_files_part_genuine_from_impostor_comparisons():
    subjects = dict(zip(APART["image_id"], APART["subject_id"], strict=True))
    files = by_blanks(scored(APART), "pyeer", subjects)
    assert {suffix: len(rows) for suffix, rows in files.items()} == {"_genuine": 6, "_impostor": 12}
    assert (files["_genuine"]["probe"].str[2:4] == files["_genuine"]["gallery"]).all()


def test_a_name_with_a_blank_is_refused_where_blanks_part_columns():
    table = scored(APART).replace("s2", "s 2")
    subjects = {**dict(zip(APART["image_id"], APART["subject_id"], strict=True)), "t/s2/0": "s 2"}
    with pytest.raises(ValueError, match=r"gallery 's 2' holds a blank, .* write csv"):
        by_blanks(table, "bob4", subjects)


def test_scores_without_a_reading_are_of_the_headline(tmp_path):
    table = as_table(scored(SHARED)).query("same_moment == 'exclude'")
    made = read_for(written(tmp_path, table[list(COLUMNS)]), SHARED)
    expected = scored(SHARED).query("same_moment == 'exclude'")
    pd.testing.assert_frame_equal(made, expected, check_exact=True)
    made = read_for(written(tmp_path, table[list(COLUMNS)]), SHARED, ("keep", "exclude"))
    assert set(made["same_moment"]) == {"keep"}


def test_comparisons_of_other_folds_stand_beside_and_probes_are_named_by_path(tmp_path):
    table = as_table(scored(APART))
    table["probe"] = "faces/" + table["probe"] + ".png"
    fold = APART[APART["subject_id"] != "s3"]
    made = scores_for(
        read_scores(written(tmp_path, table)), trials(fold), APART, dataset="d", whose="p,"
    )
    assert set(made["gallery_id"]) == {"s1", "s2"}
    assert len(made) == 4 * 2


def test_thresholds_of_a_parquet_file_are_carried_on(tmp_path):
    table = as_table(scored(APART))
    schema = tables.pa.Schema.from_pandas(table, preserve_index=False)
    path = tmp_path / "scores.parquet"
    tables.write(path, table, schema, {"thresholds": json.dumps({"0.01": 1.5})})
    assert read_scores(path).thresholds == {"0.01": 1.5}
    assert read_scores(written(tmp_path, table)).thresholds == {}


def changed(**cells):
    """The rows of a file with some cells of its fourth row changed."""
    table = as_table(scored(APART))
    for column, cell in cells.items():
        table[column] = table[column].astype(object)
        table.loc[3, column] = cell
    return table


WRONG = {
    "NaN": (changed(score="nan"), r"row 5: score is nan; give a finite number, or -inf in every"),
    "an empty score": (changed(score=""), r"row 5: score is ; give a finite number"),
    "plus infinity": (changed(score="inf"), r"row 5: score is inf; give"),
    "no number": (changed(score="0,5"), r"row 5: score is '0,5'; write a plain number"),
    "what Python alone takes for a number": (
        changed(score="1_0"),
        r"row 5: score is '1_0'; write a plain number",
    ),
    "an unknown probe": (changed(probe="x"), r"row 5: 'x' is no image of d; correct it"),
    "an unknown person": (changed(gallery="s9"), r"row 5: gallery 's9' is no person of d; name"),
    "an image enrolled": (changed(gallery="v/s1/0"), r"'v/s1/0' is no person of d; .* fuse"),
    "a doubled comparison": (changed(gallery="s2"), r"row 6: probe t/s1/1 against s2 stands in ro"),
    "another reading": (changed(same_moment="none"), r"row 5: same_moment is 'none'; use exclu"),
    "a probe that failed partly": (changed(score="-inf"), r"probe t/s1/1 has -inf against some"),
    "missing comparisons": (
        as_table(scored(APART)).drop(index=[3, 5, 8, 9]),
        r"no score for 4 of 18 comparisons of p, under exclude: t/s1/1 against s1, t/s1/1 against "
        r"s3, t/s2/0 against s3 and 1 more; add them",
    ),
    "a missing column": (changed().drop(columns="probe"), r"no column 'probe' \(there are gallery"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_file_is_refused_in_a_line_that_names_row_and_cure(tmp_path, what):
    table, message = WRONG[what]
    with pytest.raises(ValueError, match=message) as refused:
        read_for(written(tmp_path, table), APART)
    assert str(refused.value).startswith(str(tmp_path / "scores.csv"))
    assert "\n" not in str(refused.value)


def test_empty_lines_and_blanks_in_the_header_count_for_nothing(tmp_path):
    lines = as_table(scored(APART)).to_csv(index=False).replace(",", " , ").splitlines()
    (tmp_path / "scores.csv").write_text("\n".join(["", lines[0], "", *lines[1:], "", ""]))
    made = read_for(tmp_path / "scores.csv", APART)
    pd.testing.assert_frame_equal(made, scored(APART), check_exact=True)
    lines[2] = lines[1]
    (tmp_path / "scores.csv").write_text("\n".join(["", lines[0], "", *lines[1:]]))
    with pytest.raises(ValueError, match=r"row 5: .* stands in row 4 already; keep one"):
        read_for(tmp_path / "scores.csv", APART)


def test_a_parquet_table_may_have_its_columns_in_its_index_and_whole_numbers(tmp_path):
    table = as_table(scored(APART)).assign(score=lambda t: np.arange(len(t)) + 2**60)
    table.set_index("probe").to_parquet(tmp_path / "scores.parquet")
    made = read_for(tmp_path / "scores.parquet", APART)
    assert made["score"].tolist() == table["score"].astype(float).tolist()


def test_a_parquet_table_whose_names_are_lists_is_refused(tmp_path):
    table = as_table(scored(APART)).assign(probe=lambda t: [[name] for name in t["probe"]])
    with pytest.raises(ValueError, match=r"scores\.parquet: column probe holds lists; store text"):
        read_for(written(tmp_path, table, "scores.parquet"), APART)


def test_a_header_alone_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"scores\.csv: has no rows; give at least one"):
        read_for(written(tmp_path, as_table(scored(APART)).iloc[:0]), APART)


def test_a_probe_that_shows_somebody_else_than_bobs_file_says_is_refused(tmp_path):
    subjects = dict(zip(APART["image_id"], APART["subject_id"], strict=True))
    rows = by_blanks(scored(APART), "bob4", subjects | {"t/s2/1": "s1"})[""]
    write_by_blanks(tmp_path / "scores", rows)
    told_so = r"row 10: the real identity is 's1', but the study's probe shows 's2'"
    with pytest.raises(ValueError, match=told_so):
        read_for(tmp_path / "scores", APART)


def test_a_line_with_a_column_too_many_is_refused(tmp_path):
    (tmp_path / "scores").write_text("t/s1/0 s1 0.5\nt/s1/0 s 2 0.5\n")
    with pytest.raises(ValueError, match=r"row 2: 4 columns, but the first row has 3; .*CSV"):
        read_scores(tmp_path / "scores")


def test_distances_are_noticed():
    table = scored(APART).assign(score=lambda t: -t["genuine"].astype(float))
    assert "if they are distances, change their sign" in told(table)[0]
    assert told(table.assign(score=-table["score"])) == []
