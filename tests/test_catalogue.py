"""What is loaded by name, and its settings, are read from the source without importing it."""

import dataclasses
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from thermalign import catalogue
from thermalign.catalogue import (
    adapters,
    check_detector,
    classifiers,
    detectors,
    finds_faces,
    mappings,
    settings_of,
    takes_a_state,
    trees,
)
from thermalign.deploy.detector import TrainedDetector
from thermalign.states import State

CLASSES = [
    *(f"landmarks.{name}.Settings" for name in detectors()),
    *(
        f"verification.{name}.Settings"
        for name in ("dog", "features", "dpm", "pls", "wccn", "alignment")
    ),
    *(f"ingest.{name}.Settings" for name in adapters()),
    "simulator.settings.Settings",
    "simulator.settings.Volume",
    "boxes.Settings",
    "folds.Settings",
    "evaluation.settings.Settings",
    "evaluation.displacement.Settings",
    "evaluation.variants.Variant",
]


def test_parts_are_found_by_the_functions_of_their_contract():
    assert detectors() == ["dan", "ert", "finder", "heatmap", "mean_shape", "mtcnn", "pbc"]
    told = {"stages": "full"}
    assert [n for n in detectors() if finds_faces(n, told)] == ["finder", "mtcnn"]
    assert [name for name in detectors() if takes_a_state(name)] == ["dan", "heatmap"]
    assert {"simulator", "table"} == set(adapters()) - set(trees())
    assert trees() == [
        *("arl_polarimetric", "arl_vtf", "carl", "eurecom_vis_th"),
        *("sf_tl54", "speakingfaces", "tfw"),
    ]
    assert mappings() == ["centring", "dpm", "none", "two_branch", "wccn"]
    assert classifiers() == ["cosine", "pls"]


@pytest.mark.parametrize("name", CLASSES)
def test_what_is_read_from_the_source_is_what_the_class_declares(name):
    module, _, kind = f"thermalign.{name}".rpartition(".")
    real = getattr(importlib.import_module(module), kind)
    read = settings_of(module, kind).settings
    assert [its.name for its in read] == [field.name for field in dataclasses.fields(real)]
    for its, field in zip(read, dataclasses.fields(real), strict=True):
        has_none = field.default is field.default_factory is dataclasses.MISSING
        assert its.required == has_none
        if field.default is not dataclasses.MISSING and not its.kind.block:
            assert its.default == field.default
        declared = dict(field.metadata)
        for key in declared.keys() & {
            "low",
            "high",
            "choices",
            "multiple_of",
            "unit",
            "source",
            "costs",
        }:
            assert getattr(its, key) == declared[key], (its.name, key)


