"""Which modules a fingerprint of code stands for, so that a changed one can be named.

An output carries one hash of all the code that its step reaches. The first time a run computes a
fingerprint, the digest of each module behind it is written to a file that is named after it. Such a
file is a function of its name: it never changes, and no job reads it. Standard library only.
"""

import contextlib
import json
import os
from functools import cache
from pathlib import Path

from thermalign import provenance

KEPT = Path(".snakemake", "thermalign")
"""Folder of the files, beside Snakemake's own records."""


@cache
def noted(*modules: str) -> str:
    """Return the fingerprint of modules; write down what it stands for, where it can be written.

    Parameters
    ----------
    modules : str
        Dotted names below the package, as :func:`thermalign.provenance.fingerprint` takes them.
    """
    code = provenance.fingerprint(*modules)
    path = KEPT / f"{code}.json"
    if not path.exists():
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        with contextlib.suppress(OSError):  # somebody else's folder: a reason names no module then
            KEPT.mkdir(parents=True, exist_ok=True)
            temporary.write_text(json.dumps(provenance.digests(*modules)), encoding="utf-8")
            temporary.replace(path)
    return code


def changed(before: str, now: str) -> list[str]:
    """Return the files in which the code of two fingerprints differs; none where one is unknown."""
    old, new = _read(before), _read(now)
    if not old or not new:
        return []
    other = [name for name in new if name in old and old[name] != new[name]]
    return other or sorted(set(old) ^ set(new))  # an import came or went: its module changed


def _read(code: str) -> dict[str, str]:
    try:
        found = json.loads((KEPT / f"{code}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
