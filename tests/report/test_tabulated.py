"""Tables beside the page: as CSV, LaTeX and Parquet."""

import csv
import io
import json
import math
import re
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest

from thermalign.report.blocks import Body, Cell, Row, Table
from thermalign.report.claims.verdicts import claims, verdict
from thermalign.report.first import first
from thermalign.report.latex import escape, latex
from thermalign.report.page import write_chapters
from thermalign.report.tabulated import FEW, as_csv, flat, headline, in_words, placed, tables

TIDY = ("summary", "differences", "spread", "card", "training", "costs")
NASTY = r"a_b & 5 % of #1 ${x}^2 ~ \ <z>"


@pytest.fixture(scope="module")
def chapters(study):
    return write_chapters(study)


@pytest.fixture(scope="module")
def every(chapters):
    return placed(chapters)


@pytest.fixture(scope="module")
def written(study, chapters):
    return tables(study, chapters)


def small(**changes):
    rows = [Row("DAN", [Cell(".05", "[.04, .06]", tone="best"), Cell("yes")]), Row("PBC", [])]
    given = {"caption": "Small, Protocol 1", "head": "Model", "columns": ["NMSE", "Found"]}
    return Table(**(given | {"bodies": [Body(rows)]} | changes))


def test_every_table_of_the_page_is_a_file_of_each_kind(every, written, page):
    assert len(every) == page.count("<caption")
    paths = {f"{its.path}.{end}" for its in every for end in ("csv", "tex", "parquet")}
    assert paths <= set(written)
    assert "error/protocol-1/nmse-by-model-and-range.tex" in paths
    assert all(re.fullmatch(r"[a-z0-9/-]+\.[a-z]+", path) for path in paths)


def test_tables_of_one_name_have_files_of_their_own(every):
    assert len({its.path for its in every}) == len(every)


def test_csv_and_parquet_hold_the_same(every, written):
    for its in every:
        rows = list(csv.DictReader(io.StringIO(written[f"{its.path}.csv"])))
        frame = pd.read_parquet(io.BytesIO(written[f"{its.path}.parquet"]))
        assert len(rows) == len(frame) == sum(len(body.rows) for body in its.table.bodies)
        assert list(rows[0]) == list(frame.columns)
        texts = frame.select_dtypes(include=["object", "string"]).astype(str).to_dict("records")
        assert texts == [{k: row[k] for k in texts[0]} for row in rows]


def test_what_the_page_prints_stands_in_its_column_and_what_is_below_beside_it():
    frame = flat(in_words(small()))
    assert frame.to_dict("list") == {
        "Model": ["DAN", "PBC"],
        "NMSE": [".05", ""],
        "NMSE detail": ["[.04, .06]", ""],
        "Found": ["yes", ""],
    }


def test_numbers_stand_unrounded_behind_what_is_printed_with_their_interval_and_row(every, study):
    its = next(its for its in every if its.path == "error/protocol-1/nmse-by-model-and-range")
    row = flat(its.table).set_index("Model").loc["DAN"]
    where = int(row["Range 1 source"].removeprefix("summary "))
    known = study.summary.iloc[where]
    assert (known["model"], known["metric"], known["range"]) == ("dan", "nmse", "1")
    for end in ("value", "low", "high"):
        assert row[f"Range 1 {end}"] == known[end]
    assert row["Range 1"].startswith(f"{known['value']:.3f}".lstrip("0"))


def test_the_verdicts_and_the_first_screen_are_those_of_the_page(study, written):
    told = json.loads(written["page.json"])
    found = claims(study)
    assert told["verdict"] == verdict(found)
    assert [(c["number"], c["verdict"]) for c in told["claims"]] == [
        (claim.number, claim.verdict) for claim in found
    ]
    assert [its["answer"] for its in told["first"]] == [its.answer for its in first(study)]


def test_rows_under_titles_say_under_which():
    bodies = [Body([Row("DAN", [Cell("1"), Cell("2")])], title=t) for t in ("NMSE", "EER")]
    assert list(flat(small(bodies=bodies))["group"]) == ["NMSE", "EER"]


def test_columns_of_groups_are_called_by_both_and_none_twice():
    frame = flat(in_words(small(groups=[("Volume 1", 2)], columns=["Range 1", "Range 1"])))
    assert list(frame.columns)[1::2] == ["Volume 1, Range 1", "Volume 1, Range 1-2"]


