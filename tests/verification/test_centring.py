import pytest
import torch

from thermalign.verification.centring import apply, means


def faces(count, offset, seed):
    made = torch.randn((count, 3, 2, 4), generator=torch.Generator().manual_seed(seed))
    return made + offset


def test_both_modalities_of_training_have_mean_zero_at_every_place():
    visible, thermal = faces(9, 2.0, 0), faces(5, -1.0, 1)
    state = means(visible, thermal)
    for modality, side in (("visible", visible), ("thermal", thermal)):
        mean = apply(state, side, modality).mean(0)
        torch.testing.assert_close(mean, torch.zeros_like(mean), atol=1e-6, rtol=0)


def test_differences_within_a_modality_stay():
    visible = faces(4, 0.0, 0)
    moved = apply(means(visible, faces(2, 1.0, 1)), visible, "visible")
    torch.testing.assert_close(moved[1] - moved[0], visible[1] - visible[0])


def test_a_missing_modality_is_named():
    with pytest.raises(ValueError, match="no thermal training image"):
        means(faces(2, 0.0, 0), torch.empty(0))
