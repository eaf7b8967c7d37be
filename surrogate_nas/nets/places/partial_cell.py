"""A cell whose operations see a part of the channels; the others pass by (PC-DARTS, arXiv 1907.05737)."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from surrogate_nas.nets.normalization import RecordingBatchNorm
from surrogate_nas.nets.operations import build_operation
from surrogate_nas.nets.places.mixture import Mixture
from surrogate_nas.nets.places.protocol import MixingPlace, unlike
from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.space.operations.table import operation_spec
from surrogate_nas.space.space import Codes


class PartialCell(MixingPlace):
    """Every operation on every edge of a cell, for one in some channels.

    The value of an edge is the mixture of its operations on the first channels, followed by the other channels
    unchanged; then channels are shuffled, so that others are first next time. Cut edges hand these on, too.

    Args:
        space: The cell and its operations.
        channels: Width of the cell, a multiple of ``parts``.
        parts: The operations see one in so many channels.
    """

    def __init__(self, space: CellSpace, channels: int, parts: int) -> None:
        super().__init__()
        self.edges, self.parts = space.edges, parts
        self.operations = nn.ModuleList(
            nn.ModuleList(build_operation(name, channels // parts, RecordingBatchNorm) for name in space.operations)
            for _ in space.edges
        )
        self._choices = [len(space.operations)] * len(space.edges)
        self._is_zero = tuple(operation_spec(name).is_zero for name in space.operations)
        self._output = max(end for _, end in space.edges)

    def forward(self, x: Tensor, code: Sequence[int]) -> Tensor:
        """Maps (B, C, H, W) to the same shape, for an architecture of length E."""
        return self.mixed(x, Mixture.one_hot(code, self._choices))

    def mixed(self, x: Tensor, mixture: Mixture) -> Tensor:
        """Maps (B, C, H, W) to the same shape; an edge's value is the weighted sum of its operations' outputs."""
        nodes: dict[int, Tensor] = {0: x}
        for edge, (start, end) in enumerate(self.edges):
            value = self._edge(edge, nodes[start], mixture)
            nodes[end] = nodes[end] + value if end in nodes else value
        return nodes[self._output]

    def _edge(self, edge: int, x: Tensor, mixture: Mixture) -> Tensor:
        seen, passing = x.tensor_split([x.shape[1] // self.parts], dim=1)
        row, weights = self.operations[edge], mixture.weights[edge]
        assert isinstance(row, nn.ModuleList)
        running = (choice for choice in mixture.computed[edge] if not self._is_zero[choice])
        value = sum((weights[choice] * row[choice](seen) for choice in running), torch.zeros_like(seen))
        batch, channels, height, width = x.shape
        joined = torch.cat([value, passing], dim=1).view(batch, self.parts, channels // self.parts, height, width)
        return joined.transpose(1, 2).reshape(x.shape).contiguous(memory_format=torch.channels_last)

    def weights_of(self, decision: int) -> Iterator[nn.Parameter]:
        """Yields the weights of all operations on the decision's edge."""
        yield from self.operations[decision].parameters()

    def counterparts(self, own: nn.Module, code: Codes) -> Iterator[tuple[nn.Module, nn.Module]]:  # noqa: ARG002
        """Refuses: no architecture's own network has operations on a part of the channels."""
        raise unlike(self)
