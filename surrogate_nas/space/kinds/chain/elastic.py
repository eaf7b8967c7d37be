"""Chains whose networks also choose sizes: the resolution of their images and the width of each stage.

Once-for-All (arXiv 1908.09791) has elastic resolutions, BigNAS (arXiv 2003.11142) elastic widths. The decisions on
sizes come first, all others are the chain's. Images come in at the network's largest size and are resized before the
first layer, so that a network's caller need not know which size it chose.

Symbols:
    N: architectures in the batch.
    D: decisions. K of them are on sizes.
    P: layers of a network.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache, partial
from itertools import product
from math import prod
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surrogate_nas._support.words import shown
from surrogate_nas.errors import SpaceError
from surrogate_nas.space.definitions.identity import Identity
from surrogate_nas.space.definitions.part_names import PartNames
from surrogate_nas.space.graphs import Graphs, GraphTypes
from surrogate_nas.space.hashing import mix
from surrogate_nas.space.kinds.chain.counts import ChainCounts
from surrogate_nas.space.kinds.chain.sizes import Sizes
from surrogate_nas.space.kinds.chain.space import ChainSpace
from surrogate_nas.space.network import RESOLUTION, Layer, NetworkSpec
from surrogate_nas.space.operations.families import find_block
from surrogate_nas.space.operations.fixed import find_fixed_layer
from surrogate_nas.space.operations.spec import CountName
from surrogate_nas.space.space import Codes, Space

_NETWORKS_REMEMBERED = 8


@final
@dataclass(frozen=True)
class SizedCounts:
    """Counts of the networks of a chain at every combination of sizes.

    Attributes:
        chain: Counts of the chain.
        choices: Number of choices of each decision on a size.
    """

    chain: ChainCounts
    choices: tuple[int, ...]

    def populations(self) -> dict[int, int]:
        """Returns the number of networks of all sizes for each count of nonlinear functions, by rising count."""
        return {count: ways * prod(self.choices) for count, ways in self.chain.populations().items()}

    def draw(self, count: int, size: int, rng: np.random.Generator) -> Codes:
        """Returns uniform draws among the networks of one count of nonlinear functions, shape (size, D).

        Raises:
            SpaceError: If no network has this count.
        """
        return _sized(self.chain.draw(count, size, rng), self.choices, rng)


def _sized(codes: Codes, choices: tuple[int, ...], rng: np.random.Generator) -> Codes:
    """Returns codes of a chain, (N, D - K), with sizes that are drawn, (N, D)."""
    drawn = [rng.integers(number, size=len(codes)).astype(np.int8) for number in choices]
    return np.column_stack([*drawn, codes])


class ElasticSpace(Space):
    """A chain whose networks choose their resolution, the widths of their stages, or both.

    Args:
        identity: Of the definition.
        chain: The chain, whose own network has the largest sizes.
        sizes: The sizes to choose from.
    """

    def __init__(self, identity: Identity, chain: ChainSpace, sizes: Sizes) -> None:
        super().__init__(identity, (*sizes.decisions, *chain.decisions), chain.network)
        self.chain, self.sizes = chain, sizes

    # Text

    def format(self, code: ArrayLike) -> str:
        """Returns the sizes, ``+`` and the chain, such as ``r160+w16|w32+mbconv_k3_e3|identity``."""
        row = self.check([np.asarray(code)])[0]
        return f"{self.sizes.format(row[: self._own])}+{self.chain.format(row[self._own :])}"

    def _parse_long(self, text: str) -> Codes:
        found = self.sizes.parse(text)
        if found is None:
            raise SpaceError(
                f"an architecture of {self.name} is {self.num_decisions} digits, or begins with {self.sizes.form}"
                f" (got {shown(text)})"
            )
        choices, chain = found
        return np.array([*choices, *self.chain.parse(chain)], dtype=np.int8)

    @property
    def _own(self) -> int:
        """Number of decisions on sizes, K."""
        return len(self.sizes.decisions)

    # What is computed

    def effective(self, codes: ArrayLike) -> Codes:
        """Returns effective codes of the chain at the same sizes, shape (N, D)."""
        return self._each(codes, self.chain.effective)

    def canonical(self, codes: ArrayLike) -> Codes:
        """Returns canonical codes of the chain at the same sizes, shape (N, D)."""
        return self._each(codes, self.chain.canonical)

    @property
    def elastic_runs(self) -> tuple[tuple[int, ...], ...]:
        """The chain's runs, behind the sizes."""
        return tuple(tuple(self._own + column for column in run) for run in self.chain.elastic_runs)

    def _each(self, codes: ArrayLike, change: Callable[[Codes], Codes]) -> Codes:
        checked = self.check(codes)
        return np.column_stack([checked[:, : self._own], change(checked[:, self._own :])])

    def _keys(self, codes: Codes) -> NDArray[np.uint64]:
        keys = self.chain.canonical_keys(codes[:, self._own :])
        for column in codes[:, : self._own].T:
            keys = mix(keys * np.uint64(37) + column.astype(np.uint64) + np.uint64(1))
        return keys

    # Nonlinear functions and draws

    def nonlinear_count(self, codes: ArrayLike) -> NDArray[np.int64]:
        """Returns the nonlinear functions of the chain, shape (N,): sizes do not change them."""
        return self.chain.nonlinear_count(self.check(codes)[:, self._own :])

    def layer_counts(self, code: ArrayLike, layers: Sequence[Layer]) -> tuple[int, ...]:
        """Returns 0 for resizing, and for other layers the nonlinear functions of the chain's."""
        decisions = [-1 if layer.decision is None else layer.decision - self._own for layer in layers]
        own = [replace(layer, decision=one) for layer, one in zip(layers, decisions, strict=True) if one >= 0]
        counts = iter(self.chain.layer_counts(np.asarray(code)[self._own :], own))
        return tuple(next(counts) if one >= 0 else 0 for one in decisions)

    @cached_property
    def counts(self) -> SizedCounts:
        """Counts of the chain's networks at all sizes."""
        return SizedCounts(self.chain.counts, self.sizes.numbers)

    def _draw(self, count: int, rng: np.random.Generator) -> Codes:
        return _sized(self.chain.sample(count, rng), self.sizes.numbers, rng)

    # Graphs

    def graphs(self, codes: ArrayLike) -> Graphs:
        """Returns the chain's graphs with a node for each size, before the layers that have it: V = D + 2."""
        checked = self.check(codes)
        chain = self.chain.graphs(checked[:, self._own :])
        marks = chain.num_types + np.cumsum([0, *self.sizes.numbers[:-1]]) + checked[:, : self._own].astype(np.int64)
        operations = np.insert(chain.operations, self._marked, marks, axis=1)
        line = np.eye(self.num_decisions + 2, k=1, dtype=bool)
        adjacency = np.broadcast_to(line, (len(checked), *line.shape))
        return Graphs(operations, adjacency, chain.num_types + sum(self.sizes.numbers))

    @cached_property
    def _marked(self) -> list[int]:
        """The node of the chain's graphs before which the node of each size stands."""
        first, begins = 1, list[int]()
        for stage in self.chain.skeleton.stages:
            begins.append(first)
            first += len(stage.choices)
        return [1 if stage is None else begins[stage] for stage in self.sizes.stages]

    @property
    def graph_types(self) -> GraphTypes:
        """The types of the chain, then one for each choice of each size."""
        chain = self.chain.graph_types
        names = [name for decision in self.sizes.decisions for name in decision.choices]
        marks = [replace(find_fixed_layer("resize"), name=name) for name in names]
        first = 1 + max(chain.coarse)
        coarse = (*chain.coarse, *range(first, first + len(marks)))
        return GraphTypes((*chain.operations, *marks), len(marks), coarse)

    # Counts on a network

    def layout(self, network: NetworkSpec) -> tuple[Layer, ...]:
        """Returns a place where images are resized if they are, then the chain's layers, all at the largest sizes.

        Raises:
            SpaceError: If the network has another number of stages or cells, or two sizes come to the same in it.
        """
        return tuple(variants[-1] for variants in self.layer_variants(network))

    def layer_variants(self, network: NetworkSpec) -> tuple[tuple[Layer, ...], ...]:
        """Returns for each of P positions the layers that may stand there, by the sizes on which they depend.

        Raises:
            SpaceError: As ``layout``.
        """
        return _positions(self, network).variants

    def chosen_variants(self, codes: ArrayLike, network: NetworkSpec) -> NDArray[np.int64]:
        """Returns the position in ``layer_variants`` of each layer of each architecture, shape (N, P)."""
        checked = self.check(codes)
        found = np.zeros((len(checked), len(self.layer_variants(network))), dtype=np.int64)
        for position, columns in enumerate(_positions(self, network).columns):
            for column in columns:
                found[:, position] = found[:, position] * self.sizes.numbers[column] + checked[:, column]
        return found

    def total(self, codes: ArrayLike, network: NetworkSpec, count: CountName) -> NDArray[np.int64]:
        """Returns a count of the whole network at the chosen sizes, shape (N,): resizing has none."""
        checked, chosen = self.check(codes), self.chosen_variants(codes, network)
        found = np.zeros(len(checked), dtype=np.int64)
        for position, variants in enumerate(self.layer_variants(network)):
            decision = variants[0].decision
            if decision is None:
                table = np.array([find_fixed_layer(one.kind).count(count, one.shape) for one in variants])
                found += table[chosen[:, position]]
            elif decision >= self._own:
                blocks = [find_block(name) for name in self.decisions[decision].choices]
                table = np.array([[block.count(count, one.shape) for block in blocks] for one in variants])
                found += table[chosen[:, position], checked[:, decision]]
        return found

    @property
    def part_names(self) -> tuple[PartNames, ...]:
        """Names of the largest architecture's parts in files of weights, where it is a known network."""
        return self.chain.part_names

    def largest(self) -> Codes:
        """Returns the chain's largest architecture at the largest sizes, shape (D,)."""
        sizes = [number - 1 for number in self.sizes.numbers]
        return np.array([*sizes, *self.chain.largest()], dtype=np.int8)

    def parameter_range(self, network: NetworkSpec) -> tuple[int, int]:
        """Returns the fewest parameters, at the smallest widths, and the most, at the largest."""
        ends = []
        for choices in (np.zeros(self._own, np.int64), np.array(self.sizes.numbers) - 1):
            layers = self.sizes.layers(self.chain.skeleton, network, choices.tolist())
            ends.append(self.chain.parameter_range_of([one for one in layers if one.kind != RESOLUTION]))
        return ends[0][0], ends[1][1]


