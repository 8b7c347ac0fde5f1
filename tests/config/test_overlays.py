"""A study that says only how it differs from another; and the studies of the project."""

import hashlib
import json
import re

import pytest
import yaml

from thermalign.catalogue import settings_of
from thermalign.config import overlays
from thermalign.config.models import read_study
from thermalign.config.overlays import config_files, merge, over_base, read_merged
from workflow_rules import ROOT, snakemake

STUDIES = sorted((ROOT / "workflow/config").glob("*.yaml"))
GROUPS = ("datasets", "protocols", "models", "variants", "ablation", "sweep")


@pytest.fixture
def written(tmp_path):
    """Return a function that writes a file and returns its path."""

    def write(text, name="study.yaml"):
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return write


def test_mappings_are_merged_at_every_depth_and_lists_replaced():
    below = {"a": {"b": {"c": 1, "d": 2}, "e": [1, 2]}, "f": 3}
    above = {"a": {"b": {"c": 9}, "e": [7]}}
    assert merge(below, above, "x") == {"a": {"b": {"c": 9, "d": 2}, "e": [7]}, "f": 3}
    assert below["a"]["b"]["c"] == 1


def test_null_takes_an_entry_out_and_nothing_else():
    assert merge({"a": {"b": 1, "c": 2}, "d": 3}, {"a": {"b": None}, "d": None}, "x") == {
        "a": {"c": 2}
    }
    with pytest.raises(ValueError, match=r"^x: a: lvels: null takes out .* mean levels\?$"):
        merge({"a": {"levels": 1}}, {"a": {"lvels": None}}, "x")


def test_a_new_entry_comes_behind_the_one_that_is_named_before_it_or_last():
    below = {"dan": 1, "pbc": 2, "mean": 3}
    assert list(merge(below, {"pbc": 5, "new": 4}, "x")) == ["dan", "pbc", "new", "mean"]
    assert list(merge(below, {"pbc": None, "new": 4}, "x")) == ["dan", "new", "mean"]
    assert list(merge(below, {"new": 4}, "x")) == ["dan", "pbc", "mean", "new"]


def test_an_overlay_is_the_base_but_for_what_it_says(written):
    study = read_study([written("base: config.yaml\nresults: elsewhere\n")], {})
    default = read_study([ROOT / "config.yaml"], {})
    assert study == {**default, "results": "elsewhere"}


def test_any_other_file_stands_alone(written):
    with pytest.raises(ValueError, match=r"(?m)^protocols: is missing; give keys and values"):
        read_study([written("results: elsewhere\nmodels: {mean_shape: {}}\n")], {})


def test_files_and_the_command_line_win_in_their_order(written):
    first = written("base: config.yaml\ntraining_seed: 2\nthreads: {train: 2}\ndata: a\n")
    second = written("training_seed: 3\ndata: b\nmodels: {pbc: null}\n", "second.yaml")
    study = read_study([first, second], {"data": "c"})
    assert study["threads"] == {"train": 2, "ingest": 1}
    assert (study["training_seed"], study["data"]) == (3, "c")
    assert "pbc" not in study["models"]
    assert "dan" in study["models"]


def test_what_the_command_line_changes_is_checked(written):
    file = written("base: config.yaml\n")
    with pytest.raises(ValueError, match=r"^training_seed: 'x' is not allowed"):
        read_study([file], {"training_seed": "x"})
    with pytest.raises(ValueError, match=r"^training_sed: no such key; did you mean"):
        read_study([file], {"training_sed": 1})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("base: confg.yaml\n", r"study.yaml: base: no file .*confg.yaml; give a path within"),
        ("base: [config.yaml]\n", "base: no file"),
        (
            "base: config.yaml\nprotocols: {p3: null}\n",
            r"study.yaml: protocols: p3: null takes out",
        ),
        ("base: config.yaml\nmodels: {dan: {stepz: 1}}\n", r"^models.dan.stepz: no such key; did"),
        ("base: config.yaml\nbse: 1\n", r"^bse: no such key"),
    ],
)
def test_an_overlay_that_is_wrong_is_refused_in_one_line(written, text, message):
    with pytest.raises(ValueError, match=message) as caught:
        read_study([written(text)], {})
    assert "\n" not in str(caught.value)


def test_a_base_is_named_by_the_first_file_alone(written):
    whole, overlay = ROOT / "config.yaml", written("base: config.yaml\n")
    with pytest.raises(ValueError, match=r"study.yaml: base: cannot be merged over"):
        read_merged([whole, overlay], {})
    assert config_files([overlay, whole]) == [ROOT / "config.yaml", overlay, whole]


