import ast
import shutil

import pytest

from thermalign import provenance


@pytest.fixture
def package(tmp_path, monkeypatch):
    copy = shutil.copytree(provenance.PACKAGE, tmp_path / "thermalign")
    monkeypatch.setattr(provenance, "PACKAGE", copy)
    forget()
    yield copy
    forget()


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    forget()


def forget():
    for cached in vars(provenance).values():
        getattr(cached, "cache_clear", int)()


def test_prose_does_not_count_and_code_does(package):
    before = provenance.fingerprint("folds")
    edit(package / "folds.py", '"""Draw one random', '"""Reworded.\n\n    Draw one random')
    edit(package / "folds.py", "ROLES = (", "# a comment\nROLES = (")
    assert provenance.fingerprint("folds") == before
    edit(package / "folds.py", "max(1, round", "max(2, round")
    assert provenance.fingerprint("folds") != before


def test_code_reached_through_imports_counts(package):
    before = provenance.fingerprint("boxes"), provenance.fingerprint("folds")
    edit(package / "geometry.py", "(across**2)", "(across**2.0)")
    after = provenance.fingerprint("boxes"), provenance.fingerprint("folds")
    assert after[0] != before[0]
    assert after[1] == before[1]


def test_the_package_initialiser_counts(package):
    before = provenance.fingerprint("folds")
    edit(package / "__init__.py", '"""', 'SIDE_EFFECT = 1\n"""')
    assert provenance.fingerprint("folds") != before


def test_a_data_file_that_a_module_names_counts(package):
    before = provenance.fingerprint("report.page")
    edit(package / "report" / "style.css", "{", "{ ")
    assert provenance.fingerprint("report.page") != before


def test_digests_tell_whose_code_or_data_a_fingerprint_changed_by(package):
    before = provenance.digests("steps.report")
    assert {"steps/report.py", "report/style.css", "report/page.py"} <= set(before)
    assert not [name for name in before if name.startswith("landmarks/")]
    edit(package / "report/page.py", '"""', '"""Other prose. ')
    assert provenance.digests("steps.report") == before
    edit(package / "report/style.css", "{", "{ ")
    now = provenance.digests("steps.report")
    assert {name for name in now if now[name] != before[name]} >= {"report/style.css"}
    assert now["report/page.py"] == before["report/page.py"]


def test_a_file_is_parsed_once_however_many_steps_reach_it(package, monkeypatch):
    parsed = []
    read = provenance._tree
    monkeypatch.setattr(provenance, "_tree", lambda path: parsed.append(path) or read(path))
    for step in ("steps.train", "steps.predict", "steps.report"):
        provenance.fingerprint(step)
        provenance.digests(step)
    assert len(parsed) == len(set(parsed)) > 50


def test_an_unknown_module_is_refused_by_name():
    with pytest.raises(ValueError, match=r"no module thermalign\.landmarks\.nothing"):
        provenance.fingerprint("landmarks.nothing")


def test_empty_fields_which_python_versions_write_differently_are_left_out():
    tree = ast.parse("def f(a):\n    return a\n")
    written = provenance._dump(tree)
    assert "type_params" not in written
    assert "decorator_list" not in written
    assert "FunctionDef(name='f'" in written


def test_the_keywords_of_a_step_are_read_without_loading_it():
    assert provenance.keywords("steps.fold")[:3] == ["images", "protocol", "fold"]
    with pytest.raises(ValueError, match=r"thermalign\.folds has no function run"):
        provenance.keywords("folds")
