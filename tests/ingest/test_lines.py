"""Rows that are kept as pieces of text are what they were."""

import pickle

import pytest

from thermalign.ingest.lines import Lines, Records

CELLS = [(2, ["a", "", "c d"]), (3, ["", ""]), (7, ["é"])]


def test_lines_are_given_back_as_they_were_taken_in():
    lines = Lines(CELLS)
    assert (list(lines), len(lines), lines[1], lines[-1]) == (CELLS, 3, CELLS[1], CELLS[2])
    assert list(lines.numbers) == [2, 3, 7]
    assert list(pickle.loads(pickle.dumps(lines))) == CELLS


def test_parts_of_lines_are_lines():
    lines = Lines(CELLS)
    assert list(lines[1:]) == CELLS[1:]
    assert list(lines.without({1})) == [CELLS[0], CELLS[2]]
    assert list(lines) == CELLS


def test_lines_are_changed_in_their_place_by_number_and_cells():
    lines = Lines(CELLS)
    lines.change(lambda number, cells: [str(number), *cells[1:]])
    assert list(lines) == [(2, ["2", "", "c d"]), (3, ["3", ""]), (7, ["7"])]


def test_records_may_have_columns_of_their_own_and_name_all_of_them():
    rows = [{"path": "1.png", "hat": "yes"}, {"path": "2.png"}, {"path": "3.png", "beard": ""}]
    records = Records(iter(rows))
    assert (list(records), len(records)) == (rows, 3)
    assert (records[2], records[-2], records[1:]) == (rows[2], rows[1], rows[1:])
    assert records.columns == ["path", "hat", "beard"]


@pytest.mark.parametrize("kind", [Lines, Records])
def test_nothing_is_nothing(kind):
    assert not kind()
    assert list(kind()) == []
