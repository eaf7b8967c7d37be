"""Spaces of one or two kinds of cells whose nodes choose their inputs and operations.

Symbols:
    N: architectures in the batch. D: decisions. O: operations.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surrogate_nas._support.words import shown
from surrogate_nas.errors import SpaceError
from surrogate_nas.space.codes import Decision
from surrogate_nas.space.definitions.identity import Identity
from surrogate_nas.space.graphs import Graphs, GraphTypes
from surrogate_nas.space.hashing import mix
from surrogate_nas.space.kinds.nodes.counts import NodeCounts
from surrogate_nas.space.kinds.nodes.keys import cell_keys
from surrogate_nas.space.kinds.nodes.layout import cell_at, node_layout, node_width, projections
from surrogate_nas.space.kinds.nodes.node_cell import Column, NodeCell
from surrogate_nas.space.kinds.nodes.node_graphs import cell_types, node_graphs
from surrogate_nas.space.kinds.nodes.range import cost_range
from surrogate_nas.space.kinds.nodes.text import format_cell, parse_cell
from surrogate_nas.space.network import Layer, NetworkSpec, fixed_total
from surrogate_nas.space.operations.spec import CountName, Shape
from surrogate_nas.space.operations.table import operation_spec
from surrogate_nas.space.space import Codes, Space


class NodeSpace(Space):
    """Cells whose nodes choose their inputs among the values before them, and their operations.

    Every node takes something in, so that data always reach the output. Nodes that the output does not depend on are
    neither built nor counted: a code has no way to say that a node is absent.

    Attributes:
        cells: One kind of cell, or one and another that halves the size.
        operations: Names of the operations, in index order.
        stem: Channels of the stem as a multiple of the width.
    """

    def __init__(
        self,
        identity: Identity,
        cells: Sequence[NodeCell],
        operations: Sequence[str],
        network: NetworkSpec,
        stem: int,
    ) -> None:
        decisions = tuple(
            Decision(_column_name(cell, column, several=len(cells) > 1), _column_choices(cell, column, operations))
            for cell in cells
            for column in cell.columns
        )
        super().__init__(identity, decisions, network)
        self.image_step = 1 << (network.stages - 1)  # later stages halve the image
        self.cells = tuple(cells)
        self.operations = tuple(operations)
        self.stem = stem
        self._bounds = np.cumsum([len(cell.columns) for cell in cells])[:-1].tolist()

    def parts(self, codes: Codes) -> list[Codes]:
        """Returns the part of codes (N, D) that belongs to each cell, shape (N, its decisions) each."""
        return np.split(codes, self._bounds, axis=1)

    # Text

    def format(self, code: ArrayLike) -> str:
        """Returns the cells as text, by name where there are several; see ``kinds.nodes.text``."""
        row = self.check([np.asarray(code)])
        texts = [
            format_cell(cell, part[0], self.operations) for cell, part in zip(self.cells, self.parts(row), strict=True)
        ]
        if len(texts) == 1:
            return texts[0]
        return ";".join(f"{cell.name}:{text}" for cell, text in zip(self.cells, texts, strict=True))

    def _parse_long(self, text: str) -> Codes:
        several = len(self.cells) > 1
        texts = text.split(";") if several else [text]
        names = [f"{cell.name}:" if several else "" for cell in self.cells]
        if "|" not in text or len(texts) != len(names) or not all(map(str.startswith, texts, names)):
            example = self.format(np.zeros(self.num_decisions, dtype=np.int8))
            raise SpaceError(
                f"an architecture of {self.name} is {self.num_decisions} digits or of the form {example} (got"
                f" {shown(text)})"
            )
        found = [
            parse_cell(cell, written.removeprefix(name), self.operations)
            for cell, written, name in zip(self.cells, texts, names, strict=True)
        ]
        return np.concatenate(found)

    # Paths

    def effective(self, codes: ArrayLike) -> Codes:
        """Returns codes with the decisions of dead nodes set to their first choices, shape (N, D)."""
        parts = self.parts(self.check(codes))
        return np.concatenate([cell.effective(part) for cell, part in zip(self.cells, parts, strict=True)], axis=1)

    def nonlinear_count(self, codes: ArrayLike) -> NDArray[np.int64]:
        """Returns the most nonlinear functions on any path through each cell, added up over the cells, shape (N,).

        EFS-NAS (arXiv 2412.14678) has one cell and takes the maximum over its paths; a path through a network leads
        through cells of all kinds.
        """
        return np.asarray(self.cell_nonlinear(codes).sum(axis=1))

    def cell_nonlinear(self, codes: ArrayLike) -> NDArray[np.int64]:
        """Returns the most nonlinear functions on any path through each kind of cell, shape (N, cells)."""
        parts = self.parts(self.check(codes))
        counts = [cell.nonlinear(part, self.operations) for cell, part in zip(self.cells, parts, strict=True)]
        return np.stack(counts, axis=1)

    def operation_counts(self, codes: ArrayLike) -> list[NDArray[np.int64]]:
        """Returns for each kind of cell how often an operation runs at a stride of 1 and 2, shape (N, 2, O) each."""
        parts = self.parts(self.check(codes))
        number = len(self.operations)
        return [cell.operation_counts(part, number) for cell, part in zip(self.cells, parts, strict=True)]

    @property
    def counts(self) -> NodeCounts:
        """Counts of all codes, those with dead nodes too."""
        return NodeCounts(self.name, self.cells, self.operations)

    # Graphs

    def graphs(self, codes: ArrayLike) -> Graphs:
        """Returns the cells one after another; see ``node_graphs``."""
        return node_graphs(self.cells, self.parts(self.check(codes)), self.operations)

    @property
    def graph_types(self) -> GraphTypes:
        """Operations by cell and stride, then inputs of cells, sums and concatenations."""
        return cell_types(self.cells, self.operations).all

    def _keys(self, codes: Codes) -> NDArray[np.uint64]:
        keys = np.zeros(len(codes), dtype=np.uint64)
        for cell, part in zip(self.cells, self.parts(codes), strict=True):
            keys = mix(keys * np.uint64(3) + cell_keys(cell, part, self.operations))
        return keys

    # Counts on a network

    def layout(self, network: NetworkSpec) -> tuple[Layer, ...]:
        """Returns stem, cells, pooling or cells that halve the size between stages, and classifier."""
        return node_layout(self.cells, network, self.stem)

    def layer_counts(self, code: ArrayLike, layers: Sequence[Layer]) -> tuple[int, ...]:
        """Returns for every place of a cell the count of the kind of cell that stands there."""
        counts = self.cell_nonlinear([np.asarray(code)])[0].tolist()
        return tuple(counts[cell_at(self.cells, layer)] for layer in layers)

    def total(self, codes: ArrayLike, network: NetworkSpec, count: CountName) -> NDArray[np.int64]:
        """Returns a count of the whole network, shape (N,); of live nodes alone."""
        pairs = zip(self.operation_counts(codes), self._costs(network, count), strict=True)
        searched = sum((counts * costs).sum(axis=(1, 2)) for counts, costs in pairs)
        return np.asarray(fixed_total(self.fixed_layers(network), count) + searched, dtype=np.int64)

    def fixed_layers(self, network: NetworkSpec) -> list[Layer]:
        """Returns the layers that no decision changes, projections inside cells too."""
        layers = self.layout(network)
        cells = [(self.cells[cell_at(self.cells, layer)], layer) for layer in layers if not layer.is_fixed]
        return [layer for layer in layers if layer.is_fixed] + [each for place in cells for each in projections(*place)]

    def _costs(self, network: NetworkSpec, count: CountName) -> list[NDArray[np.int64]]:
        """Returns the count of each operation over all places of a kind of cell, at both strides, shape (2, O) each."""
        totals = [np.zeros((2, len(self.operations)), dtype=np.int64) for _ in self.cells]
        for layer in self.layout(network):
            if not layer.is_fixed:
                index = cell_at(self.cells, layer)
                width = node_width(self.cells[index], layer)
                for stride in (1, 2) if self.cells[index].reduces else (1,):
                    shape = Shape(width, width, stride * layer.out_size, layer.out_size)
                    each = [operation_spec(name, stride).count(count, shape) for name in self.operations]
                    totals[index][stride - 1] += np.array(each, dtype=np.int64)
        return totals

    def parameter_range(self, network: NetworkSpec) -> tuple[int, int]:
        """Returns the fewest and the most parameters, exact."""
        fixed = fixed_total(self.fixed_layers(network), "parameters")
        costs = self._costs(network, "parameters")
        ranges = [cost_range(cell, table) for cell, table in zip(self.cells, costs, strict=True)]
        return fixed + sum(low for low, _ in ranges), fixed + sum(high for _, high in ranges)


def _column_name(cell: NodeCell, column: Column, *, several: bool) -> str:
    """Returns a name such as ``normal.2.operation_1``: nodes are numbered as the places of their values are."""
    owner = f"{cell.name}." if several else ""
    if column.kind == "output":
        return f"{owner}output"
    slot = f"_{column.slot + 1}" if column.kind == "operation" and cell.slots(column.node) > 1 else ""
    return f"{owner}{cell.inputs + column.node}.{column.kind}{slot}"


def _column_choices(cell: NodeCell, column: Column, operations: Sequence[str]) -> tuple[str, ...]:
    if column.kind == "operation":
        return tuple(operations)
    return tuple("&".join(map(str, places)) for places in cell.inputs_of(column.node))
