"""The protocol of a kind of place: the answers about a searched layer of a network that other stages ask for.

Symbols:
    N: architectures. D: decisions of the space. B: images. A: architectures that are run side by side.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from surrogate_nas.errors import SpaceError
from surrogate_nas.nets.operations import Norm
from surrogate_nas.nets.places.mixture import Mixture
from surrogate_nas.nets.workload import Workload
from surrogate_nas.space.network import Layer
from surrogate_nas.space.space import Codes, Space

Apply = Callable[[nn.Module, Tensor, Tensor], Tensor]
"""Runs a module on maps of some architectures, shape (A', B, C, H, W), with their positions in the batch, (A',)."""

S = TypeVar("S", bound=Space, contravariant=True)


class SharedPlace(nn.Module, ABC):
    """All choices of a place with weights of their own; called with a batch of maps and a whole code, length D.

    One with ``looks_back`` is called with that many of the latest maps, see ``surrogate_nas.nets.latest``.
    """

    def at(self, size: int) -> "SharedPlace":  # noqa: ARG002 - most places have one size
        """Returns the place as it is at one of the sizes that it was built for, on the same weights."""
        return self

    @abstractmethod
    def weights_of(self, decision: int) -> Iterator[nn.Parameter]:
        """Yields the weights that a decision chooses among."""

    @abstractmethod
    def counterparts(self, own: nn.Module, code: Codes) -> Iterator[tuple[nn.Module, nn.Module]]:
        """Yields each module that an architecture runs here, and the module in its place in the architecture's network.

        Args:
            own: The module that ``Place.standalone`` builds for the effective code.
            code: The effective code, shape (D,).

        Raises:
            SpaceError: If ``own`` is a module of another kind.
        """


class MixingPlace(SharedPlace, ABC):
    """A shared place that can run several choices at once."""

    @abstractmethod
    def mixed(self, x: Any, mixture: Mixture) -> Tensor:  # noqa: ANN401 - one map, or the latest where it looks back
        """Returns the weighted sum of the choices' outputs; with one-hot weights, the same as from ``forward``.

        Args:
            x: A batch of maps; the latest maps where the place looks back.
            mixture: Weights for the choices of every decision.
        """


def unlike(shared: nn.Module) -> SpaceError:
    """Returns the refusal of a module that has no counterparts in a shared one."""
    return SpaceError(f"weights of a supernet's {type(shared).__name__} cannot be taken over; train from scratch")


class Place(Protocol[S]):
    """A kind of place; its methods may be called in any order, any number of times.

    Attributes:
        measures_own: Whether the memory of operations that users wrote is known here.
    """

    measures_own: bool

    def standalone(self, space: S, layer: Layer, code: Codes, norm: Norm) -> nn.Module:
        """Returns the module of one architecture, shape (D,), which owns its weights."""
        ...

    def shared(self, space: S, layer: Layer) -> SharedPlace:
        """Returns the module of a supernet."""
        ...

    def workload(self, space: S, layers: Sequence[Layer]) -> Workload:
        """Returns the pieces that networks run at all their places of this kind, in order."""
        ...

    def alive(self, space: S, layers: Sequence[Layer], codes: Codes) -> Iterator[NDArray[np.int64]]:
        """Yields the most numbers of one image alive at each place besides its inputs, codes (N, D) to (N,) each."""
        ...


@runtime_checkable
class SizedPlace(Protocol[S]):
    """A kind of place that may have several sizes, and choices that are parts of each other."""

    def sized(self, space: S, layers: Sequence[Layer], *, nested: bool, norm: Norm) -> SharedPlace:
        """Returns the module of a supernet.

        Args:
            space: The space.
            layers: The place at each of its sizes, the largest last; ``SharedPlace.at`` chooses one of them.
            nested: Whether choices are parts of one another. Otherwise each has weights of its own.
            norm: Builds the normalisations, which record their statistics.

        Raises:
            SpaceError: If no part can be taken of a choice.
        """
        ...


@runtime_checkable
class PartialPlace(Protocol[S]):
    """A kind of place whose operations can see a part of the channels alone."""

    def partial(self, space: S, layer: Layer, parts: int) -> SharedPlace:
        """Returns the module of a supernet whose operations see one in so many channels.

        Raises:
            SpaceError: If the channels are no multiple of ``parts``.
        """
        ...


class Variants(Protocol):
    """Every module that may stand at a layer, for running many architectures side by side.

    Attributes:
        rows: The modules: a row of choices for each edge of a cell, one row otherwise.
    """

    rows: list[list[nn.Module]]

    def run(self, chosen: Tensor, x: Tensor, apply: Apply) -> Tensor:
        """Runs the layer for the architectures of a batch.

        Args:
            chosen: Codes, shape (A, D).
            x: Shape (A, B, C, H, W).
            apply: Runs a module.

        Returns:
            Shape (A, B, C', H', W').
        """
        ...


@runtime_checkable
class ScoredPlace(Protocol[S]):
    """A kind of place whose architectures have zero-cost scores.

    Attributes:
        stacks: Whether networks may have as many of these places as one likes, as they may of a cell. Otherwise a place
            that hands its input on is how a network of fewer layers is written.
    """

    stacks: bool

    def variants(self, space: S, layer: Layer, norm: Norm) -> Variants:
        """Returns every module that may stand at a place."""
        ...
