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

_ELEMENTWISE = (RecordingBatchNorm, nn.ReLU, nn.ReLU6, nn.Hardswish)


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
    # A sequence of another type may do more with channels than to hand them on.
    chains = [part for nest in nests for part in nest.full.modules() if type(part) in (nn.Sequential, Residual)]
    return [each for chain in chains for each in _of_chain(chain.children())]


def _of_chain(parts: Iterable[nn.Module]) -> Iterator[Reordering]:
    first: nn.Conv2d | None = None
    inside: list[nn.Module] = []
    for part in parts:
        if isinstance(part, nn.Conv2d) and part.groups == 1:
            if first is not None:
                yield from _between(first, inside, part)
            first, inside = part, []
        elif isinstance(part, SqueezeExcitation) or _is_depthwise(part):
            inside.append(part)
        elif not isinstance(part, _ELEMENTWISE):
            first = None  # whatever it does to channels


def _is_depthwise(part: nn.Module) -> bool:
    return isinstance(part, nn.Conv2d) and part.groups == part.in_channels == part.out_channels


def _between(first: nn.Conv2d, inside: Sequence[nn.Module], last: nn.Conv2d) -> Iterator[Reordering]:
    order = last.weight.detach().abs().sum(dim=(0, 2, 3)).argsort(descending=True, stable=True)
    for part in (first, *inside):
        if isinstance(part, SqueezeExcitation):
            yield Reordering(part.squeeze.weight, 1, order)
            part = part.excite
        yield from (Reordering(weight, 0, order) for weight in part.parameters())
    yield Reordering(last.weight, 1, order)
