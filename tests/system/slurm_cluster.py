"""A SLURM of its own on this machine: one node on loopback, started and stopped by a test."""

import contextlib
import fcntl
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import debian
import psutil

PACKAGES = ("slurm-wlm", "munge")  # of Debian and Ubuntu
TOOLS = ("slurmctld", "slurmd", "sbatch", "munged")
ETC = Path("/etc/slurm")  # a job's steps look for the configuration here, whatever SLURM_CONF says
NAME = "thermalign"  # of the cluster: by it a configuration is known as ours
DAEMONS = ("munged", "slurmctld", "slurmd")
LOCK = Path(tempfile.gettempdir(), "thermalign-slurm.lock")
LOOK = 0.2  # s between looks at whether a daemon answers
PATIENCE = 60.0  # s

# One node whose GPUs are pretended: SLURM counts device files and hands out their numbers. Memory
# is a resource that jobs request (CR_Core_Memory), and what holds it where there are no control
# groups is polling: the daemon adds up what a job's processes use every second (task=1) and kills a
# job above its request (OverMemoryKill).
CONFIGURATION = """\
ClusterName={name}
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser=root
AuthInfo=socket={place}/munge.socket
StateSaveLocation={place}/state
SlurmdSpoolDir={place}/spool
SlurmctldLogFile={place}/slurmctld.log
SlurmdLogFile={place}/slurmd.log
SlurmctldPidFile={place}/slurmctld.pid
SlurmdPidFile={place}/slurmd.pid
MpiDefault=none
ProctrackType=proctrack/pgid
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
MinJobAge=3600
SchedulerParameters=sched_interval=1,batch_sched_delay=0
KillWait=5
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} RealMemory={memory} Gres=gpu:2 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""
DEVICES = "NodeName={host} Name=gpu File=/dev/null\nNodeName={host} Name=gpu File=/dev/zero\n"
FILES = {"slurm.conf": CONFIGURATION, "gres.conf": DEVICES}


class NoSlurmError(RuntimeError):
    """No SLURM can be started here; the message says why."""


def install() -> None:
    """Install SLURM by the system's package manager where it is not there yet.

    Raises
    ------
    NoSlurmError
        If it cannot be.
    """
    if os.geteuid() != 0:
        raise NoSlurmError("a SLURM daemon is started by root alone")
    try:
        debian.install(PACKAGES, TOOLS)
    except debian.NotInstalledError as reason:
        raise NoSlurmError(reason) from None


@contextlib.contextmanager
def cluster(*, cores: int, memory: int) -> Iterator[Path]:
    """Start a SLURM of one node, and stop it whatever happens; yield the folder of its logs.

    Parameters
    ----------
    cores : int
        Of the node.
    memory : int, MB

    Raises
    ------
    NoSlurmError
        If this machine belongs to another SLURM.
    RuntimeError
        If a daemon does not answer in time.
    """
    with LOCK.open("w") as lock, contextlib.ExitStack() as stack:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two tests at once would share ETC
        remove_left_over()
        place = Path(tempfile.mkdtemp(prefix="slurm-"))  # pytest's are too long for a socket's name
        stack.callback(shutil.rmtree, place)
        for name in ("state", "spool"):
            (place / name).mkdir()
        host = socket.gethostname().split(".")[0]
        ETC.mkdir(exist_ok=True)
        asked = {"name": NAME, "host": host, "place": place, "cores": cores, "memory": memory}
        for name, text in FILES.items():
            stack.callback((ETC / name).unlink)
            (ETC / name).write_text(text.format(**asked, ports=_free_ports(2)))
        _start_munge(stack, place)
        _start(stack, ["slurmctld", "-D", "-i"], place)
        _wait(lambda: _answers(["scontrol", "ping"]), "slurmctld", place)
        _start(stack, ["slurmd", "-D", "-N", host], place)
        _wait(lambda: "idle" in _told(["sinfo", "-h", "-o", "%t"]), "slurmd", place)
        stack.callback(_end_jobs, place)
        yield place


def remove_left_over() -> None:
    """Stop the daemons of a test that was killed, and remove its configuration.

    Raises
    ------
    NoSlurmError
        If the configuration in ETC is not ours.
    """
    there = ETC / "slurm.conf"
    if not there.exists():
        return
    told = there.read_text()
    if not re.search(rf"^ClusterName={NAME}$", told, re.M):
        raise NoSlurmError(f"{there} is another SLURM's: this machine belongs to that one")
    place = Path(re.search("^SlurmdPidFile=(.*)/slurmd.pid$", told, re.M)[1])
    if _answers(["scontrol", "ping"]):
        with contextlib.suppress(RuntimeError):  # its node may be gone
            _end_jobs(place)
    _stop_by_number(place)
    for name in FILES:
        (ETC / name).unlink(missing_ok=True)
    shutil.rmtree(place, ignore_errors=True)


def _end_jobs(place: Path) -> None:
    """Cancel every job and wait for their end: their files are in the folder, too."""
    subprocess.run(["scancel", "--full", "-u", "root"], capture_output=True)
    _wait(lambda: not _told(["squeue", "-h"]), "slurmctld", place)


def _stop_by_number(place: Path) -> None:
    """Stop the daemons whose pid files are in a folder, the last that was started first.

    A number that another program has meanwhile is left alone.
    """
    for name in reversed(DAEMONS):
        with contextlib.suppress(OSError, ValueError, psutil.NoSuchProcess):
            process = psutil.Process(int((place / f"{name}.pid").read_text()))
            if process.name() == name:
                _stop(process)


def _stop(process: psutil.Process) -> None:
    """End a process and wait until it is gone."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process.terminate()
        try:
            process.wait(PATIENCE)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait()


def _start_munge(stack: contextlib.ExitStack, place: Path) -> None:
    """Start the daemon by which SLURM's parts know each other, with a key of its own."""
    key = place / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    files = {"key-file": key.name, "pid-file": "munged.pid", "socket": "munge.socket"}
    files |= {"seed-file": "munge.seed", "log-file": "munge.log"}
    options = [f"--{option}={place / name}" for option, name in files.items()]
    _start(stack, ["munged", "--foreground", "--force", *options], place)
    told = ["munge", "-n", f"--socket={place}/munge.socket"]
    _wait(lambda: _answers(told), "munged", place)


def _start(stack: contextlib.ExitStack, command: list[str], place: Path) -> None:
    """Start a daemon that ends with the stack."""
    with (place / f"{command[0]}.out").open("w") as out:
        stack.callback(_stop, psutil.Popen(command, stdout=out, stderr=out))


def _wait(ready: Callable[[], bool], what: str, place: Path) -> None:
    end = time.monotonic() + PATIENCE
    while not ready():
        if time.monotonic() > end:
            out = (place / f"{what}.out").read_text(errors="replace").splitlines()[-3:]
            raise RuntimeError(f"{what} did not answer in {PATIENCE:.0f} s: {'; '.join(out)}")
        time.sleep(LOOK)


def _answers(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True).returncode == 0


def _told(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True).stdout


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        bound = [stack.enter_context(socket.socket()) for _ in range(count)]
        for its in bound:
            its.bind(("127.0.0.1", 0))
        return [its.getsockname()[1] for its in bound]
