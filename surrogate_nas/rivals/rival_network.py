"""The network of a rival, of one width and fitted to the images of a study."""

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import nn

from surrogate_nas.costs.number_formats import NUMBER_BYTES, Precision
from surrogate_nas.errors import SettingsError
from surrogate_nas.nets.module_counts import Counted, count_module
from surrogate_nas.rivals.rival import Interface
from surrogate_nas.rivals.stem import (
    Levels,
    fit_strides,
    halving_layers,
    set_strides_apart,
    strides_too_many,
    take_channels,
)
from surrogate_nas.rivals.table import RIVALS
from surrogate_nas.space.operations.spec import Shape

# Some networks have a momentum of .01 or less, meant for hundreds of thousands of steps: after a short training their
# statistics would still be their first ones.
_MOMENTUM = 0.1


@dataclass(frozen=True)
class RivalNetwork:
    """A rival of one width, for images of some sort.

    Attributes:
        name: A key of ``RIVALS``.
        width: One of its widths.
        interface: What it takes and gives.
    """

    name: str
    width: float
    interface: Interface

    @property
    def key(self) -> str:
        """Its name among results, such as ``resnet20@0.75``."""
        return f"{self.name}@{self.width:g}"

    @property
    def measured_as(self) -> str:
        """Its name among measurements, which are kept from one version to the next."""
        if not RIVALS[self.name].is_for_photos:
            return f"rival:{self.key}"
        gone = strides_too_many(self.interface.image_size, len(_levels(self.name, self.width)))
        return f"rival:{self.key}, {gone} strides fewer"

    @property
    def title(self) -> str:
        """Its name for people, such as ``ResNet-20 at width 0.75``."""
        row = RIVALS[self.name]
        return row.title if row.widths == (1.0,) else f"{row.title} at width {self.width:g}"

    @property
    def identity(self) -> dict[str, str]:
        """Identity of its checkpoints."""
        return {"rival": self.key, "network": str(self.interface)}

    def build(self) -> nn.Module:
        """Returns the network with random first weights."""
        row = RIVALS[self.name]
        network: nn.Module = row.make(self.interface.classes, self.width)
        if row.is_for_photos:
            fit_strides(network, _levels(self.name, self.width), self.interface.image_size)
        take_channels(network, self.interface.channels)
        set_strides_apart(network)
        for layer in network.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.momentum = _MOMENTUM
        return network


@lru_cache(maxsize=1024)
def _levels(name: str, width: float) -> Levels:
    """Returns the layers that halve maps; their names depend on the width where a block leaves out a layer."""
    with torch.random.fork_rng(devices=[]), torch.device("meta"):
        return halving_layers(RIVALS[name].make(2, width))


@dataclass(frozen=True)
class Counts:
    """The counted costs of a network, by the names that budgets have for them."""

    params: int
    flops: int
    memory_bytes: int


@lru_cache(maxsize=1024)
def count_rival(network: RivalNetwork, precision: Precision = "float32") -> Counts:
    """Returns the counted costs of a rival, as the costs of a space are counted.

    Args:
        network: The rival.
        precision: Of feature maps.

    Raises:
        SettingsError: If the rival cannot take images of that size.
    """
    side = network.interface.image_size
    try:
        with torch.random.fork_rng(devices=[]), torch.device("meta"):
            counted: Counted = count_module(
                network.build(), Shape(network.interface.channels, network.interface.classes, side, 1)
            )
    except RuntimeError:
        raise SettingsError(f"{network.title} cannot take images of {side}x{side} pixels") from None
    image = network.interface.channels * side**2
    return Counts(counted.parameters, counted.flops, NUMBER_BYTES[precision] * (image + counted.alive))
