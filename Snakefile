import sys
from pathlib import Path

from snakemake.utils import min_version, validate

min_version("9.0")

# As a module of another workflow, basedir would be that one's, and config is what it hands over.
ROOT = Path(workflow.current_basedir)
OWN_CONFIG = workflow.modifier.is_main_snakefile()
SRC = str(ROOT / "src")
sys.path.insert(0, SRC)

from thermalign.config import check_config, check_folder, read_config

try:
    check_folder("the folder of thermalign", str(ROOT))
    for file in workflow.config_settings.configfiles or ["config.yaml"]:
        if OWN_CONFIG:
            read_config(Path(file))
except ValueError as error:
    sys.exit(f"config: {error}")


if OWN_CONFIG and not workflow.config_settings.configfiles:

    configfile: "config.yaml"


SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"
try:
    check_config(config, SCHEMA)
except ValueError as error:
    sys.exit(f"config: {error}")
validate(config, str(SCHEMA))  # fills in the schema's defaults


include: "workflow/rules/checks.smk"
include: "workflow/rules/common.smk"
include: "workflow/rules/settings.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/landmarks.smk"
include: "workflow/rules/verification.smk"
include: "workflow/rules/experiments.smk"
include: "workflow/rules/report.smk"


rule all:
    default_target: True
    localrule: True
    input:
        f"{RESULTS}/report/index.html",
    log:
        f"{RESULTS}/logs/all.log",
    conda:
        "envs/report.yaml"
