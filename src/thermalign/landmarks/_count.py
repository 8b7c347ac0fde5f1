"""The number of parameters, counted as the study's paper counts."""

from torch import nn


def printed_parameters(module: nn.Module) -> int:
    """Count parameters by the one convention that reproduces every printed total.

    A convolution counts its weights and one parameter per output channel, whether that is its bias
    or the shift of the batch normalisation behind it. A dense layer counts its weights without
    bias. Slopes of PReLU, scales and running statistics are not counted.

    Parameters
    ----------
    module : nn.Module

    Returns
    -------
    int

    Source
    ------
    Poster et al., CVPR Workshops 2019, Tables 1 to 4; the convention is inferred from the totals.
    """
    total = 0
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            total += layer.weight.numel() + layer.out_channels
        elif isinstance(layer, nn.Linear):
            total += layer.weight.numel()
    return total
