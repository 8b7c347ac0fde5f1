"""What a face detector finds in whole images, and errors in the boxes that it finds."""

from thermalign.report.carried import ends, of_variant, ratio_cell
from thermalign.report.cells import (
    MISSING,
    Body,
    Cell,
    Row,
    Table,
    fraction,
    interval,
    number,
    rate_cell,
)
from thermalign.report.names import subset_label
from thermalign.report.people import verified
from thermalign.report.summary import View
from thermalign.report.variants import NONE


def found_tables(view: View, variant: str, detector: str) -> list[Table]:
    """Lay out what a detector finds in whole images, and errors in the boxes that it finds."""
    models = [m for m in view.looks if view.get(m, "failure_rate", subset=of_variant(variant))]
    subsets = ["all", *view.ranges("detection_recall")]
    name = view.looks[detector].label if detector in view.looks else detector
    if not models:
        return []
    rates = bool(view.known("eer", subset=of_variant(variant)))
    return [
        Table(
            caption=f"Faces that {name} finds in whole images, {view.label}",
            head="Images",
            columns=["Recall", "Precision", "False alarms per image", "Failure to acquire", "n"],
            bodies=[Body([_detection_row(view, detector, s) for s in subsets])],
            notes=[
                "Recall: share of images whose given box a detection overlaps by at least half of "
                "their union. Precision: share of detections that do; of several detections of "
                "one face one counts. Failure to acquire: share of images without any detection. "
                "Brackets: 95 % interval of a bootstrap over subjects."
            ],
        ),
        Table(
            caption=f"{_measures(rates)} in the box that {name} finds, "
            f"{verified(view) if rates else view.label}",
            head="Model",
            columns=["Given box", "Found box", "Ratio", *(["Given box", "Found box"] * rates)],
            groups=[("NMSE", 3), ("Equal error rate", 2)] if rates else [],
            bodies=[
                Body(
                    [_found_row(view, m, variant, s, rates=rates) for m in models],
                    title=subset_label(s),
                )
                for s in subsets
            ],
            compact=not rates,
            notes=[
                f"The found box is {name}’s best detection, right or wrong. Images in which it "
                "found none count as failures to acquire and have no NMSE; the ratio compares the "
                "images that have both."
                + (" In verification they count as non-matches." if rates else "")
            ],
        ),
    ]


def _detection_row(view: View, detector: str, subset: str) -> Row:
    recall = view.get(detector, "detection_recall", subset=subset)
    alarms = view.get(detector, "false_alarms", subset=subset)
    cells = [
        rate_cell(recall),
        rate_cell(view.get(detector, "detection_precision", subset=subset)),
        Cell(f"{alarms.value:.2f}", ends(alarms)) if alarms else Cell(MISSING, tone="missing"),
        rate_cell(view.get(detector, "without_detection", subset=subset)),
        Cell(number(recall.n)) if recall else Cell(MISSING, tone="missing"),
    ]
    return Row(subset_label(subset), cells)


def _measures(rates: bool) -> str:
    return "NMSE and equal error rate" if rates else "NMSE"


def _found_row(view: View, model: str, variant: str, subset: str, *, rates: bool) -> Row:
    both = [of_variant(v, subset) for v in (NONE, variant)]
    pair = [view.get(model, "nmse", subset=s) for s in both]
    cells = [
        Cell(fraction(v.value), interval(v)) if v and v.known else Cell(MISSING, tone="missing")
        for v in pair
    ]
    cells.append(ratio_cell(view, model, of_variant(variant, subset)))
    cells += [rate_cell(view.get(model, "eer", subset=s)) for s in both] if rates else []
    return Row(view.looks[model].label, cells, look=view.looks[model])
