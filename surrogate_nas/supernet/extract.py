"""Copies the weights of one architecture out of a supernet, as the first weights of its own network."""

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import nn

from surrogate_nas.errors import SpaceError
from surrogate_nas.nets.places.protocol import SharedPlace, unlike
from surrogate_nas.nets.slices import named_weights
from surrogate_nas.nets.standalone import Network
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


def _copy(source: nn.Module, target: nn.Module) -> None:
    own = dict(target.named_parameters())
    for name, parameter in named_weights(source):
        if own[name].shape != parameter.shape:
            raise SpaceError(
                f"weights of shape {tuple(parameter.shape)} of the supernet do not fit {tuple(own[name].shape)}"
            )
        own[name].copy_(parameter)
