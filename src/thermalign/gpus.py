"""Which GPU a process computes on: one that no other step of this user has, or none.

It is chosen by CUDA_VISIBLE_DEVICES before PyTorch looks for devices. A lock of the kernel's says
that a GPU is taken; it goes with the process, however that ends.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CHOICE = "CUDA_VISIBLE_DEVICES"

_POLL = 1.0  # seconds between looks for a free one
_held: list[int] = []  # descriptors of what this process has locked


def visible() -> list[str]:
    """Return the GPUs that this process may use, as CUDA_VISIBLE_DEVICES names them.

    Those that the user or the cluster put there (-1 is none), else all that nvidia-smi lists.
    """
    if CHOICE in os.environ:
        names = [each.strip() for each in os.environ[CHOICE].split(",")]
        return [name for name in names if name not in ("", "-1")]
    if not shutil.which("nvidia-smi"):
        return []
    done = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=False)
    found = [line for line in done.stdout.splitlines() if line.startswith("GPU ")]
    return [str(k) for k in range(len(found))] if done.returncode == 0 else []


def keep_off() -> None:
    """Let this process see no GPU."""
    os.environ[CHOICE] = ""


def take() -> None:
    """Let this process see one GPU that no other step has; wait until there is one.

    Where there is but one it is taken as it is: who starts more than one job there shares it.
    """
    every = visible()
    if len(every) < 2:
        return
    os.environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")  # as nvidia-smi counts
    told = False
    while not (free := next((name for name in every if _lock(name)), None)):
        if not told:
            print(f"waits for one of GPUs {', '.join(every)}: all are taken", file=sys.stderr)
            told = True
        time.sleep(_POLL)
    os.environ[CHOICE] = free


def _lock(name: str) -> bool:
    """Lock a GPU for as long as this process lives; return whether it was free."""
    folder = Path(tempfile.gettempdir(), f"thermalign-gpus-{os.getuid()}")
    folder.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(folder / name.replace("/", "-"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return False
    _held.append(descriptor)
    return True
