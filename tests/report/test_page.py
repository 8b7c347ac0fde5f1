import base64
import hashlib
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from fake_study import NAN, configured, empty, full_study, visible_only_study

from thermalign.report.page import render
from thermalign.schemas.measures import SUMMARY


def test_tags_nest_and_no_identifier_is_used_twice(outline):
    identifiers = [attrs["id"] for _, attrs in outline.tags if "id" in attrs]
    assert len(identifiers) == len(set(identifiers))


def test_every_reference_inside_the_page_has_its_target(page, outline):
    identifiers = {attrs["id"] for _, attrs in outline.tags if "id" in attrs}
    wanted = set(re.findall(r'href="#([^"]+)"', page)) | set(re.findall(r"url\(#([^)]+)\)", page))
    assert wanted
    assert wanted <= identifiers


def test_nothing_is_loaded_from_outside_the_page(page, outline):
    assert "://" not in page
    assert "@import" not in page
    assert not re.search(r"url\((?!#)", page)
    assert not {"link", "iframe", "object"} & {tag for tag, _ in outline.tags}
    links = [attrs["href"] for _, attrs in outline.tags if "href" in attrs]
    sources = [attrs["src"] for _, attrs in outline.tags if "src" in attrs]
    embedded = ("data:image/png;base64,", "data:image/jpeg;base64,")
    assert all(link.startswith(("#", *embedded)) for link in links)
    assert sources
    assert all(source.startswith(embedded) for source in sources)


