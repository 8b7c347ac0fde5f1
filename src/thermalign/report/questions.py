"""What a reader asks: each question with its short answer, and the chapters that open below it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from thermalign.report.blocks import Chapter
from thermalign.report.chapters import findings
from thermalign.report.claims.evidence import Claim
from thermalign.report.claims.verdicts import verdict
from thermalign.report.study import Study
from thermalign.report.views import View
from thermalign.report.words import fraction, interval, number, percent
from thermalign.schemas.keys import ANNOTATED


@dataclass(frozen=True)
class Question:
    """A question with what answers it.

    Attributes
    ----------
    id, title : target of links; the question
    answers : short answer by protocol; that of all under an empty name
    chapters : in the order in which they are read
    """

    id: str
    title: str
    answers: dict[str, str] = field(default_factory=dict)
    chapters: Sequence[Chapter] = ()


def accuracy(study: Study, view: View) -> str:
    """Say the lowest error and the highest of the detectors."""
    known = view.known("nmse")
    if not known:
        return ""
    order = sorted(study.bases(known), key=lambda m: known[m].value if m in known else 9.0)
    listed = [f"{view.looks[m].label} {fraction(known[m].value)}" for m in order if m in known]
    return f"NMSE: {', '.join(listed)}." if listed else ""


def certainty(study: Study, view: View) -> str:
    """Say how many pairs of detectors are separable."""
    return findings.capital(findings.contests(study, [view]))


def price(study: Study, view: View) -> str:
    """Say how the equal error rate rises with landmark error."""
    return findings.capital(findings.dose(study, [view]))


def verified(study: Study, view: View) -> str:
    """Say the equal error rate with annotated points."""
    where = findings.headline(view)
    value = view.known("eer", where).get(ANNOTATED)
    if value is None:
        return "No equal error rate was measured."
    ends = interval(value, rate=True)
    return f"Equal error rate with annotated points: {percent(value.value)} {ends}."


def matcher(study: Study, view: View) -> str:
    """Say what other matchers cost."""
    return findings.capital(findings.ablation(study, [view]))


def self_knowledge(study: Study, view: View) -> str:
    """Say how well stated errors rank true ones."""
    known = view.known("rank_correlation")
    told = [f"{view.looks[m].label} {fraction(v.value, digits=2)}" for m, v in known.items()]
    return f"Rank correlation of stated and true error: {', '.join(told)}." if told else ""


def nothing(study: Study, view: View) -> str:
    """Say nothing: the question has no answer in one line."""
    return ""


Answer = Callable[[Study, View], str]

ASKED: tuple[tuple[str, str, Answer, tuple[str, ...]], ...] = (
    ("which", "Which detector is most accurate?", accuracy, ("error",)),
    ("sure", "How sure is that?", certainty, ("differences", "training-data")),
    ("cost-of-error", "What does landmark error cost?", price, ("placement", "dose")),
    ("verify", "How well are faces verified?", verified, ("verification", "curves", "operating")),
    ("holds", "Does the paper hold?", nothing, ("paper",)),
    ("failures", "Which faces does a detector get wrong?", nothing, ("faces",)),
    ("knows", "Does a detector know when it is wrong?", self_knowledge, ("confidence",)),
    ("carries", "Does it carry over?", nothing, ("variants", "across")),
    ("matching", "What does the matcher contribute?", matcher, ("matchers", "ablation")),
    ("people", "What are the data?", nothing, ("data", "data-faces", "left-out")),
    ("made", "How was it made?", nothing, ("training", "cost")),
    ("sentences", "All of it in sentences", nothing, ("findings",)),
)
"""Identifier, question, short answer and the chapters that answer it at length."""


def questions(
    study: Study, chapters: Sequence[Chapter], claims: Sequence[Claim], about: str
) -> list[Question]:
    """Return the questions that the study has something for, in the order of the page.

    Parameters
    ----------
    study : Study
    chapters : all that were written; one that no question names stands under the last
    claims : the paper's, with their verdicts
    about : what the data are
    """
    by_id = {chapter.id: chapter for chapter in chapters}
    named = {name for *_, names in ASKED for name in names}
    others = [chapter for chapter in chapters if chapter.id not in named]
    found = []
    for key, title, answer, names in ASKED:
        mine = [by_id[name] for name in names if name in by_id]
        mine += others if key == ASKED[-1][0] else []
        told = {view.protocol.name: answer(study, view) for view in study.views}
        whole = {"holds": verdict(claims), "people": about, "made": _made(study)}
        answers = {name: words for name, words in told.items() if words}
        answers |= {"": whole[key]} if whole.get(key) else {}
        if mine:
            found.append(Question(key, title, answers, mine))
    return found


def _made(study: Study) -> str:
    if study.costs.empty:
        return ""
    seconds = float(study.costs["cpu"].sum())
    return f"{number(len(study.costs))} jobs, {number(seconds)} core-seconds."
