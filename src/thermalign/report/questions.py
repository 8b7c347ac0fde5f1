"""What a reader asks: each question with its short answer, and the chapters that open below it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from thermalign.report.blocks import Chapter
from thermalign.report.chapters import findings
from thermalign.report.claims.evidence import Claim
from thermalign.report.claims.verdicts import verdict
from thermalign.report.first import headline_range
from thermalign.report.setup import READINGS
from thermalign.report.study import Study
from thermalign.report.views import View
from thermalign.report.words import (
    between,
    fraction,
    interval,
    number,
    percent,
    percent_number,
    signed,
    spelt,
)
from thermalign.schemas.keys import ANNOTATED, MATCHER, Subset


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
    slope = view.dose(ANNOTATED, "eer_slope", study.main_kind(view))
    if slope is None or not slope.known:
        return ""
    ends = f" {between(slope.low, slope.high, show=_two)}" if slope.bounded else ""
    rise = f"{signed(slope.value, _two)}{ends}"
    return f"{rise} points of equal error rate per .01 of NMSE, in thermal probes."


def _two(value: float) -> str:
    return fraction(value, digits=2)


def verified(study: Study, view: View) -> str:
    """Say the equal error rate with annotated points."""
    value = view.known("eer", headline_range(view)).get(ANNOTATED)
    if value is None:
        return "No equal error rate was measured."
    shown = f"{percent(value.value)} {interval(value, rate=True)}".strip()
    reading = ", ".join(READINGS[r] for r in view.protocol.readings[:1] if r in READINGS)
    return f"Equal error rate with annotated points: {shown}{f' ({reading})' if reading else ''}."


def failures(study: Study, view: View) -> str:
    """Say how many images each detector fails in."""
    told = []
    for model in study.bases(view.models("failure_at")):
        value = view.get(model, "failure_at", at=FAILED)
        if value and value.known:
            told.append(f"{view.looks[model].label} {percent(value.value)}")
    return f"Images with an error of .1 or more: {', '.join(told)}." if told else ""


def matcher(study: Study, view: View) -> str:
    """Say by how much other matchers are above the configured one."""
    told = []
    for name in view.settings(MATCHER, "eer_above_study"):
        value = view.get(ANNOTATED, "eer_above_study", Subset(MATCHER, name))
        if value and value.known and name not in study.setup.permuted:
            told.append(f"{spelt(name)} {signed(value.value, percent_number)}")
    return f"Other matchers, points of equal error rate: {', '.join(told)}." if told else ""


def self_knowledge(study: Study, view: View) -> str:
    """Say how well stated errors rank true ones."""
    known = view.known("rank_correlation")
    told = [f"{view.looks[m].label} {fraction(v.value, digits=2)}" for m, v in known.items()]
    return f"Rank correlation of stated and true error: {', '.join(told)}." if told else ""


def nothing(study: Study, view: View) -> str:
    """Say nothing: the question has no answer in one line."""
    return ""


FAILED = 0.1
"""Interocular distances from which on an image is a failure."""

Answer = Callable[[Study, View], str]

ASKED: tuple[tuple[str, str, Answer, tuple[str, ...]], ...] = (
    ("which", "Which detector is most accurate?", accuracy, ("error",)),
    ("sure", "How sure is that?", certainty, ("differences", "training-data")),
    ("cost-of-error", "What does landmark error cost?", price, ("placement", "dose")),
    ("verify", "How well are faces verified?", verified, ("verification", "curves", "operating")),
    ("holds", "Does the paper hold?", nothing, ("paper",)),
    ("failures", "Which faces go wrong?", failures, ("faces",)),
    ("knows", "Does a detector know its errors?", self_knowledge, ("confidence",)),
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
