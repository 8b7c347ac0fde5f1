"""What `thermalign show` prints of a finished report."""

import io
import json
import re
import subprocess
import sys

import pytest
from rich.console import Console
from typer.testing import CliRunner

from thermalign.cli import app
from thermalign.report.page import write_chapters
from thermalign.report.tabulated import tables
from thermalign.report.terminal import PAGE, show

FIRST = {
    "label": "Protocol 1",
    "answer": "DAN is nearest to the annotated points.",
    "numbers": [["NMSE of DAN", ".050 [.047, .053]", "interocular distances"]],
    "reading": "own moment left out of the gallery",
}
KEPT = FIRST | {"reading": "own moment enrolled", "answer": "It costs nothing."}
CLAIMS = [
    {"number": 1, "text": "DAN is best.", "verdict": "holds", "why": "NMSE .050 against .170"},
    {"number": 2, "text": "PBC is worst.", "verdict": "fails", "why": ""},
    {"number": 3, "text": "MTCNN costs most.", "verdict": "undecided", "why": "[−.1, .2] holds 0"},
]
ESCAPE = re.compile(r"\x1b\[[\d;]*m")


@pytest.fixture(scope="module")
def told(study):
    page = json.loads(tables(study, write_chapters(study))[PAGE.name])
    about = {"about": "faces: 60 people.", "warning": "The faces are simulated."}
    return (
        page | about | {"first": [FIRST, KEPT], "claims": CLAIMS, "verdict": "1 of 3 claims holds."}
    )


@pytest.fixture
def results(told, tmp_path):
    path = tmp_path / PAGE
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(told), encoding="utf-8")
    return tmp_path


def lines(results, *, table="", why=False, width=100, encoding="utf-8", **terminal):
    """Return what a terminal of some width shows, with its colours."""
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, write_through=True)
    console = Console(file=file, width=width, highlight=False, **terminal)
    show(results, table=table, why=why, console=console)
    return raw.getvalue().decode(encoding).splitlines()


def uncoloured(found):
    return [ESCAPE.sub("", line).rstrip() for line in found]


def place(found, words):
    return next(k for k, line in enumerate(found) if words in line)


def test_the_answer_and_the_verdict_come_before_any_table(results, told):
    found = lines(results)
    order = ["60 people", "simulated", "left out of the gallery: DAN is nearest", "NMSE of DAN"]
    order += ["1 of 3", "NMSE by model"]
    places = [place(found, words) for words in order]
    assert places == sorted(places)
    assert found[0] == told["title"]
    assert KEPT["answer"] not in "\n".join(found)  # a click away on the page, left out here


def test_every_claim_has_its_verdict_in_a_word_not_in_colour_alone(results):
    text = "\n".join(lines(results))
    for claim in CLAIMS:
        assert re.search(rf"{claim['number']} +{claim['verdict']} +{claim['text']}", text)


def test_what_a_verdict_rests_on_is_told_where_it_is_asked_for(results):
    whys = [claim["why"] for claim in CLAIMS if claim["why"]]
    assert all(why in "\n".join(lines(results, why=True)) for why in whys)
    assert not any(why in "\n".join(lines(results)) for why in whys)


def test_the_main_tables_are_those_of_the_page_figure_by_figure(results, told):
    text = "\n".join(lines(results, width=200))
    for chapter in ("error", "verification"):
        first = next(its for its in told["tables"] if its["chapter"] == chapter)
        assert first["caption"] in text
        for row in (row for body in first["bodies"] for row in body["rows"]):
            figures = [" ".join(filter(None, cell[:2])) for cell in row["cells"]]
            assert re.search(r"\s+".join(map(re.escape, [row["head"], *figures])), text)


def test_a_terminal_gets_colours_and_a_file_none(results):
    found = lines(results, force_terminal=True, color_system="truecolor")
    assert "\x1b[32mholds" in "\n".join(found)
    assert "\x1b[38;2;0;114;178m● \x1b[0mDAN" in "\n".join(found)  # as on the page
    assert uncoloured(found) == lines(results)
    assert "\x1b" not in "\n".join(lines(results))


def test_no_color_takes_the_colours_away_and_nothing_else(results, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    found = lines(results, force_terminal=True, color_system="truecolor")
    codes = {code for line in found for code in re.findall(r"\x1b\[([\d;]*)m", line)}
    assert "1" in codes  # bold
    assert not {code for code in codes if re.search(r"(^|;)[34]\d", code)}
    assert uncoloured(found) == lines(results)


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_a_line_is_no_wider_than_its_terminal(results, width):
    for table in ("", "/"):
        assert max(map(len, lines(results, table=table, width=width))) <= width


def test_what_is_too_wide_loses_no_column(results, told):
    wide = next(its for its in told["tables"] if its["path"].startswith("error/protocol-2/nmse"))
    text = "\n".join(lines(results, table=wide["path"], width=60))
    assert all(title in text for title in wide["columns"])
    for row in (row for body in wide["bodies"] for row in body["rows"]):
        assert all(cell[0] in text for cell in row["cells"])


def test_what_is_no_terminal_gets_every_row_on_one_line(results, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    done = CliRunner().invoke(app, ["show", str(results)])
    assert done.exit_code == 0, done.output
    row = next(line for line in done.output.splitlines() if line.startswith("● DAN"))
    assert row.count("[") == 4
    assert not any(line.endswith(" ") for line in done.output.splitlines())


def test_a_terminal_without_unicode_gets_plain_letters(results):
    found = lines(results, encoding="ascii", table="/", width=150)
    assert any(line.startswith("* DAN") for line in found)
    assert any("+/-" in line for line in found)
    columns = [line.index("|") for line in found if line.startswith(("* ", "Model   "))]
    assert columns


def test_a_note_is_printed_once(results, told):
    notes = [note for its in told["tables"] for note in its["notes"]]
    twice = {note for note in notes if notes.count(note) > 1}
    found = lines(results, table="/", width=10_000)
    assert twice
    assert {found.count(note) for note in twice} == {1}


def test_tables_are_chosen_by_their_path(results, told):
    found = lines(results, table="placement/", width=10_000)
    chosen = [its["caption"] for its in told["tables"] if its["path"].startswith("placement/")]
    assert chosen
    assert [line for line in found if line in {its["caption"] for its in told["tables"]}] == chosen
    assert told["title"] not in found


def test_a_table_that_is_not_there_is_refused_with_the_chapters_that_are(results):
    with pytest.raises(ValueError, match=r"no table's path holds 'nosuch'; there are [a-z-]+, "):
        lines(results, table="nosuch")


def test_a_study_without_a_report_is_refused_with_what_makes_one(tmp_path):
    with pytest.raises(ValueError, match=r"page\.json: is not there; run the study .*make run"):
        show(tmp_path / "results")


def test_a_report_that_is_cut_off_is_refused(results):
    path = results / PAGE
    path.write_text(path.read_text("utf-8")[:-100], "utf-8")
    with pytest.raises(ValueError, match=r"page\.json: is damaged .*remove it, and run"):
        show(results)


def test_neither_pandas_nor_pytorch_is_loaded():
    code = "import sys, thermalign.report.terminal; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "rich.table" in done.stdout.split()
    assert not {"pandas", "torch"} & {*done.stdout.split()}
