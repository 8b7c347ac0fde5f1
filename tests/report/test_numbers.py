"""Every number of the page that names its row is that row of the tables."""

import math
import re

import pytest

NUMBER = re.compile(r"[+−-]?[\d,]*\.?\d+")


@pytest.fixture(scope="module")
def numbered(outline):
    """(table, row, text) of every element that names its row, its own text alone."""
    return outline.numbered


def spelt(text):
    """Return the numbers of a text as (value, digits after the point)."""
    found = []
    for part in NUMBER.findall(text.replace("\u202f", "").replace("\u00a0", " ")):
        plain = part.replace("−", "-").replace(",", "")
        found.append((float(plain), len(plain.partition(".")[2])))
    return found


def close(value, printed, digits):
    """Say whether a printed number is a value, as it is or in percent."""
    half = 0.5 * 10**-digits + 1e-9
    return any(abs(times * value - printed) <= half for times in (1, 100, -1, -100))


def test_every_number_with_a_row_is_what_the_row_says(study, numbered):
    tables = {"summary": study.summary, "differences": study.differences}
    columns = {name: table[["value", "low", "high"]].to_numpy() for name, table in tables.items()}
    assert len(numbered) > 500
    for table, row, text in numbered:
        value, low, high = columns[table][row]
        main, _, rest = text.partition("[")
        told = spelt(main.partition("±")[0].partition("at most")[0])
        for printed, digits in told[:1]:
            assert close(value, printed, digits), (table, row, text)
        ends = spelt(rest)
        assert len(ends) in (0, 2), text
        for end, (printed, digits) in zip((low, high), ends, strict=False):
            assert math.isfinite(end)
            turned = (low, high)
            assert any(close(its, printed, digits) for its in turned), (table, row, text)


def test_most_numbers_of_figures_name_their_row(outline):
    cells = [attrs for tag, attrs in outline.tags if tag == "td" and "missing" not in str(attrs)]
    named = [attrs for attrs in cells if "data-row" in attrs]
    assert len(named) > len(cells) / 2
