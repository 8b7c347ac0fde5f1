"""The jobs that a run would start, by a dry run, and Snakemake's records of how outputs were made.

The command of a job has all that it is given: a rule's command is a step with one option for each
keyword (``workflow/rules/common.smk``), and Snakemake keeps the command beside every output. So
what a job was given and what it would be given now are two commands, read in the same way.
"""

import base64
import json
import re
import shlex
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from thermalign.due.kept import INCOMPLETE, METADATA
from thermalign.study import COMMAND

_NAME_PART = 254  # characters of a file's name in Snakemake's records

_BLOCK = re.compile(
    r"^( *)(?:local)?rule (\w+):\n((?:\1    .*\n)+)(?: *Shell command: (python .*)\n)?",
    re.MULTILINE,
)
"""A job in what a dry run prints; a job of a group is indented."""


@dataclass(frozen=True)
class Job:
    """A job that is due.

    Attributes
    ----------
    name : str
        Rule and wildcards as messages and COSTS have them: ``train p1/fold0/dan``.
    options : keyword -> values
        What its step is given.
    inputs, outputs : paths
    reason : str
        Why it is due in Snakemake's own words.
    """

    name: str
    options: dict[str, list[str]]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    reason: str = field(compare=False)


def due_jobs(arguments: Sequence[str]) -> list[Job]:
    """Return the jobs that a run would start, in an order in which they could run.

    Parameters
    ----------
    arguments : of Snakemake: targets, configuration files

    Raises
    ------
    ValueError
        If Snakemake refuses.
    """
    return parse(ask([*arguments, "--dry-run", "--printshellcmds", "--rerun-incomplete"]))


def all_outputs(arguments: Sequence[str]) -> list[str]:
    """Return the outputs of every job of a study, due or not."""
    lines = ask([*arguments, "--summary"]).splitlines()
    return [line.split("\t")[0] for line in lines if line.count("\t") == 5][1:]


def ask(arguments: Sequence[str]) -> str:
    """Return what Snakemake prints.

    Raises
    ------
    ValueError
        If it ends with an error, with its last words.
    """
    command = [*COMMAND, "--cores", "1", "--nocolor", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        told = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        raise ValueError(f"Snakemake cannot plan this study: {' '.join(told[-3:])[-300:]}")
    return done.stdout


def parse(printed: str) -> list[Job]:
    """Return the jobs of what a dry run with commands printed; ``all`` runs nothing and is none."""
    jobs = []
    for indent, rule, body, command in _BLOCK.findall(printed):
        if not command:
            continue
        lines = dict(re.findall(rf"^{indent}    (input|output|reason): (.*)$", body, re.MULTILINE))
        options = options_of(command)
        values = list(dict.fromkeys(v for given in options.values() for v in given))
        jobs.append(
            Job(
                " ".join([rule, *options.get("job", [])]),
                options,
                tuple(listed(values, lines.get("input", ""))),
                tuple(listed(values, lines.get("output", ""))),
                lines.get("reason", "").strip(),
            )
        )
    return jobs


def listed(values: Iterable[str], line: str) -> list[str]:
    """Return the values that stand in a list with commas; a value may have commas itself."""
    return [value for value in values if f", {value}, " in f", {line}, "]


def options_of(command: str) -> dict[str, list[str]]:
    """Return the options of a step's command with their values: ``{"fold": ["0"], ...}``."""
    options: dict[str, list[str]] = {}
    values: list[str] = []
    for word in shlex.split(command):
        if word == "||":  # what is done when the step fails
            break
        if word.startswith("--"):
            values = options.setdefault(word.removeprefix("--"), [])
        else:
            values.append(word)
    return options


def record_of(output: str) -> dict[str, Any]:
    """Return Snakemake's record of how an output was made; nothing where there is none."""
    try:
        found = json.loads(_kept(METADATA, output).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def unfinished(output: str) -> bool:
    """Say whether the job that makes an output was begun and did not end."""
    return _kept(INCOMPLETE, output).is_file()


def name_of(record: dict[str, Any]) -> str:
    """Return the name of the job that a record is of."""
    return " ".join(
        [str(record.get("rule")), *options_of(record.get("shellcmd") or "").get("job", [])]
    )


def _kept(folder: Path, output: str) -> Path:
    """Return the file in which Snakemake keeps something about an output."""
    text = base64.urlsafe_b64encode(output.encode()).decode()
    parts = [text[at : at + _NAME_PART] for at in range(0, len(text), _NAME_PART)]
    return folder.joinpath(*[f"@{part}" for part in parts[:-1]], parts[-1])
