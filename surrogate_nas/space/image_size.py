"""Sizes of images and maps where architectures may resize their images themselves, and elsewhere."""

from typing import Protocol, runtime_checkable

from numpy.typing import ArrayLike

from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Space


@runtime_checkable
class ResizingSpace(Protocol):
    """A space whose architectures see images at a size of their choice."""

    def seen_size(self, code: ArrayLike, network: NetworkSpec) -> int:
        """Returns the side in pixels of the images that an architecture, shape (D,), sees."""

    def smallest_map(self, network: NetworkSpec) -> int:
        """Returns the side in pixels of the last layer's input, of the architectures where it is smallest."""


def seen_size(space: Space, code: ArrayLike, network: NetworkSpec) -> int:
    """Returns the side in pixels of the images that an architecture, shape (D,), sees: it may resize its input."""
    return space.seen_size(code, network) if isinstance(space, ResizingSpace) else network.image_size


def smallest_map(space: Space, network: NetworkSpec) -> int:
    """Returns the side in pixels of the last layer's input, of the architectures where it is smallest."""
    return space.smallest_map(network) if isinstance(space, ResizingSpace) else space.layout(network)[-1].in_size
