"""What made a job due, in a line: a module's code, a setting, an input, an output, a job above."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from thermalign import originals
from thermalign.due.jobs import (
    Job,
    all_outputs,
    due_jobs,
    listed,
    name_of,
    options_of,
    record_of,
    unfinished,
)
from thermalign.due.modules import changed

_SHOWN = 60  # characters of a value that are shown
_MOST = 3  # things of a kind that are named
_ABSENT = object()


def why_all(arguments: Sequence[str]) -> list[str]:
    """Return a line for every job that is due, those that nothing above makes due first."""
    jobs = due_jobs(arguments)
    makers, depth = _makers(jobs), dict[str, int]()
    for job in jobs:  # in an order in which they could run
        depth[job.name] = max((depth[up.name] + 1 for up in above(job, makers)), default=0)
    return [line_of(job, makers) for job in sorted(jobs, key=lambda job: depth[job.name])]


def why(asked: str, arguments: Sequence[str]) -> str:
    """Return the line of one job.

    Parameters
    ----------
    asked : str
        An output's path, or rule and wildcards: ``train p1/fold0/dan``, ``report``.
    arguments : of Snakemake

    Raises
    ------
    ValueError
        If the study has no such job; it names the nearest.
    """
    jobs = due_jobs(arguments)
    for job in jobs:
        if asked in job.outputs or asked in _names(job.name):
            return line_of(job, _makers(jobs))
    known = {output: record_of(output) for output in all_outputs(arguments)}
    for output, record in known.items():
        if asked == output or (record and asked in _names(name_of(record))):
            return not_due(output, record)
    names = [*(job.name for job in jobs), *(name_of(r) for r in known.values() if r), *known]
    near = get_close_matches(asked, dict.fromkeys(names), _MOST, 0.3)
    raise ValueError(f"no job {asked!r} in this study; the nearest are {', '.join(near) or 'none'}")


def line_of(job: Job, makers: Mapping[str, Job]) -> str:
    """Return what made a job due, or which job above it did and why that is due."""
    if own := list(own_reasons(job)):
        return f"{job.name}: {'; '.join(own)}"
    found = roots(job, makers)
    if not found:
        return f"{job.name}: {job.reason}"
    first = found[0]
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    reason = "; ".join(own_reasons(first)) or first.reason
    return f"{job.name}: since {first.name} is due{more}: {reason}"


def _makers(jobs: Sequence[Job]) -> dict[str, Job]:
    """Return the job that makes an output, by its path."""
    return {output: job for job in jobs for output in job.outputs}


def above(job: Job, makers: Mapping[str, Job]) -> list[Job]:
    """Return the due jobs that make inputs of a job, each once."""
    found = {makers[path].name: makers[path] for path in job.inputs if path in makers}
    return list(found.values())


def roots(job: Job, makers: Mapping[str, Job]) -> list[Job]:
    """Return the due jobs above a job, however far, that no other makes due."""
    found: dict[str, Job] = {}
    queue = above(job, makers)
    for its in queue:  # grows
        if its.name not in found:
            found[its.name] = its
            queue += above(its, makers)
    return [its for its in found.values() if not above(its, makers)]


def own_reasons(job: Job) -> Iterator[str]:
    """Yield what makes a job due by itself; nothing if only a job above does."""
    missing = [output for output in job.outputs if not Path(output).exists()]
    if any(unfinished(output) for output in job.outputs):
        yield "it was begun and not finished"
    elif missing:
        yield f"missing output {_few(missing)}"
    records = [record for output in job.outputs if (record := record_of(output))]
    if records:
        yield from _differences(records[0], job)
    if newer := listed(job.inputs, _part(job.reason, "Updated input files: ")):
        yield f"newer input {_few(newer)}"
    if "Software environment" in job.reason:
        yield "its software environment changed"


def _differences(record: Mapping[str, Any], job: Job) -> Iterator[str]:
    """Yield what a job would be given now and was not given when its outputs were made."""
    before = options_of(record.get("shellcmd") or "")
    if list(before) != list(job.options) or "Code has changed" in job.reason:
        yield "the command of its rule changed"
    for name in sorted(set(before) & set(job.options), key=lambda name: name != "code"):
        old, new = before[name], job.options[name]
        if old != new and not set(old + new) & {*job.inputs, *record.get("input", ())}:
            yield from _option(name, old, new, job)
    came = [path for path in job.inputs if path not in record.get("input", job.inputs)]
    went = [path for path in record.get("input", ()) if path not in job.inputs]
    if came:
        yield f"new input {_few(came)}"
    if went:
        yield f"no longer an input: {_few(went)}"


def _option(name: str, old: list[str], new: list[str], job: Job) -> Iterator[str]:
    """Yield what one option that differs says."""
    if name == "code":
        files = changed(old[0], new[0])
        yield (
            f"code of {_few(files)} changed"
            if files
            else ("its code changed (of which module was not written down when it was made)")
        )
    elif name == "fingerprint":
        record = next(Path(path) for path in job.outputs if path.endswith("files.json"))
        files = originals.replaced(record)
        yield f"changed file {_few(files)}" if files else "the files that it reads changed"
    elif name == "initial":
        yield f"the state that it starts from, {_few(job.options.get('init', []))}, changed"
    else:
        yield _few(list(_settings(name, _value(old), _value(new))))


def _settings(place: str, old: Any, new: Any) -> Iterator[str]:
    """Yield ``setting KEY: OLD -> NEW`` for every setting that differs."""
    if isinstance(old, dict) and isinstance(new, dict):
        start = "" if place == "settings" else f"{place}."
        for key in dict.fromkeys([*old, *new]):
            its = old.get(key, _ABSENT), new.get(key, _ABSENT)
            yield from _settings(f"{start}{key}", *its)
    elif old is _ABSENT or new is _ABSENT or old != new:
        yield f"setting {place}: {_shown(old)} -> {_shown(new)}"


def _value(words: list[str]) -> Any:
    """Return an option's value: JSON where it is, else its words."""
    try:
        return json.loads(words[0]) if len(words) == 1 else words
    except ValueError:
        return words[0]


def _shown(value: Any) -> str:
    text = "nothing" if value is _ABSENT else json.dumps(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]} ..."


def _few(things: Sequence[str]) -> str:
    more = f" and {len(things) - _MOST} more" if len(things) > _MOST else ""
    return f"{', '.join(things[:_MOST])}{more}"


def _part(reason: str, title: str) -> str:
    """Return what stands behind a title in Snakemake's reason."""
    return reason.partition(title)[2].partition(";")[0].strip()


def _names(name: str) -> tuple[str, str]:
    """Return what a job may be called."""
    return name, name.removesuffix(" all")


def not_due(output: str, record: Mapping[str, Any]) -> str:
    """Return the line of a job that is not due."""
    name = name_of(dict(record)) if record else output
    if not Path(output).exists():
        return f"{name}: is not due: {output} is missing, and no job that is due needs it"
    if not record:
        return f"{name}: is not due; how it was made is not recorded"
    made = datetime.fromtimestamp(record.get("endtime") or Path(output).stat().st_mtime)
    code = options_of(record.get("shellcmd") or "").get("code", ["unknown"])[0]
    return f"{name}: is not due: made {made:%Y-%m-%d %H:%M} by code {code}{_commit(output)}"


def _commit(output: str) -> str:
    """Return the commit that a table was made by, for people."""
    from thermalign import tables  # noqa: PLC0415  # a second, of a table alone

    if not output.endswith(".parquet"):
        return ""
    try:
        return f" of commit {tables.read_metadata(Path(output))['commit'][:12]}"
    except (OSError, ValueError, KeyError):
        return ""