@dataclass(frozen=True)
class _Positions:
    """The layers that may stand at each position of a network, and the decisions on sizes that choose among them."""

    variants: tuple[tuple[Layer, ...], ...]
    columns: tuple[tuple[int, ...], ...]


# Every stage asks for the layers of the same few networks, and they are hundreds.
@lru_cache(maxsize=_NETWORKS_REMEMBERED)
def _positions(space: ElasticSpace, network: NetworkSpec) -> _Positions:
    sizes, skeleton = space.sizes, space.chain.skeleton
    sizes.check(network, space.name)
    layers = lru_cache(None)(partial(sizes.layers, skeleton, network))
    largest = tuple(number - 1 for number in sizes.numbers)

    def at(columns: Sequence[int], choices: Sequence[int]) -> tuple[Layer, ...]:
        chosen = dict(zip(columns, choices, strict=True))
        return layers(tuple(chosen.get(column, choice) for column, choice in enumerate(largest)))

    alone = [[at([column], [choice]) for choice in range(number)] for column, number in enumerate(sizes.numbers)]
    columns = tuple(
        tuple(column for column, found in enumerate(alone) if len({one[position] for one in found}) > 1)
        for position in range(len(layers(largest)))
    )
    variants = tuple(
        tuple(at(those, choices)[position] for choices in product(*(range(sizes.numbers[one]) for one in those)))
        for position, those in enumerate(columns)
    )
    return _Positions(variants, columns)
