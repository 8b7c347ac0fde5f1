"""What tests of the workflow share: its rules as they are written, and a quick way to run it."""

import multiprocessing
import os
import re
import sys
from pathlib import Path
from subprocess import CompletedProcess
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]
RULES = {
    name: body
    for file in sorted((ROOT / "workflow/rules").glob("*.smk"))
    for name, body in re.findall(r"^rule (\w+):\n((?:    .*\n|\n)+)", file.read_text(), flags=re.M)
}
FORKS = multiprocessing.get_context("forkserver")
# What a dry run imports beside the project: loading it takes longer than the dry run itself.
LOADED = ("cli", "profiles", "storage", "report.html_reporter")
FORKS.set_forkserver_preload([*(f"snakemake.{name}" for name in LOADED), "smart_open", "pandas"])


def given(rule, directive):
    """Return the names of a rule's inputs, outputs or params."""
    block = re.search(rf"^    {directive}:\n((?:        .*\n)+)", RULES[rule], flags=re.M)
    return re.findall(r"^        (\w+)=", block[1], flags=re.M) if block else []


def snakemake(folder, *arguments, **environment):
    """Run Snakemake in a folder as its command line does; return its status and what it printed.

    Variables are given here: a server of forks hears of no change to those of the tests.
    """
    with TemporaryDirectory() as printed:
        files = [Path(printed, name) for name in ("stdout", "stderr")]
        child = FORKS.Process(target=_run, args=(folder, arguments, environment, files))
        child.start()
        child.join()
        return CompletedProcess(arguments, child.exitcode, *[file.read_text() for file in files])


def _run(folder, arguments, environment, files):
    from snakemake.cli import main  # noqa: PLC0415  # loaded once, by the server of forks

    os.chdir(folder)
    os.environ.update(environment)
    for number, file in enumerate(files, start=1):
        os.dup2(os.open(file, os.O_CREAT | os.O_WRONLY), number)
    arguments = ["--cores", "2", *arguments]
    sys.argv = ["snakemake", *arguments]
    main(arguments)
