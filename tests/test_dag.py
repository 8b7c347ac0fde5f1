"""What a change re-runs, as dry runs of a copy of the project in which every job has run."""

import json
import os
import re
import shutil

import pytest
import yaml

from thermalign.catalogue import adapters, classifiers, constant, detectors, mappings
from thermalign.config.models import read_study
from thermalign.provenance import sources, third_party
from workflow_rules import ROOT, RULES, given, snakemake

COPIED = ("Snakefile", "config.yaml", "workflow", "src", "envs")

# Steps replaced by ones that only write their outputs, so that a whole study takes seconds.
# The rules, their params and the fingerprints are the real ones: those are what is tested.
FAKE = f"""
import json, sys
from pathlib import Path
outputs = {json.dumps({rule: given(rule, "output") for rule in RULES})}
step, options = sys.argv[1], dict(zip(sys.argv[2:], sys.argv[3:]))
for name in outputs[step]:
    path = Path(options["--" + name])
    path.parent.mkdir(parents=True, exist_ok=True)
    if name in ("folder", "figures", "csv"):
        path.mkdir(exist_ok=True)
    elif name == "files":
        path.write_text(json.dumps({{"fingerprint": options["--fingerprint"], "files": {{}}}}))
    else:
        path.write_text(step)
"""


@pytest.fixture(scope="module")
def untouched(tmp_path_factory):
    """A copy of the project as it is."""
    project = tmp_path_factory.mktemp("untouched") / "project"
    project.mkdir()
    for name in COPIED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, project / name)
    return project


@pytest.fixture(scope="module")
def finished(untouched, tmp_path_factory):
    """The project, with two variants, in which every job has run, by the fake steps."""
    project = shutil.copytree(untouched, tmp_path_factory.mktemp("study") / "project")
    variants = "variants:\n  shift_05: {shift: 0.05}\n  scale_150: {scale: 1.5}\n"
    edit(project / "config.yaml", "variants: {}", variants)
    shorten(project / "config.yaml")
    edit(project / "config.yaml", "stages: onet", "stages: full")  # finds faces
    edit(project / "config.yaml", "losses: landmarks", "losses: alternating")
    run_with_fake_steps(project)
    return project


def shorten(config):
    """Leave one fold of one protocol and three models: fewer jobs, faster dry runs."""
    edit(config, "chunks: 8", "chunks: 1")
    edit(config, "folds: 2", "folds: 1")
    text = config.read_text()
    blocks = ("  p2:", "  heatmap:", "  pbc:", "  ert:")
    for block in (rf"{name}.*\n(?:    .*\n)+" for name in blocks):
        text, count = re.subn(block, "", text)
        assert count == 1, block
    config.write_text(text)


def run_with_fake_steps(project):
    """Run every job that is due by the fake steps."""
    main = project / "src/thermalign/__main__.py"
    real = main.read_text()
    main.write_text(FAKE)
    done = snakemake(project, "--quiet", "all")
    main.write_text(real)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def project(finished, tmp_path):
    return shutil.copytree(finished, tmp_path / "moved", symlinks=True)