def test_a_configuration_that_is_handed_over_may_name_a_base():
    handed = {"base": "config.yaml", "results": "elsewhere", "models": {"pbc": None}}
    study = over_base(handed, "configuration")
    assert study["results"] == "elsewhere"
    assert list(study["models"]) == ["dan", "heatmap", "mtcnn", "ert", "mean_shape"]
    assert over_base({"results": "r"}, "configuration") == {"results": "r"}


# --- as Snakemake is given it ---


def dry_run(folder, *arguments):
    return snakemake(folder, "-s", str(ROOT / "Snakefile"), "-n", *arguments)


@pytest.mark.parametrize(
    ("text", "changes", "line"),
    [
        ("models: {dan: {stepz: 1}}", [], "models.dan.stepz: no such key; did you mean steps?"),
        ("matcher: {dog: {inner: -1}}", [], "matcher.dog.inner: -1 is not allowed; give a number"),
        (
            "datasets: {simulated: {settings: {gap: 9}}}",
            [],
            "datasets.simulated.settings.gap: 9 is",
        ),
        (
            "protocols: {p3: null}",
            [],
            "study.yaml: protocols: p3: null takes out what is not there",
        ),
        ("training_seed: 2", ["--config", "training_seed=x"], "training_seed: 'x' is not allowed"),
    ],
)
def test_the_first_dry_run_refuses_in_one_line(written, tmp_path, text, changes, line):
    file = written(f"base: config.yaml\n{text}\n")
    done = dry_run(tmp_path, "--configfile", str(file), *changes)
    assert done.returncode == 1
    (told,) = [said for said in done.stderr.splitlines() if said.startswith("config: ")]
    assert line in told
    assert "Traceback" not in done.stderr
    assert "rule " not in done.stdout


def test_rules_see_the_merged_configuration(written, tmp_path):
    models = "models: {dan: null, heatmap: null, pbc: null, mtcnn: null, ert: null}"
    rest = "protocols: {p2: null}\ndisplacements: null"
    file = written(f"base: config.yaml\n{models}\n{rest}\n")
    done = dry_run(tmp_path, "--configfile", str(file), "--config", "results=elsewhere")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "elsewhere/report/index.html" in done.stdout
    assert set(re.findall(r"protocol=(\w+)", done.stdout)) == {"p1"}
    assert set(re.findall(r"model=(\w+)", done.stdout)) == {"mean_shape", "annotated"}
    assert "rule displace" not in done.stdout


# --- the studies that come with the project ---

CORRUPTED = [
    f"{kind}_{grade}"
    for kind in ("noise", "defocus", "gain", "pixels", "glasses", "room")
    for grade in (1, 2, 3)
]
HOLDS = {  # datasets, protocols, landmark models
    "across": (
        "cooled uncooled",
        "cooled uncooled photographs",
        "dan heatmap mtcnn mean_shape",
    ),
    "across_london60": (
        "cooled uncooled london60",
        "cooled uncooled photographs",
        "dan heatmap mtcnn mean_shape",
    ),
    "corruptions": (
        " ".join(["nominal", *CORRUPTED]),
        "nominal",
        "dan heatmap pbc mtcnn ert mean_shape",
    ),
    "frames": ("frames", "frames", "dan heatmap pbc mtcnn onet ert mean_shape"),
    "full_width": ("simulated", "p1", "dan dan_full heatmap mean_shape"),
    "heatmap": ("simulated", "p1 p2", "dan dan_looks dan_twice heatmap mean_shape"),
    "learning_curve": (
        "simulated",
        "train10 train20 train30 train60 train85",
        "dan pbc mtcnn mean_shape",
    ),
    "london60": ("london60", "portraits", "dan heatmap pbc mtcnn ert mean_shape"),
    "many_people": ("crowd", "crowd", "heatmap"),
    "matchers": (
        "people_2019 people_2020 people_2021 strangers",
        "dpm_2019 wccn_2019 network_2019 dpm_2020 wccn_2020 network_2020 "
        "dpm_2021 wccn_2021 network_2021",
        "mean_shape",
    ),
    "paper": ("frames", "p1 p2", "dan pbc mtcnn mean_shape"),
    "paper_tenth": ("frames", "p1 p2", "dan pbc mtcnn mean_shape"),
    "pbc_reach": (
        "tight wide",
        "tight_box wide_box",
        "dan pbc_valid pbc_printed pbc_valid_logit pbc_printed_logit mean_shape",
    ),
    "robustness": (
        "nominal room_12 room_17 room_27 room_30 noise_2 noise_5 focus_25 focus_50 bolometer",
        "nominal",
        "dan_percentile dan_window dan_histogram pbc_percentile pbc_window pbc_histogram "
        "mtcnn_percentile mtcnn_window mtcnn_histogram mean_shape",
    ),
    "sweep": ("simulated", "p1", "mean_shape"),
    "transfer_long": ("broad", "take_home", "heatmap mean_shape finder"),
    "transfer": ("broad", "take_home", "dan heatmap mean_shape finder"),
    "verification": (
        "people_2019 people_2020 people_2021 people_again",
        "p1_2019 p1_2020 p1_2021 p2_2019 p2_2020 p2_2021 within_session across_sessions",
        "dan pbc mtcnn ert mean_shape",
    ),
}
DIGESTS = {
    "config": "cb6c7e7a584abf73",
    "frames": "3d10bed3ca58182e",
    "learning_curve": "b394ef8e655899ef",
    "london60": "d37682b0e1281620",
    "paper": "8aa81af0a83d5222",
    "pbc_reach": "09a645595bcf9d5c",
    "robustness": "95b4206e02982c82",
    "sweep": "5c08a0d27cd54562",
    "verification": "b74dabf10281b8a4",
}  # of everything they say, as complete files said it


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_no_study_schedules_what_it_does_not_name(path):
    study = read_study([path], {})
    found = tuple(" ".join(study[group]) for group in ("datasets", "protocols", "models"))
    assert found == HOLDS[path.stem]
    used = {protocol["dataset"] for protocol in study["protocols"].values()}
    for group in ("variants", "evaluate_on", "networks"):
        used |= {its["dataset"] for its in study[group].values() if "dataset" in its}
    assert used == set(study["datasets"])
    assert study["results"] != read_study([ROOT / "config.yaml"], {})["results"]


