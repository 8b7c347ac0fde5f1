"""What documents and docstrings refer to is there: files by name, code by import path."""

import importlib
import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
FOLDERS = ("src", "tests", "workflow", "benchmarks", "docs", "envs")
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "results/README.md")),
    ROOT / "tests/reference/README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
MODULES = sorted((ROOT / "src/thermalign").rglob("*.py"))


def test_the_version_is_the_same_wherever_it_stands():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    released = re.findall(r"^## \[(\d.*)\] - (.*)", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert (citation["version"], str(citation["date-released"])) == released[0]
    assert released[0][0] == version


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_document_names_no_file_that_is_not_there(document):
    files = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.*")]
    every = [*files, *ROOT.glob("*.*"), *DOCUMENTS]
    known = {f"/{path.relative_to(ROOT).as_posix()}" for path in every}
    named = re.findall(r"`([\w./-]+\.(?:py|md|smk|yaml|css|j2))`", document.read_text())
    missing = [n for n in named if "NAME" not in n and not any(k.endswith(f"/{n}") for k in known)]
    assert not missing


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_document_links_to_nothing_that_is_not_there(document):
    for link in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
        place, _, heading = link.partition("#")
        if not link.startswith(("http://", "https://")):
            target = document.parent / place if place else document
            assert target.exists(), link
            assert not heading or heading in headings(target), link


def headings(document):
    """Return what links call the headings of a document."""
    found = re.findall(r"^#+ (.*)", document.read_text(), flags=re.M)
    return {re.sub(r"[^\w\- ]", "", words).lower().replace(" ", "-") for words in found}


@pytest.mark.parametrize(
    "file", MODULES, ids=lambda path: path.relative_to(ROOT / "src").as_posix()
)
def test_what_a_docstring_refers_to_is_there(file):
    dotted = ".".join(file.relative_to(ROOT / "src").with_suffix("").parts)
    for name in re.findall(r":(?:func|mod|class|meth|data):`([\w.]+)`", file.read_text()):
        whole = name if name.startswith("thermalign") else f"{dotted}.{name}"
        assert is_there(whole), f"{dotted} refers to {name}"


def is_there(name):
    """Say whether a dotted name is a module, or something in one."""
    parts = name.removesuffix(".__init__").split(".")
    for length in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for attribute in parts[length:]:
            found = getattr(found, attribute, None)
        return found is not None
    return False
