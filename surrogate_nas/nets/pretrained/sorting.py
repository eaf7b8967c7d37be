"""Sorts the channels of a chain of layers by importance once, so that narrower networks have the important ones.

A channel is as important as the L1 norm of the weights that read it, as in Once-for-All (arXiv 1908.09791). Channels
between the layers of a stage are sorted together, since shortcuts add them. The network computes what it did.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import compress, pairwise

import torch
from torch import Tensor, nn

from surrogate_nas.nets.blocks import Joined, Residual, SqueezeExcitation
from surrogate_nas.nets.places.importance import Reordering, hidden_channels, is_depthwise, vectors


@torch.no_grad()
def sort_channels(layers: Sequence[nn.Module], chosen: Sequence[bool]) -> None:
    """Sorts the channels inside chosen layers and between them, in place.

    Args:
        layers: One after another; they have no grouped convolutions but depthwise ones.
        chosen: Whether a layer is chosen; only channels that one of these gives are sorted.
    """
    inside = [change for layer in compress(layers, chosen) for change in hidden_channels(layer)]
    between = [change for stream in _streams(layers, chosen) for change in _by_importance(stream)]
    for change in (*inside, *between):
        change.weight.copy_(change.applied(change.weight))


@dataclass(frozen=True)
class _Stream:
    """Channels that layers hand on to each other.

    Attributes:
        written: Tensors whose first side gives them.
        read: Tensors that take them, with the side that does.
    """

    written: tuple[Tensor, ...]
    read: tuple[tuple[Tensor, int], ...]


def _streams(layers: Sequence[nn.Module], chosen: Sequence[bool]) -> Iterator[_Stream]:
    """Yields the channels between layers that a chosen layer gives."""
    begins = [position for position, layer in enumerate(layers) if not _adds_to_input(layer)]
    for begin, end in pairwise(begins):
        if any(chosen[begin:end]):
            written = [each for layer in layers[begin:end] for each in _writes(layer)]
            read = [each for layer in layers[begin + 1 : end + 1] for each in _reads(layer)]
            yield _Stream(tuple(written), tuple(read))


def _by_importance(stream: _Stream) -> Iterator[Reordering]:
    mixing = [tensor.transpose(0, 1).flatten(1) for tensor, side in stream.read if side == 1]
    importance = torch.stack([weights.abs().sum(dim=1) for weights in mixing]).sum(dim=0)
    order = importance.argsort(descending=True, stable=True)
    yield from (Reordering(tensor, 0, order) for tensor in stream.written)
    yield from (Reordering(tensor, side, order) for tensor, side in stream.read)


def _adds_to_input(layer: nn.Module) -> bool:
    """Returns whether a layer gives the channels that it takes."""
    if isinstance(layer, Joined):
        return isinstance(layer.shortcut, nn.Identity)
    return isinstance(layer, Residual) or not any(True for _ in layer.parameters())


def _parts(layer: nn.Module) -> list[nn.Module]:
    return list(layer.children()) or [layer]


def _reads(layer: nn.Module) -> list[tuple[Tensor, int]]:
    """Returns the tensors of a layer that its input's channels go through, to the first that mixes them."""
    if isinstance(layer, Joined):
        return [*_reads(layer.main), *_reads(layer.shortcut)]
    found: list[tuple[Tensor, int]] = []
    for part in _parts(layer):
        if isinstance(part, nn.Conv2d | nn.Linear) and not is_depthwise(part):
            return [*found, (part.weight, 1)]
        if isinstance(part, SqueezeExcitation):  # reads all channels, and scales each of them
            found.append((part.squeeze.weight, 1))
            part = part.excite
        found += [(tensor, 0) for tensor in vectors(part)]
    return found


def _writes(layer: nn.Module) -> list[Tensor]:
    """Returns the tensors of a layer that give its output's channels, from the last that mixes others to its end."""
    if isinstance(layer, Joined):
        return [*_writes(layer.main), *_writes(layer.shortcut)]
    found: list[Tensor] = []
    for part in reversed(_parts(layer)):
        found += vectors(part)
        if isinstance(part, nn.Conv2d | nn.Linear) and not is_depthwise(part):
            return found
    return found