def test_every_study_but_the_one_at_the_papers_size_is_an_overlay():
    alone = [path.stem for path in STUDIES if "base" not in yaml.safe_load(path.read_text())]
    assert alone == ["paper"]


def without_defaults(block, declared):
    """Return what a block says otherwise than the settings that it is of."""
    kept = {}
    for its in declared.settings:
        if its.name not in block:
            continue
        value = block[its.name]
        if its.kind.block:
            value = without_defaults(value, its.kind.block)
        elif its.kind.name == "list" and its.kind.parts[0].block:
            value = [without_defaults(each, its.kind.parts[0].block) for each in value]
        default = list(its.default) if isinstance(its.default, tuple) else its.default
        if its.required or value != default:
            kept[its.name] = value
    return kept


def digest(study):
    """Return a digest of what a study says, and in which order it names things."""
    said = json.loads(json.dumps(study))
    for name, block in study["models"].items():
        declared = settings_of(f"thermalign.landmarks.{block.get('model', name)}")
        said["models"][name] = without_defaults(block, declared)
        said["models"][name] |= {k: block[k] for k in ("model", "seeds") if k in block}
    for name, block in study["datasets"].items():
        declared = settings_of(f"thermalign.ingest.{block['adapter']}")
        said["datasets"][name] = without_defaults(block, declared)
        said["datasets"][name]["box"] = without_defaults(
            block["box"], settings_of("thermalign.boxes")
        )
    order = {group: list(study[group]) for group in GROUPS}
    text = json.dumps([without_nothing(said), order], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def without_nothing(value):
    """Leave out keys that say nothing, so that a new optional key is no other study."""
    if not isinstance(value, dict):
        return value
    said = {key: without_nothing(its) for key, its in value.items()}
    return {key: its for key, its in said.items() if its not in ({}, [])}


@pytest.mark.parametrize("name", DIGESTS)
def test_a_study_says_what_it_said_when_it_was_a_complete_file(name):
    path = next(p for p in [ROOT / "config.yaml", *STUDIES] if p.stem == name)
    assert digest(read_study([path], {})) == DIGESTS[name]


def test_a_base_may_have_a_base(written, monkeypatch):
    folder = written("").parent
    monkeypatch.setattr(overlays, "PROJECT", folder)
    (folder / "low.yaml").write_text("a: {b: 1, c: 2, d: 3}")
    (folder / "middle.yaml").write_text("base: low.yaml\na: {b: 4, d: null}")
    top = folder / "top.yaml"
    top.write_text("base: middle.yaml\na: {c: 5}")
    assert overlays.read_merged([top], {}) == {"a": {"b": 4, "c": 5}}
    assert overlays.config_files([top]) == [
        folder / n for n in ("low.yaml", "middle.yaml", "top.yaml")
    ]
    given = {"base": "middle.yaml", "a": {"b": 6}}
    assert overlays.over_base(given, "configuration") == {"a": {"b": 6, "c": 2}}
    (folder / "low.yaml").write_text("base: middle.yaml")
    with pytest.raises(ValueError, match=r"base: middle\.yaml is merged over this file itself"):
        overlays.read_merged([top], {})
