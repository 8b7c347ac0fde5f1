"""What protocols ask of rendered datasets, whose people and images are known beforehand."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from thermalign.catalogue import settings_of
from thermalign.config.faults import nearest

Block = Mapping[str, Any]

CONDITIONS = ("baseline", "expression")

BRIGHTEST = 1  # of a picture of 8 bits, once it is read


def faults(study: Block) -> Iterator[str]:
    """Yield a line for each thing that a rendered dataset, or a protocol on one, cannot have."""
    rendered = {name: its for name, its in study["datasets"].items() if "chunks" in its}
    for name, block in rendered.items():
        yield from _dataset(f"datasets.{name}", block)
    for name, protocol in study["protocols"].items():
        if protocol["dataset"] in rendered:
            plans = plans_of(rendered[protocol["dataset"]])
            yield from _protocol(f"protocols.{name}", protocol, plans)
            yield from _displaced(study, name, plans)
    yield from _pictures(study, rendered)


def plans_of(block: Block) -> list[dict[str, Any]]:
    """Return the volumes of a rendered dataset, completed with their defaults."""
    declared = settings_of("thermalign.simulator.settings", "Volume").settings
    defaults = {its.name: its.default for its in declared}
    return [{**defaults, **volume} for volume in block["settings"]["volumes"]]


def people_of(block: Block) -> set[tuple[int, int, int]]:
    """Return everybody of a rendered dataset by seed, volume and number; none of any other."""
    if "chunks" not in block:
        return set()
    own = block["settings"].get("subject_seeds", {})
    return {
        (own.get(f"v{volume}_s{number:03d}", block["seed"]), volume, number)
        for volume, plan in enumerate(plans_of(block), 1)
        for number in range(plan["subjects"])
    }


def _dataset(where: str, block: Block) -> Iterator[str]:
    if block["box"].get("source") == "given":
        yield f"{where}.box.source: given, but rendered images come with no box; give derived"
    people = {
        f"v{volume}_s{number:03d}"
        for volume, plan in enumerate(plans_of(block), 1)
        for number in range(plan["subjects"])
    }
    for name in block["settings"].get("subject_seeds", {}):
        if name not in people:
            first, last = min(people), max(people)
            yield f"{where}.settings.subject_seeds: no subject {name!r}; use {first} to {last}"


def _protocol(where: str, protocol: Block, plans: Sequence[Block]) -> Iterator[str]:
    """Yield volumes, people and images that a dataset does not hold."""
    beyond = [number for number in protocol["volumes"] if number > len(plans)]
    if beyond:
        yield (
            f"{where}.volumes: {protocol['dataset']} has no volume {beyond[0]}; "
            f"use one of 1 to {len(plans)}"
        )
        return
    people = sum(plans[number - 1]["subjects"] for number in set(protocol["volumes"]))
    if protocol["train_subjects"] + protocol["test_subjects"] > people:
        yield (
            f"{where}: {protocol['train_subjects']} train_subjects and "
            f"{protocol['test_subjects']} test_subjects are more than the {people} people of "
            f"volumes {protocol['volumes']} of {protocol['dataset']}; lower one, or add volumes"
        )
    roles = {role: protocol[role] for role in ("probe", "gallery")}
    whole = f"volumes {protocol['volumes']} of {protocol['dataset']}"
    yield from unselected(where, roles, plans, whole, of=_plans(protocol, plans))


def unselected(
    where: str,
    roles: Mapping[str, Block],
    plans: Sequence[Block],
    whole: str,
    *,
    of: Sequence[Block] | None = None,
) -> Iterator[str]:
    """Yield a line for each role that names what a rendered dataset lacks, or selects no image.

    Parameters
    ----------
    where : str
        Key of the roles.
    roles : Selection by ``probe`` and ``gallery``
    plans : of :func:`plans_of`
    whole : str
        What images are selected of, for the message.
    of : plans of the volumes that take part; all where not given
    """
    for role, its in roles.items():
        lines = list(_unknown(f"{where}.{role}", its, plans))
        yield from lines
        if not lines and not _selects(its, plans if of is None else of):
            yield (
                f"{where}.{role}: selects no image of {whole}; "
                "change modality, conditions, ranges or sessions"
            )


def _unknown(where: str, role: Block, plans: Sequence[Block]) -> Iterator[str]:
    """Yield conditions, ranges and sessions that no volume of a dataset has."""
    for key in ("conditions", "ranges", "sessions"):
        known = sorted({value for plan in plans for value in _values(plan, key, role["modality"])})
        for value in role.get(key, []):
            if value not in known:
                near = nearest(value, map(str, known))
                yield f"{where}.{key}: no {role['modality']} image is of {value!r}; {near}"


def _values(plan: Block, key: str, modality: str) -> list[Any]:
    """Return the conditions, ranges or sessions of the images of a volume."""
    if key == "conditions":
        return [condition for condition in CONDITIONS if plan[condition]]
    if key == "sessions":
        return [str(number + 1) for number in range(plan["sessions"])]
    return list(plan["visible_ranges" if modality == "visible" else "ranges"])


def _selects(role: Block, plans: Sequence[Block]) -> bool:
    """Return whether a volume has an image that a probe or a gallery asks for."""
    keys = ("conditions", "ranges", "sessions")
    return any(
        all(
            set(has := _values(plan, key, role["modality"])) & set(role.get(key) or has)
            for key in keys
        )
        for plan in plans
    )


def _plans(protocol: Block, plans: Sequence[Block]) -> list[Block]:
    return [plans[number - 1] for number in protocol["volumes"] if number <= len(plans)]


def _pictures(study: Block, rendered: Mapping[str, Block]) -> Iterator[str]:
    """Yield models whose one window does not hold both degrees and pictures of 8 bits."""
    used = {its["dataset"]: f"protocols.{name}" for name, its in study["protocols"].items()}
    for group in ("variants", "evaluate_on"):
        for name, its in study.get(group, {}).items():
            if "dataset" in its:
                used.setdefault(its["dataset"], f"{group}.{name}")
    for dataset, user in used.items():
        settings = rendered.get(dataset, {}).get("settings", {})
        share = settings.get("variety", {}).get("exports", 0)
        for name, block in study["models"].items() if share else ():
            if block.get("normalisation") != "window":
                continue
            window = _window(name, block)
            if share < 1 or window[0] >= BRIGHTEST:
                yield (
                    f"models.{name}.normalisation: window is {window}, but of {user} a share of "
                    f"{share} are pictures of 0 to {BRIGHTEST} and the rest degrees "
                    f"(datasets.{dataset}: variety.exports); give percentile"
                )


def _window(name: str, block: Block) -> list[float]:
    """Return the window of a model, by default its detector's."""
    declared = settings_of(f"thermalign.landmarks.{block.get('model', name)}").settings
    return list(block.get("window", next(s.default for s in declared if s.name == "window")))


def _displaced(study: Block, name: str, plans: Sequence[Block]) -> Iterator[str]:
    """Yield a range of the displacements at which a protocol has no probe."""
    protocol, moved = study["protocols"][name], study.get("displacements")
    asked = protocol["probe"].get("ranges")
    if moved is None or not _selects(protocol["probe"], _plans(protocol, plans)):
        return
    at_range = {**protocol["probe"], "ranges": [moved["range"]]}
    if (asked and moved["range"] not in asked) or not _selects(at_range, _plans(protocol, plans)):
        yield (
            f"displacements.range: protocol {name} has no probe at range {moved['range']}; "
            "give a range that it has, or leave displacements out"
        )
