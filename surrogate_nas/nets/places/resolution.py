"""A place before the first layer where images are resized to the size that an architecture chooses."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from surrogate_nas.nets.layers import resizing
from surrogate_nas.nets.operations import Norm
from surrogate_nas.nets.places.protocol import SharedPlace
from surrogate_nas.nets.workload import Piece, Workload, always
from surrogate_nas.space.kinds.chain.elastic import ElasticSpace
from surrogate_nas.space.network import Layer
from surrogate_nas.space.operations.fixed import find_fixed_layer
from surrogate_nas.space.space import Codes

_RESIZE = "resize"


class SharedResolution(SharedPlace):
    """Resizes images; has no weights, as those behind it are shared by all resolutions.

    Args:
        space: The space with the resolutions.
        layer: The place.
    """

    def __init__(self, space: ElasticSpace, layer: Layer) -> None:
        super().__init__()
        assert layer.decision is not None
        self.decision = layer.decision
        self.sides = space.sizes.sides(layer.in_size)

    def forward(self, x: Tensor, code: Sequence[int]) -> Tensor:
        """Maps (B, C, S, S) to (B, C, side, side), for an architecture of length D."""
        return resized(x, self.sides[code[self.decision]])

    def weights_of(self, decision: int) -> Iterator[nn.Parameter]:  # noqa: ARG002 - whichever it is
        """Yields nothing: there are no weights."""
        return iter(())

    def counterparts(self, own: nn.Module, code: Codes) -> Iterator[tuple[nn.Module, nn.Module]]:  # noqa: ARG002
        """Yields nothing: there are no weights."""
        return iter(())


def resized(images: Tensor, out: int) -> Tensor:
    """Returns square images (B, C, S, S) as (B, C, out, out)."""
    y: Tensor = resizing(images.shape[-1], out)(images)
    return y


class ResolutionPlace:
    """The place where images are resized; an architecture's own layers (``layout_of``) have the size."""

    measures_own = True

    def standalone(self, space: ElasticSpace, layer: Layer, code: Codes, norm: Norm) -> nn.Module:  # noqa: ARG002
        """Returns a module that resizes to the layer's output."""
        return resizing(layer.in_size, layer.out_size)

    def shared(self, space: ElasticSpace, layer: Layer) -> SharedResolution:
        """Returns a module that resizes to the size that a code chooses."""
        return SharedResolution(space, layer)

    def workload(self, space: ElasticSpace, layers: Sequence[Layer]) -> Workload:  # noqa: ARG002
        """Returns one resizing for each place where the size changes."""
        return always(Piece.at("layer", _RESIZE, layer) for layer in layers if not layer.hands_on)

    def alive(
        self,
        space: ElasticSpace,  # noqa: ARG002
        layers: Sequence[Layer],
        codes: Codes,
    ) -> Iterator[NDArray[np.int64]]:
        """Yields the numbers of the resized images, shape (N,) for each place."""
        for layer in layers:
            yield np.full(len(codes), find_fixed_layer(_RESIZE).alive(layer.shape))