def due(project, *arguments):
    """Return rule and model of every job that a dry run would start."""
    done = snakemake(project, "-n", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    jobs = re.findall(r"rule (\w+):\n(.*?)(?=\n\[|\Z)", done.stdout, flags=re.DOTALL)
    model = re.compile(r"model=(\w+)")
    return {(rule, *model.findall(body)[:1]) for rule, body in jobs if rule != "all"}


SUBTREE = ("train", "predict", "stress", "score_variants", "align", "score", "measure")
MODELS = ("dan", "mtcnn", "mean_shape")


def subtree(model):
    return {(rule, model) for rule in SUBTREE} | {("compare",), ("spread",), ("report",)}


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_a_moved_folder_touched_files_prose_and_threads_are_no_change(project):
    for file in (project / "src").rglob("*.py"):
        file.touch()
    model = project / "src/thermalign/landmarks/dan.py"
    edit(model, '"""Deep Alignment Network', '"""Reworded')
    model.write_text(model.read_text() + "\n# a comment\n")
    edit(project / "config.yaml", "train: 1 #", "train: 2 #")
    assert due(project) == set()


def test_code_of_one_model_is_due_for_that_model_alone(project):
    model = project / "src/thermalign/landmarks/dan.py"
    model.write_text(model.read_text() + "\nCHANGED = 1\n")
    assert due(project) == subtree("dan")


def test_a_block_of_the_configuration_is_due_for_that_model_alone(project):
    edit(project / "config.yaml", "    steps: 1200 # of stage 1", "    steps: 1201 # of stage 1")
    assert due(project) == subtree("dan")


def stressed(*models):
    due_each = {(rule, model) for model in models for rule in ("stress", "score_variants")}
    return due_each | {("compare",), ("report",)}


def test_a_variant_is_due_where_models_are_tested_under_it_alone(project):
    edit(project / "config.yaml", "shift: 0.05", "shift: 0.06")
    assert due(project) == stressed(*MODELS)


def test_a_variant_by_a_detector_makes_every_model_depend_on_it(project):
    edit(project / "config.yaml", "shift_05: {shift: 0.05}", "found: {detector: mtcnn}")
    assert due(project) == stressed(*MODELS) | {("detect", "mtcnn")}
    run_with_fake_steps(project)
    edit(project / "config.yaml", "steps: 600", "steps: 601")
    assert due(project) == subtree("mtcnn") | stressed(*MODELS) | {("detect", "mtcnn")}


def test_another_part_of_the_ablation_is_due_there_alone(project):
    edit(project / "config.yaml", "pls: {mapping: none}", "pls: {mapping: none, components: 5}")
    assert due(project) == {("ablate",), ("compare",), ("report",)}


def test_another_level_of_displacement_is_due_there_alone(project):
    edit(project / "config.yaml", "0.24, 0.32]", "0.24, 0.32, 0.4]")
    assert due(project) == {("displace",), ("compare",), ("report",)}


def test_a_matcher_is_due_wherever_scores_are_made(project):
    edit(project / "config.yaml", "components: 10", "components: 11")
    wanted = {("train_matcher",), ("ablate",), ("displace",), ("compare",), ("report",)}
    for model in (*MODELS, "annotated"):
        wanted |= {("score", model), ("measure", model)}
    wanted |= {("score_variants", model) for model in MODELS}
    assert due(project) == wanted


def test_who_meets_whom_trains_no_detector_and_changes_no_fold(project):
    config = project / "config.yaml"
    edit(config, "same_moment: [exclude, keep]", "same_moment: [keep]")
    edit(config, "conditions: [baseline]}", "conditions: [baseline], ranges: [1], images: 2}")
    edit(config, "probe: {modality: thermal, conditions: []}", "probe: {modality: thermal}")
    rules = {job[0] for job in due(project)}
    assert {"train_matcher", "score", "ablate", "displace"} <= rules
    assert not rules & {"fold", "train", "predict", "stress", "detect", "align", "annotated"}


def test_other_shares_of_rejected_probes_are_measured_without_a_detector_or_a_score(project):
    edit(project / "config.yaml", "reject: [0.02, 0.05, 0.1]", "reject: [0.05, 0.2]")
    wanted = {("measure", model) for model in (*MODELS, "annotated")}
    assert due(project) == wanted | {("compare",), ("report",)}


THERE = "{dataset: there, probe: {modality: thermal}, gallery: {modality: visible}}"
ELSEWHERE = {(rule, model) for rule in ("predict_across", "score_across") for model in MODELS}
ELSEWHERE |= {("fold_across",), ("enrol_across",), ("compare",), ("report",)}


@pytest.fixture
def visiting(project):
    """The study with another dataset that models are to be tested on; nothing of it has run."""
    (project / "there.csv").write_text("path,subject_id,modality\n")
    table = "{adapter: table, folder: ., manifest: there.csv, box: {source: given}}"
    edit(project / "config.yaml", "datasets:\n", f"datasets:\n  there: {table}\n")
    edit(project / "config.yaml", "evaluate_on: {}", f"evaluate_on:\n  there: {THERE}")
    return project


def test_another_dataset_to_test_on_is_due_in_its_own_jobs_alone(visiting):
    assert due(visiting) == {("ingest",), ("describe",)} | ELSEWHERE
    run_with_fake_steps(visiting)
    assert due(visiting) == set()
    edit(visiting / "config.yaml", f"  there: {THERE}", f"  there: {THERE}\n  again: {THERE}")
    assert due(visiting) == ELSEWHERE


def test_what_is_asked_of_another_dataset_is_due_where_it_is_needed(visiting):
    run_with_fake_steps(visiting)
    config, joined = visiting / "config.yaml", {("compare",), ("report",)}
    predicted, scored = (
        {(rule, model) for model in MODELS} for rule in ("predict_across", "score_across")
    )
    for old, new, wanted in (
        (THERE, THERE.replace("visible", "thermal"), {("enrol_across",)} | scored),
        (THERE, THERE.replace("}}", "}, landmarks: [nose_base]}"), predicted | scored),
        ("components: 10", "components: 11", {("enrol_across",)} | scored),
    ):
        edit(config, old, new)
        found = due(visiting)
        assert wanted | joined <= found
        assert not found & ((predicted | scored | {("fold_across",), ("enrol_across",)}) - wanted)
        edit(config, new, old)
    change(visiting, "landmarks/dan.py")
    across = {("predict_across", "dan"), ("score_across", "dan")}
    assert due(visiting) == subtree("dan") | across


def test_a_study_without_variants_ablation_and_displacements_has_no_such_jobs(project):
    config = yaml.safe_load((project / "config.yaml").read_text())
    for block in ("variants", "ablation", "displacements"):
        del config[block]
    (project / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    assert due(project) == {("compare",), ("report",)}


def test_a_detector_to_take_home_needs_its_models_alone(project):
    its = "{protocol: p1, model: "
    block = f"detector: {{landmarks: {its}dan}}, finder: {its}mtcnn}}}}\n"
    config = project / "config.yaml"
    config.write_text(f"{config.read_text()}\n{block}")
    assert due(project) == {("detect", "mtcnn"), ("pack",)}
    run_with_fake_steps(project)
    assert due(project) == set()
    edit(project / "src/thermalign/deploy/card.md.j2", "## Limits", "## Its limits")
    assert due(project) == {("pack",)}
    model = project / "src/thermalign/landmarks/dan.py"
    model.write_text(model.read_text() + "\nCHANGED = 1\n")
    assert due(project, "pack") == {("train", "dan"), ("predict", "dan"), ("pack",)}


def test_a_new_model_is_one_file_and_one_line(project):
    models = project / "src/thermalign/landmarks"
    shutil.copy(models / "mean_shape.py", models / "average.py")
    edit(project / "config.yaml", "  mean_shape: {}", "  average: {}\n  mean_shape: {}")
    assert due(project) == subtree("average")


def test_two_models_of_one_file_differ_by_name(project):
    edit(
        project / "config.yaml",
        "  mean_shape: {}",
        "  pbc_same: {model: pbc, padding: same}\n  mean_shape: {}",
    )
    assert due(project) == subtree("pbc_same")


def test_every_training_seed_is_a_row_of_its_own_with_a_seed_of_its_own(project):
    config = project / "config.yaml"
    edit(config, "  dan:\n", "  dan:\n    seeds: [1, 2, 7]\n")
    wanted = {(rule, f"dan_seed{k}") for rule in SUBTREE for k in (1, 2, 7)}
    assert due(project) == wanted | {("compare",), ("spread",), ("report",)}
    run_with_fake_steps(project)
    edit(config, "[1, 2, 7]", "[1, 2, 3, 7]")
    assert due(project) == subtree("dan_seed3")
    edit(config, "[1, 2, 3, 7]", "[1, 2, 7]")
    edit(config, "training_seed: 1", "training_seed: 3")  # of who lists no seeds
    assert {job[1] for job in due(project) if job[0] == "train"} == set(MODELS) - {"dan"}


def test_another_state_to_start_from_is_due_for_that_model_alone(project):
    config, state = project / "config.yaml", project / "camera.safetensors"

    def write(landmark):
        told = {"detector": "dan", "landmarks": list(constant("thermalign.geometry", "LANDMARKS"))}
        header = {"thermalign": json.dumps({**told, "settings": json.dumps(told), "of": landmark})}
        text = json.dumps({"__metadata__": header}).encode()
        state.write_bytes(len(text).to_bytes(8, "little") + text)

    write("one")
    edit(config, "  dan:\n", f"  dan:\n    init: {state}\n")
    assert due(project) == subtree("dan")
    run_with_fake_steps(project)
    state.touch()
    assert due(project) == set()
    write("another")
    assert due(project) == subtree("dan")
    edit(config, f"    init: {state}\n", "    init: results/p1/fold0/first/state.safetensors\n")
    edit(config, "  mean_shape: {}", "  first: {model: dan, steps: 9}\n  mean_shape: {}")
    assert due(project) == subtree("dan") | subtree("first")
    run_with_fake_steps(project)
    edit(config, "steps: 9}", "steps: 10}")
    assert due(project) == subtree("dan") | subtree("first")


def change(project, module):
    """Change the code of a module in a way that does nothing."""
    file = project / "src/thermalign" / module
    file.write_text(file.read_text() + "\nCHANGED = 1\n")


def test_what_every_step_reads_rows_by_is_due_everywhere_and_geometry_not_in_folds(project):
    change(project, "geometry.py")
    jobs = due(project)
    assert {("train", m) for m in MODELS} | {("simulate",), ("align", "annotated")} <= jobs
    assert "fold" not in reaching("geometry")


def test_the_report_and_its_style_are_due_alone(project):
    change(project, "steps/report.py")
    style = project / "src/thermalign/report/style.css"
    style.write_text(style.read_text() + "\nbody { margin: 0 }\n")
    assert due(project) == {("report",)}


def test_joining_the_folds_is_due_without_measuring_again(project):
    change(project, "steps/compare.py")
    assert due(project) == {("compare",), ("report",)}


def test_code_of_the_card_is_due_in_the_card_and_the_report(project):
    change(project, "metrics/real_faces.py")
    assert due(project) == {("describe",), ("report",)}


def test_code_of_variants_is_due_where_variants_are_alone(project):
    change(project, "evaluation/variants.py")
    assert due(project) == stressed(*MODELS)


def test_code_of_the_matcher_is_due_where_faces_are_compared_alone(project):
    change(project, "verification/matcher.py")
    wanted = {("train_matcher",), ("ablate",), ("displace",), ("compare",), ("report",)}
    for model in (*MODELS, "annotated"):
        wanted |= {("score", model), ("measure", model)}
    assert due(project) == wanted | {("score_variants", model) for model in MODELS}


def test_a_contract_of_detectors_retrains_detectors_and_no_matcher(project):
    change(project, "landmarks/contract.py")
    jobs = due(project)
    assert {("train", m) for m in MODELS} | {("predict", m) for m in MODELS} <= jobs
    assert not {job[0] for job in jobs} & {"train_matcher", "ablate", "sweep", "displace", "fold"}
    assert not {("score", "annotated"), ("measure", "annotated")} & jobs


def reached(rule):
    """Return every module that jobs of a rule may reach, whatever they load by name."""
    spelled = re.search(r"code=code\((.*)\),", RULES[rule])[1]
    names = re.findall(r'"([\w.]+)"', spelled)
    for package, how, modules in (
        ("landmarks", "{detector}", detectors()),
        ("ingest", "{adapter}", adapters()),
        ("verification", "parts(", mappings() + classifiers()),
    ):
        names += [f"{package}.{module}" for module in modules if how in spelled]
    return {module for name in names for module in sources(f"thermalign.{name}")}


def reaching(module):
    return {rule for rule in RULES if f"thermalign.{module}" in reached(rule)}


DETECTION = {"train", "predict", "detect", "stress", "predict_across", "pack"}
CARRIED = {"score_variants", "enrol_across", "score_across"}
MATCHING = {"train_matcher", "score", "ablate", "sweep", "displace", *CARRIED}
MEASURED = {*MATCHING - {"train_matcher", "score"}, "measure", "stress", "detect", "pack"}
MEASURED |= {"predict_across", "import_points_across"}


@pytest.mark.parametrize(
    ("module", "rules"),
    [
        ("landmarks.contract", DETECTION),
        ("landmarks.models", DETECTION),
        ("training.loop", DETECTION | {"train_network"}),
        ("verification.matcher", MATCHING),
        ("verification.stored", MATCHING | {"align", "pack", "train_network"}),
        ("verification.alignment", {"align", "displace", "pack", "train_network", *CARRIED}),
        ("networks.two_branch", {"train_network"}),
        ("evaluation.admitted", {"fold_across"}),
        ("evaluation.across", {"predict_across", "import_points_across"}),
        ("evaluation.enrolled_across", {"enrol_across", "score_across"}),
        ("evaluation.variants", {"stress", "score_variants", "report"}),
        ("evaluation.measured", MEASURED | {"compare", "spread"}),
        ("metrics.bootstrap", MEASURED | {"compare", "spread"}),
        ("evaluation.displacement", {"displace", "compare"}),
        ("boxes", {"ingest", "pack"}),
    ],
)
def test_code_is_reached_by_no_step_that_does_not_need_it(module, rules):
    assert reaching(module) <= rules


def test_the_report_needs_neither_torch_nor_the_code_of_a_model():
    assert not {name for name in reached("report") if name.startswith("thermalign.landmarks")}
    assert "torch" not in third_party("thermalign.steps.report")


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("training_seed: 1", "training_sed: 1", "training_sed"),
        ("results: results", "results: [", ": is not readable as YAML: "),
        ("results: results", "results: r\nresults: s", "the key results stands in line 5 already"),
        ("results: results", "results: 'a{b}'", "results: 'a{b}' has braces"),
        ("test_subjects: 30", "test_subject: 30", "test_subject"),
        ("components: 10", "components: many", "many"),
        (
            "  mean_shape: {}",
            "  mean_shap: {}",
            "no model 'mean_shap'; did you mean mean_shape?",
        ),
        ("    dataset: simulated", "    dataset: simulatd", "no dataset 'simulatd'"),
        ("  dan:\n", "  dan:\n    seeds: []\n", "models.dan.seeds: [] is not allowed"),
        ("  dan:\n", "  dan:\n    seeds: [1, 1]\n", "models.dan.seeds: [1, 1] is not allowed"),
        ("  dan:\n", "  dan:\n    seeds: 3\n", "models.dan.seeds: 3 is not allowed; give a list"),
        (
            "  mean_shape: {}",
            "  mean_shape_seed4: {model: mean_shape}\n  mean_shape: {seeds: [4]}",
            "models.mean_shape: mean_shape_seed4 is a training of models.mean_shape_seed4",
        ),
        ("pls: {mapping: none}", "pls: {maping: none}", "maping"),
        ("pls: {mapping: none}", "study: {mapping: none}", "study"),
        ("reject: [0.02, 0.05, 0.1]", "reject: [0.1, 0.05]", "p1.reject: [0.1, 0.05] do not rise"),
        ("reject: [0.02, 0.05, 0.1]", "reject: [0.02, 2]", "p1.reject[1]: 2 is not allowed"),
        ("reject: [0.02, 0.05, 0.1]", "reject: [0.1, 0.1]", "p1.reject: [0.1, 0.1] is not allowed"),
        ("validation_share: 0.13", "validation_share: 0", "p1.reject: no model has a confidence"),
        ("levels: [0, 0.02,", "levels: [0.02, 0,", "do not rise from 0"),
        ("linear_up_to: 0.12", "linear_up_to: 0.01", "no level but 0 up to 0.01; give 0.02"),
        ("kinds: [isotropic]", "kinds: [wobble]", "wobble"),
        ("{shift: 0.05}", "{shfit: 0.05}", "shfit"),
        ("{shift: 0.05}", "{shift: 0.05, scale: 2}", "variants.shift_05: has 2 keys; give one of"),
        ("shift_05:", "none:", "none"),
        ("{shift: 0.05}", "{detector: mtcn}", "variants.shift_05.detector: no model 'mtcn'"),
        ("{shift: 0.05}", "{dataset: cold}", "variants.shift_05.dataset: no dataset 'cold'"),
        ("{shift: 0.05}", "{detector: dan}", "dan finds no faces in whole images"),
    ],
)
def test_a_wrong_key_is_refused_by_name(finished, tmp_path, old, new, named):
    study = tmp_path / "study.yaml"
    shutil.copy(finished / "config.yaml", study)
    edit(study, old, new)
    with pytest.raises(ValueError, match=re.escape(named)):
        read_study([study], {})


