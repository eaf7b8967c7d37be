"""Copies the weights of one architecture out of a supernet, as the first weights of its own network, or into one."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from surrogate_nas.errors import SpaceError
from surrogate_nas.nets.places.protocol import SharedPlace, unlike
from surrogate_nas.nets.pretrained.first_weights import FirstWeights
from surrogate_nas.nets.slices import named_weights
from surrogate_nas.nets.standalone import Network
from surrogate_nas.space.extremes import HasLargest
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.supernet.shared_network import SharedNetwork


@torch.no_grad()
def extract_weights(network: Network, shared: SharedNetwork, code: ArrayLike) -> None:
    """Copies convolutions and the classifier; batch normalisation stays new, since a supernet has no weights for it.

    Args:
        network: The network of the effective code; its sizes are the supernet's, except for the images.
        shared: The supernet.
        code: Shape (D,).

    Raises:
        SpaceError: If the sizes differ, or the network has layers of another kind than the supernet.
    """
    live = shared.space.effective(np.asarray(code)[None])[0]
    sources = shared.used(live)
    if len(sources) != len(network):
        raise SpaceError(f"the supernet has {len(sources)} layers, the network to train {len(network)}")
    for source, target in zip(sources, network, strict=True):
        if isinstance(source, SharedPlace):
            for part, own in source.counterparts(target, live):
                _copy(part, own)
        elif type(source) is type(target):
            _copy(source, target)
        else:
            raise unlike(source)


@torch.no_grad()
def put_first_weights(shared: SharedNetwork, first: FirstWeights, spec: NetworkSpec) -> None:
    """Copies pretrained weights of the largest architecture into a supernet, whose other architectures are its parts.

    A classifier of other classes stays as the supernet has it.

    Args:
        shared: The supernet.
        first: The weights.
        spec: Sizes of the supernet.

    Raises:
        SettingsError: If its widths are not the pretrained network's.
    """
    space = shared.space
    assert isinstance(space, HasLargest)
    network, live = first.network(space, spec), space.largest()
    for copies, own in zip(shared.all_used(live), network, strict=True):
        for copy in copies:
            pairs = copy.counterparts(own, live) if isinstance(copy, SharedPlace) else [(copy, own)]
            for part, source in pairs:
                for weights, values in _pairs(part, source):
                    if not values.is_meta:
                        weights.copy_(values)


def _copy(source: nn.Module, target: nn.Module) -> None:
    for weights, own in _pairs(source, target):
        own.copy_(weights)


def _pairs(shared: nn.Module, own: nn.Module) -> Iterator[tuple[Tensor, Tensor]]:
    """Yields the weights of a module of a supernet, each with that of a network's own module."""
    parameters = dict(own.named_parameters())
    for name, weights in named_weights(shared):
        if parameters[name].shape != weights.shape:
            raise SpaceError(
                f"weights of shape {tuple(weights.shape)} of the supernet do not fit {tuple(parameters[name].shape)}"
            )
        yield weights, parameters[name]
