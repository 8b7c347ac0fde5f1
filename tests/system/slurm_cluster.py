"""A SLURM of its own on this machine: one node on loopback, started and stopped by a test."""

import contextlib
import fcntl
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PACKAGES = ("slurm-wlm", "munge")  # of Debian and Ubuntu
TOOLS = ("slurmctld", "slurmd", "sbatch", "munged")
ETC = Path("/etc/slurm")  # a job's steps look for the configuration here, whatever SLURM_CONF says
OURS = ("slurm.conf", "gres.conf")
LOCK = Path("/tmp/thermalign-slurm.lock")
LOOK = 0.2  # s between looks at whether a daemon answers
PATIENCE = 60.0  # s

# One node whose GPUs are pretended: SLURM counts device files and hands out their numbers. Memory
# is a resource that jobs request (CR_Core_Memory), and what holds it where there are no control
# groups is polling: the daemon adds up what a job's processes use every second (task=1) and kills a
# job above its request (OverMemoryKill).
CONFIGURATION = """\
ClusterName=thermalign
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={place}/munge.socket
CryptoType=crypto/munge
StateSaveLocation={place}/state
SlurmdSpoolDir={place}/spool
SlurmctldLogFile={place}/slurmctld.log
SlurmdLogFile={place}/slurmd.log
SlurmctldPidFile={place}/slurmctld.pid
SlurmdPidFile={place}/slurmd.pid
MpiDefault=none
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
MinJobAge=3600
ReturnToService=2
SchedulerParameters=sched_interval=1,batch_sched_delay=0
KillWait=5
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} RealMemory={memory} Gres=gpu:2 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""
DEVICES = "NodeName={host} Name=gpu File=/dev/null\nNodeName={host} Name=gpu File=/dev/zero\n"


class NoSlurmError(RuntimeError):
    """SLURM can be neither found nor installed here; the message says why."""


@dataclass(frozen=True)
class Cluster:
    """A running SLURM.

    Attributes
    ----------
    cores : int
        Of its one node.
    memory : int, MB
    place : Path
        Its logs and state.
    """

    cores: int
    memory: int
    place: Path


def install() -> None:
    """Install SLURM by the system's package manager where it is not there yet.

    Raises
    ------
    NoSlurmError
        If it cannot be, or this machine belongs to another SLURM.
    """
    if os.geteuid() != 0:
        raise NoSlurmError("a SLURM daemon is started by root alone")
    if any(shutil.which(tool) is None for tool in TOOLS):
        if shutil.which("apt-get") is None:
            raise NoSlurmError("no slurmctld here and no apt-get to install it by")
        silent = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        command = ["apt-get", "install", "-y", "--no-install-recommends", *PACKAGES]
        done = subprocess.run(command, env=silent, capture_output=True, text=True)
        if done.returncode != 0:  # its lists may be old, or missing as in a fresh container
            subprocess.run(["apt-get", "update"], env=silent, capture_output=True)
            done = subprocess.run(command, env=silent, capture_output=True, text=True)
        if done.returncode != 0:
            last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
            raise NoSlurmError(f"apt-get installs no {' '.join(PACKAGES)}: {' '.join(last)}")
    if (ETC / "slurm.conf").exists() and _answers(["scontrol", "ping"]):
        raise NoSlurmError(
            "this machine belongs to a SLURM that runs; its configuration is not ours"
        )


@contextlib.contextmanager
def cluster(place: Path, *, cores: int, memory: int) -> Iterator[Cluster]:
    """Start a SLURM of one node, and stop it whatever happens, with /etc/slurm as it was.

    Parameters
    ----------
    place : Path
        Folder of its state and logs; short, for the name of a socket.
    cores : int
        Of the node.
    memory : int, MB

    Raises
    ------
    RuntimeError
        If a daemon does not answer in time.
    """
    with LOCK.open("w") as lock, contextlib.ExitStack() as stack:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two tests at once would share /etc/slurm
        for name in ("state", "spool"):
            (place / name).mkdir(parents=True)
        host = socket.gethostname().split(".")[0]
        asked = {"host": host, "place": place, "cores": cores, "memory": memory}
        stack.enter_context(_configured(asked | {"ports": _free_ports(2)}))
        _start_munge(stack, place)
        _start(stack, ["slurmctld", "-D", "-i"], place)
        _wait(lambda: _answers(["scontrol", "ping"]), "slurmctld", place)
        _start(stack, ["slurmd", "-D", "-N", host], place)
        _wait(lambda: "idle" in _told(["sinfo", "-h", "-o", "%t"]), "slurmd", place)
        stack.callback(subprocess.run, ["scancel", "--full", "-u", "root"], capture_output=True)
        yield Cluster(cores, memory, place)


@contextlib.contextmanager
def _configured(asked: dict[str, object]) -> Iterator[None]:
    """Write the configuration where SLURM looks for it; put back what was there."""
    had_folder = ETC.is_dir()
    ETC.mkdir(exist_ok=True)
    before = {n: (ETC / n).read_bytes() if (ETC / n).exists() else None for n in OURS}
    try:
        for name, text in zip(OURS, (CONFIGURATION, DEVICES), strict=True):
            (ETC / name).write_text(text.format(**asked))
        yield
    finally:
        for name, content in before.items():
            if content is None:
                (ETC / name).unlink(missing_ok=True)
            else:
                (ETC / name).write_bytes(content)
        if not had_folder:
            ETC.rmdir()


def _start_munge(stack: contextlib.ExitStack, place: Path) -> None:
    """Start the daemon by which SLURM's parts know each other, with a key of its own."""
    key = place / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    files = {"key-file": key.name, "pid-file": "munge.pid", "socket": "munge.socket"}
    files |= {"seed-file": "munge.seed", "log-file": "munge.log"}
    options = [f"--{option}={place / name}" for option, name in files.items()]
    _start(stack, ["munged", "--foreground", "--force", *options], place)
    told = ["munge", "-n", f"--socket={place}/munge.socket"]
    _wait(lambda: _answers(told), "munged", place)


def _start(stack: contextlib.ExitStack, command: list[str], place: Path) -> None:
    """Start a daemon that ends with the stack."""
    with (place / f"{command[0]}.out").open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)

    def stop() -> None:
        process.terminate()
        try:
            process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    stack.callback(stop)


def _wait(ready: object, what: str, place: Path) -> None:
    end = time.monotonic() + PATIENCE
    while not ready():  # type: ignore[operator]
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