def test_a_configuration_is_refused_before_any_job(project):
    edit(project / "config.yaml", "training_seed: 1", "training_sed: 1")
    done = snakemake(project, "-n")
    assert done.returncode != 0
    assert [line for line in done.stderr.splitlines() if re.match("config: .*training_sed", line)]
    assert "Traceback" not in done.stderr


def test_another_configuration_replaces_the_default_one(project):
    config = yaml.safe_load((project / "config.yaml").read_text())
    config["models"] = {"mean_shape": {}}
    config["results"] = "elsewhere"
    (project / "other.yaml").write_text(yaml.safe_dump(config))
    jobs = due(project, "--configfile", "other.yaml")
    assert {job[1] for job in jobs if job[0] == "train"} == {"mean_shape"}


def gpus_asked_for(project, *arguments, **environment):
    """Return the GPUs that trainings ask for, by model, in a dry run."""
    printed = snakemake(project, "--cores", "8", "-n", *arguments, **environment).stdout
    wanted = r"rule train:.*?model=(\w+).*?resources: [^\n]*gpu=(\d)"
    return dict(re.findall(wanted, printed, flags=re.DOTALL))


def test_gpus_are_those_of_the_machine_or_what_a_profile_says(project, tmp_path):
    tool = tmp_path / "bin" / "nvidia-smi"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\necho 'GPU 0: pretend'\n")
    tool.chmod(0o755)
    edit(project / "config.yaml", "training_seed: 1", "training_seed: 2")
    path = f"{tool.parent}:{os.environ['PATH']}"
    networks = {"dan": "1", "mtcnn": "1", "mean_shape": "0"}
    none = dict.fromkeys(networks, "0")
    assert gpus_asked_for(project, PATH=path) == networks
    assert gpus_asked_for(project, "--resources", "gpu=0", PATH=path) == none
    assert gpus_asked_for(project) == none
    assert gpus_asked_for(project, "--resources", "gpu=4") == networks  # a login node has none


