"""What holds for every test: one thread each, and which files are begun first."""

import os
from pathlib import Path

# Tests run side by side: with as many threads as there are cores in each, they wait for each other
# several times as long as they work. It is read as PyTorch and the linear algebra are loaded.
os.environ["OMP_NUM_THREADS"] = "1"

TESTS = Path(__file__).parent
LONGEST = [
    TESTS / name
    for name in (
        "test_end_to_end.py",
        "test_own_rows.py",
        "test_dag.py",
        "test_reruns.py",
        "landmarks/test_contract.py",
        "steps/test_train.py",
        "test_typical_changes.py",
        "landmarks/test_finder.py",
        "landmarks/test_heatmap.py",
        "report/test_page.py",
    )
]
"""Files that keep a core busy longest; the rest is short enough for all cores to end together."""


def pytest_collection_modifyitems(items):
    gone = [path for path in LONGEST if not path.is_file()]
    assert not gone, f"{__file__}: LONGEST names {gone}"
    place = {path: number for number, path in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path, len(place)))
