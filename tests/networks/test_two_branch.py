"""The two-branch network on made-up descriptors: what it learns, resumes, and is refused."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from thermalign.networks.two_branch import Settings, Side, _loss, begin, fit, projected
from thermalign.states import State, save_state
from thermalign.training.checkpoint import Checkpoint
from thermalign.training.loop import Run
from thermalign.verification import features, wccn
from thermalign.verification.contract import Examples
from thermalign.verification.two_branch import Settings as Applied
from thermalign.verification.two_branch import apply
from thermalign.verification.two_branch import fit as read

PLACES, ANGLES = (6, 5), features.Settings(orientations=2)
SMALL = Settings(
    components=20,
    hidden=16,
    dropout=0.0,
    mirrored=0.0,
    copies=0,
    validation_people=10,
    batch_size=64,
    steps=90,
    validate_every=30,
    learning_rate=0.01,
)
QUIET = Run(progress=False)


def sides(people=300, seed=0):
    """Return faces of two visible and three thermal images, those of one person mixed alike.

    What is mixed is not the same in both modalities.
    """
    drawn, common = (torch.Generator().manual_seed(s) for s in (seed, 77))
    parts = torch.randn((2, 6, *PLACES, 8), generator=common)
    mixed = torch.randn((people, 6), generator=drawn)
    found = {}
    for k, (modality, images) in enumerate((("visible", 2), ("thermal", 3))):
        own = torch.einsum("pk,krcd->prcd", mixed, parts[k])
        numbers = torch.arange(people).repeat_interleave(images)
        noise = torch.randn((len(numbers), 2, *PLACES, 8), generator=drawn)
        found[modality] = Side.of_all((own[numbers][:, None] + 0.3 * noise).half(), numbers)
    return found


@pytest.fixture(scope="module")
def trained():
    return fit(sides(), SMALL, ANGLES, seed=1, run=QUIET)


def vectors(state, given, modality):
    return apply(state.tensors, given.faces[:, 0].float(), modality)


def test_people_it_has_never_seen_find_themselves_in_the_other_modality(trained):
    others = sides(30, seed=9)
    v, t = (vectors(trained, others[m], m) for m in ("visible", "thermal"))
    found = others["visible"].people[(t @ v.T).argmax(1)] == others["thermal"].people
    assert found.float().mean() > 0.8
    torch.testing.assert_close(v.norm(dim=1), torch.ones(len(v)))


def test_the_state_with_the_lowest_equal_error_rate_of_validation_people_is_kept(trained):
    errors = [row.validation_nmse for row in trained.curve]
    assert len(errors) == 3
    assert min(errors) < 0.2


def test_a_seed_repeats_a_training_and_another_does_not(trained):
    again, other = (fit(sides(), SMALL, ANGLES, seed=s, run=QUIET) for s in (1, 2))
    assert all(torch.equal(trained.tensors[k], again.tensors[k]) for k in trained.tensors)
    assert not torch.equal(trained.tensors["last.weight"], other.tensors["last.weight"])


def test_a_killed_training_goes_on_bit_for_bit(trained, tmp_path, monkeypatch):
    class KilledError(Exception):
        pass

    monkeypatch.setattr(Checkpoint, "due", lambda self: True)
    calls = []

    def dying(*given):
        calls.append(1)
        if len(calls) == 50:
            raise KilledError
        return _loss(*given)

    monkeypatch.setattr("thermalign.networks.two_branch._loss", dying)
    for _ in range(2):
        kept = Run(progress=False, checkpoint=Checkpoint(tmp_path / "checkpoint.pt", "key"))
        if not calls:
            with pytest.raises(KilledError):
                fit(sides(), SMALL, ANGLES, seed=1, run=kept)
        else:
            state = fit(sides(), SMALL, ANGLES, seed=1, run=kept)
    assert len(calls) < 50 + 90
    assert all(torch.equal(trained.tensors[k], state.tensors[k]) for k in trained.tensors)


def test_the_gradients_of_every_part_are_finite_and_there():
    given = sides(60)
    network = begin(given, SMALL).train()
    seen = {m: projected(network, side, m, ANGLES) for m, side in given.items()}
    for layer in network.leave.values():  # they begin at 0, and pass nothing back
        torch.nn.init.normal_(layer.weight)
    loss = _loss(network, seen, SMALL, torch.Generator().manual_seed(0))
    loss.backward()
    for name, parameter in network.named_parameters():
        assert torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.abs().sum() > 0, name


def test_a_person_is_drawn_by_its_own_images_alone():
    given = sides(5)["thermal"]
    filled = given.people[:, None, None, None, None].expand_as(given.faces)
    marked = replace(given, faces=filled)
    people = torch.tensor([4, 0, 2]).repeat(50)
    drawn = marked.draw(people, torch.Generator().manual_seed(0))
    assert torch.equal(drawn[:, 0, 0, 0].long(), people)


def test_some_people_are_numbered_anew_with_all_of_their_images():
    given = sides(5)["thermal"]
    some = given.of(torch.tensor([3, 1]))
    assert some.people.tolist() == [0, 0, 0, 1, 1, 1]
    assert torch.equal(torch.cat([*some.parts(4)])[:3], given.faces[given.people == 3])
    assert some.faces is given.faces  # which may be too many to hold twice


@pytest.mark.parametrize("people", [10, 11])
def test_too_few_people_to_train_on_are_refused(people):
    with pytest.raises(ValueError, match=f"{people} people are in both modalities, of whom valid"):
        fit(sides(people), SMALL, ANGLES, seed=1, run=QUIET)


def test_a_trained_network_tells_its_people_and_its_tensors(trained, tmp_path):
    path = tmp_path / "state.safetensors"
    save_state(path, trained, {"settings": "{}", "people": ["far/v1_s001"]})
    examples = Examples.__new__(Examples)
    examples._asked = set()
    state = read(examples, Applied(str(path)), seed=1)
    assert examples.subjects == ("far/v1_s001",)
    assert all(torch.equal(state[k], trained.tensors[k]) for k in state)


def test_another_state_is_no_network(tmp_path):
    path = tmp_path / "state.safetensors"
    save_state(path, State({"a": torch.zeros(2)}), {"settings": "{}"})
    with pytest.raises(ValueError, match="is no network of a matcher; name one under networks"):
        read(Examples.__new__(Examples), Applied(str(path)), seed=1)


def test_other_descriptors_than_it_was_trained_on_are_refused(trained):
    with pytest.raises(ValueError, match="trained for 240 numbers a face and is given 480"):
        apply(trained.tensors, torch.zeros((2, *PLACES, 16)), "visible")


def test_it_begins_as_wccn_of_its_people():
    given = sides(60)
    network = begin(given, SMALL).eval()
    few = [given[m].few(SMALL.whitened_by) for m in ("visible", "thermal")]
    assert [len(faces) for faces, _ in few] == [120, 120]
    its = wccn.Settings(components=SMALL.components, shrinkage=SMALL.shrinkage)
    state = wccn.fit_people(few[0], few[1], its)
    faces = few[1][0]
    expected = torch.nn.functional.normalize(wccn.apply(state, faces, "thermal"))
    made = network(network.project(faces, "thermal"), "thermal")
    torch.testing.assert_close(made, expected, atol=1e-4, rtol=0)


def test_a_mirrored_descriptor_mirrored_again_is_the_first():
    given = torch.randn((2, 4, 3, 32), generator=torch.Generator().manual_seed(0))
    for asked in (features.Settings(), features.Settings(signed=False)):
        assert torch.equal(features.mirror(features.mirror(given, asked), asked), given)
    with pytest.raises(ValueError, match=r"make features\.orientations even"):
        features.mirror(given[..., :28], features.Settings(orientations=7))
    assert not np.array_equal(features.mirror(given, features.Settings()), given)
