"""A layer of a chain with all its blocks, which computes the one that an architecture chooses."""

from collections.abc import Iterator, Sequence

from torch import Tensor, nn

from surrogate_nas.nets.blocks import build_block
from surrogate_nas.nets.normalization import RecordingBatchNorm
from surrogate_nas.space.network import Layer
from surrogate_nas.space.space import Space


class SharedChoice(nn.Module):
    """Every block that may stand at one layer, with weights of its own.

    Args:
        space: A space with a chain.
        layer: One of its chosen layers.
    """

    def __init__(self, space: Space, layer: Layer) -> None:
        super().__init__()
        assert layer.decision is not None
        self.decision = layer.decision
        names = space.decisions[layer.decision].choices
        self.blocks = nn.ModuleList(build_block(name, layer.shape, RecordingBatchNorm) for name in names)

    def forward(self, x: Tensor, code: Sequence[int]) -> Tensor:
        """(B, in, S, S) to (B, out, S', S'), for an architecture of length D."""
        y: Tensor = self.blocks[code[self.decision]](x)
        return y

    def weights_of(self, decision: int) -> Iterator[nn.Parameter]:
        """The weights that a decision chooses among here: all, or none where it is another layer's."""
        if decision == self.decision:
            yield from self.parameters()
