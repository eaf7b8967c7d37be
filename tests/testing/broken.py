"""Cells with planted faults, for tests of the conformance kit."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surrogate_nas.space.counting import ListedCounts
from surrogate_nas.space.definitions.identity import Identity
from surrogate_nas.space.graphs import Graphs, GraphTypes
from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.space.network import Layer, NetworkSpec
from surrogate_nas.space.operations.spec import CountName
from surrogate_nas.space.space import Codes

EDGES = ((0, 1), (0, 2), (1, 2), (1, 3), (2, 3))
OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3")


def cell(kind: type[CellSpace], fingerprint: str = "0" * 16) -> CellSpace:
    """Returns a small cell of a kind."""
    return kind(Identity("small", fingerprint), EDGES, OPERATIONS, NetworkSpec(2, 1, 8))


class Sound(CellSpace):
    pass


class AcceptsAnything(CellSpace):
    def check(self, codes: ArrayLike) -> Codes:
        return np.asarray(codes).astype(np.int8)


class ForgetsInText(CellSpace):
    def format(self, code: ArrayLike) -> str:
        return super().format(np.roll(np.asarray(code), 1))


class ListsBackwards(CellSpace):
    def codes_at(self, positions: NDArray[np.integer]) -> Codes:
        return super().codes_at(self.size - 1 - np.asarray(positions))


class DrawsUnevenly(CellSpace):
    def _draw(self, count: int, rng: np.random.Generator) -> Codes:
        codes = super()._draw(count, rng)
        codes[::10] = codes[:1]
        return codes


class KeepsNoCount(CellSpace):
    def effective(self, codes: ArrayLike) -> Codes:
        live = super().effective(codes)
        live[:, -1] = 1
        return live


class TakesAllForOne(CellSpace):
    def _keys(self, codes: Codes) -> NDArray[np.uint64]:
        return np.zeros(len(codes), dtype=np.uint64)


class TellsCopiesApart(CellSpace):
    def _keys(self, codes: Codes) -> NDArray[np.uint64]:
        return self.index(codes).astype(np.uint64)


class CountsTheCut(CellSpace):
    @property
    def counts(self) -> ListedCounts:
        return ListedCounts(self.name, self.all_codes(), self.nonlinear_count(self.all_codes()))


class _First:
    def __init__(self, space: CellSpace) -> None:
        self._counts = CellSpace.counts.func(space)  # type: ignore[attr-defined]

    def populations(self) -> dict[int, int]:
        return dict(self._counts.populations())

    def draw(self, count: int, size: int, rng: np.random.Generator) -> Codes:
        return np.repeat(self._counts.draw(count, 1, rng), size, axis=0)


class DrawsOneOfACount(CellSpace):
    @property
    def counts(self) -> _First:
        return _First(self)


class ForgetsALayer(CellSpace):
    def layer_counts(self, code: ArrayLike, layers: Sequence[Layer]) -> tuple[int, ...]:
        return super().layer_counts(code, layers)[1:]


class GuessesItsRange(CellSpace):
    def parameter_range(self, network: NetworkSpec) -> tuple[int, int]:
        return 0, network.channels * 10**9


class DrawsDeadOperations(CellSpace):
    def graphs(self, codes: ArrayLike) -> Graphs:
        graphs = super().graphs(codes)
        adjacency = graphs.adjacency.copy()
        adjacency[:, 0, -1] = True
        return replace(graphs, adjacency=adjacency)


class NamesNothing(CellSpace):
    @property
    def graph_types(self) -> GraphTypes:
        types = super().graph_types
        return replace(types, operations=tuple(replace(one, name="") for one in types.operations))


class SkipsALayer(CellSpace):
    def layout(self, network: NetworkSpec) -> tuple[Layer, ...]:
        layers = super().layout(network)
        return (*layers[:2], *layers[3:])


class WeighsByTheImage(CellSpace):
    def total(self, codes: ArrayLike, network: NetworkSpec, count: CountName) -> NDArray[np.int64]:
        return super().total(codes, network, count) * network.image_size


class StaysHere(CellSpace):
    def effective(self, codes: ArrayLike) -> Codes:
        self.last = lambda: codes
        return super().effective(codes)
