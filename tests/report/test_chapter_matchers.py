"""Matchers side by side: who stands beside whom, in which reading, with which differences."""

from fake_study import Rows
from fake_view import by_head, study_of

from thermalign.report.chapters.matchers import chapter
from thermalign.report.page import render
from thermalign.schemas.keys import ALL, ANNOTATED, DISPLACEMENT, Subset

READINGS = ["exclude", "keep"]
SHARED = {"dataset": "people_2019", "same_moment": READINGS, "seed": 1}
WCCN = {"mapping": "wccn", "classifier": "cosine"}
CONFIG = {
    "matcher": {"mapping": "dpm", "classifier": "pls", "components": 10},
    "displacements": {"kinds": ["isotropic"], "range": 1, "linear_up_to": 0.12},
    "protocols": {
        "plain": SHARED,
        "whitened": SHARED | {"matcher": WCCN},
        "elsewhere": SHARED | {"dataset": "people_2020"},
    },
}
SLOPE = Subset(DISPLACEMENT, "isotropic", range="1")


def rows_of(*protocols, readings=("", "keep")):
    rows = Rows()
    for k, protocol in enumerate(protocols):
        for reading in readings:
            whole = ALL._replace(same_moment=reading)
            rows.add((protocol, ANNOTATED, whole), "eer", 0.12 - 0.02 * k, low=0.08, high=0.15)
            rows.add((protocol, ANNOTATED, whole), "rank1", 0.6 + 0.1 * k)
            steep = SLOPE._replace(same_moment=reading)
            rows.add((protocol, ANNOTATED, steep), "eer_slope", 0.87, low=0.62, high=1.12)
            for level in (0.0, 0.1):
                at = steep._replace(level=level)
                rows.add((protocol, ANNOTATED, at), "eer", 0.12)
                rows.add((protocol, ANNOTATED, at), "nmse", level)
            if k:
                key = (protocol, ANNOTATED, whole)
                rows.add(key, "eer_above_first", -0.02, low=-0.05, high=0.01)
                key = (protocol, ANNOTATED, steep)
                rows.add(key, "eer_slope_above_first", -0.03, low=-0.29, high=0.24)
    return rows


def chapter_of(rows, config=CONFIG):
    return chapter(study_of(rows, config=config))


def test_protocols_that_differ_in_their_matcher_alone_stand_side_by_side_in_every_reading():
    _, first, other = chapter_of(rows_of("plain", "whitened", "elsewhere")).blocks
    assert first.caption == "Matchers side by side, own moment left out of the gallery"
    assert other.caption == "Matchers side by side, own moment enrolled"
    assert first.columns == ["Matcher", "Equal error rate", "Rank-1", "EER"]
    assert first.groups == [("", 1), ("Verification", 2), ("Slope over NMSE", 1)]
    assert [body.title for body in first.bodies] == ["people 2019"]
    for table in (first, other):
        told = by_head(table)
        assert list(told) == ["plain", "whitened", "minus the first"]
        assert told["plain"] == ["mapping dpm, classifier pls", "12.0\u202f%", "60.0\u202f%", ".87"]
        assert told["whitened"][0] == "mapping wccn, classifier cosine"
        assert told["minus the first"] == ["", "\u22122.0", "–", "\u2212.03"]


def test_one_reading_and_no_displacement_is_one_table_without_slopes():
    rows = rows_of("plain", "whitened", readings=("",))
    rows = rows.frame().query("experiment == ''")
    _, table = chapter_of(rows).blocks
    assert table.columns == ["Matcher", "Equal error rate", "Rank-1"]
    assert not table.groups
    assert "Slope" not in table.notes[0]


def test_protocols_that_differ_in_more_are_no_chapter():
    assert chapter_of(rows_of("plain", "elsewhere")) is None


def test_the_page_shows_it(read_page):
    study = study_of(rows_of("plain", "whitened"), config=CONFIG)
    assert "Matchers side by side" in read_page(render(study)).text()
