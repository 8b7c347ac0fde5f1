"""Pixels in memory or in a file: the same to whoever reads them."""

import errno
import os

import numpy as np
import pytest
import torch

from thermalign import room
from thermalign.failures import explain, is_explained
from thermalign.warp import mirrored, stack_images, warp

CPU = torch.device("cpu")
IMAGES = [np.random.default_rng(n).normal(30, 5, (40 + n, 50 - n)) for n in range(5)]


def warped(stack):
    index = torch.arange(len(stack))
    scale = torch.tensor([1.3, 0.9, 0.4, 0.2, 0.1])
    zero = torch.zeros_like(scale)
    rows = [torch.stack([scale, zero, zero + 2], 1), torch.stack([zero, scale, zero - 1], 1)]
    return warp(stack, index, torch.stack(rows, 1), width=20, height=16)


@pytest.fixture
def in_files(monkeypatch, tmp_path):
    monkeypatch.setattr(room, "IN_MEMORY", 1000)
    monkeypatch.setattr(room.tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_stack_in_files_is_warped_as_one_in_memory(in_files, monkeypatch):
    there = stack_images(IMAGES, CPU)
    assert len(there.files) == 2
    monkeypatch.setattr(room, "IN_MEMORY", 1 << 30)
    here = stack_images(IMAGES, CPU)
    assert not here.files
    assert torch.equal(warped(there), warped(here))
    assert torch.equal(warped(mirrored(there)), warped(mirrored(here)))
    assert torch.equal(warped(there.take(torch.arange(5))), warped(here))


def test_images_copied_to_another_device_hold_no_file(in_files):
    stack = stack_images(IMAGES, CPU)
    assert stack.to(CPU).files == stack.files
    assert not stack.to(torch.device("meta")).files
    assert not stack.exchanged(1.0).files


def test_files_keep_what_they_hold_when_memory_is_given_back(in_files):
    stack = stack_images(IMAGES, CPU)
    stack.give_back()
    assert np.array_equal(stack.image(3).numpy(), IMAGES[3].astype(np.float32))


def test_files_have_no_name_that_could_be_left_behind(in_files):
    stack = stack_images(IMAGES, CPU)
    assert stack.files
    assert not list(in_files.iterdir())


def told(size):
    """Return the line that a user reads where there is no room for a file."""
    with pytest.raises(OSError, match=r"no room|Cannot") as caught:
        room.make_room({"pixels": (size, torch.uint8)}, CPU)
    assert is_explained(caught.value)
    return explain(caught.value)


CURE = "let TMPDIR name a folder that has it"


@pytest.mark.parametrize(
    ("number", "size", "line"),
    [
        (errno.ENOSPC, 12 << 30, f"no room for 12.0 GiB of pixels; {CURE}"),
        (errno.ENOSPC, 2000, f"no room for 1 MiB of pixels; {CURE}"),
        (
            errno.EFBIG,
            (1 << 30) - 1,
            f"no room for 1024 MiB of pixels (File too large); raise ulimit -f, or {CURE}",
        ),
        (errno.EDQUOT, 3 << 20, f"no room for 3 MiB of pixels (Disk quota exceeded); {CURE}"),
        (
            errno.ENOMEM,
            5 << 40,
            f"no room for 5120.0 GiB of pixels (Cannot allocate memory); {CURE}",
        ),
    ],
)
def test_no_room_is_told_in_one_line_with_one_cure(in_files, monkeypatch, number, size, line):
    def full(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(room.os, "ftruncate", lambda *_: None)
    monkeypatch.setattr(room.os, "posix_fallocate", full)
    assert told(size) == f"{in_files}: {line}"


def test_a_computer_without_a_folder_for_files_is_told_so(in_files, monkeypatch):
    monkeypatch.setattr(room.tempfile, "tempdir", None)
    monkeypatch.setattr(room.tempfile, "_candidate_tempdir_list", lambda: ["/proc/nothing"])
    assert told(2 << 20) == (
        "no room for 2 MiB of pixels (No usable temporary directory found in ['/proc/nothing']); "
        + CURE
    )


def test_a_file_that_cannot_be_mapped_is_no_matter_of_its_folder(in_files, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))

    monkeypatch.setattr(room.mmap, "mmap", full)
    assert told(2000) == "Cannot allocate memory; let fewer jobs run side by side (--cores)"


def test_a_disk_that_sets_nothing_aside_is_used_all_the_same(in_files, monkeypatch):
    def unsupported(*_):
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))

    monkeypatch.setattr(room.os, "posix_fallocate", unsupported)
    stack = stack_images(IMAGES, CPU)
    assert np.array_equal(stack.image(0).numpy(), IMAGES[0].astype(np.float32))
