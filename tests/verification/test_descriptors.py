"""Descriptors as they are held: the same to whoever asks, wherever they lie."""

import pytest
import torch

from thermalign.verification import descriptors
from thermalign.verification.descriptors import BATCH, Descriptors, Settings, describe

SETTINGS = Settings.of({"dog": {}, "features": {}})
NAMES = [f"i{n}" for n in range(3 * BATCH + 5)]
FACES = 30 + torch.rand((len(NAMES), 48, 40), generator=torch.Generator().manual_seed(0))


def held(seen):
    """Return descriptors of FACES that keep in ``seen`` what they read."""

    def read(names):
        seen.extend(names)
        return FACES[[NAMES.index(name) for name in names]]

    return Descriptors(NAMES, read, SETTINGS)


@pytest.mark.parametrize("in_memory", [0, 1 << 30])
def test_an_image_is_described_once_and_looks_the_same_wherever_it_is_kept(monkeypatch, in_memory):
    monkeypatch.setattr(descriptors, "IN_MEMORY", in_memory)
    monkeypatch.setattr(descriptors, "AT_ONCE", 10)
    seen = []
    its = held(seen)
    asked = [*NAMES[40:90], NAMES[3], NAMES[41]]
    first = its.of(asked)
    assert seen == asked[:-1]
    where = [NAMES.index(name) for name in asked]
    expected = torch.cat([describe(FACES[[k]], SETTINGS) for k in where])
    torch.testing.assert_close(first, expected)
    assert torch.equal(its.of(asked), first)
    assert torch.equal(its.of(NAMES)[where], first)
    assert sorted(seen) == sorted(NAMES)


def test_what_is_given_is_a_copy():
    its = held([])
    its.of(NAMES[:2]).zero_()
    assert its.of(NAMES[:2]).abs().sum() > 0
