from html.parser import HTMLParser

import fake_study
import pytest

from thermalign.report.page import render
from thermalign.report.study import Study

VOID = {"meta", "link", "br", "hr", "img", "input", "col"}


class Outline(HTMLParser):
    """Reads a page: refuses tags that do not nest, keeps what tests ask about.

    ``numbered`` are table, row and text of every element that names its row.
    """

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[tuple[str, ...], str]] = []
        self.within: list[tuple[int, tuple[str, int], list[str]]] = []
        self.numbered: list[tuple[str, int, str]] = []
        self.feed(page)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"<{tag}> repeats an attribute: {names}"
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        table, _, row = (dict(attrs).get("data-row") or "").partition(" ")
        if row:
            self.within.append((len(self.open), (table, int(row)), []))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        if self.within and self.within[-1][0] == len(self.open):
            _, source, texts = self.within.pop()
            self.numbered.append((*source, " ".join(texts)))
        assert self.open.pop() == tag, f"</{tag}> does not close what is open"

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append((tuple(self.open), data.strip()))
            for _, _, texts in self.within:
                texts.append(data.strip())

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.tags)

    def text(self, inside: str = "body") -> str:
        return " ".join(text for path, text in self.texts if inside in path and "style" not in path)


@pytest.fixture(scope="session")
def study() -> Study:
    return fake_study.full_study()


@pytest.fixture(scope="session")
def page(study: Study) -> str:
    return render(study)


@pytest.fixture(scope="session")
def outline(page: str) -> Outline:
    return Outline(page)


@pytest.fixture(scope="session")
def read_page() -> type[Outline]:
    return Outline