def test_nothing_is_imported_to_read_settings():
    code = (
        "import sys; from thermalign.catalogue import *;"
        "[settings_of(f'thermalign.landmarks.{name}') for name in detectors()];"
        "print([m for m in sys.modules if m in ('torch', 'numpy', 'thermalign.landmarks')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Return a function that writes a module ``thermalign.NAME`` of a package of its own."""
    monkeypatch.setattr(catalogue, "PACKAGE", tmp_path)
    catalogue._tree.cache_clear()
    settings_of.cache_clear()

    def write(name, text):
        (tmp_path / f"{name}.py").write_text(text)
        return f"thermalign.{name}"

    yield write
    catalogue._tree.cache_clear()
    settings_of.cache_clear()


EXAMPLE = '''
from collections.abc import Mapping
from pathlib import Path
from thermalign.other import NAMES, Inner
from thermalign import other as away

LARGE = 10**6

class Settings:
    """What it is,
    in short.

    Attributes
    ----------
    steps, rate : int
        How many, and
        how fast.
    mode : str
        One of two.
    """

    steps: int = setting(3, low=1, high=LARGE, unit="px", source="paper")
    rate: float | None = setting(None, low=-0.5)
    mode: str = setting("slow", choices=("fast", *NAMES))
    file: Path = setting()
    window: tuple[float, float] = (20.0, 40.0)
    widths: tuple[int, ...] = setting((1, 2), multiple_of=16)
    inner: Inner = Inner()
    all: tuple[away.Inner, ...] = setting()
    seeds: Mapping[str, int] = setting({}, low=0)
    either: Mapping[str, str | float] = setting({})
'''


def test_names_are_followed_and_docstrings_give_meanings(written):
    written("other", "NAMES = ('slow', 'still')\nclass Inner:\n    x: bool = True\n")
    block = settings_of(written("example", EXAMPLE))
    its = {setting.name: setting for setting in block.settings}
    assert block.meaning == "What it is, in short."
    assert its["rate"].meaning == its["steps"].meaning == "How many, and how fast."
    assert (its["steps"].high, its["steps"].unit, its["steps"].source) == (10**6, "px", "paper")
    assert (its["rate"].kind.optional, its["rate"].low) == (True, -0.5)
    assert its["mode"].choices == ("fast", "slow", "still")
    assert (its["file"].required, its["file"].kind.name) == (True, "str")
    assert [len(its[name].kind.parts) for name in ("window", "widths")] == [2, 1]
    assert its["widths"].kind.any_length
    assert its["inner"].kind.block.settings[0].name == "x"
    assert not its["inner"].required
    assert its["all"].kind.parts[0].block == its["inner"].kind.block
    assert its["seeds"].kind.parts[0].name == "int"
    assert [kind.name for kind in its["either"].kind.parts[0].parts] == ["str", "float"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("steps: int = setting(3, low=least())", "example line 4: steps is no literal"),
        ("steps: int = setting(LOST)", "assigns nothing to LOST"),
        ("steps: Unknown = setting(3)", "has no class Unknown"),
    ],
)
def test_a_declaration_that_only_running_it_would_tell_is_refused(written, line, message):
    module = written("example", f'class Settings:\n    """X."""\n\n    {line}\n')
    with pytest.raises(ValueError, match=message):
        settings_of(module)


def test_an_unknown_detector_is_refused_with_the_known_ones():
    check_detector("x", "dan")
    for wrong in ("dna", "_loop", "../os", 3):
        with pytest.raises(ValueError, match=r"no detector .* use one of dan, ert, finder"):
            check_detector("models.x", wrong)


@pytest.mark.parametrize("stages", ["onet", "full"])
def test_whether_a_detector_finds_faces_is_what_it_says_of_its_settings(stages):
    told = {"stages": stages, "losses": "weighted_sum"}
    module = importlib.import_module("thermalign.landmarks.mtcnn")
    trained = TrainedDetector(Path(), module, module.Settings(**told), State({}))
    assert finds_faces("mtcnn", told) is trained.finds_faces is (stages == "full")
    assert not finds_faces("dan", {})


@pytest.mark.parametrize(
    ("name", "said", "found"),  # what a name is read for once is kept
    [
        ("always", "", True),
        ("by_number", "FINDS = {'a': 2}", True),
        ("by_default", "FINDS = {'a': 2, 'b': True}", False),
    ],
)
def test_what_a_detector_says_of_its_settings_is_a_literal_that_is_read(
    tmp_path, monkeypatch, name, said, found
):
    (tmp_path / "landmarks").mkdir()
    text = "class Settings:\n    a: int = setting(1)\n    b: bool = setting(False)\n"
    text += "\ndef detect(state, stack, its): ...\n\n"
    (tmp_path / "landmarks" / f"{name}.py").write_text(text + said)
    (tmp_path / "landmarks" / "other.py").write_text(text + "FINDS = dict(a=2)")
    monkeypatch.setattr(catalogue, "PACKAGE", tmp_path)
    assert finds_faces(name, {"a": 2}) is found
    with pytest.raises(ValueError, match="landmarks/other: FINDS must be a literal"):
        finds_faces("other", {})