def test_the_page_allows_its_own_script_and_no_other(page):
    (script,) = re.findall(r"<script>(.*?)</script>", page, flags=re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page
    assert not re.search(r"\bon\w+=", page)
    assert not re.search(r"\b(fetch|XMLHttpRequest|import)\(", script)


def test_the_same_study_gives_the_same_bytes(page):
    assert render(full_study()) == page


def test_the_page_stays_small(page):
    assert len(page.encode()) < 4_000_000
    drawings = re.findall(r'<div class="plot".*?</div>', page, flags=re.DOTALL)
    assert drawings
    assert max(map(len, drawings)) < 150_000


def test_every_figure_has_a_caption_and_something_to_show(page):
    figures = re.findall(r"<figure[ >].*?</figure>", page, flags=re.DOTALL)
    assert len(figures) == page.count("<figcaption>")
    for i, figure in enumerate(figures, start=1):
        assert f"<figcaption><b>Figure {i}.</b>" in figure
        assert 'role="img"' in figure or "<img " in figure


def test_every_table_has_a_numbered_caption_and_scoped_headers(page):
    found = re.findall(r"<table.*?</table>", page, flags=re.DOTALL)
    assert len(found) > 8
    for i, table in enumerate(found, start=1):
        assert f"<caption><span><b>Table {i}.</b>" in table
        assert len(re.findall(r"<th\b", table)) == len(re.findall(r"<th scope=", table))
        assert 'scope="row"' in table


def test_every_row_of_a_table_is_as_wide_as_its_header(page):
    for table in re.findall(r"<table.*?</table>", page, flags=re.DOTALL):
        widths = set()
        for row in re.findall(r"<tr.*?</tr>", table, flags=re.DOTALL):
            spans = re.findall(r"<t[hd]\b([^>]*)>", row)
            found = [re.search(r'colspan="(\d+)"', span) for span in spans]
            widths.add(sum(int(match[1]) if match else 1 for match in found))
        assert len(widths) == 1


def test_every_drawing_says_what_it_shows_or_hides(outline):
    for tag, attrs in outline.tags:
        if tag == "svg":
            assert attrs.get("aria-label") or attrs.get("aria-hidden") == "true"
        if tag == "img":
            assert attrs.get("alt")


def test_simulated_faces_are_called_simulated(study, outline, read_page):
    assert "absolute figures say nothing about real people" in outline.text()
    recorded = configured(study, {"datasets": {"faces": {"adapter": "table"}}})
    assert "nothing about real people" not in read_page(render(recorded)).text()


def test_one_simulated_dataset_among_recorded_ones_is_told(study, read_page):
    datasets = {"faces": {"adapter": "table"}, "more": {"adapter": "simulator"}}
    block = configured(study, {"datasets": datasets})
    assert "nothing about real people" in read_page(render(block)).text()


def test_a_visible_only_study_is_a_whole_page(read_page):
    text = read_page(render(visible_only_study())).text()
    assert "No equal error rate was measured." in text
    assert "photos has no verification" in text
    assert "photos: nothing was verified" in text
    assert "[" not in text.partition("Configuration")[0]
    assert "nan" not in text.lower()


def test_a_study_without_any_metric_is_a_whole_page(read_page):
    study = replace(visible_only_study(), summary=empty(SUMMARY))
    assert "No metric was measured." in read_page(render(study)).text()


def test_a_study_without_landmark_error_still_shows_verification(study, read_page):
    summary = study.summary[study.summary["metric"].isin(["eer", "roc"])]
    text = read_page(render(replace(study, summary=summary))).text()
    assert "No landmark error was measured." in text
    assert "Annotated points: equal error rate\u00a014.4" in text


def test_values_that_are_not_numbers_never_reach_the_page(study, read_page):
    summary = study.summary.copy()
    summary.loc[summary["model"] == "pbc", ["value", "low", "high"]] = NAN
    text = read_page(render(replace(study, summary=summary))).text()
    assert not re.search(r"\bnan\b", text.lower())


@pytest.mark.filterwarnings("ignore:Glyph")  # the page names its own fonts
@pytest.mark.parametrize("name", ["<b>\"x\" & 'y'", "a$b$c_{2}", "日本 ä", "{{ 7 * 7 }}"])
def test_odd_names_are_shown_as_they_are_spelt(study, page, read_page, name):
    rename = {"dan": name, "protocol1": name, "stage1": name}
    protocols = study.config["protocols"]
    config = study.config | {"protocols": protocols | {name: protocols["protocol1"]}}
    odd = replace(
        configured(study, config),
        title=name,
        summary=study.summary.replace(rename),
        differences=study.differences.replace(rename),
        curves=study.curves.replace(rename),
        examples=[replace(e, subject_id=name, protocol=name) for e in study.examples],
        boxes=[name],
        cards=[replace(card, name=name) for card in study.cards],
        spread=study.spread.replace(rename),
        seeds={training: (name, seed) for training, (_, seed) in study.seeds.items()},
        pictures=[replace(p, protocol=name, title=name) for p in study.pictures],
        commit=name,
        versions={name: name},
    )
    outline = read_page(render(odd))
    assert outline.count("script") == 1
    assert name in outline.text("header")
    assert name in outline.text("main")
    assert any(name in (attrs.get("alt") or "") for _, attrs in outline.tags)


def test_two_names_that_differ_in_odd_letters_only_stay_apart(study, read_page):
    one = study.summary[study.summary["protocol"] == "protocol1"]
    both = pd.concat([one.assign(protocol="a-b"), one.assign(protocol="a b")], ignore_index=True)
    outline = read_page(render(replace(study, summary=both)))
    identifiers = [attrs["id"] for _, attrs in outline.tags if "id" in attrs]
    assert len(identifiers) == len(set(identifiers))


def test_trainings_with_different_seeds_are_not_compared(study, read_page):
    rows = study.differences.head(1)
    pairs = [("dan_seed1", "dan_seed2"), ("pbc_seed1", "dan_seed1"), ("dan_seed2", "mean_shape")]
    table = pd.concat([rows.assign(model_a=a, model_b=b) for a, b in pairs], ignore_index=True)
    seeds = study.seeds | {"pbc_seed1": ("pbc", 1)}
    page = read_page(render(replace(study, differences=table, seeds=seeds)))
    heads = {text for path, text in page.texts if path[-1] == "th"}
    assert "PBC, seed 1 − DAN, seed 1" in heads
    assert "DAN, seed 2 − mean shape" in heads
    assert "DAN, seed 1 − DAN, seed 2" not in heads


def test_each_face_is_embedded_once_however_many_models_saw_it(study, page):
    pictures = {np.asarray(e.pixels).tobytes() for e in study.examples}
    assert len(pictures) < len(study.examples)
    embedded = page.count("data:image/png;base64,")
    assert embedded == len(pictures) + len(study.pictures)
