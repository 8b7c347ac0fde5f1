"""What the rules share: paths, settings as text, code fingerprints, lists of targets."""

import json
import os
import shlex
import shutil
import subprocess


envvars:
    "PATH",


shell.prefix(f"set -euo pipefail; export PYTHONPATH={shlex.quote(SRC)}; ")

# Steps run on the Python that runs Snakemake, unless a conda environment puts its own before it.
os.environ["PATH"] = os.pathsep.join(
    [str(Path(sys.executable).parent), os.environ["PATH"]]
)

from thermalign import originals
from thermalign.config import detectors
from thermalign.provenance import fingerprint

RESULTS = str(Path(config["results"]))
DATASETS, PROTOCOLS = config["datasets"], config["protocols"]
VARIANTS = config.get("variants", {})
ABLATION, SWEEP = config.get("ablation", {}), config.get("sweep", {})
DISPLACEMENTS = config.get("displacements", {})
FOLDER = f"{RESULTS}/{{protocol}}/fold{{fold}}"


def refuse(message):
    """End with one line that names what is wrong in the configuration."""
    sys.exit(f"config: {message}")


for name, settings in PROTOCOLS.items():
    if settings["dataset"] not in DATASETS:
        refuse(
            f"protocols.{name}.dataset: no dataset {settings['dataset']!r}; use one of {list(DATASETS)}"
        )
MODELS = (
    {}
)  # settings by folder: a model's name, or one per training seed that it lists
SEEDS = {}  # name under models: and training seed, by folder
for name, block in config["models"].items():
    detector = block.get("model", name)
    if detector not in detectors():
        refuse(
            f"models.{name}: no detector {detector!r}; add src/thermalign/landmarks/{detector}.py or correct it"
        )
    settings = {k: v for k, v in block.items() if k != "seeds"}
    for seed in block.get("seeds", [config["training_seed"]]):
        folder = f"{name}_seed{seed}" if "seeds" in block else name
        if folder in MODELS:
            refuse(
                f"models.{name}: {folder} is a training of models.{SEEDS[folder][0]} already; rename one of them"
            )
        MODELS[folder] = {**settings, "model": detector}
        SEEDS[folder] = (name, seed)
for name, block in VARIANTS.items():
    if "detector" in block and block["detector"] not in MODELS:
        refuse(
            f"variants.{name}.detector: no model {block['detector']!r}; use one of {list(MODELS)}"
        )
    if "detector" in block:
        detector = MODELS[block["detector"]]["model"]
        stem = Path(SRC, "thermalign", "landmarks", detector)
        source = next(
            p for p in (stem.with_suffix(".py"), stem / "__init__.py") if p.is_file()
        ).read_text()
        if "\ndef detect(" not in source:
            refuse(
                f"variants.{name}.detector: {block['detector']} has no detect() and finds no faces; name a model that does"
            )
    if "dataset" in block and block["dataset"] not in DATASETS:
        refuse(
            f"variants.{name}.dataset: no dataset {block['dataset']!r}; use one of {list(DATASETS)}"
        )
    for protocol, settings in PROTOCOLS.items():
        other, own = (
            DATASETS.get(block.get("dataset"), {}),
            DATASETS[settings["dataset"]],
        )
        people = [
            (d.get("seed"), d.get("settings", {}).get("volumes")) for d in (other, own)
        ]
        if other.get("adapter") == "simulator" and people[0] != people[1]:
            refuse(
                f"variants.{name}.dataset: {block['dataset']} has another seed or other volumes than {settings['dataset']} of protocol {protocol}, so it shows other people"
            )
if DISPLACEMENTS:
    levels = DISPLACEMENTS["levels"]
    if levels[0] != 0 or levels != sorted(levels):
        refuse(
            f"displacements.levels: {levels} do not rise from 0; sort them and begin with 0"
        )
    if DISPLACEMENTS["linear_up_to"] < levels[1]:
        refuse(
            f"displacements.linear_up_to: no level but 0 up to {DISPLACEMENTS['linear_up_to']}; give {levels[1]} or more"
        )


wildcard_constraints:
    dataset="|".join(DATASETS),
    protocol="|".join(PROTOCOLS),
    fold=r"\d+",
    model="|".join([*MODELS, "annotated"]),
    chunk=r"\d+",


def visible_gpus():
    """Count the GPUs of this machine without loading PyTorch."""
    if not shutil.which("nvidia-smi"):
        return 0
    done = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True)
    return done.stdout.count("GPU ") if done.returncode == 0 else 0


# Steps use the first GPU they see, so jobs that want one run one after the other on one machine.
# A cluster profile sets its own limit and requests (resources:, set-resources:).
workflow.global_resources.setdefault("gpu", 1)


def gpu(wildcards):
    """Return how many GPUs a job asks for: one where this machine has one."""
    return 1 if visible_gpus() else 0


def code(*modules):
    """Return the fingerprint of the modules a job reaches, wildcards and detectors filled in."""
    return lambda w: fingerprint(
        *(
            m.format(detector=detector_of(w.get("model", "")), adapter=adapter_of(w))
            for m in modules
        )
    )
