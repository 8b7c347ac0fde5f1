"""How many people and images a study's datasets and folds hold, as its configuration says."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from thermalign.config.checks import manifest_of
from thermalign.settings import parse
from thermalign.simulator.settings import Volume

Block = Mapping[str, Any]


@dataclass(frozen=True)
class Recorded:
    """People who were recorded alike.

    Attributes
    ----------
    subjects : int
    images : dict of modality to float
        Of one person.
    plan : mapping
        Their volume's settings; none for a dataset of one's own.
    """

    subjects: int
    images: Mapping[str, float]
    plan: Block

    def selected(self, role: Block) -> float:
        """Return how many images of one person a ``probe:`` or a ``gallery:`` selects, about."""
        count = self.images.get(role["modality"], 0.0)
        if self.plan:
            samples = {key: self.plan[key] for key in ("baseline", "expression")}
            if asked := role.get("conditions"):
                count *= sum(samples.get(c, 0) for c in asked) / sum(samples.values())
            there = self.plan["ranges" if role["modality"] == "thermal" else "visible_ranges"]
            if asked := role.get("ranges"):
                count *= len(set(asked) & set(there)) / max(len(there), 1)
        return min(count, role.get("images") or count)


def recorded(study: Block, name: str) -> list[Recorded]:
    """Return the people of a dataset, by volume.

    Raises
    ------
    ValueError
        If a manifest cannot be read.
    """
    block = study["datasets"][name]
    if block["adapter"] == "simulator":
        return [_rendered(volume) for volume in block["settings"]["volumes"]]
    manifest = manifest_of(study, name)
    if manifest is None:
        raise ValueError(f"datasets.{name}: neither rendered nor read from a manifest")
    return [_listed(manifest)]


def images_of(people: list[Recorded]) -> float:
    """Return how many images there are of all people, of every modality."""
    return sum(its.subjects * sum(its.images.values()) for its in people)


def of_one(people: list[Recorded], role: Block) -> float:
    """Return how many images a role selects of a person who is drawn from all of them."""
    return sum(its.subjects * its.selected(role) for its in people) / sum(
        its.subjects for its in people
    )


def _rendered(block: Block) -> Recorded:
    volume = parse(Volume, block, "volumes")
    visible = len(volume.visible_ranges) * sum(volume.samples().values()) * volume.sessions
    plan = {key: getattr(volume, key) for key in ("ranges", "visible_ranges")} | volume.samples()
    return Recorded(volume.subjects, {"thermal": sum(volume.frames()), "visible": visible}, plan)


def _listed(manifest: Path) -> Recorded:
    try:
        with manifest.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{manifest}: cannot be read ({error}); check folder: and data:") from None
    if not rows or "subject_id" not in rows[0]:
        raise ValueError(f"{manifest}: no rows with a subject_id; see README, Your own data")
    subjects = len({row["subject_id"] for row in rows})
    counted: dict[str, float] = {}
    for row in rows:
        modality = row.get("modality") or "thermal"
        counted[modality] = counted.get(modality, 0) + 1 / subjects
    return Recorded(subjects, counted, {})
