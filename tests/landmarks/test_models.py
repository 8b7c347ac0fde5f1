"""Parameters by count: the printed totals, and the layers that lead to them."""

import pytest
import torch
from torch import nn

from thermalign.landmarks import dan, heatmap, mtcnn, pbc
from thermalign.landmarks.models import (
    constant_of,
    count_parameters,
    parameter_counts,
    printed_parameters,
)
from thermalign.states import State

Layer = tuple[str, int, int, int, int]


def layers(module: nn.Module, *, channels: int, size: int) -> list[Layer]:
    """Kind, width, kernel, stride and output size of each convolution and pool, as it runs."""
    found: list[Layer] = []

    def note(layer: nn.Module, _: object, output: torch.Tensor) -> None:
        kind = "conv" if isinstance(layer, nn.Conv2d) else "pool"
        kernel, stride = (
            v if isinstance(v, int) else v[0] for v in (layer.kernel_size, layer.stride)
        )
        assert output.shape[2] == output.shape[3]
        found.append((kind, output.shape[1], kernel, stride, output.shape[2]))

    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.MaxPool2d):
            layer.register_forward_hook(note)
    module.eval()(torch.zeros(1, channels, size, size, device="meta"))
    return found


def on_paper(model: object, **settings: object) -> nn.Module:
    """Build a network without memory for its weights."""
    with torch.device("meta"):
        network: nn.Module = model.network(model.Settings(**settings))  # type: ignore[attr-defined]
    return network


@pytest.mark.parametrize(
    ("model", "printed"), [(dan, 23_022_592), (pbc, 1_016_390), (mtcnn, 494_924)]
)
def test_the_printed_totals_are_reproduced(model: object, printed: int) -> None:
    assert printed_parameters(on_paper(model)) == printed


def test_counts_are_of_the_configuration_and_of_the_paper() -> None:
    counts = parameter_counts(
        {"mean_shape": {}, "small": {"model": "pbc", "width": 0.5, "seeds": [1, 2]}}
    )
    assert counts["detector"].tolist() == ["mean_shape", "pbc"]
    assert counts["paper"].tolist() == [0, 1_016_390]
    half = pbc.Settings(width=0.5)
    assert counts["configured"].tolist() == [0, printed_parameters(pbc.network(half))]
    assert count_parameters("pbc", half) == {
        "configured": counts["configured"][1],
        "paper": 1_016_390,
    }


def test_a_detector_that_the_paper_does_not_have_has_no_printed_total() -> None:
    for name, its in (("dan", dan), ("pbc", pbc), ("mtcnn", mtcnn)):
        assert count_parameters(name, its.Settings())["paper"] > 0
    assert count_parameters("heatmap", heatmap.Settings()) == {"configured": 404_117, "paper": 0}


@pytest.mark.parametrize(("name", "total"), [("pnet", 6_724), ("rnet", 100_552), ("onet", 387_648)])
def test_the_networks_of_mtcnn_share_its_total(name: str, total: int) -> None:
    assert printed_parameters(getattr(on_paper(mtcnn), name)) == total


def test_the_last_network_of_mtcnn_can_be_had_alone() -> None:
    assert printed_parameters(on_paper(mtcnn, stages="onet")) == 387_648


def test_padding_of_pbc_does_not_change_its_total() -> None:
    assert printed_parameters(on_paper(pbc, padding="same")) == 1_016_390


def test_slopes_biases_and_scales_are_not_counted() -> None:
    module = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.PReLU(2), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(8, 3)
    )
    assert printed_parameters(module) == 1 * 2 * 9 + 2 + 8 * 3


def test_a_convolution_without_bias_counts_the_shift_of_its_normalisation() -> None:
    assert printed_parameters(nn.Conv2d(4, 5, 3, bias=False)) == 4 * 5 * 9 + 5


def test_pnet_has_the_printed_layers() -> None:
    pnet = on_paper(mtcnn).pnet
    assert layers(pnet, channels=1, size=12) == [
        ("conv", 10, 3, 1, 10),
        ("pool", 10, 2, 2, 5),
        ("conv", 16, 3, 1, 3),
        ("conv", 32, 3, 1, 1),
        ("conv", 2, 1, 1, 1),
        ("conv", 4, 1, 1, 1),
        ("conv", 10, 1, 1, 1),
    ]


