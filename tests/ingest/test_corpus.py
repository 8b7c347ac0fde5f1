"""Inputs as users give them: each is read right, or refused in a line with culprit and cure."""

import sys
from collections import Counter
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import corpus_more
import corpus_numbers
import corpus_people
import corpus_pictures
import corpus_text
from cases import verdict

PARTS = (corpus_numbers, corpus_text, corpus_pictures, corpus_people, corpus_more)
CASES = [case for part in PARTS for case in part.CASES]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_input_is_read_right_or_refused_in_a_line(case, tmp_path):
    assert verdict(case, tmp_path / "case") == "right"


def test_the_corpus_is_large_and_no_case_is_there_twice():
    names = Counter(case.name for case in CASES)
    assert len(CASES) >= 300
    assert [name for name, count in names.items() if count > 1] == []
    assert sum(not case.refused for case in CASES) > 100  # read right, not refused in doubt
