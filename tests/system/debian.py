"""Programs that a test needs, installed by the system's package manager where they are missing."""

import os
import shutil
import subprocess
from collections.abc import Iterable


class NotInstalledError(RuntimeError):
    """A program is not there and cannot be installed; the message says why."""


def install(packages: Iterable[str], tools: Iterable[str]) -> None:
    """Install Debian's packages, unless all their tools are on PATH.

    Raises
    ------
    NotInstalledError
        If they cannot be: by no other than root, or without ``apt-get`` or its packages.
    """
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if not missing:
        return
    if os.geteuid() != 0:
        raise NotInstalledError(f"no {missing[0]} here, and root alone installs it")
    if shutil.which("apt-get") is None:
        raise NotInstalledError(f"no {missing[0]} here and no apt-get to install it by")
    silent = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    done = subprocess.run(command, env=silent, capture_output=True, text=True)
    if done.returncode != 0:  # its lists may be old, or missing as in a fresh container
        subprocess.run(["apt-get", "update"], env=silent, capture_output=True)
        done = subprocess.run(command, env=silent, capture_output=True, text=True)
    if done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise NotInstalledError(f"apt-get installs no {' '.join(packages)}: {' '.join(last)}")
