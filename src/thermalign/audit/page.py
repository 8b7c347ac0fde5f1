"""One page of what an audit found, with pictures of the suspects, and the same as tables."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from thermalign import tables
from thermalign.audit.drawing import tile_of
from thermalign.audit.findings import KINDS, STOPS, Faces, Finding, Kind
from thermalign.audit.landmarks import ENOUGH
from thermalign.ingest.quarantine import Quarantined
from thermalign.versions import own_version

TEMPLATE = "page.html.j2"
SHOWN = 24  # pictures of a kind of finding
LISTED = 200  # lines of a kind, and of what was left out


class Suspect(NamedTuple):
    """A finding as the page shows it."""

    names: list[str]
    pictures: list[str]
    reason: str


@dataclass(frozen=True)
class Section:
    """The findings of a kind as the page shows them: with pictures, or in lines."""

    check: str
    kind: Kind
    count: int
    stops: bool
    accepted: bool
    pictured: list[Suspect] = field(default_factory=list)
    lines: list[Suspect] = field(default_factory=list)


def page_of(
    name: str,
    faces: Faces,
    findings: Sequence[Finding],
    left_out: Sequence[Quarantined],
    accept: Collection[str] = (),
) -> str:
    """Return the page, one file with everything in it.

    Parameters
    ----------
    name : of the dataset
    faces : Faces
    findings : what was found, the gravest kinds first
    left_out : what takes no part
    accept : kinds of findings that do not stop
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    sections = [
        _section(check, [its for its in findings if its.check == check], faces, accept)
        for check in KINDS
        if any(its.check == check for its in findings)
    ]
    return environment.get_template(TEMPLATE).render(
        name=name,
        images=len(faces.images),
        people=faces.images["subject_id"].nunique() if len(faces.images) else 0,
        marked=int(faces.marked.sum()),
        looked=faces.looks is not None,
        sections=sections,
        kinds=[kind.title for kind in KINDS.values()],
        enough=ENOUGH,
        left_out=left_out[:LISTED],
        left_out_count=len(left_out),
        listed=LISTED,
        shown=SHOWN,
        version=own_version(),
    )


def write_page(path: Path, text: str) -> None:
    """Write a page, atomically."""
    tables.replace_file(path, lambda its: its.write_text(text, encoding="utf-8"))


def _section(
    check: str, findings: Sequence[Finding], faces: Faces, accept: Collection[str]
) -> Section:
    ranked = sorted(findings, key=lambda its: -abs(np.nan_to_num(its.value - its.limit)))
    seen = [its for its in ranked if its.at >= 0]
    kind = KINDS[check]
    return Section(
        check,
        kind,
        len(findings),
        kind.severity == STOPS and check not in accept,
        check in accept,
        [_suspect(its, faces, drawn=True) for its in seen[:SHOWN]],
        [_suspect(its, faces, drawn=False) for its in ranked if its.at < 0][:LISTED],
    )


def _suspect(finding: Finding, faces: Faces, *, drawn: bool) -> Suspect:
    places = [k for k in (finding.at, finding.other) if k >= 0]
    names = [
        f"{faces.images['image_id'].iloc[k]} ({faces.images['subject_id'].iloc[k]})" for k in places
    ]
    if finding.image or finding.row:
        names = [f"row {finding.row} ({finding.image})"]
    return Suspect(names, [tile_of(faces, k) for k in places] if drawn else [], finding.reason)
