"""What the Snakemake workflow catalog asks of a repository that it lists.

Plain inclusion (adding_workflows.md of snakemake/snakemake-workflow-catalog): README.md with the
words "snakemake" and "workflow", `Snakefile` or `workflow/Snakefile`, a `.smk` file in the folder
of rules. The other list wants `workflow/Snakefile` and `config/README.md`, to deploy the Snakefile
alone by its address; this workflow cannot run without `src/`, so it is not on that list.
"""

from pathlib import Path

import yaml

from workflow_rules import snakemake

ROOT = Path(__file__).parents[1]
SETTINGS = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())


def test_the_repository_is_found_as_a_workflow():
    words = (ROOT / "README.md").read_text().lower()
    assert {"snakemake", "workflow"} <= set(words.replace("`", " ").split())
    assert (ROOT / "Snakefile").is_file()
    assert list((ROOT / "workflow/rules").glob("*.smk"))
    assert (ROOT / "LICENSE").is_file()


def test_its_settings_are_those_that_the_catalog_reads_and_true():
    usage = SETTINGS["usage"]
    assert set(SETTINGS) == {"usage"}
    assert set(usage) == {"mandatory-flags", "software-stack-deployment", "report"}
    deployed = {k for k, yes in usage["software-stack-deployment"].items() if yes}
    files = [*(ROOT / "workflow/rules").glob("*.smk"), ROOT / "Snakefile"]
    directives = "".join(file.read_text() for file in files)
    assert deployed == {"conda"}
    assert "    conda:\n" in directives
    assert "container:" not in directives
    assert usage["report"]
    assert "report(" in directives
    assert usage["mandatory-flags"]["flags"] == []


def test_what_the_catalog_lints_is_clean():
    done = snakemake(ROOT, "--lint")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Congratulations" in done.stdout + done.stderr
