"""Spaces of chains: layers one after another, with a block to choose for each.

Symbols:
    N: architectures in the batch.
    D: layers that are chosen, the decisions.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surrogate_nas.space.codes import Decision
from surrogate_nas.space.definitions.identity import Identity
from surrogate_nas.space.definitions.part_names import PartNames
from surrogate_nas.space.graphs import FIRST_TYPE, INPUT, OUTPUT, Graphs, GraphTypes
from surrogate_nas.space.hashing import mix
from surrogate_nas.space.kinds.chain.counts import ChainCounts, LayerGroup, draw_any
from surrogate_nas.space.kinds.chain.skeleton import Skeleton, chain_layout
from surrogate_nas.space.kinds.chain.text import read_chain, write_chain
from surrogate_nas.space.network import Layer, NetworkSpec, fixed_total
from surrogate_nas.space.operations.families import find_block
from surrogate_nas.space.operations.spec import CountName, OperationSpec
from surrogate_nas.space.space import Codes, Space

# A number of a block at a layer.
Value = Callable[[OperationSpec, Layer], int]


@dataclass(frozen=True)
class NodeKind:
    """The meaning of one type of nodes in the graphs of a chain: a block at a stage, an identity or not."""

    stage: int
    block: str
    is_identity: bool


class ChainSpace(Space):
    """Layers one after another, with a block to choose for each; widths, strides and lengths are the skeleton's.

    Args:
        identity: Of the definition.
        skeleton: The layers, with the blocks to choose from.
        image_size: Side of the images of the space's own network, in pixels.
        part_names: Names of the largest architecture's parts in files of weights, where it is a known network.
    """

    def __init__(
        self, identity: Identity, skeleton: Skeleton, image_size: int, part_names: tuple[PartNames, ...] = ()
    ) -> None:
        stages = enumerate(skeleton.stages, start=1)
        places = [(f"{s}.{p}", blocks) for s, stage in stages for p, blocks in enumerate(stage.choices, start=1)]
        network = NetworkSpec(skeleton.stages[0].width, 1, image_size, stages=len(skeleton.stages))
        super().__init__(identity, tuple(Decision(*place) for place in places), network)
        self.skeleton = skeleton
        self.part_names = part_names

    # Text

    def format(self, code: ArrayLike) -> str:
        """Returns the names of the blocks, layers parted by ``|`` and stages by ``+``."""
        row = self.check([np.asarray(code)])[0]
        names = [decision.choices[choice] for decision, choice in zip(self.decisions, row, strict=True)]
        return write_chain(names, self._lengths)

    def _parse_long(self, text: str) -> Codes:
        return np.array(read_chain(text, self.name, self.decisions, self._lengths), dtype=np.int8)

    @property
    def _lengths(self) -> list[int]:
        return [len(stage.choices) for stage in self.skeleton.stages]

    # What is computed

    def effective(self, codes: ArrayLike) -> Codes:
        """Returns codes whose layers are left out from the end of a stage on where they may be, shape (N, D).

        A stage of elastic depth has its first layers (Once-for-All, arXiv 1908.09791), so an identity there says how
        many, not which.
        """
        return self._identities_last(codes, self.elastic_runs)

    @property
    def elastic_runs(self) -> tuple[tuple[int, ...], ...]:
        """Columns of the layers at the end of each stage that may be left out."""
        return tuple(group.columns for group in self._groups if group.elastic)

    def canonical(self, codes: ArrayLike) -> Codes:
        """Returns codes with identities behind the other layers that they can change places with, shape (N, D).

        Those are neighbours of one stage that keep the shape and choose from the same blocks: a network where it is
        the second and not the third of them that does nothing is the same network.
        """
        return self._identities_last(codes, self._exchangeable)

    def _identities_last(self, codes: ArrayLike, runs: Sequence[Sequence[int]]) -> Codes:
        moved = self.check(codes)
        for columns in runs:
            part = moved[:, columns]
            order = np.argsort(self._at(columns[0], _is_identity)[part], axis=1, kind="stable")
            moved[:, columns] = np.take_along_axis(part, order, axis=1)
        return moved

    def _keys(self, codes: Codes) -> NDArray[np.uint64]:
        keys = np.zeros(len(codes), dtype=np.uint64)
        for column in self.canonical(codes).T:
            keys = mix(keys * np.uint64(37) + column.astype(np.uint64) + np.uint64(1))
        return keys

    @cached_property
    def _places(self) -> tuple[Layer, ...]:
        """The D chosen layers of the space's own network."""
        return tuple(layer for layer in self.layout(self.network) if not layer.is_fixed)

    @cached_property
    def _exchangeable(self) -> list[list[int]]:
        """Runs of columns between which identities may move."""
        runs: list[list[int]] = []
        for column, (place, decision) in enumerate(zip(self._places, self.decisions, strict=True)):
            if not place.shape.keeps:
                continue
            last = runs[-1][-1] if runs else -2
            same = last == column - 1 and self._places[last].stage == place.stage
            if same and self.decisions[last].choices == decision.choices:
                runs[-1].append(column)
            else:
                runs.append([column])
        return [run for run in runs if len(run) > 1]

    # Nonlinear functions

    def nonlinear_count(self, codes: ArrayLike) -> NDArray[np.int64]:
        """Returns the nonlinear functions in all chosen layers, shape (N,), as EFS-NAS counts (arXiv 2412.14678)."""
        return self._summed(codes, self._nonlinear)

    def layer_counts(self, code: ArrayLike, layers: Sequence[Layer]) -> tuple[int, ...]:
        """Returns the nonlinear functions of each chosen layer."""
        row = np.asarray(code)
        return tuple(int(self._nonlinear[layer.decision][row[layer.decision]]) for layer in layers)  # type: ignore[index]

    @cached_property
    def counts(self) -> ChainCounts:
        """Counts of networks, those with fewer layers than they may have once."""
        return ChainCounts(self.name, tuple(self._groups))

    def _draw(self, count: int, rng: np.random.Generator) -> Codes:
        codes = super()._draw(count, rng)
        for group in self._groups:
            if group.elastic:
                codes[:, group.columns] = draw_any(group, count, rng)
        return codes

    @cached_property
    def _nonlinear(self) -> list[NDArray[np.int64]]:
        return self._tables(self._places, lambda block, _layer: block.nonlinear_functions)

    @cached_property
    def _groups(self) -> list[LayerGroup]:
        """The layers, those that are left out from the end on together."""
        groups, column = [], 0
        for stage in self.skeleton.stages:
            alone = len(stage.choices) - stage.elastic
            columns = [(column + place,) for place in range(alone)]
            groups += [LayerGroup(one, self._nonlinear[one[0]], elastic=False) for one in columns]
            column += len(stage.choices)
            if stage.elastic:
                last = tuple(range(column - stage.elastic, column))
                groups.append(LayerGroup(last, self._nonlinear[last[0]], elastic=True))
        return groups

    # Graphs

    def graphs(self, codes: ArrayLike) -> Graphs:
        """Returns a chain of input, one node per layer and output: V = D + 2; types name block and stage."""
        checked = self.check(codes)
        operations = np.full((len(checked), self.num_decisions + 2), INPUT, dtype=np.int64)
        operations[:, -1] = OUTPUT
        for column, types in enumerate(self._types):
            operations[:, column + 1] = types[checked[:, column]]
        line = np.eye(self.num_decisions + 2, k=1, dtype=bool)
        adjacency = np.broadcast_to(line, (len(checked), *line.shape))
        return Graphs(operations, adjacency, FIRST_TYPE + len(self.node_kinds))

    @cached_property
    def node_kinds(self) -> tuple[NodeKind, ...]:
        """The meaning of each node type of the graphs, from type 3 on."""
        return tuple(dict.fromkeys(kind for column in range(self.num_decisions) for kind in self._kinds(column)))

    @property
    def graph_types(self) -> GraphTypes:
        """The block of each node kind; coarse types leave stages out, or there were more pairs than labels."""
        specs = tuple(replace(find_block(kind.block), is_identity=kind.is_identity) for kind in self.node_kinds)
        number: dict[tuple[str, bool], int] = {}
        coarse = [number.setdefault((kind.block, kind.is_identity), len(number)) for kind in self.node_kinds]
        return GraphTypes(specs, coarse=tuple(coarse))

    def _kinds(self, column: int) -> list[NodeKind]:
        place = self._places[column]
        identity = self._at(column, _is_identity)
        return [
            NodeKind(place.stage, block, bool(same))
            for block, same in zip(self.decisions[column].choices, identity, strict=True)
        ]

    @cached_property
    def _types(self) -> list[NDArray[np.int64]]:
        number = {kind: FIRST_TYPE + position for position, kind in enumerate(self.node_kinds)}
        return [np.array([number[kind] for kind in self._kinds(column)]) for column in range(self.num_decisions)]

    # Counts on a network

    def layout(self, network: NetworkSpec) -> tuple[Layer, ...]:
        """Returns fixed, chosen and fixed layers; widths are in proportion to the width of the first stage.

        Raises:
            SpaceError: If the network has another number of stages or cells.
        """
        return chain_layout(self.skeleton, network)

    def total(self, codes: ArrayLike, network: NetworkSpec, count: CountName) -> NDArray[np.int64]:
        """Returns a count of the whole network, shape (N,): fixed layers and the blocks of a code."""
        tables = self.block_tables(network, lambda block, layer: block.count(count, layer.shape))
        return self._summed(codes, tables) + fixed_total(self.layout(network), count)

    def parameter_range(self, network: NetworkSpec) -> tuple[int, int]:
        """Returns the fewest and the most parameters: the smallest and the largest block everywhere."""
        return self.parameter_range_of(self.layout(network))

    def parameter_range_of(self, layers: Sequence[Layer]) -> tuple[int, int]:
        """Returns the fewest and the most parameters of networks of these layers."""
        tables = self._tables(layers, lambda block, layer: block.parameters(layer.shape))
        fixed = fixed_total(layers, "parameters")
        return fixed + sum(int(table.min()) for table in tables), fixed + sum(int(table.max()) for table in tables)

    def largest(self) -> Codes:
        """Returns the architecture with the most parameters at every layer, shape (D,)."""
        tables = self.block_tables(self.network, lambda block, layer: block.parameters(layer.shape))
        return np.array([table.argmax() for table in tables], dtype=np.int8)

    def block_tables(self, network: NetworkSpec, value: Value) -> list[NDArray[np.int64]]:
        """Returns a number for every choice of each of the D layers of a network."""
        return self._tables(self.layout(network), value)

    def _tables(self, layers: Sequence[Layer], value: Value) -> list[NDArray[np.int64]]:
        chosen = [layer for layer in layers if not layer.is_fixed]
        return [
            np.array([value(find_block(block), layer) for block in decision.choices], dtype=np.int64)
            for layer, decision in zip(chosen, self.decisions, strict=True)
        ]

    def _at(self, column: int, value: Value) -> NDArray[np.int64]:
        """Returns a number for every choice of one layer."""
        place, names = self._places[column], self.decisions[column].choices
        return np.array([value(find_block(name), place) for name in names], dtype=np.int64)

    def _summed(self, codes: ArrayLike, tables: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
        checked = self.check(codes)
        columns = (table[checked[:, column]] for column, table in enumerate(tables))
        return np.asarray(sum(columns, start=np.zeros(len(checked), dtype=np.int64)), dtype=np.int64)


def _is_identity(block: OperationSpec, layer: Layer) -> int:
    return int(block.is_identity and layer.shape.keeps)
