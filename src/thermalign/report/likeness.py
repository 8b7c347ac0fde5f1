"""Real annotated faces beside a dataset's own."""

from typing import Any

import pandas as pd

from thermalign.report.card_values import IN_TENTHS, MEASURES
from thermalign.report.cells import MINUS, Body, Cell, Row, Table, number
from thermalign.report.names import subset_parts

VERDICTS = {
    "camera": "set by the camera",
    "box": "set by how boxes are drawn",
    "too few": "too few subjects",
}
"""Verdicts that the page spells otherwise than the table."""

NOT_JUDGED = ("camera", "box")
"""Words in place of a verdict where difference and ratio say nothing."""


def likeness_table(frame: pd.DataFrame, name: str) -> Table | None:
    """Lay out a dataset's LIKENESS, a block per modality and collection; None without rows."""
    if frame.empty:
        return None
    bodies = []
    for (subset, source), rows in frame.groupby(["subset", "source"], sort=False):
        modality = subset_parts(str(subset))["modality"].capitalize()
        records = rows.to_dict("records")
        title = f"{modality}, {source} ({number(records[0]['real_n'])} images)"
        bodies.append(Body([_row(record) for record in records], title=title))
    return Table(
        caption=f"Real annotated faces beside those of {name}",
        head="Measure",
        columns=["Real faces", "This dataset", "Difference, real SD", "Ratio of SD", "Verdict"],
        bodies=bodies,
        notes=[_note(frame.iloc[0])],
    )


def _note(limits: Any) -> str:
    mean, spread = f"{limits['near_mean']:g}", f"{limits['near_spread']:g}"
    return (
        f"Mean ± standard deviation (SD) over images. “Agrees”: the means lie within {mean} real "
        f"SD of each other and the SDs within a factor of {spread}; fewer than "
        f"{limits['least_subjects']} subjects are not judged. The spread of real annotations holds "
        "pose, expression and the annotators’ error together, so that even real faces, in set "
        "poses, can fail it. The annotators of CARL (Espinosa-Duró et al. 2013) and EURECOM "
        "VIS-TH (Mallat and Dugelay 2018) marked inner and outer eye corners, whose middle stands "
        "for the eye here, and the mouth corners, but no nose. Boxes are a habit of annotators "
        "there and the box setting here, jitter included."
    )


def _row(record: dict[Any, Any]) -> Row:
    measure, verdict = str(record["statistic"]), str(record["verdict"])
    digits = 1 if measure in IN_TENTHS else 3
    judged = verdict not in NOT_JUDGED
    differs = judged and verdict not in ("agrees", "too few")
    difference = round(float(record["difference"]), 2) + 0.0  # a rounded zero has no minus
    return Row(
        MEASURES[measure],
        [
            Cell(f"{record['real_mean']:.{digits}f} ± {record['real_sd']:.{digits}f}"),
            Cell(f"{record['mean']:.{digits}f} ± {record['sd']:.{digits}f}"),
            Cell(f"{difference:+.2f}".replace("-", MINUS) if judged else ""),
            Cell(f"{record['ratio']:.2f}" if judged else ""),
            Cell(VERDICTS.get(verdict, verdict), tone="words best" if differs else "words"),
        ],
    )
