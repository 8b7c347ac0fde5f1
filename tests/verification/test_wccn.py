import numpy as np
import pytest
import torch
from sklearn.covariance import ShrunkCovariance
from sklearn.decomposition import PCA
from torch._subclasses.fake_tensor import FakeTensorMode

from thermalign.verification.wccn import Settings, apply, fit_people, principal, within_people

PLACES, WIDTH = (3, 2), 4


def faces(people, images, *, seed, nuisance=12.0):
    """Return descriptors, one after the other of everybody, and who is on each.

    Somebody's own are small beside one direction that differs from image to image.
    """
    own = torch.randn((people, *PLACES, WIDTH), generator=torch.Generator().manual_seed(7))
    draw = torch.Generator().manual_seed(seed)
    common = torch.randn((*PLACES, WIDTH), generator=torch.Generator().manual_seed(8))
    n = people * images
    amount = nuisance * torch.randn((n, 1, 1, 1), generator=draw)
    noise = 0.3 * torch.randn((n, *PLACES, WIDTH), generator=draw)
    given = own.repeat_interleave(images, 0) + amount * common + noise
    return given, [f"p{k:02d}" for k in range(people) for _ in range(images)]


@pytest.fixture(scope="module")
def sides():
    visible, thermal = faces(20, 3, seed=1), faces(20, 5, seed=2)
    return visible, (thermal[0] + 4.0, thermal[1])


def cosines(a, b):
    a, b = (v / v.norm(dim=1, keepdim=True) for v in (a.flatten(1), b.flatten(1)))
    return a @ b.T


def share_right(visible, thermal, whose):
    best = cosines(thermal, visible).argmax(1)
    return np.mean([whose[k // 5] == whose[int(b) // 3] for k, b in enumerate(best)])


def test_what_differs_within_people_hides_nobody_any_more(sides):
    (visible, _), (thermal, _) = sides
    whose = list(range(20))
    state = fit_people(*sides, Settings(components=24, shrinkage=0.01))
    before = share_right(visible - visible.mean(0), thermal - thermal.mean(0), whose)
    after = share_right(apply(state, visible, "visible"), apply(state, thermal, "thermal"), whose)
    assert before < 0.75
    assert after == 1


def test_images_of_one_person_vary_alike_in_every_direction(sides):
    state = fit_people(*sides, Settings(components=12, shrinkage=1e-6))
    made = [apply(state, sides[k][0], m) for k, m in enumerate(("visible", "thermal"))]
    people = [*sides[0][1], *sides[1][1]]
    modalities = ["visible"] * 60 + ["thermal"] * 100
    within = within_people(torch.cat(made).double(), people, modalities)
    torch.testing.assert_close(within, torch.eye(12, dtype=torch.float64), atol=1e-2, rtol=0)


def test_cosines_are_those_of_the_shrunk_covariance_that_scikit_learn_finds():
    (given, whose), (other, _) = faces(10, 4, seed=3), faces(10, 4, seed=4)
    state = fit_people((given, whose), (other, whose), Settings(components=8, shrinkage=0.4))
    centred = np.concatenate([x.flatten(1) - x.flatten(1).mean(0) for x in (given, other)])
    reduced = PCA(8).fit_transform(centred)
    mean = np.stack([reduced[np.array(whose * 2) == person].mean(0) for person in whose * 2])
    spread = ShrunkCovariance(shrinkage=0.4, assume_centered=True).fit(reduced - mean)
    root = np.linalg.cholesky(spread.precision_)
    expected = cosines(*torch.as_tensor(reduced @ root).split(40))
    made = cosines(apply(state, given, "visible"), apply(state, other, "thermal"))
    np.testing.assert_allclose(made, expected, atol=1e-4)


def test_full_shrinkage_leaves_the_principal_components(sides):
    state = fit_people(*sides, Settings(components=5, shrinkage=1.0))
    flat = torch.cat([(x - x.mean(0)).flatten(1) for x, _ in sides])
    expected = cosines(flat @ principal(flat, 5), flat @ principal(flat, 5))
    made = [apply(state, sides[k][0], m) for k, m in enumerate(("visible", "thermal"))]
    torch.testing.assert_close(
        cosines(torch.cat(made), torch.cat(made)), expected, atol=1e-4, rtol=0
    )


@pytest.mark.parametrize("shape", [(12, 30), (30, 12)])
def test_principal_directions_are_those_of_scikit_learn_whichever_side_is_shorter(shape):
    rows = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    rows -= rows.mean(0)
    found = principal(rows, 4).T.numpy()
    along = np.abs(np.sum(found * PCA(4).fit(rows.numpy()).components_, axis=1))
    np.testing.assert_allclose(along, 1, atol=1e-4)
    assert principal(rows, 100).shape[1] == 11 + (shape[1] == 12)


def test_many_images_of_one_modality_do_not_outweigh_the_other():
    rows = torch.tensor([[0.0], [3.0], [3.0], [3.0]], dtype=torch.float64)
    within = within_people(rows, ["a"] * 4, ["visible", *["thermal"] * 3])
    assert within.item() == pytest.approx(1.5**2)


def test_images_on_a_gpu_are_weighed_there():
    """No number is made, so that no GPU is needed: tensors on two devices do not meet."""
    with FakeTensorMode():
        rows = torch.empty((4, 3), dtype=torch.float64, device="cuda")
        within = within_people(rows, ["a", "a", "b", "b"], ["visible", "thermal"] * 2)
    assert within.shape == (3, 3)
    assert within.device.type == "cuda"


def test_nobody_with_two_images_is_told():
    one = faces(3, 1, seed=1)
    other = faces(3, 1, seed=1)[0], ["x", "y", "z"]
    with pytest.raises(ValueError, match="wccn finds nobody with two different training images"):
        fit_people(one, other, Settings(components=2))
