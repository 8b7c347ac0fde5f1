"""Deep perceptual mapping: a small network from visible to thermal patch descriptors."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss, pad

from thermalign.settings import check, setting
from thermalign.verification.contract import VISIBLE, Examples, State

CHUNK = 64  # faces whose neighbourhoods are held at once
VALIDATED = 2**16  # patches that are looked at together to see how far the mapping errs
POSITION_SCALE = 1.5
"""Patch positions run from minus this to this, beside inputs of unit variance. ASSUME."""
NEGLIGIBLE = 1e-6  # share of the largest variance below which a principal direction is rounding


@dataclass(frozen=True)
class Settings:
    """Hyper-parameters of the mapping.

    Attributes
    ----------
    components : int
        Of the PCA of a descriptor with its eight neighbours, whitened (paper: 64).
    hidden : int
        Units of each of the two tanh layers. ASSUME: 200; the papers' sizes could not be read.
    epochs : int
        At most; the epoch with the lowest validation error is kept. ASSUME.
    patience : int
        Epochs without a lower validation error before stopping. ASSUME.
    batch : int
        Patches per step. ASSUME.
    learning_rate : float
        Of Adam in the first epoch; times ``decay`` after each. ASSUME.
    decay : float
        Of the learning rate, after each epoch. ASSUME.
    weight_decay : float
        Half of it, times |W|^2 + |b|^2, is the penalty that the papers write with lambda. ASSUME.
    """

    components: int = setting(64, low=1, source="Sarfraz and Stiefelhagen, BMVC 2015")
    hidden: int = setting(200, low=1)
    epochs: int = setting(6, low=1)
    patience: int = setting(2, low=1)
    batch: int = setting(512, low=1)
    learning_rate: float = setting(1e-3, low=1e-12)
    decay: float = setting(0.5, low=1e-12, high=1)
    weight_decay: float = setting(1e-5, low=0)

    def __post_init__(self) -> None:
        """Refuse what is out of range."""
        check(self)


def fit(examples: Examples, settings: Settings, *, seed: int) -> State:
    """Return :func:`fit_pairs` of training subjects; validation subjects, if any, stop it."""
    train, *held_out = (examples.pairs(role) for role in examples.roles)
    return fit_pairs(*train, held_out[0] if held_out else None, settings, seed=seed)


def apply(state: State, descriptors: Tensor, modality: str) -> Tensor:
    """Return descriptors (N, rows, columns, D) of a modality, comparable with the other's.

    Visible ones are predicted as thermal ones; both sides then stand off the training subjects'
    mean thermal face, as the papers' PCA centres them. PLS does not see such a shift; a cosine
    does.
    """
    if modality == VISIBLE:
        descriptors = map_visible(state, descriptors)
    return descriptors - state["mean"].to(descriptors)


def fit_pairs(
    visible: Tensor,
    thermal: Tensor,
    held_out: tuple[Tensor, Tensor] | None,
    settings: Settings,
    *,
    seed: int,
) -> State:
    """Learn to predict thermal descriptors from visible ones of the same moment and place.

        minimise  mean |t - f(PCA(v), place)|^2 + weight_decay / 2 (|W|^2 + |b|^2)

    Thermal descriptors enter with the mean of their place taken off and one common scale.

    Parameters
    ----------
    visible, thermal : (N, rows, columns, D) float32
        Descriptors of training pairs.
    held_out : two such tensors (M, rows, columns, D), or None
        Pairs of validation subjects, for early stopping; nothing is fitted to them. Without them
        every epoch runs and the last state is kept.
    settings : Settings
    seed : int

    Returns
    -------
    State
        Tensors by name: the PCA, the scale of the thermal descriptors, the network.

    Raises
    ------
    ValueError
        If there are no pairs, the two sides differ in shape, or the training diverges.

    Source
    ------
    Sarfraz and Stiefelhagen, BMVC 2015 and IJCV 122(3), 2017: PCA to 64, patch position appended,
    tanh hidden layers, linear output, squared error with weight decay. Differs from them in: eight
    neighbours in the PCA, second-order terms of the position, Adam, early stopping.
    """
    for role, pair in (("training", (visible, thermal)), ("validation", held_out)):
        if pair is not None and (len(pair[0]) == 0 or pair[0].shape != pair[1].shape):
            raise ValueError(
                f"DPM needs pairs of visible and thermal {role} images, got {len(pair[0])} and "
                f"{len(pair[1])}: give pair_id, or set matcher: mapping: none"
            )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        state = _pca(visible, settings.components)
        state["mean"] = thermal.mean(0)
        centred = thermal - state["mean"]
        state["spread"] = centred.std().clamp(min=1e-9)
        inputs, targets = _encode(visible, state), centred.div_(state["spread"]).flatten(0, 2)
        network = _network(inputs.shape[-1], targets.shape[-1], settings.hidden).to(inputs)
        validation = (
            (_encode(held_out[0], state), _standardise(held_out[1], state)) if held_out else None
        )
        best = _train(network, (inputs, targets), validation, settings)
    return state | {f"network.{name}": tensor for name, tensor in best.items()}


def map_visible(state: State, visible: Tensor) -> Tensor:
    """Map visible descriptors (N, rows, columns, D) to thermal ones of the same shape."""
    state = {name: tensor.to(visible) for name, tensor in state.items()}
    weights = {k.removeprefix("network."): v for k, v in state.items() if k.startswith("network.")}
    network = _network(weights["0.weight"].shape[1], visible.shape[-1], len(weights["0.bias"]))
    network.load_state_dict(weights)
    network.to(visible)
    with torch.inference_mode():
        mapped = network(_encode(visible, state)).view_as(visible)
        return mapped * state["spread"] + state["mean"]


def _network(inputs: int, outputs: int, hidden: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, hidden),
        nn.Tanh(),
        nn.Linear(hidden, hidden),
        nn.Tanh(),
        nn.Linear(hidden, outputs),
    )


def _neighbourhood(descriptors: Tensor) -> Tensor:
    """Join every descriptor with its eight neighbours, (N, rows, columns, 9 D)."""
    rows, columns = descriptors.shape[1:3]
    spread = pad(descriptors.permute(0, 3, 1, 2), (1, 1, 1, 1), mode="replicate")
    spread = spread.permute(0, 2, 3, 1)
    return torch.cat(
        [spread[:, y : y + rows, x : x + columns] for y in range(3) for x in range(3)], dim=-1
    )


def _pca(visible: Tensor, components: int) -> State:
    """Fit the PCA to every training patch: ``centre`` (9 D,), whitening ``basis`` (9 D, C).

    scikit-learn's, up to the signs of directions, but a part of the faces at a time: it would hold
    all neighbourhoods at once, nine times the descriptors in double precision.
    """
    width, count = 9 * visible.shape[-1], visible[..., 0].numel()
    total = visible.new_zeros(width, dtype=torch.float64)
    products = visible.new_zeros((width, width), dtype=torch.float64)
    for part in torch.split(visible, CHUNK):
        patches = _neighbourhood(part).flatten(0, 2).double()
        total += patches.sum(0)
        products += patches.T @ patches
    centre = total / count
    variances, directions = torch.linalg.eigh(products / count - torch.outer(centre, centre))
    variances, directions = variances[-components:], directions[:, -components:]
    kept = variances > NEGLIGIBLE * variances[-1]
    basis = directions[:, kept] / variances[kept].sqrt()
    return {"centre": centre.to(visible.dtype), "basis": basis.to(visible.dtype).contiguous()}


def _encode(visible: Tensor, state: State) -> Tensor:
    """Return whitened neighbourhoods and their places, (N x rows x columns, C + 5)."""
    n, rows, columns = visible.shape[:3]
    y, x = torch.meshgrid(
        torch.linspace(-1, 1, rows), torch.linspace(-1, 1, columns), indexing="ij"
    )
    place = torch.stack([y, x, x * y, y * y, x * x], dim=-1).to(visible) * POSITION_SCALE
    encoded = visible.new_empty((n, rows, columns, state["basis"].shape[1] + place.shape[-1]))
    encoded[..., -place.shape[-1] :] = place
    for part, patches in zip(*(torch.split(t, CHUNK) for t in (encoded, visible)), strict=True):
        reduced = (_neighbourhood(patches) - state["centre"]) @ state["basis"]
        part[..., : -place.shape[-1]] = reduced
    return encoded.flatten(0, 2)


def _standardise(thermal: Tensor, state: State) -> Tensor:
    return ((thermal - state["mean"]) / state["spread"]).flatten(0, 2)


def _train(
    network: nn.Sequential,
    train: tuple[Tensor, Tensor],
    validation: tuple[Tensor, Tensor] | None,
    settings: Settings,
) -> State:
    inputs, targets = train
    optimiser = torch.optim.Adam(
        network.parameters(), settings.learning_rate, weight_decay=settings.weight_decay
    )
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimiser, settings.decay)
    best, lowest, since = _copy(network), float("inf"), 0
    for _ in range(settings.epochs):
        order = torch.randperm(len(inputs)).to(inputs.device)
        for rows in torch.split(order, settings.batch):
            loss = mse_loss(network(inputs[rows]), targets[rows])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        schedule.step()
        if validation is None:
            continue
        error = _error(network, *validation)
        if not error < float("inf"):
            raise ValueError("DPM: the validation error is not finite; lower dpm.learning_rate")
        since += 1
        if error < lowest:
            best, lowest, since = _copy(network), error, 0
        if since >= settings.patience:
            break
    return _copy(network) if validation is None else best


def _error(network: nn.Sequential, inputs: Tensor, targets: Tensor) -> float:
    """Return the mean squared error over patches, some of which are in memory at a time."""
    total = targets.new_zeros((), dtype=torch.float64)
    with torch.inference_mode():
        for some, wanted in zip(
            *(torch.split(t, VALIDATED) for t in (inputs, targets)), strict=True
        ):
            total += mse_loss(network(some), wanted).double() * len(some)
    return float(total) / len(inputs)


def _copy(network: nn.Sequential) -> State:
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
