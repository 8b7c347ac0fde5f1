"""The paper beside the study: verdicts, printed figures beside ours, what is inconsistent in it."""

from dataclasses import dataclass
from typing import ClassVar

from thermalign.report.blocks import (
    Block,
    Body,
    Bullets,
    Cell,
    Chapter,
    Paragraph,
    Part,
    Row,
    Table,
)
from thermalign.report.claims.evidence import Claim, Evidence
from thermalign.report.claims.verdicts import claims
from thermalign.report.layout import column_groups, plain_cell, range_columns
from thermalign.report.printed import (
    HEADLINE,
    PRINTED,
    TOTALS,
    TRIO,
    misprinted_averages,
    published,
)
from thermalign.report.study import Study
from thermalign.report.views import View
from thermalign.report.words import MISSING, fraction, number

OWN = (
    "Verdicts are about this study’s data and settings. A claim holds, fails or stays undecided "
    "here; only ARL’s own recordings could reproduce the paper. Intervals are of 95 % and are not "
    "adjusted: the claims were stated before. One figure whose interval is against a claim makes "
    "it fail, one that leaves it open makes it undecided."
)
SAYS = {True: "for", False: "against", None: "open"}
IN_THE_PAPER = "in the paper"
SPREAD = (
    "The paper’s ± is a standard deviation averaged over landmarks and folds; its axis is open."
)
VOLUMES = (
    "The paper’s averages for MTCNN and PBC in Protocol 2 are not means of its columns. They could "
    "be only if the columns hold Volume 1 alone and the average adds Volume 2, which it does not "
    "say: its columns stand under Volume 1 here for that reason."
)


@dataclass(frozen=True)
class Verdicts:
    """The claims, each with its verdict."""

    kind: ClassVar[str] = "verdicts"
    claims: list[Claim]


def chapter(study: Study) -> Chapter | None:
    """Judge the paper's claims; None where no protocol is one of the paper's.

    It reads SUMMARY: nmse, nmse_best_cell, ced, eer and slopes of the dose-response; DIFFERENCES.
    """
    found = claims(study)
    if not found:
        return None
    beside = [table for view in study.views if (table := printed_table(view))]
    parts = [
        Part("Printed figures beside ours", beside),
        Part("What each verdict rests on", [table] if (table := evidence_table(found)) else []),
        Part("What is inconsistent in the paper", errata(study)),
    ]
    shown = [part for part in parts if part.blocks]
    blocks: list[Block] = [Paragraph(OWN), Verdicts(found)]
    return Chapter("paper", "The paper, claim by claim", shown, blocks)


def printed_table(view: View) -> Table | None:
    """Lay out NMSE of the paper's detectors by range beside the printed; None without any."""
    columns = range_columns(view, "nmse")
    rows = []
    for model in (m for m in TRIO if m in view.models("nmse") and view.protocol.paper):
        look = view.looks[model]
        ours = [plain_cell(view.get(model, "nmse", s)) for *_, s in columns]
        rows.append(Row(look.label, ours, look=look))
        printed = [published(view.protocol.paper, model, s) for *_, s in columns]
        cells = [
            Cell(f"{fraction(p.nmse)} ± {fraction(p.spread, digits=2)}" if p else "")
            for p in printed
        ]
        rows.append(Row(IN_THE_PAPER, cells, tone="muted"))
    if not rows:
        return None
    return Table(
        caption=f"NMSE beside Table {view.protocol.paper + 4} of the paper, {view.label}",
        head="Model",
        columns=[title for _, title, _ in columns],
        bodies=[Body(rows)],
        groups=column_groups(columns),
        notes=[SPREAD, *([VOLUMES] if view.protocol.paper == 2 else [])],
    )


def evidence_table(found: list[Claim]) -> Table | None:
    """Lay out every figure that a verdict rests on; None where none rests on any."""
    bodies = [
        Body([_row(its) for its in claim.evidence], title=f"{claim.number}. {claim.text}")
        for claim in found
        if claim.evidence
    ]
    if not bodies:
        return None
    return Table(
        caption="Figures behind the verdicts",
        head="Figure",
        columns=["Ours", "95 % interval", "In the paper", "Speaks"],
        bodies=bodies,
        notes=[
            "For: the whole interval is on the claim’s side; against: on the other; open: both."
        ],
    )


def _row(its: Evidence) -> Row:
    paper = Cell(its.paper or MISSING, tone="" if its.paper else "missing")
    ends = Cell(its.ends or MISSING, tone="" if its.ends else "missing", value=its.value)
    return Row(
        its.where,
        [Cell(its.text, value=its.value), ends, paper, Cell(SAYS[its.says], tone="words")],
    )


def errata(study: Study) -> list[Block]:
    """Say what is inconsistent in the paper, as far as its own figures show it."""
    counted = {row[0]: row[1] for row in _counts(study)}
    averages = [
        f"Table {paper + 4} prints an average of {fraction(printed)} for {model.upper()} in "
        f"Protocol {paper}; the plain mean of its three ranges is {fraction(mean)}."
        for paper, model, printed, mean in misprinted_averages()
    ]
    lowest = min(columns["1"].nmse for columns in PRINTED[2].values())
    totals = "; ".join(f"{t.detector} {number(t.printed)} ({t.reading})" for t in TOTALS)
    ours = "; ".join(f"{detector} {number(count)}" for detector, count in counted.items())
    items = [
        *averages,
        "“NMSE” is not squared: its equation 7 is a distance over the interocular distance.",
        f"The abstract’s NMSE of {fraction(HEADLINE, digits=2)} at 2.5 m is DAN’s "
        f"{fraction(lowest)} of Protocol 2.",
        "An “8.2 % drop in EER” is a loss called a drop; neither its unit nor its protocol is "
        "given, and no table of rates is printed.",
        "The plateau of PBC is blamed on Ranges 1 and 2, while Table 5 has its errors at Range 3.",
        f"Its numbers of parameters follow from its tables of layers in one convention: {totals}. "
        "Convolutions with one parameter a channel beside their weights, dense layers without "
        "bias, one input channel, slopes and scales not counted."
        + (f" Counted so by this study’s code: {ours}." if ours else ""),
        "PBC as printed leaves 6 x 6 cells of a patch of 60 pixels, not one.",
        "Its numbers of images fit 384 images a person in Volume 1 and 480 in Volume 2: twice the "
        "48 samples of 4 polarimetric images; what the factor of two is, is not said.",
    ]
    return [Bullets(items)]


def _counts(study: Study) -> list[tuple[str, float]]:
    frame = study.parameters
    if frame.empty:
        return []
    named = frame[frame["detector"].isin(["mtcnn", "pbc", "dan"]) & (frame["paper"] > 0)]
    labels = [study.looks[m].label if m in study.looks else str(m) for m in named["model"]]
    return list(zip(labels, map(float, named["paper"]), strict=True))
