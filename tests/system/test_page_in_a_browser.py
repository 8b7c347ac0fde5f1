"""The page in headless Chromium, its network cut: nothing asked for, switched and read by keys."""

import json
import re
import subprocess
import sys
from importlib import import_module

import debian
import pytest

from thermalign.report.page import render
from workflow_rules import ROOT

pytestmark = pytest.mark.slow

SEEN = """
const drawn = (node) => getComputedStyle(node).display !== "none"; // groups of SVG are asked apart
const seen = (node) => node.checkVisibility() && drawn(node);
const of = (key) => [...document.querySelectorAll(`[data-model~="${key}"]`)];
const off = (key) => document.getElementById("show-" + key).click();
const press = (node, key) =>
  node.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true}));
const said = document.getElementById("said");
"""


@pytest.fixture(scope="module")
def page():
    """Return the page of an invented study, where there is a Chromium to open it with."""
    try:
        debian.install(["chromium"], ["chromium"])
    except debian.NotInstalledError as reason:
        pytest.skip(f"Chromium cannot be started: {reason}")
    sys.path.insert(0, str(ROOT / "tests/report"))
    return render(import_module("fake_study").full_study())


def opened(page, tmp_path, script, *, width=1440):
    """Return what a script finds on the page, and what the browser complained of.

    The copy has no policy, so that the script of the test may run beside the page's own.
    """
    bare = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
    told = f"document.title = JSON.stringify((() => {{{SEEN}{script}}})());"
    path = tmp_path / "page.html"
    path.write_text(bare.replace("</body>", f"<script>{told}</script></body>"))
    return browsed(path, tmp_path, width=width)


def browsed(path, tmp_path, *, width=1440):
    command = ["chromium", "--headless", "--no-sandbox", "--dump-dom", "--enable-logging=stderr"]
    command += ["--proxy-server=127.0.0.1:9", f"--user-data-dir={tmp_path / 'profile'}"]
    command += [f"--window-size={width},900", path.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    complaints = [line for line in done.stderr.splitlines() if ":CONSOLE" in line]
    title = re.search(r"<title>(.*?)</title>", done.stdout, flags=re.DOTALL)
    return title[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"), complaints


def found(page, tmp_path, script, **window):
    title, complaints = opened(page, tmp_path, script, **window)
    assert complaints == []
    return json.loads(title)


def test_the_page_itself_runs_its_script_without_a_complaint(page, tmp_path):
    path = tmp_path / "page.html"
    path.write_text(page)
    title, complaints = browsed(path, tmp_path)
    assert complaints == []
    assert title.startswith("Landmark detectors")


def test_nothing_is_asked_of_any_network(page, tmp_path):
    asked = found(page, tmp_path, "return performance.getEntriesByType('resource').length;")
    assert asked == 0


def test_every_drawing_is_drawn_once_its_question_is_open(page, tmp_path):
    script = """
for (const fold of document.querySelectorAll("details")) fold.open = true;
const plots = [...document.querySelectorAll(".plot svg")].filter(seen);
return plots.map((svg) => svg.getBoundingClientRect()).map(({width, height}) => [width, height]);
"""
    sizes = found(page, tmp_path, script)
    assert len(sizes) > 20
    assert all(width > 100 and height > 50 for width, height in sizes)


def test_a_model_that_is_switched_off_is_hidden_everywhere_and_comes_back(page, tmp_path):
    script = """
for (const fold of document.querySelectorAll("details")) fold.open = true;
const key = "look3", before = of(key).filter(seen).length;
off(key);
const during = of(key).filter(seen).length;
off(key);
return [before, during, of(key).filter(seen).length];
"""
    before, during, after = found(page, tmp_path, script)
    assert before > 50
    assert during == 0
    assert after == before


def test_one_protocol_and_one_reading_are_shown_at_a_time(page, tmp_path):
    script = """
const shown = () => [...document.querySelectorAll("h1")].filter(seen).length;
const which = () => [...document.querySelectorAll("h1")].find(seen);
const at = [[shown(), {...which().dataset}]];
document.getElementById("protocol-1").click();
at.push([shown(), {...which().dataset}]);
document.getElementById("reading-keep").click();
at.push([shown(), {...which().dataset}]);
return at;
"""
    assert found(page, tmp_path, script) == [
        [1, {"protocol": "0", "reading": "exclude"}],
        [1, {"protocol": "1", "reading": "exclude"}],
        [1, {"protocol": "1", "reading": "keep"}],
    ]


def test_values_are_read_by_the_arrow_keys_and_left_by_escape(page, tmp_path):
    script = """
const plot = document.querySelector(".first [data-told]");
plot.focus();
press(plot, "ArrowRight");
const first = said.textContent;
press(plot, "ArrowDown");
const second = said.textContent;
press(plot, "Escape");
return [plot.tabIndex, first, second, said.hidden];
"""
    focusable, first, second, hidden = found(page, tmp_path, script)
    assert focusable == 0
    assert first.startswith("annotated points: displaced to NMSE")
    assert re.match(r"[\w ]+: NMSE \.\d{3}", second)
    assert hidden


def test_a_model_that_is_off_is_not_read_out(page, tmp_path):
    script = """
const plot = document.querySelector(".first [data-told]");
const keys = JSON.parse(plot.dataset.told).map(([key]) => key);
off(keys[1]);
plot.focus();
press(plot, "ArrowDown");
return [JSON.parse(plot.dataset.told)[1][1], said.textContent];
"""
    label, words = found(page, tmp_path, script)
    assert not words.startswith(f"{label}:")


def test_a_number_names_its_file_and_its_row(page, tmp_path):
    script = """
const cell = document.querySelector(".numbers [data-row]");
cell.click();
return [cell.dataset.row, said.textContent];
"""
    row, words = found(page, tmp_path, script)
    table, number = row.split()
    assert words == f"compare/{table}.parquet, row {number}"


def test_a_link_opens_what_it_leads_to(page, tmp_path):
    script = """
const link = document.querySelector('a[href="#holds"]');
const before = document.getElementById("holds").open;
location.hash = "#holds";
dispatchEvent(new HashChangeEvent("hashchange"));
return [before, document.getElementById("holds").open, Boolean(link)];
"""
    assert found(page, tmp_path, script) == [False, True, True]


@pytest.mark.parametrize("width", [390, 1440])
def test_nothing_is_wider_than_the_window(page, tmp_path, width):
    script = """
for (const fold of document.querySelectorAll("details")) fold.open = true;
return [document.documentElement.scrollWidth, innerWidth];
"""
    needed, given = found(page, tmp_path, script, width=width)
    assert needed <= given <= max(width, 500)  # some versions open no narrower window
