import cv2
import numpy as np
import pytest
import torch

from thermalign import geometry
from thermalign.geometry import apply_matrix, box_to_crop, mirror_matrix
from thermalign.images import Picture
from thermalign.warp import LEVELS, mirrored, stack_images, stack_pictures, warp

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def images():
    rng = np.random.default_rng(0)
    return [rng.random(shape).astype(np.float32) for shape in ((50, 40), (31, 27), (8, 9))]


@pytest.fixture(scope="module")
def stack(images):
    return stack_images(images, CPU)


def test_the_identity_returns_every_image_of_any_size(stack, images):
    for n, image in enumerate(images):
        height, width = image.shape
        out = warp(stack, torch.tensor([n]), torch.eye(2, 3)[None], width=width, height=height)
        np.testing.assert_array_equal(out[0, 0], image)


def test_the_mirror_matrix_reverses_the_columns(stack, images):
    matrix = mirror_matrix(torch.tensor([27.0]))
    out = warp(stack, torch.tensor([1]), matrix, width=27, height=31)
    np.testing.assert_array_equal(out[0, 0], images[1][:, ::-1])


def test_halving_averages_two_by_two_pixels(stack, images):
    matrix = box_to_crop(torch.tensor([[0.0, 0, 40, 50]]), 20, 25)
    out = warp(stack, torch.tensor([0]), matrix, width=20, height=25)
    expected = images[0].reshape(25, 2, 20, 2).mean((1, 3))
    np.testing.assert_allclose(out[0, 0], expected, atol=1e-6)


def test_enlarging_agrees_with_opencv(stack, images):
    matrix = np.array([[1.7, -0.4, 3.0], [0.4, 1.7, -2.0]], np.float32)
    out = warp(stack, torch.tensor([0]), torch.as_tensor(matrix)[None], width=60, height=70)
    expected = cv2.warpAffine(images[0], matrix, (60, 70), borderMode=cv2.BORDER_REPLICATE)
    assert np.abs(out[0, 0].numpy() - expected).max() < 0.05  # OpenCV rounds to 1/32 px
    assert np.abs(out[0, 0].numpy() - expected).mean() < 0.005


def test_the_outermost_pixels_repeat_beyond_the_border(stack, images):
    matrix = torch.tensor([[[1.0, 0, 5], [0, 1, 0]]])
    out = warp(stack, torch.tensor([2]), matrix, width=14, height=8)
    np.testing.assert_allclose(out[0, 0, :, :5], np.repeat(images[2][:, :1], 5, axis=1))


@pytest.mark.parametrize("zoom", [1.0, 0.5, 0.25])
def test_offsets_are_in_pixels_of_the_image_whatever_level_is_sampled(stack, zoom):
    width, height = int(40 * zoom), int(48 * zoom)
    matrices = box_to_crop(torch.tensor([[0.0, 0, 40, 48]]), width, height).expand(2, 2, 3)
    moved = matrices.clone()
    moved[..., 2] -= zoom * torch.tensor([4.0, -8.0])  # what was 4 right and 8 above is here now
    index, size = torch.tensor([0, 0]), (2, height, width)
    share = torch.stack([torch.ones(size[1:]), torch.zeros(size[1:])])
    way = torch.tensor([[4.0, -8.0], [4.0, -8.0]])
    out = warp(stack, index, matrices, width=width, height=height, offsets=(way, share))
    expected = warp(stack, index, moved, width=width, height=height)
    plain = warp(stack, index, matrices, width=width, height=height)
    np.testing.assert_allclose(out[0], expected[0], atol=1e-5)
    np.testing.assert_array_equal(out[1], plain[1])


def test_a_pattern_lands_where_the_matrix_says_at_every_scale():
    ys, xs = np.mgrid[:120, :100]
    place = np.array([61.0, 47.0])
    blob = np.exp(-((xs - place[0]) ** 2 + (ys - place[1]) ** 2) / (2 * 6.0**2)).astype(np.float32)
    stack = stack_images([blob], CPU)
    for scale in (2.0, 1.0, 0.6, 0.4, 0.2):
        matrix = torch.tensor([[[scale, 0.0, 1.5], [0.0, scale, -0.5]]])
        width, height = int(100 * scale), int(120 * scale)
        out = warp(stack, torch.tensor([0]), matrix, width=width, height=height)[0, 0].numpy()
        v, u = np.mgrid[:height, :width]
        centroid = np.array([(out * u).sum(), (out * v).sum()]) / out.sum()
        expected = apply_matrix(matrix[0].numpy(), place[None])[0]
        np.testing.assert_allclose(centroid, expected, atol=0.05)


def test_an_empty_stack_and_a_colour_image_are_refused():
    with pytest.raises(ValueError, match="at least one"):
        stack_images([], CPU)
    with pytest.raises(ValueError, match="image 0"):
        stack_images([np.zeros((3, 4, 3), np.float32)], CPU)


def test_mirrored_images_warp_to_mirrored_outputs(stack):
    every = torch.arange(len(stack))
    outputs = warp(stack, every, torch.eye(2, 3).expand(len(stack), 2, 3), width=27, height=20)
    flip = mirror_matrix(stack.widths)  # the mirrored image, brought back
    back = warp(mirrored(stack), every, flip, width=27, height=20)
    torch.testing.assert_close(back, outputs, atol=1e-3, rtol=0)


