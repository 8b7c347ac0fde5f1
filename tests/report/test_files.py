"""What the report leaves beside its page can be read on its own."""

import xml.etree.ElementTree as ET

import pytest

from thermalign.report.files import figures, write_folder
from thermalign.report.page import render, write_chapters

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def chapters(study):
    return write_chapters(study)


@pytest.fixture(scope="module")
def drawn(chapters):
    return figures(chapters)


def test_every_drawing_of_the_page_is_a_file_by_chapter_part_and_figure(chapters, drawn, page):
    assert len(drawn) == 3 * page.partition("</header>")[2].count('<div class="plot"')
    assert all(len(path.split("/")) == 3 for path in drawn)
    for end in ("svg", "pdf", "png"):
        assert sum(path.endswith(f".{end}") for path in drawn) == len(drawn) / 3
    shown = {chapter.id for chapter in chapters}
    assert {path.split("/")[0] for path in drawn} <= shown
    assert "curves/protocol-1/receiver-operating-characteristic-range-1.svg" in drawn


def test_a_drawing_has_its_title_and_the_models_that_its_lines_stand_for(drawn):
    text = drawn["curves/protocol-1/receiver-operating-characteristic-range-1.svg"]
    root = ET.fromstring(text)
    words = [node.text for node in root.iter(f"{SVG}text")]
    assert {"Receiver operating characteristic", "Protocol 1, Range 1"} <= set(words)
    said = " ".join(filter(None, words))
    assert "DAN  EER 15.2" in said
    assert "mean shape  EER 28.1" in said


def test_a_drawing_is_of_its_format_and_bears_no_date(drawn):
    name = "curves/protocol-1/receiver-operating-characteristic-range-1"
    assert drawn[f"{name}.pdf"].startswith(b"%PDF")
    assert drawn[f"{name}.png"].startswith(b"\x89PNG")
    assert b"CreationDate" not in drawn[f"{name}.pdf"]


def test_every_drawing_is_well_formed_and_refers_to_nothing_outside_itself(drawn):
    for path, content in drawn.items():
        if not path.endswith(".svg"):
            continue
        text = content.decode()
        ET.fromstring(text)
        links = [part.split('"')[1] for part in text.split("href=")[1:]]
        assert all(link.startswith("#") for link in links)


def test_a_page_is_the_same_whoever_wrote_its_chapters(study, chapters, page):
    assert render(study, chapters) == page


def test_a_folder_is_replaced_whole(tmp_path):
    folder = tmp_path / "figures"
    write_folder(folder, {"a/b.svg": "old", "c.svg": "old"})
    write_folder(folder, {"a/b.svg": "new", "c.png": b"\x89"})
    assert {path.name for path in folder.rglob("*.*")} == {"b.svg", "c.png"}
    assert (folder / "c.png").read_bytes() == b"\x89"
    assert (folder / "a/b.svg").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["figures"]
    write_folder(folder, {})
    assert list(folder.iterdir()) == []
