"""A cell with every operation on every edge, which computes one architecture at a time.

What the edges that leave one node have in common is computed once: the rectified input of its convolutions, operations
without weights, and, while training, all convolutions of one shape as a single wider convolution. Normalisation is by
channel, so the wider one is exact.

Symbols:
    E: edges of the cell. O: operations. B: images of a batch. C: channels.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from surrogate_nas.nets.normalization import NormMode, RecordingBatchNorm
from surrogate_nas.nets.operations import ReluConvNorm, build_operation
from surrogate_nas.nets.pooling import AveragePool3x3
from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.space.operations.table import operation_spec

# Numbers in a merged output up to which merging was measured to pay on CPUs: about what a core's own cache holds.
_LARGEST_MERGED = 2**18


@dataclass(frozen=True)
class _Departure:
    """The live edges that leave one node with one operation: indices of the edges, their end nodes, the operation."""

    start: int
    choice: int
    edges: tuple[int, ...]
    ends: tuple[int, ...]


class SharedCell(nn.Module):
    """Every operation on every edge of a cell, of which an architecture uses one each.

    Args:
        space: The cell and its operations.
        channels: Width of the cell.
    """

    def __init__(self, space: CellSpace, channels: int) -> None:
        super().__init__()
        self.edges = space.edges
        self.operations = nn.ModuleList(
            nn.ModuleList(_quick(build_operation(name, channels, RecordingBatchNorm)) for name in space.operations)
            for _ in space.edges
        )
        self._output = max(end for _, end in space.edges)
        self._is_zero = tuple(operation_spec(name).is_zero for name in space.operations)
        first = self.operations[0]
        assert isinstance(first, nn.ModuleList)
        self._has_weights = [any(True for _ in operation.parameters()) for operation in first]
        self._is_convolution = [isinstance(operation, ReluConvNorm) for operation in first]

    def forward(self, x: Tensor, code: Sequence[int]) -> Tensor:
        """(B, C, H, W) to the same shape, for an architecture of length E."""
        nodes: dict[int, Tensor] = {0: x}
        rectified: dict[int, Tensor] = {}
        for departure in _departures(self.edges, self._is_zero, tuple(code)):
            start = nodes.get(departure.start)
            if start is None:
                continue
            if self._is_convolution[departure.choice]:
                if departure.start not in rectified:
                    rectified[departure.start] = F.relu(start)
                values = self._convolve(departure, rectified[departure.start])
            elif self._has_weights[departure.choice]:
                values = [self._operation(edge, departure.choice)(start) for edge in departure.edges]
            else:
                values = [self._operation(departure.edges[0], departure.choice)(start)] * len(departure.edges)
            for end, value in zip(departure.ends, values, strict=True):
                nodes[end] = nodes[end] + value if end in nodes else value
        output = nodes.get(self._output)
        return x.new_zeros(x.shape) if output is None else output

    def weights_of(self, decision: int) -> Iterator[nn.Parameter]:
        """The weights that a decision chooses among: those of its edge."""
        yield from self.operations[decision].parameters()

    def _operation(self, edge: int, choice: int) -> Callable[[Tensor], Tensor]:
        # Indexing a ModuleList costs more than a small operation; its dictionary does not.
        operation = self.operations._modules[str(edge)]._modules[str(choice)]
        assert operation is not None
        return operation

    def _convolve(self, departure: _Departure, rectified: Tensor) -> Sequence[Tensor]:
        """Convolves and normalises a rectified input for every edge of a departure."""
        branches = [self._operation(edge, departure.choice) for edge in departure.edges]
        norm = branches[0][2]  # type: ignore[index]
        merged = rectified.numel() * len(branches)
        if len(branches) == 1 or merged > _LARGEST_MERGED or rectified.is_cuda or norm.mode is not NormMode.BATCH:
            return [branch[2](branch[1](rectified)) for branch in branches]  # type: ignore[index]
        convolution = branches[0][1]  # type: ignore[index]
        weight = torch.cat([branch[1].weight for branch in branches])  # type: ignore[index]
        return norm(F.conv2d(rectified, weight, padding=convolution.padding)).chunk(len(branches), dim=1)  # type: ignore[no-any-return]


def _quick(operation: nn.Module) -> nn.Module:
    """The same operation by a quicker module, where there is one."""
    return AveragePool3x3() if isinstance(operation, nn.AvgPool2d) else operation


@lru_cache(maxsize=2**15)
def _departures(
    edges: tuple[tuple[int, int], ...], is_zero: tuple[bool, ...], code: tuple[int, ...]
) -> tuple[_Departure, ...]:
    """The live edges of an architecture, by start node and operation, in an order in which every node is complete."""
    found: dict[tuple[int, int], list[int]] = {}
    for edge, ((start, _), choice) in enumerate(zip(edges, code, strict=True)):
        if not is_zero[choice]:
            found.setdefault((start, choice), []).append(edge)
    return tuple(
        _Departure(start, choice, tuple(members), tuple(edges[edge][1] for edge in members))
        for (start, choice), members in sorted(found.items())
    )
