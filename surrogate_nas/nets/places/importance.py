"""Sorts the hidden channels of nested blocks, so that narrower blocks have the important ones (Once-for-All).

A channel is as important as the L1 norm of the weights that follow it (arXiv 1908.09791). Sorting changes the order of
weights and nothing that a whole block computes.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from surrogate_nas.nets.blocks import Residual, SqueezeExcitation
from surrogate_nas.nets.normalization import RecordingBatchNorm
from surrogate_nas.nets.slices import Nest

_ELEMENTWISE = (RecordingBatchNorm, nn.BatchNorm2d, nn.ReLU, nn.ReLU6, nn.Hardswish)


@dataclass(frozen=True)
class Reordering:
    """A new order of some weights.

    Attributes:
        weight: The weights.
        side: The side that is reordered.
        order: Where the new positions have been before, shape (channels,).
    """

    weight: Tensor
    side: int
    order: Tensor

    def applied(self, values: Tensor) -> Tensor:
        """Returns the weights, or other values of their shape, in the new order."""
        return values.index_select(self.side, self.order)


def by_importance(network: nn.Module) -> list[Reordering]:
    """Returns what sorts the hidden channels of all nested blocks, between two convolutions without groups."""
    nests = [part for part in network.modules() if isinstance(part, Nest)]
    return [each for nest in nests for each in hidden_channels(nest.full)]


def hidden_channels(block: nn.Module) -> list[Reordering]:
    """Returns what sorts the hidden channels of a block, in each of its sequences of modules."""
    # A sequence of another type may do more with channels than to hand them on.
    chains = [part for part in block.modules() if type(part) in (nn.Sequential, Residual)]
    return [each for chain in chains for each in _of_chain(chain.children())]


def vectors(part: nn.Module) -> list[Tensor]:
    """Returns the tensors of a normalisation or a depthwise convolution whose first side is channels."""
    statistics = [part.running_mean, part.running_var] if isinstance(part, nn.BatchNorm2d) else []
    return [*part.parameters(), *(each for each in statistics if each is not None)]


def _of_chain(parts: Iterable[nn.Module]) -> Iterator[Reordering]:
    first: nn.Conv2d | None = None
    inside: list[nn.Module] = []
    for part in parts:
        if isinstance(part, nn.Conv2d) and part.groups == 1:
            if first is not None:
                yield from _between(first, inside, part)
            first, inside = part, []
        elif isinstance(part, (SqueezeExcitation, *_ELEMENTWISE)) or is_depthwise(part):
            inside.append(part)
        else:
            first = None  # whatever it does to channels


def is_depthwise(part: nn.Module) -> bool:
    """Returns whether a module is a convolution of each channel by itself."""
    return isinstance(part, nn.Conv2d) and part.groups == part.in_channels == part.out_channels


def _between(first: nn.Conv2d, inside: Sequence[nn.Module], last: nn.Conv2d) -> Iterator[Reordering]:
    order = last.weight.detach().abs().sum(dim=(0, 2, 3)).argsort(descending=True, stable=True)
    for part in (first, *inside):
        if isinstance(part, SqueezeExcitation):
            yield Reordering(part.squeeze.weight, 1, order)
            part = part.excite
        yield from (Reordering(weight, 0, order) for weight in vectors(part))
    yield Reordering(last.weight, 1, order)
