"""Spaces of one or two kinds of cells whose nodes choose their inputs and operations.

Symbols:
    N: architectures in the batch. D: decisions. O: operations.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surrogate_nas.errors import SpaceError
from surrogate_nas.space.counting import combined_populations, draw_summands
from surrogate_nas.space.hashing import mix
from surrogate_nas.space.kinds.nodes.counts import cell_populations, draw_cells
from surrogate_nas.space.kinds.nodes.graphs import graph_types, node_graphs
from surrogate_nas.space.kinds.nodes.keys import cell_keys
from surrogate_nas.space.kinds.nodes.layout import cell_at, node_layout, node_width, projections
from surrogate_nas.space.kinds.nodes.node_cell import Column, NodeCell
from surrogate_nas.space.kinds.nodes.range import cost_range
from surrogate_nas.space.kinds.nodes.text import format_cell, parse_cell
from surrogate_nas.space.network import Layer, NetworkSpec, fixed_flops, fixed_parameters
from surrogate_nas.space.operations.table import OperationSpec, operation_spec
from surrogate_nas.space.space import Codes, Decision, Graphs, Space

# Codes whose keys are made side by side; what is in memory does not grow with their number.
_KEYS_AT_ONCE = 8192


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
        name: str,
        fingerprint: str,
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
        super().__init__(name, fingerprint, decisions, network)
        self.cells = tuple(cells)
        self.operations = tuple(operations)
        self.stem = stem
        self._bounds = np.cumsum([len(cell.columns) for cell in cells])[:-1].tolist()

    def parts(self, codes: Codes) -> list[Codes]:
        """The part of codes (N, D) that belongs to each cell, shape (N, its decisions) each."""
        return np.split(codes, self._bounds, axis=1)

    # Text

    def format(self, code: ArrayLike) -> str:
        """The cells as text, by name where there are several; see ``node_text``."""
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
                f"an architecture of {self.name} is {self.num_decisions} digits or of the form {example} (got {text!r})"
            )
        found = [
            parse_cell(cell, written.removeprefix(name), self.operations)
            for cell, written, name in zip(self.cells, texts, names, strict=True)
        ]
        return np.concatenate(found)

    # Paths

    @property
    def always_connected(self) -> bool:
        """Every node takes something in."""
        return True

    def effective(self, codes: ArrayLike) -> Codes:
        """Codes with the decisions of dead nodes set to their first choices, shape (N, D)."""
        parts = self.parts(self.check(codes))
        return np.concatenate([cell.effective(part) for cell, part in zip(self.cells, parts, strict=True)], axis=1)

    def is_connected(self, codes: ArrayLike) -> NDArray[np.bool_]:
        """True for every code, shape (N,)."""
        return np.ones(len(self.check(codes)), dtype=bool)

    def live_operations(self, codes: ArrayLike) -> NDArray[np.int64]:
        """Operations that the outputs of the cells depend on, identities included, shape (N,)."""
        return np.asarray(sum(counts.sum(axis=(1, 2)) for counts in self.operation_counts(codes)))

    def nonlinear_count(self, codes: ArrayLike) -> NDArray[np.int64]:
        """Most nonlinear functions on any path from input to output of each cell, added up over the cells, shape (N,).

        EFS-NAS (arXiv 2412.14678) has one cell and takes the maximum over its paths; a path through a network leads
        through cells of all kinds.
        """
        return np.asarray(self.cell_nonlinear(codes).sum(axis=1))

    def cell_nonlinear(self, codes: ArrayLike) -> NDArray[np.int64]:
        """Most nonlinear functions on any path through each kind of cell, shape (N, cells)."""
        parts = self.parts(self.check(codes))
        counts = [cell.nonlinear(part, self.operations) for cell, part in zip(self.cells, parts, strict=True)]
        return np.stack(counts, axis=1)

    def operation_counts(self, codes: ArrayLike) -> list[NDArray[np.int64]]:
        """For each kind of cell how often each operation runs at a stride of 1 and 2, shape (N, 2, O) each."""
        parts = self.parts(self.check(codes))
        number = len(self.operations)
        return [cell.operation_counts(part, number) for cell, part in zip(self.cells, parts, strict=True)]

    # Exact counts

    def nonlinear_populations(self) -> dict[int, int]:
        """Number of codes for each nonlinear count that occurs, exact, by rising count."""
        return combined_populations(self._cell_populations())

    def sample_nonlinear(self, count: int, size: int, rng: np.random.Generator) -> Codes:
        """Uniform draws with replacement among the codes of one nonlinear count, shape (size, D).

        Raises:
            SpaceError: If no code has that count.
        """
        known = self.nonlinear_populations()
        if count not in known:
            raise SpaceError(
                f"architectures of {self.name} have {', '.join(map(str, known))} nonlinear functions (got {count})"
            )
        summands = draw_summands(self._cell_populations(), count, size, rng)
        drawn = [draw_cells(cell, self.operations, summands[:, index], rng) for index, cell in enumerate(self.cells)]
        return np.concatenate(drawn, axis=1)

    def _cell_populations(self) -> list[dict[int, int]]:
        return [cell_populations(cell, self.operations) for cell in self.cells]

    # Graphs

    def graphs(self, codes: ArrayLike) -> Graphs:
        """The cells one after another; see ``node_graphs``."""
        return node_graphs(self.cells, self.parts(self.check(codes)), self.operations)

    @property
    def graph_names(self) -> tuple[str, ...]:
        """Operations by cell, then what is no operation."""
        inputs = max(cell.inputs for cell in self.cells)
        marks = [*(f"input {number}" for number in range(inputs)), "sum", "concatenation"]
        return (*super().graph_names[: -len(marks)], *marks)

    @property
    def graph_operations(self) -> tuple[OperationSpec, ...]:
        """What each node type of the graphs is, from type 3 on."""
        return graph_types(self.cells, self.operations).operations

    def canonical_keys(self, codes: ArrayLike) -> NDArray[np.uint64]:
        """Keys of the cells with dead nodes dropped and identities contracted, shape (N,); see ``node_keys``."""
        checked = self.check(codes)
        parts = np.array_split(checked, max(1, len(checked) // _KEYS_AT_ONCE))
        return np.concatenate([self._joined_keys(part) for part in parts])

    def _joined_keys(self, codes: Codes) -> NDArray[np.uint64]:
        keys = np.zeros(len(codes), dtype=np.uint64)
        for cell, part in zip(self.cells, self.parts(codes), strict=True):
            keys = mix(keys * np.uint64(3) + cell_keys(cell, part, self.operations))
        return keys

    # Counts on a network

    @property
    def image_step(self) -> int:
        """Later stages halve the image."""
        return int(2 ** (self.network.stages - 1))

    def layout(self, network: NetworkSpec) -> tuple[Layer, ...]:
        """Stem, cells, what halves the size between stages, classifier."""
        return node_layout(self.cells, network, self.stem)

    def layer_counts(self, code: ArrayLike, layers: Sequence[Layer]) -> tuple[int, ...]:
        """For every place of a cell the count of the kind of cell that stands there."""
        counts = self.cell_nonlinear([np.asarray(code)])[0].tolist()
        return tuple(counts[cell_at(self.cells, layer)] for layer in layers)

    def largest_count(self, network: NetworkSpec) -> int:
        """The largest count of each kind of cell, over all places of cells."""
        largest = [max(populations) for populations in self._cell_populations()]
        return sum(largest[cell_at(self.cells, layer)] for layer in self.layout(network) if not layer.is_fixed)

    def parameters(self, codes: ArrayLike, network: NetworkSpec) -> NDArray[np.int64]:
        """Weights, affine batch-norm included, shape (N,); of live nodes alone."""
        return sum(map(fixed_parameters, self.fixed_layers(network))) + self._searched(codes, network, "parameters")

    def flops(self, codes: ArrayLike, network: NetworkSpec) -> NDArray[np.int64]:
        """Multiply-accumulates of convolutions and classifier for one image, shape (N,); of live nodes alone."""
        return sum(map(fixed_flops, self.fixed_layers(network))) + self._searched(codes, network, "flops")

    def fixed_layers(self, network: NetworkSpec) -> list[Layer]:
        """Everything that no decision changes, projections inside cells too."""
        layers = self.layout(network)
        cells = [(self.cells[cell_at(self.cells, layer)], layer) for layer in layers if not layer.is_fixed]
        return [layer for layer in layers if layer.is_fixed] + [each for place in cells for each in projections(*place)]

    def _searched(self, codes: ArrayLike, network: NetworkSpec, count: str) -> NDArray[np.int64]:
        """What the operations of the cells add up to, shape (N,)."""
        pairs = zip(self.operation_counts(codes), self._costs(network, count), strict=True)
        return np.asarray(sum((counts * costs).sum(axis=(1, 2)) for counts, costs in pairs), dtype=np.int64)

    def _costs(self, network: NetworkSpec, count: str) -> list[NDArray[np.int64]]:
        """What each operation of each kind of cell adds over all its places, at a stride of 1 and 2, shape (2, O)."""
        totals = [np.zeros((2, len(self.operations)), dtype=np.int64) for _ in self.cells]
        for layer in self.layout(network):
            if not layer.is_fixed:
                index = cell_at(self.cells, layer)
                width = node_width(self.cells[index], layer)
                for stride in (1, 2) if self.cells[index].reduces else (1,):
                    specs = [operation_spec(name, stride) for name in self.operations]
                    each = [getattr(spec, count)(width, layer.out_size) for spec in specs]
                    totals[index][stride - 1] += np.array(each, dtype=np.int64)
        return totals

    def parameter_range(self, network: NetworkSpec) -> tuple[int, int]:
        """Fewest and most parameters, exact."""
        fixed = sum(map(fixed_parameters, self.fixed_layers(network)))
        costs = self._costs(network, "parameters")
        ranges = [cost_range(cell, table) for cell, table in zip(self.cells, costs, strict=True)]
        return fixed + sum(low for low, _ in ranges), fixed + sum(high for _, high in ranges)


def _column_name(cell: NodeCell, column: Column, *, several: bool) -> str:
    """Such as ``normal.2.operation_1``: nodes are numbered as the places of their values are."""
    owner = f"{cell.name}." if several else ""
    if column.kind == "output":
        return f"{owner}output"
    slot = f"_{column.slot + 1}" if column.kind == "operation" and cell.slots(column.node) > 1 else ""
    return f"{owner}{cell.inputs + column.node}.{column.kind}{slot}"


def _column_choices(cell: NodeCell, column: Column, operations: Sequence[str]) -> tuple[str, ...]:
    if column.kind == "operation":
        return tuple(operations)
    return tuple("&".join(map(str, places)) for places in cell.inputs_of(column.node))
