import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from thermalign.settings import parse
from thermalign.verification import dpm
from thermalign.verification.dpm import Settings, _encode, _neighbourhood, fit_pairs, map_visible

QUICK = Settings(components=16, hidden=32, epochs=12, patience=12, batch=64, decay=0.9)
ROWS, COLUMNS, WIDTH = 4, 3, 6


def pairs(count, seed):
    """Return visible descriptors and thermal ones that a fixed linear map makes of them."""
    mixing = torch.randn((WIDTH, WIDTH), generator=torch.Generator().manual_seed(99))
    visible = torch.randn(
        (count, ROWS, COLUMNS, WIDTH), generator=torch.Generator().manual_seed(seed)
    )
    visible = visible + visible.mean((1, 2), keepdim=True)
    return visible, torch.tanh(visible @ mixing / 3) + 0.5


@pytest.fixture(scope="module")
def trained():
    settings = Settings(components=40, hidden=64, epochs=25, patience=25, batch=64, decay=0.9)
    return fit_pairs(*pairs(200, 0), pairs(40, 1), settings, seed=0)


def test_faces_are_encoded_and_validated_alike_in_parts(trained, monkeypatch):
    encoded = _encode(pairs(20, 2)[0], trained)
    monkeypatch.setattr(dpm, "CHUNK", 7)
    torch.testing.assert_close(_encode(pairs(20, 2)[0], trained), encoded)
    made = []
    for patches in (2**16, 50):
        monkeypatch.setattr(dpm, "VALIDATED", patches)
        made.append(fit_pairs(*pairs(30, 0), pairs(20, 1), QUICK, seed=0))
    for name, tensor in made[0].items():
        assert torch.equal(made[1][name], tensor)  # the same epoch was kept


def error(a, b):
    return float(((a - b) ** 2).mean())


def test_it_learns_a_known_map_better_than_the_identity_and_than_the_mean(trained):
    visible, thermal = pairs(40, 2)
    mapped = error(map_visible(trained, visible), thermal)
    assert mapped < 0.2 * error(visible, thermal)
    assert mapped < 0.5 * error(pairs(200, 0)[1].mean(0), thermal)


def test_it_keeps_shape_and_kind(trained):
    visible, _ = pairs(5, 2)
    mapped = map_visible(trained, visible)
    assert mapped.shape == visible.shape
    assert mapped.dtype == torch.float32


def test_faces_are_mapped_independently(trained):
    visible, _ = pairs(5, 2)
    torch.testing.assert_close(
        map_visible(trained, visible)[2:3], map_visible(trained, visible[2:3])
    )


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others():
    data = (*pairs(30, 0), pairs(10, 1), QUICK)
    first, second, other = (fit_pairs(*data, seed=s) for s in (3, 3, 4))
    assert first.keys() == second.keys()
    assert all(torch.equal(first[k], second[k]) for k in first)
    assert not torch.equal(first["network.0.weight"], other["network.0.weight"])


def test_fitting_leaves_the_global_random_state_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    fit_pairs(*pairs(10, 0), pairs(5, 1), QUICK, seed=0)
    assert torch.equal(torch.rand(3), expected)


def test_the_pca_whitens_the_training_patches_and_sees_nothing_else():
    visible, thermal = pairs(60, 0)
    state = fit_pairs(visible, thermal, pairs(10, 1), QUICK, seed=0)
    other = fit_pairs(visible, thermal, pairs(10, 7), QUICK, seed=0)
    for name in ("centre", "basis", "mean", "spread"):
        assert torch.equal(state[name], other[name])
    inputs = _encode(visible, state)[:, : QUICK.components].double().numpy()
    np.testing.assert_allclose(inputs.mean(0), 0, atol=1e-4)
    np.testing.assert_allclose(np.cov(inputs.T, bias=True), np.eye(QUICK.components), atol=1e-3)


def test_the_pca_is_that_of_scikit_learn_up_to_signs():
    visible, thermal = pairs(60, 0)
    state = fit_pairs(visible, thermal, None, QUICK, seed=0)
    patches = _neighbourhood(visible).flatten(0, 2).double().numpy()
    its = PCA(QUICK.components, whiten=True, svd_solver="covariance_eigh").fit(patches)
    deviations = np.sqrt(its.explained_variance_ * (len(patches) - 1) / len(patches))
    expected = (its.components_ / deviations[:, None])[::-1].T  # falling there, rising here
    basis = state["basis"].double().numpy()
    np.testing.assert_allclose(basis, expected * np.sign((basis * expected).sum(axis=0)), rtol=1e-4)
    np.testing.assert_allclose(state["centre"].numpy(), its.mean_, atol=1e-6)


def test_directions_that_the_patches_do_not_have_are_left_out():
    visible, thermal = pairs(40, 0)
    flat = visible * torch.tensor([1.0, 1, 0, 0, 0, 0])
    state = fit_pairs(flat, thermal, (flat[:5], thermal[:5]), Settings(epochs=1), seed=0)
    assert state["basis"].shape[1] <= 9 * 2
    assert torch.isfinite(map_visible(state, flat)).all()


def test_the_epoch_with_the_lowest_validation_error_is_kept():
    visible, thermal = pairs(20, 0)
    held_out = pairs(20, 1)
    settings = {"components": 40, "hidden": 64, "batch": 16, "learning_rate": 0.02, "decay": 1.0}
    errors = []
    for epochs in (1, 2, 4, 8, 16):
        state = fit_pairs(
            visible, thermal, held_out, Settings(epochs=epochs, patience=99, **settings), seed=0
        )
        errors.append(error(map_visible(state, held_out[0]), held_out[1]))
    assert errors == sorted(errors, reverse=True)


def test_without_held_out_pairs_every_epoch_runs_and_the_last_state_is_kept():
    data, settings = pairs(30, 0), Settings(epochs=3, patience=1)
    kept = fit_pairs(*data, None, settings, seed=0)
    # pairs that get worse with every epoch would stop a training that looks at them
    worst = (data[0], -data[1])
    stopped = fit_pairs(*data, worst, settings, seed=0)
    assert error(map_visible(kept, data[0]), data[1]) < error(
        map_visible(stopped, data[0]), data[1]
    )


def test_sides_of_different_length_are_refused():
    visible, thermal = pairs(10, 0)
    with pytest.raises(ValueError, match="give pair_id"):
        fit_pairs(visible, thermal[:9], pairs(5, 1), QUICK, seed=0)


def test_training_without_validation_pairs_is_refused():
    nothing = torch.zeros(0, ROWS, COLUMNS, WIDTH)
    with pytest.raises(ValueError, match="validation images, got 0"):
        fit_pairs(*pairs(10, 0), (nothing, nothing), QUICK, seed=0)


def test_a_diverging_training_stops_with_a_cure():
    with pytest.raises(ValueError, match="lower dpm"):
        fit_pairs(*pairs(10, 0), pairs(5, 1), Settings(learning_rate=1e30), seed=0)


@pytest.mark.parametrize(
    "wrong", [{"hidden": 0}, {"learning_rate": 0.0}, {"decay": 1.5}, {"weight_decay": -1.0}]
)
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ValueError, match=r"matcher\.dpm: "):
        parse(Settings, wrong, "matcher.dpm")
