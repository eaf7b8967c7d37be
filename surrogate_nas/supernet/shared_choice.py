"""A layer of a chain with all its blocks, which computes the one that an architecture chooses."""

from collections.abc import Sequence

from torch import Tensor, nn

from surrogate_nas.nets.blocks import build_block
from surrogate_nas.nets.normalization import RecordingBatchNorm
from surrogate_nas.space.chain import ChainSpace
from surrogate_nas.space.network import Layer


class SharedChoice(nn.Module):
    """Every block that may stand at one layer, with weights of its own.

    Args:
        space: The chain.
        layer: One of its chosen layers.
    """

    def __init__(self, space: ChainSpace, layer: Layer) -> None:
        super().__init__()
        assert layer.decision is not None
        self.decision = layer.decision
        names = space.decisions[layer.decision].choices
        blocks = nn.ModuleList(build_block(name, layer.shape, RecordingBatchNorm) for name in names)
        # Weights are found by their decision, as those of a cell are: it is the key here.
        self.operations = nn.ModuleDict({str(layer.decision): blocks})

    def forward(self, x: Tensor, code: Sequence[int]) -> Tensor:
        """(B, in, S, S) to (B, out, S', S'), for an architecture of length D."""
        blocks = self.operations._modules[str(self.decision)]
        assert blocks is not None
        block = blocks._modules[str(code[self.decision])]
        assert block is not None
        y: Tensor = block(x)
        return y