def test_pnet_sees_a_window_every_two_pixels() -> None:
    pnet = mtcnn.network(mtcnn.Settings()).pnet.eval()
    image = torch.rand((1, 1, 32, 28), generator=torch.Generator().manual_seed(0))
    maps = pnet(image)
    assert maps[0].shape == (1, 2, 11, 9)
    windows = image.unfold(2, 12, 2).unfold(3, 12, 2).reshape(-1, 1, 12, 12)
    for map_, window in zip(maps, pnet.on_crops(windows), strict=True):
        torch.testing.assert_close(map_[0].flatten(-2).movedim(-1, 0), window)


def test_rnet_has_the_printed_layers() -> None:
    rnet = on_paper(mtcnn).rnet
    assert layers(rnet, channels=1, size=24) == [
        ("conv", 28, 3, 1, 22),
        ("pool", 28, 3, 2, 11),
        ("conv", 48, 3, 1, 9),
        ("pool", 48, 3, 2, 4),
        ("conv", 64, 2, 1, 3),
    ]
    dense = [m for m in rnet.modules() if isinstance(m, nn.Linear)]
    assert [(m.in_features, m.out_features) for m in dense] == [
        (576, 128),
        (128, 2),
        (128, 4),
        (128, 10),
    ]


def test_onet_has_the_printed_layers() -> None:
    onet = on_paper(mtcnn).onet
    assert layers(onet, channels=1, size=48) == [
        ("conv", 32, 3, 1, 46),
        ("pool", 32, 3, 2, 23),
        ("conv", 64, 3, 1, 21),
        ("pool", 64, 3, 2, 10),
        ("conv", 64, 3, 1, 8),
        ("pool", 64, 2, 2, 4),
        ("conv", 128, 2, 1, 3),
    ]
    dense = [m for m in onet.modules() if isinstance(m, nn.Linear)]
    assert [(m.in_features, m.out_features) for m in dense] == [
        (1152, 256),
        (256, 2),
        (256, 4),
        (256, 10),
    ]


@pytest.mark.parametrize(
    ("padding", "sizes"),
    [
        ("valid", [58, 29, 27, 13, 13, 7, 5, 3, 1, 1]),
        ("same", [58, 29, 27, 13, 13, 6, 6, 6, 6, 6]),
    ],
)
def test_pbc_has_the_printed_layers(padding: str, sizes: list[int]) -> None:
    found = layers(on_paper(pbc, padding=padding), channels=1, size=60)
    assert [layer[4] for layer in found] == sizes
    assert [layer[:4] for layer in found] == [
        ("conv", 32, 3, 1),
        ("pool", 32, 3, 2),
        ("conv", 64, 3, 1),
        ("pool", 64, 3, 2),
        ("conv", 64, 3, 1),
        ("pool", 64, 2, 2),
        ("conv", 128, 3, 1),
        ("conv", 256, 3, 1),
        ("conv", 256, 3, 1),
        ("conv", 6, 1, 1),
    ]


@pytest.mark.parametrize(("stage", "channels", "count"), [(0, 1, 11_109_312), (1, 3, 11_110_464)])
def test_a_dan_stage_has_the_original_layers(stage: int, channels: int, count: int) -> None:
    module = on_paper(dan).stages[stage]
    expected: list[Layer] = []
    for n, width in enumerate((64, 128, 256, 512)):
        size = 112 >> n
        expected += [("conv", width, 3, 1, size)] * 2 + [("pool", width, 2, 2, size // 2)]
    assert layers(module, channels=channels, size=112) == expected
    assert printed_parameters(module) == count


def test_dans_feature_layer_completes_the_first_stage() -> None:
    network = on_paper(dan)
    assert printed_parameters(network.stages[0]) + printed_parameters(network.features) == (
        11_912_128
    )


def test_the_constant_spread_of_a_state_is_what_its_calibration_has_of_it() -> None:
    spread = {"constant": torch.eye(2).expand(5, 2, 2), "constant_tail": torch.full((5,), 4.0)}
    state = State({}, calibration={**spread, "gain": torch.ones(5)})
    assert constant_of(state) == {
        "constant": 5 * [[[1.0, 0.0], [0.0, 1.0]]],
        "constant_tail": 5 * [4.0],
    }
    assert constant_of(State({})) == {}
