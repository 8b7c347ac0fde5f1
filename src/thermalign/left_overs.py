"""What a write leaves that was cut off by a kill: a hidden file or folder beside its target.

Standard library only: every step begins with this.
"""

import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

_TEMPORARY = re.compile(r"\.(?P<target>.+)\.(?P<process>\d+)\.(?:tmp|new)")
"""How writers name their temporary files; one may be the target of another."""


def remove_left_overs(targets: Iterable[Path]) -> list[Path]:
    """Delete the temporary files of targets whose writers are gone; return which.

    Those of a process that is alive on this machine stay.
    """
    names: dict[Path, set[str]] = {}
    for target in targets:
        names.setdefault(target.parent, set()).add(target.name)
    found = []
    for folder, wanted in names.items():
        hidden = folder.glob(".*") if folder.is_dir() else ()
        found += [path for path in hidden if _is_left(path.name, wanted)]
    for path in found:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return found


def _is_left(name: str, wanted: set[str]) -> bool:
    matched = _TEMPORARY.fullmatch(name)
    if matched is None or _is_alive(int(matched["process"])):
        return False
    return matched["target"] in wanted or _is_left(matched["target"], wanted)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        return True
    return True
