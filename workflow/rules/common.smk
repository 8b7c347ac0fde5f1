"""What the rules share: places, the command of a job, the fingerprint of its code, GPUs."""

import os
import re
import shlex

from thermalign import gpus
from thermalign.due.kept import check_records
from thermalign.due.modules import noted
from thermalign.provenance import keywords


envvars:
    "PATH",


shell.prefix(f"set -euo pipefail; export PYTHONPATH={shlex.quote(SRC)}; ")

# Steps run on the Python that runs Snakemake, unless a conda environment puts its own before it.
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

RESULTS = str(Path(config["results"]))
FOLDER = f"{RESULTS}/{{protocol}}/fold{{fold}}"
if workflow.is_main_process and workflow.modifier.is_main_snakefile():
    try:
        check_records(Path(RESULTS, n) for n in ("data", "compare", *config["protocols"]))
    except ValueError as error:
        sys.exit(f"thermalign: {error}")
MODELS = trainings(config)  # by folder: a model, or one of its training seeds
PLACED, MATCHED = (from_files(config, block) for block in ("models", "matchers"))  # read from files
VISITING = [*MODELS, *visiting(config)]  # what other datasets are tested with
LOCATED = [*MODELS, *PLACED]  # what has points of its own
ALIGNED = [*LOCATED, "annotated"]  # the annotated points are one more


def one_of(names):
    """Return the constraint of a wildcard to some names; to none at all where there are none."""
    return "|".join(names) or "(?!)"


wildcard_constraints:
    dataset="|".join(config["datasets"]),
    protocol="|".join(config["protocols"]),
    fold=r"\d+",
    model=one_of(MODELS),
    chunk=r"\d+",
    network=one_of(config["networks"]),
    other=one_of(config["evaluate_on"]),


# What a job is called in messages and in COSTS: its wildcards.
ALL, DATASET = "all", "{wildcards.dataset}"
NETWORK = "{wildcards.network}"
CHUNK = f"{DATASET}/{{wildcards.chunk}}"
FOLD = "{wildcards.protocol}/fold{wildcards.fold}"
MODEL = f"{FOLD}/{{wildcards.model}}"
FOLD_ACROSS, MODEL_ACROSS = (f"{job}/{{wildcards.other}}" for job in (FOLD, MODEL))


def step(name, job, inputs, outputs):
    """Return the command of a rule: a step, with an option for each keyword of its `run`.

    A keyword is filled from the input or the output of that name, else from the wildcard of that
    name in `job`, else from the param of that name. A step that is killed cannot say so: what
    follows it does.
    """
    kinds = dict.fromkeys(re.findall(r"{wildcards\.(\w+)}", job), "wildcards")
    kinds |= dict.fromkeys(inputs.split(), "input")
    kinds |= dict.fromkeys(outputs.split(), "output")
    options = [f" --{k} {{{kinds.get(k, 'params')}.{k}:q}}" for k in keywords(f"steps.{name}")]
    command = f"python -m thermalign {name} --log {{log:q}} --job {job}{''.join(options)}"
    return f"{command} || python -m thermalign.killed $? {{log:q}} {name} {job}"


def code(*modules):
    """Return a function from wildcards to the fingerprint of the modules that a job reaches."""
    return lambda w: noted(
        *(m.format(detector=detector_of(w), adapter=adapter_of(w)) for m in modules)
    )


# How many GPUs jobs may hold at the same time: a profile says it (`resources: gpu:`), for a machine
# that submits jobs to others need not have one; without it, those of this machine. Jobs elsewhere
# are told by the environment.
TOLD = "THERMALIGN_GPUS"
if "gpu" not in workflow.global_resources:
    told = os.environ.get(TOLD)
    if told is not None and not told.isdecimal():
        sys.exit(f"{TOLD}: {told!r} is no number of GPUs; write one, or unset it")
    workflow.global_resources["gpu"] = len(gpus.visible()) if told is None else int(told)
GPUS = workflow.global_resources["gpu"].value
os.environ[TOLD] = str(GPUS)