def test_trainings_side_by_side_are_no_more_than_the_gpus_that_they_may_use(project):
    file = project / "Snakefile"
    told = 'print("GPUs:", os.environ["THERMALIGN_GPUS"], file=sys.stderr)'
    file.write_text(f"{file.read_text()}\n{told}\n")
    done = snakemake(project, "-n", CUDA_VISIBLE_DEVICES="3")
    assert done.stderr.splitlines().count("GPUs: 1") == 1


def test_a_number_of_gpus_that_is_none_is_refused_in_a_line(project):
    done = snakemake(project, "-n", THERMALIGN_GPUS="two")
    assert done.returncode != 0
    told = "THERMALIGN_GPUS: 'two' is no number of GPUs; write one, or unset it"
    assert done.stderr.splitlines().count(told) == 1
    assert "Traceback" not in done.stderr


PROFILES = sorted(path.name for path in (ROOT / "workflow/profiles").iterdir())


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_makes_no_job_due_that_has_run(project, tmp_path, profile):
    its = yaml.safe_load((ROOT / f"workflow/profiles/{profile}/config.yaml").read_text())
    mine = {k: v for k, v in its.items() if k != "executor" and k.split("-")[0] not in PLUGINS}
    (tmp_path / "profile").mkdir()
    (tmp_path / "profile/config.yaml").write_text(yaml.safe_dump(mine))
    done = snakemake(project, "-n", "--workflow-profile", str(tmp_path / "profile"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Nothing to be done" in done.stdout + done.stderr


PLUGINS = ("slurm", "cluster")  # whose executors are no everyday dependencies


@pytest.mark.parametrize("profile", ["slurm", "generic"])
def test_a_profile_of_a_cluster_has_what_a_user_edits_in_one_place(profile):
    text = (ROOT / f"workflow/profiles/{profile}/config.yaml").read_text()
    _, yours, _ = re.split(r"^# -{3}.*\n", text, flags=re.MULTILINE)
    mine = yaml.safe_load(yours)
    assert {"default-resources", "resources", "cores", "jobs"} <= set(mine)
    whole = yaml.safe_load(text)
    assert whole["retries"] > 0
    assert "set-threads" not in whole  # would round sums in another order
    assert whole["set-resource-scopes"] == {"mem_mb": "local"}
    assert {"max-jobs-per-timespan", "group-components"} <= set(whole)


def test_small_jobs_are_submitted_together_where_a_profile_asks_for_it(untouched):
    done = snakemake(untouched, "-n", "--group-components", "verify=2")
    assert done.returncode == 0, done.stdout + done.stderr
    found = {
        frozenset(re.findall(r"^    rule (\w+):", block, flags=re.MULTILINE))
        for block in done.stdout.split("\n[")
    }
    prepared, matched = {"ingest", "fold", "annotated"}, {"align", "train_matcher"}
    scored, told = {"align", "score", "measure"}, {"describe", "compare", "spread", "report"}
    kinds = [
        prepared,
        {"train", "predict"},
        matched,
        scored,
        told,
    ]  # `align` of annotated points is with the matcher
    assert found - {frozenset()} <= {*map(frozenset, kinds), frozenset(scored - {"align"})}
    assert all(frozenset(kind) in found for kind in kinds)


STUDIES = [
    *("verification", "sweep", "paper", "pbc_reach", "learning_curve", "frames", "robustness"),
    *("transfer", "transfer_long", "corruptions", "heatmap", "full_width"),
    *("many_people", "paper_tenth", "across"),
]


@pytest.mark.slow  # as large as they are
@pytest.mark.parametrize("study", STUDIES)
def test_every_other_study_is_accepted_whole(untouched, study):
    config = f"workflow/config/{study}.yaml"
    done = snakemake(untouched, "--dry-run", "--quiet", "--configfile", config)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_recording_with_another_seed_shows_other_people_and_is_refused(finished, tmp_path):
    config = yaml.safe_load((finished / "config.yaml").read_text())
    config["datasets"]["other"] = config["datasets"]["simulated"] | {"seed": 3}
    config["variants"] = {"other": {"dataset": "other"}}
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(config))
    with pytest.raises(ValueError, match=r"variants\.other\.dataset: other has another seed"):
        read_study([tmp_path / "study.yaml"], {})
