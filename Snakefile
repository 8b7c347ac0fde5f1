from snakemake.utils import min_version, validate

min_version("9.0")


if not workflow.config_settings.configfiles:

    configfile: "config.yaml"


validate(config, f"{workflow.basedir}/workflow/schemas/config.schema.yaml")


include: "workflow/rules/common.smk"
include: "workflow/rules/settings.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/landmarks.smk"
include: "workflow/rules/stress.smk"
include: "workflow/rules/verification.smk"
include: "workflow/rules/ablation.smk"
include: "workflow/rules/spread.smk"
include: "workflow/rules/report.smk"


localrules:
    all,


rule all:
    default_target: True
    input:
        f"{RESULTS}/report/index.html",
    log:
        f"{RESULTS}/logs/all.log",
    conda:
        "envs/report.yaml"
