"""Fits a network for photos of 224 pixels to images of another size and number of channels.

Such a network halves its images five times (a few do so four times), which leaves one pixel of 32. The rule: strides
are taken away from the first layers on, until the last feature map has four pixels a side or more. Images of 32 pixels
lose two strides, as is usual for them; images of 224 lose none. A pooling without its stride goes away.
"""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

PHOTO = 224
SMALLEST_MAP = 4
"""Least side of the last feature map in pixels; layers without padding may take one more pixel."""

Levels = tuple[tuple[str, ...], ...]
"""Names of layers of stride 2: layers that take maps of one size together, the largest maps first."""

_Halving = nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d


def take_channels(network: nn.Module, channels: int) -> None:
    """Gives the first convolution of a network so many input channels, in place."""
    name, first = next((name, one) for name, one in network.named_modules() if isinstance(one, nn.Conv2d))
    if first.in_channels == channels:
        return
    stem = nn.Conv2d(
        channels,
        first.out_channels,
        first.kernel_size,  # type: ignore[arg-type]
        first.stride,  # type: ignore[arg-type]
        first.padding,  # type: ignore[arg-type]
        bias=first.bias is not None,
    )
    nn.init.kaiming_normal_(stem.weight, mode="fan_out", nonlinearity="relu")
    _replace(network, name, stem)


def fit_strides(network: nn.Module, levels: Levels, image_size: int) -> None:
    """Takes strides of 2 away from the first layers of a network for photos, in place.

    Args:
        network: Takes colour images of 224 pixels.
        levels: Its layers that halve maps; see ``halving_layers``.
        image_size: Side of its images in pixels.
    """
    for level in levels[: strides_too_many(image_size, len(levels))]:
        for name in level:
            layer = network.get_submodule(name)
            if isinstance(layer, nn.Conv2d):
                layer.stride = (1, 1)
            else:
                _replace(network, name, nn.Identity())


def strides_too_many(image_size: int, strides: int) -> int:
    """Returns how many strides of 2 go, out of so many, for a last map of ``SMALLEST_MAP`` pixels."""
    # A stride of 2 with padding makes 4 pixels of 7.
    sides = [-(-image_size >> (strides - gone)) for gone in range(strides)]
    return next((gone for gone, side in enumerate(sides) if side >= SMALLEST_MAP), strides)


def set_strides_apart(network: nn.Module) -> None:
    """Puts the strides of 1x1 convolutions into a layer before them, in place; the result computes the same.

    1x1 convolutions with a stride write outside their memory in torch 2.14 on CPUs, where maps are narrow and in
    channels-last order.
    """
    for name, layer in list(network.named_modules()):
        if isinstance(layer, nn.Conv2d) and layer.kernel_size == (1, 1) and layer.stride != (1, 1):
            picked = nn.AvgPool2d(1, layer.stride)  # type: ignore[arg-type]
            layer.stride = (1, 1)
            _replace(network, name, nn.Sequential(picked, layer))


def halving_layers(network: nn.Module) -> Levels:
    """Returns the names of the layers that halve maps of one size, for every size, the largest first.

    Args:
        network: For colour images of 224 pixels, on the ``meta`` device.
    """
    sizes: dict[str, int] = {}
    hooks = [layer.register_forward_pre_hook(_keep_size(sizes, name)) for name, layer in _halving(network)]
    with torch.no_grad():
        network.eval()(torch.empty(1, 3, PHOTO, PHOTO, device="meta"))
    for hook in hooks:
        hook.remove()
    return tuple(
        tuple(name for name, own in sizes.items() if own == size) for size in sorted(set(sizes.values()), reverse=True)
    )


def _keep_size(sizes: dict[str, int], name: str) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
    def hook(_layer: nn.Module, given: tuple[Tensor, ...]) -> None:
        sizes[name] = given[0].shape[-1]

    return hook


def _halving(network: nn.Module) -> Iterator[tuple[str, _Halving]]:
    for name, layer in network.named_modules():
        if isinstance(layer, _Halving) and layer.stride in (2, (2, 2)):
            yield name, layer


def _replace(network: nn.Module, name: str, by: nn.Module) -> None:
    holder, _, last = name.rpartition(".")
    setattr(network.get_submodule(holder), last, by)
