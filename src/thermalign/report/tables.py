"""The tables of landmark error, and how tables are laid out by range."""

from thermalign.report.cells import (
    Row,
)
from thermalign.report.names import subset_label, subset_parts
from thermalign.report.summary import View, by_number

Columns = list[tuple[str, str, str]]
"""Group, title and subset of every column."""


ALIGNED_BY = "Probe aligned by"


INTERVALS = "Brackets: 95 % interval of a bootstrap over subjects."


def range_columns(view: View, metric: str) -> Columns:
    """Return the columns of a table by range, as the paper lays them out.

    A protocol with several volumes has a column for every range of each volume, because a volume
    recorded at one range only would otherwise change that range's figure and no other's.
    """
    columns: Columns = []
    subsets = by_number(view.subsets(metric))
    inside = {s: subset_parts(s)["volume"] for s in subsets if "volume" in subset_parts(s)}
    volumes = list(dict.fromkeys(inside.values()))
    for volume in volumes if len(volumes) > 1 else []:
        crossed = [s for s, v in inside.items() if v == volume and "range" in subset_parts(s)]
        titled = [(last_part(s), s) for s in crossed] or [("All ranges", f"volume={volume}")]
        columns += [(f"Volume {volume}", title, subset) for title, subset in titled]
    if not columns:
        columns += [("", subset_label(s), s) for s in view.ranges(metric)]
    if "all" in subsets or not columns:
        title = "Average" if columns and metric == "nmse" else "All images"
        columns.append(("All volumes" if columns and columns[0][0] else "", title, "all"))
    return columns


def any_detail(rows: list[Row]) -> bool:
    """Tell whether any cell has a second line."""
    return any(cell.detail for row in rows for cell in row.cells)


def joined(sentences: list[str]) -> str:
    """Join the sentences that say anything."""
    return " ".join(sentence for sentence in sentences if sentence)


def and_range(columns: Columns) -> str:
    """Return what a caption adds where there are columns by range."""
    return " and range" if len(columns) > 1 else ""


def last_part(subset: str) -> str:
    """Spell the last column of a subset: Range 2 of ``volume=1&range=2``."""
    return subset_label(subset.rpartition("&")[2])


def column_groups(columns: Columns) -> list[tuple[str, int]]:
    """Join neighbouring columns of one group; none where no column has a group."""
    groups: list[tuple[str, int]] = []
    for group, _, _ in columns:
        if groups and groups[-1][0] == group:
            groups[-1] = (group, groups[-1][1] + 1)
        else:
            groups.append((group, 1))
    return groups if any(title for title, _ in groups) else []
