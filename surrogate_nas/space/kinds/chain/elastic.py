"""Chains that see their images at a size of their choice: elastic resolution (Once-for-All, arXiv 1908.09791).

The first decision is the resolution, all others are the chain's. Images come in at the network's largest size
and are resized before the first layer, so that a network's caller need not know which size it chose. Weights do
not depend on the resolution; all other costs do.

Symbols:
    N: architectures in the batch.
    D: decisions, one more than the chain has.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surrogate_nas.errors import SpaceError
from surrogate_nas.space.codes import Decision
from surrogate_nas.space.definitions.identity import Identity
from surrogate_nas.space.graphs import Graphs, GraphTypes
from surrogate_nas.space.hashing import mix
from surrogate_nas.space.kinds.chain.counts import ChainCounts
from surrogate_nas.space.kinds.chain.space import ChainSpace
from surrogate_nas.space.network import RESOLUTION, Layer, NetworkSpec
from surrogate_nas.space.operations.fixed import find_fixed_layer
from surrogate_nas.space.operations.spec import CountName
from surrogate_nas.space.space import Codes, Space


@final
@dataclass(frozen=True)
class ResolutionCounts:
    """Counts of the networks of a chain at every resolution.

    Attributes:
        chain: Counts of the chain.
        resolutions: Number of resolutions.
    """

    chain: ChainCounts
    resolutions: int

    def populations(self) -> dict[int, int]:
        """Returns the number of networks at all resolutions for each count of nonlinear functions, by rising count."""
        return {count: ways * self.resolutions for count, ways in self.chain.populations().items()}

    def draw(self, count: int, size: int, rng: np.random.Generator) -> Codes:
        """Returns uniform draws among the networks of one count of nonlinear functions, shape (size, D).

        Raises:
            SpaceError: If no network has this count.
        """
        return _resized(self.chain.draw(count, size, rng), self.resolutions, rng)


def _resized(codes: Codes, resolutions: int, rng: np.random.Generator) -> Codes:
    """Returns codes of a chain, (N, D - 1), at resolutions that are drawn, (N, D)."""
    drawn = rng.integers(resolutions, size=len(codes)).astype(np.int8)
    return np.column_stack([drawn, codes])


class ResolutionSpace(Space):
    """A chain and the resolutions at which its networks may see their images.

    Args:
        identity: Of the definition.
        chain: The chain, whose own network has the largest resolution.
        resolutions: Sides in pixels, at least two, rising; in networks of other image sizes they stay in proportion.
    """

    def __init__(self, identity: Identity, chain: ChainSpace, resolutions: Sequence[int]) -> None:
        decision = Decision("resolution", tuple(f"r{side}" for side in resolutions))
        super().__init__(identity, (decision, *chain.decisions), chain.network)
        self.chain = chain
        self.resolutions = tuple(resolutions)

    def sizes(self, network: NetworkSpec) -> tuple[NetworkSpec, ...]:
        """Returns the network at each resolution.

        Raises:
            SpaceError: If two resolutions come to the same number of pixels.
        """
        sides = self.sides(network.image_size)
        if len(set(sides)) < len(sides):
            enough = network.image_size
            while len(set(self.sides(enough))) < len(sides):
                enough += 1
            raise SpaceError(
                f"image_size must be at least {enough} for the {len(sides)} resolutions of {self.name} to differ (got"
                f" {network.image_size}: {', '.join(map(str, sides))} pixels)"
            )
        return tuple(replace(network, image_size=side) for side in sides)

    def sides(self, image_size: int) -> list[int]:
        """Returns the side in pixels at each resolution, where it is ``image_size`` at the largest."""
        # Halves upwards, or python's rounding to even numbers would space them unevenly.
        return [max(1, (2 * image_size * side // self.resolutions[-1] + 1) // 2) for side in self.resolutions]

    # Text

    def format(self, code: ArrayLike) -> str:
        """Returns the resolution, ``+`` and the chain, such as ``r160+mbconv_k3_e3|identity``."""
        row = self.check([np.asarray(code)])[0]
        return f"{self.decisions[0].choices[row[0]]}+{self.chain.format(row[1:])}"

    def _parse_long(self, text: str) -> Codes:
        resolution, plus, chain = text.partition("+")
        if not plus or resolution not in self.decisions[0].choices:
            raise SpaceError(
                f"an architecture of {self.name} is {self.num_decisions} digits, or begins with one of"
                f" {', '.join(f'{name}+' for name in self.decisions[0].choices)} (got {text!r})"
            )
        return np.array([self.decisions[0].choices.index(resolution), *self.chain.parse(chain)], dtype=np.int8)

    # What is computed

    def effective(self, codes: ArrayLike) -> Codes:
        """Returns effective codes of the chain at the same resolution, shape (N, D)."""
        return self._each(codes, self.chain.effective)

    def canonical(self, codes: ArrayLike) -> Codes:
        """Returns canonical codes of the chain at the same resolution, shape (N, D)."""
        return self._each(codes, self.chain.canonical)

    def _each(self, codes: ArrayLike, change: Callable[[Codes], Codes]) -> Codes:
        checked = self.check(codes)
        return np.column_stack([checked[:, :1], change(checked[:, 1:])])

    def _keys(self, codes: Codes) -> NDArray[np.uint64]:
        keys = self.chain.canonical_keys(codes[:, 1:])
        return mix(keys * np.uint64(37) + codes[:, 0].astype(np.uint64) + np.uint64(1))

    # Nonlinear functions and draws

    def nonlinear_count(self, codes: ArrayLike) -> NDArray[np.int64]:
        """Returns the nonlinear functions of the chain, shape (N,): resizing is linear."""
        return self.chain.nonlinear_count(self.check(codes)[:, 1:])

    def layer_counts(self, code: ArrayLike, layers: Sequence[Layer]) -> tuple[int, ...]:
        """Returns 0 for resizing, and for other layers the nonlinear functions of the chain's."""
        own = [replace(layer, decision=layer.decision - 1) for layer in layers if layer.decision]
        counts = iter(self.chain.layer_counts(np.asarray(code)[1:], own))
        return tuple(next(counts) if layer.decision else 0 for layer in layers)

    @property
    def counts(self) -> ResolutionCounts:
        """Counts of the chain's networks at every resolution."""
        return ResolutionCounts(self.chain.counts, len(self.resolutions))

    def _draw(self, count: int, rng: np.random.Generator) -> Codes:
        return _resized(self.chain.sample(count, rng), len(self.resolutions), rng)

    # Graphs

    def graphs(self, codes: ArrayLike) -> Graphs:
        """Returns the chain's graphs with a node for the resolution behind the input: V = D + 2."""
        checked = self.check(codes)
        chain = self.chain.graphs(checked[:, 1:])
        resized = chain.num_types + checked[:, :1].astype(np.int64)
        operations = np.column_stack([chain.operations[:, :1], resized, chain.operations[:, 1:]])
        line = np.eye(self.num_decisions + 2, k=1, dtype=bool)
        adjacency = np.broadcast_to(line, (len(checked), *line.shape))
        return Graphs(operations, adjacency, chain.num_types + len(self.resolutions))

    @property
    def graph_types(self) -> GraphTypes:
        """The types of the chain, then one for each resolution."""
        chain, names = self.chain.graph_types, self.decisions[0].choices
        marks = [replace(find_fixed_layer("resize"), name=name) for name in names]
        first = 1 + max(chain.coarse)
        coarse = (*chain.coarse, *range(first, first + len(marks)))
        return GraphTypes((*chain.operations, *marks), len(marks), coarse)

    # Counts on a network

    def layout(self, network: NetworkSpec) -> tuple[Layer, ...]:
        """Returns a place where images are resized, then the chain's layers at the largest resolution.

        Raises:
            SpaceError: If the network has another number of stages or cells, or resolutions do not differ in it.
        """
        return self.layouts(network)[-1]

    def layouts(self, network: NetworkSpec) -> tuple[tuple[Layer, ...], ...]:
        """Returns a place where images are resized and the chain's layers, at each resolution.

        Raises:
            SpaceError: As ``layout``.
        """
        channels, side = network.input_channels, network.image_size
        return tuple(
            (Layer(RESOLUTION, channels, channels, side, sizes.image_size, 0, 0), *self._shifted(sizes))
            for sizes in self.sizes(network)
        )

    def _shifted(self, sizes: NetworkSpec) -> tuple[Layer, ...]:
        """Returns the chain's layers with the columns that its decisions have here."""
        return tuple(
            layer if layer.decision is None else replace(layer, decision=layer.decision + 1)
            for layer in self.chain.layout(sizes)
        )

    def size_choices(self, codes: ArrayLike) -> NDArray[np.int64]:
        """Returns the resolution of each architecture, shape (N,)."""
        return self.check(codes)[:, 0].astype(np.int64)

    def total(self, codes: ArrayLike, network: NetworkSpec, count: CountName) -> NDArray[np.int64]:
        """Returns a count of the chain at the chosen resolution, shape (N,): resizing has none."""
        checked = self.check(codes)
        if count == "parameters":  # the same at every resolution
            return self.chain.total(checked[:, 1:], network, count)
        found = np.zeros(len(checked), dtype=np.int64)
        for choice, sizes in enumerate(self.sizes(network)):
            rows = np.flatnonzero(checked[:, 0] == choice)
            found[rows] = self.chain.total(checked[rows, 1:], sizes, count)
        return found

    def parameter_range(self, network: NetworkSpec) -> tuple[int, int]:
        """Returns the fewest and the most parameters of the chain."""
        return self.chain.parameter_range(network)
