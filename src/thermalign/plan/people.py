"""How many people and images a study's datasets and folds hold, as its configuration says."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import count, product
from typing import Any, NamedTuple

from thermalign.config.checks import dataset_block, tree_of
from thermalign.config.keys import MODALITIES
from thermalign.config.recordings import CONDITIONS, plans_of
from thermalign.config.sizes import Size, sizes_of
from thermalign.ingest import table, tree
from thermalign.ingest.cells import whole
from thermalign.settings import parse
from thermalign.verification.enrolment import SELECTED_BY

Block = Mapping[str, Any]


class Sort(NamedTuple):
    """What a protocol chooses images by."""

    modality: str
    condition: str
    range: int
    session: str
    volume: int


@dataclass(frozen=True)
class Recorded:
    """People who were recorded alike.

    Attributes
    ----------
    people : int
    images : mapping of Sort to float
        Of one person, on average.
    """

    people: int
    images: Mapping[Sort, float]

    def selected(self, role: Block) -> float:
        """Return how many images of one person a ``probe:`` or a ``gallery:`` selects, about."""
        found = sum(
            number
            for sort, number in self.images.items()
            if sort.modality == role["modality"]
            and all(
                getattr(sort, column) in role[key]
                for key, column in SELECTED_BY.items()
                if role.get(key)
            )
        )
        return min(found, role.get("images") or found)


def recorded(study: Block, name: str) -> list[Recorded]:
    """Return the people of a dataset; those who were recorded in other volumes are apart.

    Raises
    ------
    ValueError
        If it is read from no manifest, or from one, or a tree, that would be refused.
    """
    block = dataset_block(study, name)
    if block["adapter"] == "simulator":
        return list(map(_rendered, sizes_of(study, name), plans_of(block), count(1)))
    own = {key: its for key, its in block.items() if key not in ("adapter", "box", "accept")}
    where = f"datasets.{name}"
    if folder := tree_of(study, name):
        rows = tree.rows_of_tree(tree.list_tree(block["adapter"], own, where), folder)
        its = {key: own[key] for key in ("folder", "quarantine", "leave_out") if key in own}
        settings = parse(table.Settings, its | {"manifest": ""}, where)
        return _listed(str(folder), table.without_chosen(rows, settings)[0])
    if "manifest" not in block:
        raise ValueError(f"{where}: neither rendered nor read from a manifest")
    settings = parse(table.Settings, own, where)
    return _listed(str(settings.folder / settings.manifest), table.list_rows(settings)[0])


def within(people: Iterable[Recorded], volumes: Iterable[int]) -> list[Recorded]:
    """Return the people who were recorded in some volumes, with their images there."""
    chosen = frozenset(volumes)
    parts = (
        Recorded(its.people, {s: n for s, n in its.images.items() if s.volume in chosen})
        for its in people
    )
    return [its for its in parts if its.images]


def images_of(people: Iterable[Recorded]) -> float:
    """Return how many images there are of all people, of every modality."""
    return sum(its.people * sum(its.images.values()) for its in people)


def of_one(people: Iterable[Recorded], role: Block) -> float:
    """Return how many images a role selects of a person who is drawn from all of them."""
    drawn = list(people)
    return sum(its.people * its.selected(role) for its in drawn) / sum(its.people for its in drawn)


def _rendered(size: Size, plan: Block, volume: int) -> Recorded:
    """Return the people of a rendered volume; its images are spread evenly over its samples."""
    samples = {condition: plan[condition] for condition in CONDITIONS if plan[condition]}
    sessions = [str(number + 1) for number in range(plan["sessions"])]
    images = {}
    for modality in MODALITIES:
        ranges = plan["ranges" if modality == "thermal" else "visible_ranges"]
        of_one = getattr(size, modality) / size.people
        parts = sum(samples.values()) * len(ranges) * len(sessions)
        for condition, place, session in product(samples, ranges, sessions):
            sort = Sort(modality, condition, place, session, volume)
            images[sort] = of_one * samples[condition] / parts
    return Recorded(size.people, images)


def _listed(file: str, rows: Iterable[tuple[int, Mapping[str, str]]]) -> list[Recorded]:
    """Return the people of a manifest, whose rows are read as ``ingest`` reads them."""
    each: dict[str, Counter[Sort]] = {}
    for line, row in rows:
        where = f"{file} row {line}"
        place, volume = (whole(row[name], name, where) for name in ("range", "volume"))
        modality = table.modality_of(row, where)
        sort = Sort(modality, row["condition"], place, row["session"], volume)
        each.setdefault(row["subject_id"], Counter())[sort] += 1
    alike: dict[frozenset[int], list[Counter[Sort]]] = {}
    for counts in each.values():
        alike.setdefault(frozenset(sort.volume for sort in counts), []).append(counts)
    return [_averaged(people) for people in alike.values()]


def _averaged(people: list[Counter[Sort]]) -> Recorded:
    total = Counter[Sort]()
    for counts in people:
        total.update(counts)
    return Recorded(len(people), {sort: n / len(people) for sort, n in total.items()})
