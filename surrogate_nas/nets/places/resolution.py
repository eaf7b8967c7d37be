"""The place before a supernet's first layer where images are resized, to the size that an architecture chooses."""

from collections.abc import Iterator, Sequence

from torch import Tensor, nn

from surrogate_nas.nets.resize import resized
from surrogate_nas.space.kinds.chain.elastic import ResolutionSpace
from surrogate_nas.space.network import Layer


class SharedResolution(nn.Module):
    """Resizes images; has no weights, as those behind it are shared by all resolutions.

    Args:
        space: The space with the resolutions.
        layer: The place.
    """

    def __init__(self, space: ResolutionSpace, layer: Layer) -> None:
        super().__init__()
        assert layer.decision is not None
        self.decision = layer.decision
        self.sides = space.sides(layer.in_size)

    def forward(self, x: Tensor, code: Sequence[int]) -> Tensor:
        """(B, C, S, S) to (B, C, side, side), for an architecture of length D."""
        return resized(x, self.sides[code[self.decision]])

    def weights_of(self, decision: int) -> Iterator[nn.Parameter]:  # noqa: ARG002 - whichever it is
        """None."""
        return iter(())
