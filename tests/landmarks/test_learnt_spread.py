"""A learnt spread: what it sees by hand, its likelihood, and that it learns who is off farther."""

import numpy as np
import pytest
import torch
from torch import Tensor

from thermalign.landmarks.learnt_spread import LearntSpread, seen
from thermalign.student import log_density


def drawn(count: int, *, seed: int = 0) -> Tensor:
    """Return features (count, L, 3 + 5 + 10) as of one level of three channels."""
    return torch.randn((count, 5, 18), generator=torch.Generator().manual_seed(seed))


def test_before_learning_it_says_of_each_landmark_what_is_usual() -> None:
    torch.manual_seed(0)
    size = torch.tensor([[1.0, 2], [3, 4], [0.5, 0.25], [6, 1], [1, 1]])
    errors = size * torch.randn((4000, 5, 2))
    head = LearntSpread([3])
    head.begin(7 + 3 * drawn(4000), errors)
    found = head.covariance(7 + 3 * drawn(2, seed=1))[0]
    expected = torch.diag_embed(errors.square().mean(0))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)
    usual = (7 + 3 * drawn(4000) - head.middle) / head.scale
    torch.testing.assert_close(usual.std((0, 1)), torch.ones(18), rtol=1e-3, atol=0)


def test_its_surprise_is_that_of_a_student_t_but_for_a_constant() -> None:
    torch.manual_seed(0)
    head = LearntSpread([3])
    features, errors = drawn(6), torch.randn((6, 5, 2))
    head.begin(features, errors)
    torch.nn.init.normal_(head.out.weight, std=0.3)
    with torch.no_grad():
        found = float(head.surprise(features, errors))
        scale, tail = head.covariance(features).double().numpy(), 2 + float(head.tail.exp())
    exact = -log_density(errors.double().numpy(), scale, tail).mean()
    assert found == pytest.approx(exact - np.log(2 * np.pi), abs=1e-4)
    assert abs(scale[..., 0, 1]).min() > 0


def test_it_learns_which_landmark_of_which_face_is_off_farther() -> None:
    torch.manual_seed(0)
    features = drawn(3000)
    size = torch.exp(features[..., :1]) * torch.tensor([1.0, 0.5])
    size[:, 4] = 1.0  # of the last landmark nothing can be told
    errors = size * torch.randn((3000, 5, 2))
    head = LearntSpread([3])
    head.begin(features[:2500], errors[:2500])
    optimiser = torch.optim.Adam(head.parameters(), lr=0.01)
    for _ in range(300):
        rows = torch.randint(2500, (128,))
        optimiser.zero_grad()
        head.surprise(features[rows], errors[rows]).backward()
        optimiser.step()
    with torch.no_grad():
        told = head(features[2500:])
    for k in range(5):
        slope = np.polyfit(features[2500:, k, 0].numpy(), told[:, k, 0].numpy(), 1)[0]
        assert slope == pytest.approx(float(k < 4), abs=0.25)
    apart = told[:, :4, 0] - told[:, :4, 1]
    assert float(apart.mean()) == pytest.approx(np.log(2), abs=0.15)


def test_what_lies_far_from_what_was_seen_is_as_the_farthest_of_it() -> None:
    torch.manual_seed(0)
    head = LearntSpread([3])
    head.begin(drawn(100), torch.randn((100, 5, 2)))
    torch.nn.init.normal_(head.out.weight, std=0.3)
    far, farther = (head.covariance(torch.full((1, 5, 18), value)) for value in (20.0, 1e6))
    assert torch.equal(far, farther)


def test_features_are_means_over_the_map_at_every_level() -> None:
    chances = torch.zeros(1, 5, 4, 4)
    chances[..., 1, 3], chances[..., 2, 0] = 0.75, 0.25
    fine, coarse = torch.arange(16.0).view(1, 1, 4, 4), torch.arange(4.0).view(1, 1, 2, 2)
    means = torch.tensor([[5.0, 3.0]]).expand(1, 5, 2)
    covariances = torch.tensor([[4.0, -1.0], [-1.0, 9.0]]).expand(1, 5, 2, 2)
    found = seen([fine, coarse.bfloat16()], chances, means, covariances, 8)
    assert found.shape == (1, 5, 2 + 5 + 10)
    entropy = -(0.75 * np.log(0.75) + 0.25 * np.log(0.25))
    of_map = [entropy, np.log(4), np.log(9), -1 / 6, np.log(0.75)]
    expected = [0.75 * 7 + 0.25 * 8, 0.75 * 1 + 0.25 * 2, *of_map, *([0.25, -0.25] * 5)]
    torch.testing.assert_close(found[0, 2], torch.tensor(expected, dtype=torch.float32))
