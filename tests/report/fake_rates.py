"""Invented rows of failures, support, thresholds, readings, attributes, other summaries."""

from typing import Any

from thermalign.schemas.keys import ALL, OTHER_PROTOCOL, Subset

NAN = float("nan")
PAIRS, PEOPLE = 870, 30
FARS = (0.1, 0.05, 0.01)
FOUND = {"annotated": 0.0, "dan": 0.0, "mtcnn": 0.004, "pbc": 0.021, "mean_shape": 0.0}
"""Model to its failures to acquire: invented."""

PERSONS = {
    ("glasses", "yes"): 0.03,
    ("glasses", "no"): -0.01,
    ("beard", "yes"): 0.01,
    ("beard", "no"): 0.0,
}
"""Attribute of people and its value to how far it moves errors and rates: invented."""


def ends(value: float, *, wide: float, least: float = 0.0, most: float = 1.0) -> dict[str, float]:
    return {"low": max(value - wide, least), "high": min(value + wide, most)}


def add_rates(rows: Any, key: tuple[str, str, Subset], eer: float) -> None:
    """Add what verification shows of one model and subset, under the headline reading."""
    lost = FOUND.get(key[1], 0.0)
    rows.add(key, "fta", lost, n=480, **ends(lost, wide=0.01))
    if key[2] == ALL:
        rows.add(key, "fte", 0.0, n=PEOPLE, **ends(0.0, wide=0.1))
    found = max(eer - lost, 0.01)
    rows.add(key, "eer_found", found, n=14200, **ends(found, wide=0.03))
    for name, rate in (("auc", eer), ("auc_found", found)):
        rows.add(key, name, 1 - rate**1.5, n=14400, **ends(1 - rate**1.5, wide=0.02))
    rows.add(key, "rank1_found", 0.91 - eer, n=470, **ends(0.91 - eer, wide=0.05))
    rows.add(key, "d_prime", 3 - 6 * eer, n=14200, low=2.8 - 6 * eer, high=3.2 - 6 * eer)
    for at in (0.001, 0.01, 0.05, 0.1, 0.3, 0.5):
        accepted = min(1 - found + at, 0.999)
        rows.add(key, "roc_found", accepted, at=at, n=14200)
    add_support(rows, key)
    add_thresholds(rows, key, eer)


def add_support(rows: Any, key: tuple[str, str, Subset]) -> None:
    rows.add(key, "people", PEOPLE, n=480)
    rows.add(key, "person_pairs", PAIRS, n=13920)
    for far in FARS:
        rows.add(key, "person_pairs_needed", 30 / far, at=far, n=PAIRS)


def add_thresholds(rows: Any, key: tuple[str, str, Subset], eer: float) -> None:
    for at in (0.0, *FARS):
        known = at == 0 or 30 / at <= PAIRS
        false = (at or eer) * 1.3
        missed = eer * (1.8 - 6 * at) if at else 0.8 * eer
        for metric, value in (("fmr", false), ("far", false), ("fnmr", missed), ("frr", missed)):
            shown = value if known or metric in ("fnmr", "frr") else NAN
            rows.add(key, metric, shown, at=at, n=480, **ends(shown, wide=0.02))
        rows.add(key, "fmr_bound", NAN, at=at, n=PAIRS)


def add_reading(rows: Any, protocol: str, model: str, rates: tuple[float, ...]) -> None:
    """Add the reading that keeps a probe's own moment enrolled: lower at Range 1."""
    for i, reach in enumerate(("", "1", "2", "3")):
        key = (protocol, model, Subset(same_moment="keep", range=reach))
        eer = rates[max(i - 1, 0)] * (0.6 if i < 2 else 1.0)
        rows.add(key, "eer", eer, n=14400, **ends(eer, wide=0.03))
        rows.add(key, "rank1", 0.95 - eer, n=480, **ends(0.95 - eer, wide=0.05))
        rows.add(key, "fta", 0.0, n=480)
        add_support(rows, key)


def add_attributes(rows: Any, protocol: str, model: str, *, nmse: float, eer: float) -> None:
    for (name, value), more in PERSONS.items():
        people = Subset(attribute=name, attribute_value=value)
        key = (protocol, model, people)
        if nmse:
            rows.add(key, "nmse", nmse + more / 5, **ends(nmse + more / 5, wide=0.01))
            rows.add(key, "failure_rate", 0.002, **ends(0.002, wide=0.01))
        rows.add(key, "eer", eer + more, **ends(eer + more, wide=0.04))
        rows.add((protocol, model, people._replace(range="1")), "eer", eer + more)


def add_errors(rows: Any, key: tuple[str, str, Subset], nmse: float) -> None:
    """Add other summaries of landmark error, and the reach of PBC's grid."""
    for at in (0.08, 0.1):
        missed, area = min(nmse * 4, 0.99) * 0.08 / at, max(1 - nmse / at, 0.02)
        rows.add(key, "failure_at", missed, at=at, **ends(missed, wide=0.03))
        rows.add(key, "ced_auc", area, at=at, **ends(area, wide=0.03))
    for metric, factor in (
        ("nmse_box_diagonal", 0.27),
        ("nmse_box_size", 0.39),
        ("nmse_eye_mouth", 0.95),
    ):
        rows.add(key, metric, factor * nmse, **ends(factor * nmse, wide=0.004))
    if key[1] == "pbc":
        rows.add(key, "nmse_best_cell", 0.4 * nmse, **ends(0.4 * nmse, wide=0.01))


def add_shared(rows: Any, protocol: str, other: str) -> None:
    key = (protocol, "annotated", Subset(OTHER_PROTOCOL, other))
    rows.add(key, "shared_people", 21, n=60)
