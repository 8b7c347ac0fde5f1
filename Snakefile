import sys
from pathlib import Path

from snakemake.utils import min_version

min_version("9.0")

ROOT = Path(workflow.current_basedir)  # basedir, in a module, is the importer's
SRC = str(ROOT / "src")
sys.path.insert(0, SRC)

from thermalign.config.models import (
    check_places,
    check_study,
    config_files,
    dataset_block,
    file_of,
    from_files,
    manifest_of,
    read_study,
    roles_of,
    trainings,
    tree_of,
    visiting,
)

try:
    if workflow.modifier.is_main_snakefile():
        FILES = workflow.config_settings.configfiles or [Path("config.yaml")]
        config = read_study(FILES, workflow.config_settings.config)
        workflow.configfiles[:] = config_files(FILES)  # for reports and archives
    else:  # a module of another workflow, which hands its configuration over
        config = check_study(config)
    check_places(config, ROOT)
except ValueError as error:
    sys.exit("\n".join(f"config: {line}" for line in str(error).splitlines()))


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/settings.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/landmarks.smk"
include: "workflow/rules/verification.smk"
include: "workflow/rules/across.smk"
include: "workflow/rules/experiments.smk"
include: "workflow/rules/report.smk"


rule all:
    default_target: True
    input:
        rules.report.output,
        rules.pack.output.card if TAKEN else [],
    log:
        f"{RESULTS}/logs/all.log",
    localrule: True
    conda:
        "envs/report.yaml"
