"""What cannot be within one block of a configuration, whatever the others say."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from thermalign.catalogue import constant, further_metrics, settings_of
from thermalign.config.faults import nearest
from thermalign.config.keys import MODALITIES

Block = Mapping[str, Any]

SMALLEST_PAIR = 4  # px between aligned eyes, and between mouth corners

SMALLEST_BOX = 4  # px, of a side


def faults(study: Block) -> Iterator[str]:
    """Yield a line for each thing that a block cannot be."""
    yield from _variations(study)
    yield from _datasets(study)
    yield from _evaluation(study["evaluation"])
    yield from _displacements(study.get("displacements"))
    yield from _alignment(study["alignment"])
    yield from _cells(study)


def _variations(study: Block) -> Iterator[str]:
    """Yield variations of the matcher that are empty."""
    for group in ("ablation", "sweep"):
        for name, block in study[group].items():
            if not block:
                yield f"{group}.{name}: differs in nothing; give keys of matcher, or permutations"


def _datasets(study: Block) -> Iterator[str]:
    """Yield boxes that are none, columns that mean nothing, and attributes with no name."""
    for name, block in study["datasets"].items():
        yield from _box(f"datasets.{name}.box", block["box"])
        yield from _columns(f"datasets.{name}", block)
        for attribute in block.get("attributes", []):
            if not re.fullmatch("[a-z][a-z0-9_]*", attribute):
                what = "is no name; use small letters, digits and _, a letter first"
                yield f"datasets.{name}.attributes: {attribute!r} {what}"


def _box(where: str, box: Block) -> Iterator[str]:
    fixed = box.get("fixed")
    if box.get("source") == "fixed" and fixed is None:
        yield f"{where}: source is fixed; give fixed: [x, y, width, height], px"
    if fixed and (min(fixed[:2]) < -0.5 or min(fixed[2:]) < SMALLEST_BOX):
        yield (
            f"{where}.fixed: {fixed} is no box; give x and y from -0.5, and width and height from "
            f"{SMALLEST_BOX} px (no shares of the image)"
        )
    elif fixed and "source" not in box:
        yield f"{where}: fixed is given, but source is derived by default; give source: fixed"


def _columns(where: str, block: Block) -> Iterator[str]:
    """Yield columns of a manifest that mean nothing, or that cannot have a default."""
    for key, names in (("columns", "OURS"), ("defaults", "MAY_DEFAULT")):
        known = [*constant("thermalign.ingest.columns", names), *block.get("attributes", [])]
        for name in block.get(key, {}):
            if name not in known:
                yield f"{where}.{key}: no column {name!r}; {nearest(name, known)}"
    said = block.get("defaults", {}).get("modality", MODALITIES[0])
    if str(said).lower() not in MODALITIES:
        yield f"{where}.defaults.modality: {said!r} is none; {nearest(said, MODALITIES)}"


def _cells(study: Block) -> Iterator[str]:
    """Yield cells of the features of which an aligned face does not hold 2 x 2."""
    declared = settings_of("thermalign.verification.features").settings
    default = next(its.default for its in declared if its.name == "cell")
    most = min(study["alignment"]["width"], study["alignment"]["height"]) // 2
    blocks = {"matcher": study["matcher"]}
    for name, protocol in study["protocols"].items():
        blocks[f"protocols.{name}.matcher"] = protocol.get("matcher", {})
    for group in ("ablation", "sweep"):
        blocks |= {f"{group}.{name}": block for name, block in study[group].items()}
    for where, block in blocks.items():
        cell = block.get("features", {}).get("cell", default)
        if "features" in block and cell > most:
            yield f"{where}.features.cell: {cell} px are too many for 2 x 2 cells; give 2 to {most}"


def _evaluation(block: Block) -> Iterator[str]:
    """Yield further metrics that are no modules of metrics, or name two figures at once."""
    errors, scores = further_metrics("of_errors"), further_metrics("of_scores")
    for name in block.get("metrics", []):
        if name not in errors and name not in scores:
            near = nearest(name, sorted({*errors, *scores}))
            yield f"evaluation.metrics: no metric {name!r}; {near}"
        if name in errors and name in scores:
            yield f"evaluation.metrics: {name} has of_errors() and of_scores(); split its module"


def _displacements(block: Block | None) -> Iterator[str]:
    """Yield levels that do not rise from 0, or hold none that a slope could be fitted to."""
    if block is None:
        return
    levels, where = block["levels"], "displacements"
    if not block["kinds"]:
        yield f"{where}.kinds: is empty; name one, or leave displacements out"
    if len(levels) < 2 or levels[0] != 0 or levels != sorted(set(levels)):
        yield f"{where}.levels: {levels} do not rise from 0; sort two or more and begin with 0"
    elif block["linear_up_to"] < levels[1]:
        yield (
            f"{where}.linear_up_to: no level but 0 up to {block['linear_up_to']}; "
            f"give {levels[1]} or more"
        )


def _alignment(alignment: Block) -> Iterator[str]:
    """Yield canonical points that are no upright face within the aligned image."""
    points, where = alignment["points"], "alignment.points"
    for name, (x, y) in points.items():
        if x > alignment["width"] - 1 or y > alignment["height"] - 1:
            yield (
                f"{where}.{name}: [{x}, {y}] lies outside the aligned face of "
                f"{alignment['width']} x {alignment['height']} px; give a place within"
            )
    for pair in ("eye", "mouth_corner"):
        right, left = points[f"right_{pair}"], points[f"left_{pair}"]
        if left[0] - right[0] < SMALLEST_PAIR:
            yield (
                f"{where}: left_{pair} {left} must lie at least {SMALLEST_PAIR} px right "
                f"of right_{pair} {right}, since left and right are the subject's; correct one"
            )
        if pair == "eye" and max(right[1], left[1]) >= points["nose_base"][1]:
            yield f"{where}: an eye lies below nose_base; correct one of them"
        if pair != "eye" and min(right[1], left[1]) <= points["nose_base"][1]:
            yield f"{where}: the mouth lies above nose_base; correct one"
