"""Faces with their points: typical ones, and where each model went most wrong."""

from thermalign.report.faces import albums
from thermalign.report.layout import Block, Chapter, Paragraph, Part
from thermalign.report.study import Study


def chapter(study: Study) -> Chapter:
    """Show faces with annotated and predicted points, a part per protocol.

    It reads the examples that the step ``report`` chose.
    """
    shown = [Part(view.label, albums(study.examples, view)) for view in study.views]
    parts = [part for part in shown if part.blocks]
    blocks: list[Block] = []
    if study.seeds:
        blocks.append(
            Paragraph(
                "Of models with several training seeds, the training with the lowest seed is shown."
            )
        )
    if not parts:
        blocks.append(Paragraph("No face pictures were given.", tone="absent"))
    return Chapter("faces", "Faces", parts, blocks)
