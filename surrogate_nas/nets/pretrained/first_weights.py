"""The weights of a pretrained network as the first weights of every architecture of its space.

The space's largest architecture has all of them, with channels sorted by importance. Every other architecture begins
with a part of them: first channels, centres of kernels, first layers.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import torch
from numpy.typing import ArrayLike
from torch import Tensor

from surrogate_nas._support.tensor_files import read_tensors, write_tensors
from surrogate_nas._support.words import count_of
from surrogate_nas.errors import SettingsError, StoreError, UnreadableError
from surrogate_nas.nets.pretrained.largest import largest_network, names_of
from surrogate_nas.nets.pretrained.sorting import sort_channels
from surrogate_nas.nets.pretrained.weight_sources import read_source
from surrogate_nas.nets.standalone import Network, build_network
from surrogate_nas.space.extremes import HasLargest
from surrogate_nas.space.layouts import layout_of
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Space

_SOURCE, _SPACE = "source", "space"


@dataclass(frozen=True)
class FirstWeights:
    """Weights of a space's largest architecture.

    Attributes:
        source: Where they come from, as the user named it.
        space: Fingerprint of the space.
        tensors: By their names in the network of the largest architecture; channels are sorted.
    """

    source: str
    space: str
    tensors: Mapping[str, Tensor]

    @classmethod
    def read(cls, space: Space, source: str) -> Self:
        """Reads the weights of a known network.

        Args:
            space: A space whose largest architecture is that network.
            source: A file, ``torchvision:NAME`` or ``timm:NAME``.

        Raises:
            SettingsError: If there are no such weights, or they are of another network.
        """
        names_of(space)  # a space without a known network is refused before anything is downloaded
        network = largest_network(space, read_source(source), source)
        assert isinstance(space, HasLargest)
        layers = layout_of(space, space.largest(), space.network)
        sort_channels(list(network), [not layer.is_fixed for layer in layers])
        return cls(source, space.fingerprint, network.state_dict())

    @classmethod
    def load(cls, path: Path, space: Space) -> Self:
        """Returns what ``save`` wrote.

        Raises:
            StoreError: If the file is missing, damaged, or of another space.
        """
        try:
            tensors, texts = read_tensors(path)
            loaded = cls(texts[_SOURCE], texts[_SPACE], tensors)
        except UnreadableError as error:
            raise StoreError(f"the pretrained weights cannot be used: {error}") from None
        except (StoreError, KeyError) as error:
            raise StoreError(f"the pretrained weights in {path} are damaged ({error})") from None
        if loaded.space != space.fingerprint:
            raise StoreError(f"the pretrained weights in {path} are of another space than {space.name}")
        return loaded

    def save(self, path: Path) -> None:
        """Writes the weights in place of an older file.

        Raises:
            WriteError: If that fails.
        """
        write_tensors(path, self.tensors, {_SOURCE: self.source, _SPACE: self.space})

    @cached_property
    def digest(self) -> str:
        """A hash of all weights."""
        found = hashlib.sha256()
        for name, tensor in sorted(self.tensors.items()):
            found.update(f"{name} {tuple(tensor.shape)}".encode())
            found.update(tensor.contiguous().numpy().tobytes())
        return found.hexdigest()[:16]

    @torch.no_grad()
    def part(self, space: Space, code: ArrayLike, spec: NetworkSpec) -> Network:
        """Returns the network of an architecture with its part of the weights, and of the statistics.

        A classifier of other classes has random weights, of torch's generator.

        Args:
            space: The space.
            code: The effective code, shape (D,).
            spec: Sizes of the network.

        Raises:
            SettingsError: If its widths are not the pretrained network's.
        """
        whole, network = self.network(space, spec).state_dict(), build_network(space, code, spec)
        for name, tensor in network.state_dict().items():
            if not whole[name].is_meta:
                tensor.copy_(_first_and_centre(whole[name], tensor.shape))
        return network

    def network(self, space: Space, spec: NetworkSpec) -> Network:
        """Returns the network of the largest architecture with these weights.

        A classifier of other classes stays without numbers, on the ``meta`` device. Where images have one channel, the
        first convolution has the sum of its colours.

        Args:
            space: The space.
            spec: Sizes of the network; classes, input channels and image size may be any.

        Raises:
            SettingsError: If its widths are not the pretrained network's.
        """
        assert isinstance(space, HasLargest)
        if (spec.channels, spec.cells) != (space.network.channels, space.network.cells):
            raise SettingsError(
                f"pretrained weights of {space.name} need {count_of(space.network.channels, 'channel')} in the first"
                f" stage and 1 cell (got {spec.channels} and {spec.cells}); set supernet.channels and network.channels"
                f" to {space.network.channels}, and cells to 1"
            )
        with torch.device("meta"):
            network = build_network(space, space.largest(), spec)
        own = network.state_dict()
        first = next(name for name, tensor in own.items() if tensor.ndim == 4)
        fitted = {**self.tensors, first: _in_channels(self.tensors[first], own[first].shape[1])}
        known = {name: tensor for name, tensor in fitted.items() if tensor.shape == own[name].shape}
        network.load_state_dict(known, strict=False, assign=True)
        return network


def _first_and_centre(whole: Tensor, shape: Sequence[int]) -> Tensor:
    """Returns the first channels of weights and the centre of their kernels."""
    for side, size in enumerate(shape):
        edge = (whole.shape[side] - size) // 2 if side > 1 else 0
        whole = whole.narrow(side, edge, size)
    return whole


def _in_channels(weights: Tensor, channels: int) -> Tensor:
    """Returns a first convolution for grey or colour images that answers as before where all colours are equal."""
    if weights.shape[1] == channels:
        return weights
    grey = weights.sum(dim=1, keepdim=True)
    return grey if channels == 1 else grey.repeat(1, channels, 1, 1) / channels
