"""What a killed test of SLURM left is taken away before the next; another SLURM is left alone."""

import subprocess

import psutil
import pytest
import slurm_cluster
from slurm_cluster import DEVICES, NoSlurmError, remove_left_over


@pytest.fixture
def etc(tmp_path, monkeypatch):
    """A folder in the place of /etc/slurm, on a machine where no controller answers."""
    folder = tmp_path / "etc"
    folder.mkdir()
    monkeypatch.setattr(slurm_cluster, "ETC", folder)
    monkeypatch.setattr(slurm_cluster, "_answers", lambda command: False)
    return folder


@pytest.fixture
def place(tmp_path, etc):
    """The folder of a SLURM of ours whose test was killed, configuration and all."""
    place = tmp_path / "place"
    place.mkdir()
    (etc / "slurm.conf").write_text(f"ClusterName=thermalign\nSlurmdPidFile={place}/slurmd.pid\n")
    (etc / "gres.conf").write_text(DEVICES)
    return place


def daemon(folder, name):
    """Start a program of such a name that does not end by itself."""
    (folder / name).symlink_to("/bin/sleep")
    return psutil.Popen([folder / name, "600"])


def test_daemons_that_a_killed_test_left_are_stopped_and_its_files_removed(tmp_path, etc, place):
    left = [daemon(tmp_path, name) for name in slurm_cluster.DAEMONS[1:]]
    for process, name in zip(left, slurm_cluster.DAEMONS[1:], strict=True):
        (place / f"{name}.pid").write_text(f"{process.pid}\n")
    remove_left_over()
    assert [process.poll() is not None for process in left] == [True, True]
    assert list(etc.iterdir()) == []
    assert not place.exists()


def test_a_program_that_has_a_daemons_number_meanwhile_goes_on(tmp_path, place):
    other = daemon(tmp_path, "other")
    (place / "slurmd.pid").write_text(str(other.pid))
    try:
        remove_left_over()
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_a_daemon_that_is_gone_or_left_no_number_is_no_error(place):
    gone = subprocess.Popen(["true"])
    gone.wait()
    (place / "slurmd.pid").write_text(str(gone.pid))
    (place / "slurmctld.pid").write_text("")
    remove_left_over()
    assert not place.exists()


def test_the_configuration_of_another_slurm_is_left_alone(etc):
    (etc / "slurm.conf").write_text("ClusterName=thermalign2\n")
    with pytest.raises(NoSlurmError, match="is another SLURM's"):
        remove_left_over()
    assert (etc / "slurm.conf").exists()


def test_where_there_is_no_configuration_nothing_is_done(etc):
    before = list(etc.iterdir())
    remove_left_over()
    assert list(etc.iterdir()) == before
