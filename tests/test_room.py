"""Pixels in memory or in a file: the same to whoever reads them."""

import errno
import os

import numpy as np
import pytest
import torch

from thermalign import room
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


def test_files_keep_what_they_hold_when_memory_is_given_back(in_files):
    stack = stack_images(IMAGES, CPU)
    stack.give_back()
    assert np.array_equal(stack.image(3).numpy(), IMAGES[3].astype(np.float32))


def test_files_have_no_name_that_could_be_left_behind(in_files):
    stack = stack_images(IMAGES, CPU)
    assert stack.files
    assert not list(in_files.iterdir())


def test_a_full_disk_is_told_before_anything_is_written(in_files, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(room.os, "posix_fallocate", full)
    with pytest.raises(OSError, match=r"No space left on device: no room for .* let TMPDIR name"):
        stack_images(IMAGES, CPU)


def test_a_disk_that_sets_nothing_aside_is_used_all_the_same(in_files, monkeypatch):
    def unsupported(*_):
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))

    monkeypatch.setattr(room.os, "posix_fallocate", unsupported)
    stack = stack_images(IMAGES, CPU)
    assert np.array_equal(stack.image(0).numpy(), IMAGES[0].astype(np.float32))