def test_images_are_taken_in_any_order_and_number(stack):
    rows = torch.tensor([1, 0, 1])
    some = stack.take(rows)
    assert len(some) == 3
    assert all(torch.equal(some.image(n), stack.image(int(k))) for n, k in enumerate(rows))
    assert some.pixels is stack.pixels


@pytest.mark.parametrize(
    ("kind", "scale", "offset"), [("uint16", 0.01, -273.15), ("uint8", 1 / 255, 0.0)]
)
def test_counts_as_stored_are_warped_as_physical_values_are(kind, scale, offset):
    rng = np.random.default_rng(4)
    last = np.iinfo(kind).max
    counts = [rng.integers(0, last, (50 + n, 61 - n), kind, endpoint=True) for n in range(8)]
    pictures = [Picture(c, scale, offset) for c in counts]
    sizes = np.array([c.shape[::-1] for c in counts])
    held = stack_pictures(iter(pictures), sizes, np.dtype(kind), CPU)
    assert str(held.pixels.dtype) == f"torch.{kind}"
    plain = stack_images([picture.physical() for picture in pictures], CPU)
    index = torch.arange(8).repeat(3)
    linear = torch.from_numpy(rng.normal(0, 0.6, (24, 2, 2)))
    shift = torch.from_numpy(rng.uniform(-5, 20, (24, 2, 1)))
    matrices = torch.cat([linear, shift], 2)
    for stacks in ((held, plain), (mirrored(held), mirrored(plain))):
        seen, expected = (warp(s, index, matrices, width=23, height=19) for s in stacks)
        assert torch.equal(seen, expected)
        for k in range(4):
            assert torch.equal(stacks[0].level(5, k), stacks[1].level(5, k))


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
def test_images_of_one_size_are_read_together_as_each_alone(kind):
    draws = np.random.default_rng(3)
    counts = [draws.integers(0, 250, (9 + n % 2, 13)).astype(kind) for n in range(6)]
    sizes = np.array([its.shape[::-1] for its in counts])
    pictures = [Picture(its, 0.1 * n + 0.3, -n) for n, its in enumerate(counts)]
    stack = stack_pictures(pictures, sizes, np.dtype(kind), CPU)
    rows = torch.tensor([5, 1, 3])
    for k in range(LEVELS):
        each = torch.stack([stack.level(n, k) for n in rows.tolist()])
        assert torch.equal(stack.alike(rows, k), each)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
def test_exchanging_black_and_white_takes_every_value_from_the_total(kind):
    rng = np.random.default_rng(5)
    counts = [rng.integers(0, 200, size).astype(kind) for size in [(40, 30), (25, 60)]]
    pictures = [
        Picture(its, *((1.0, 0.0) if kind == np.float32 else (0.5, -20.0))) for its in counts
    ]
    sizes = np.array([its.shape[::-1] for its in counts])
    stack = stack_pictures(pictures, sizes, np.dtype(kind), torch.device("cpu"))
    exchanged = stack.exchanged(70.0)
    for n in range(len(counts)):
        for k in range(stack.sizes.shape[1]):
            torch.testing.assert_close(exchanged.level(n, k), 70.0 - stack.level(n, k))
            torch.testing.assert_close(exchanged.exchanged(70.0).level(n, k), stack.level(n, k))


def some_warps(kind):
    """Return images of a kind, which of them are shown and matrices over every mip level."""
    rng = np.random.default_rng(6)
    shapes = [(40, 56), (77, 30), (64, 64)]
    counts = [rng.integers(0, 200, shape).astype(kind) for shape in shapes]
    units = (1.0, 0.0) if kind == np.float32 else (0.1, -20.0)
    sizes = np.array([its.shape[::-1] for its in counts])
    pictures = (Picture(its, *units) for its in counts)
    stack = stack_pictures(pictures, sizes, np.dtype(kind), CPU)
    zoom = torch.tensor(2.0 ** rng.uniform(-3.5, 1, 30), dtype=torch.float32)
    turn = torch.tensor(rng.uniform(0, 6, 30), dtype=torch.float32)
    turned = torch.stack([turn.cos(), -turn.sin(), turn.sin(), turn.cos()], 1).view(-1, 2, 2)
    shift = torch.tensor(rng.uniform(-9, 20, (30, 2, 1)), dtype=torch.float32)
    return stack, torch.arange(30) % 3, torch.cat([zoom[:, None, None] * turned, shift], 2)


@pytest.mark.parametrize("moved", [False, True])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
def test_what_is_not_on_the_host_is_warped_as_there(kind, moved, monkeypatch):
    stack, index, matrices = some_warps(kind)
    rng = np.random.default_rng(7)
    way, share = (torch.from_numpy(rng.random(s, "float32")) for s in ((30, 2), (30, 17, 21)))
    given = {"width": 21, "height": 17, "offsets": (5 * way, share) if moved else None}
    here = warp(stack, index, matrices, **given)
    monkeypatch.setattr(geometry, "on_host", lambda values: False)
    there = warp(stack, index, matrices, **given)
    assert torch.equal(there, here)


def test_an_output_is_the_same_whatever_is_warped_beside_it():
    stack, index, matrices = some_warps(np.uint16)
    every = warp(stack, index, matrices, width=112, height=128)
    for rows in (*torch.arange(30).split(7), torch.tensor([29, 3])):
        some = warp(stack, index[rows], matrices[rows], width=112, height=128)
        assert torch.equal(some, every[rows])