def test_a_column_of_bars_alone_is_left_out_with_its_group():
    rows = [Row("DAN", [Cell("1"), Cell(""), Cell("3")])]
    groups = [("A", 1), ("B", 1), ("C", 1)]
    kept = in_words(small(bodies=[Body(rows)], columns=["x", "drawn", "z"], groups=groups))
    assert (kept.columns, kept.groups) == (["x", "z"], [("A", 1), ("C", 1)])
    assert [cell.text for cell in kept.bodies[0].rows[0].cells] == ["1", "3"]


def test_tidy_tables_are_those_of_the_study_without_curves_and_experiments(study, written):
    root = {name for name in written if "/" not in name}
    assert root == {f"{name}.{end}" for name in TIDY for end in ("csv", "parquet")} | {"page.json"}
    rows = list(csv.DictReader(io.StringIO(written["summary.csv"])))
    assert {row["metric"] for row in rows} >= {"nmse", "eer"}
    assert not {row["metric"] for row in rows} & {"roc", "ced", "cmc"}
    assert len(rows) == len(headline(study.summary))
    assert len(list(csv.DictReader(io.StringIO(written["spread.csv"])))) == len(study.spread)


def test_tidy_tables_as_parquet_are_not_rounded(study, written):
    frame = pd.read_parquet(io.BytesIO(written["summary.parquet"]))
    np.testing.assert_array_equal(frame["value"], headline(study.summary)["value"])


def test_no_figure_of_the_summary_has_more_than_a_few_abscissae(study):
    kept = headline(study.summary)
    key = [name for name in kept.columns if name not in ("at", "value", "low", "high")]
    key = [name for name in key if name not in ("fold_sd", "n", "n_folds")]
    assert kept.groupby(key)["at"].nunique().max() <= FEW


def test_latex_has_the_rules_of_booktabs_and_as_many_cells_in_each_row_as_columns(every, written):
    for its in every:
        text = written[f"{its.path}.tex"]
        inner = text.split(r"\toprule")[1].split(r"\bottomrule")[0]
        assert text.count(r"\midrule") == len(its.table.bodies)
        rows = [line for line in inner.splitlines() if line.endswith(r"\\") and " & " in line]
        cells = {len(re.findall(r"(?<!\\)&", row)) for row in rows}
        assert cells == {len(its.table.columns)}
        assert len(rows) == 1 + sum(len(body.rows) for body in its.table.bodies)
        assert text.count("{") - text.count(r"\{") == text.count("}") - text.count(r"\}")


def test_latex_has_titles_over_columns_with_a_rule_below_each():
    text = latex(small(groups=[("", 1), ("Volume 1", 1)]), "x")
    assert r"\multicolumn{1}{c}{Volume 1}" in text
    assert text.count(r"\cmidrule(lr)") == 1
    assert r"\cmidrule(lr){3-3}" in text


def test_latex_escapes_what_it_would_read_as_its_own():
    assert escape(NASTY) == (
        r"a\_b \& 5 \% of \#1 \$\{x\}\textasciicircum{}2 \textasciitilde{} "
        r"\textbackslash{} $<$z$>$"
    )
    assert r"\caption{a\_b \& 5 \%" in latex(small(caption=NASTY), "x")


def test_latex_has_no_sign_that_it_does_not_print(written):
    for name, text in written.items():
        if name.endswith(".tex"):
            assert all(sign.isascii() or sign.isalpha() for sign in text), name


def test_latex_sets_the_best_in_bold_and_intervals_small():
    assert r"\textbf{.05} {\scriptsize [.04, .06]}" in latex(in_words(small()), "x")


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("pdflatex"), reason="no pdflatex here")
def test_latex_prints_every_table(every, written, tmp_path):
    told = "\n".join(f"{written[f'{its.path}.tex']}\\clearpage" for its in every)
    head = "\\documentclass{article}\\usepackage{booktabs}\\begin{document}"
    (tmp_path / "all.tex").write_text(f"{head}\n{told}\n\\end{{document}}\n")
    command = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "all.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:]


def test_what_the_page_prints_is_written_down_word_for_word(every, written, outline):
    told = json.loads(written["page.json"])
    assert [its["path"] for its in told["tables"]] == [its.path for its in every]
    shown = outline.text()
    for its in told["tables"]:
        for row in (row for body in its["bodies"] for row in body["rows"]):
            assert row["head"] in shown
            assert len(row["cells"]) == len(its["columns"])
            assert all(cell[0] in shown for cell in row["cells"])


def test_a_figure_that_is_unknown_is_an_empty_field():
    assert as_csv(pd.DataFrame({"of": ["a", "b"], "x": [1 / 3, math.nan]})) == (
        "of,x\na,0.333333\nb,\n"
    )
