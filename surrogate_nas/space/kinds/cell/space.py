"""Spaces of one cell, a small directed graph with an operation to choose on every edge.

Symbols:
    N: architectures in the batch.
    E: edges of the cell, ordered so that an edge comes after every edge that ends where it starts.
    S: sources of data: the cell's input (0) and the operation on each edge (1 to E), so S = E + 1.
"""

import re
from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surrogate_nas._support.words import shown
from surrogate_nas.errors import SpaceError
from surrogate_nas.space.codes import Decision
from surrogate_nas.space.definitions.identity import Identity
from surrogate_nas.space.graphs import ABSENT, FIRST_TYPE, INPUT, OUTPUT, Graphs, GraphTypes
from surrogate_nas.space.hashing import graph_keys
from surrogate_nas.space.network import CELL, Layer, NetworkSpec, fixed_total, residual_stages
from surrogate_nas.space.operations.spec import CountName
from surrogate_nas.space.operations.table import operation_spec
from surrogate_nas.space.space import Codes, Space

_UNREACHED = -1
# Few digits, since no cell has many nodes and Python refuses to read numbers of thousands of digits.
_NODE = re.compile(r"\|([^|~+]+~\d{1,3}\|)+", re.ASCII)


class CellSpace(Space):
    """One cell repeated through a network; every edge of the cell is a decision over the same operations.

    Attributes:
        edges: Start and end node of each edge, length E; node 0 is the cell's input, the last node its output.
        operations: Names of the operations, in index order.
    """

    always_connected = False

    def __init__(
        self, identity: Identity, edges: Sequence[tuple[int, int]], operations: Sequence[str], network: NetworkSpec
    ) -> None:
        decisions = tuple(Decision(f"{end}<-{start}", tuple(operations)) for start, end in edges)
        super().__init__(identity, decisions, network)
        self.image_step = 1 << (network.stages - 1)  # later stages halve the image
        self.edges = tuple(edges)
        self.operations = tuple(operations)
        self.output = max(end for _, end in edges)
        specs = [operation_spec(operation) for operation in operations]
        self._is_zero = np.array([spec.is_zero for spec in specs])
        self._is_identity = np.array([spec.is_identity for spec in specs])
        self._nonlinear = np.array([spec.nonlinear_functions for spec in specs], dtype=np.int64)
        self._zero = int(np.flatnonzero(self._is_zero)[0])

    # Text

    def format(self, code: ArrayLike) -> str:
        """Returns the cell as NAS-Bench-201 writes it: ``|op~start|`` per edge, nodes joined by ``+``."""
        row = self.check([np.asarray(code)])[0]
        nodes: dict[int, str] = {}
        for (start, end), choice in zip(self.edges, row, strict=True):
            nodes[end] = nodes.get(end, "|") + f"{self.operations[choice]}~{start}|"
        return "+".join(nodes[end] for end in sorted(nodes))

    def _parse_long(self, text: str) -> Codes:
        shape = self.format(np.full(self.num_decisions, self._zero)).replace(self.operations[self._zero], "OP")
        nodes = text.split("+")
        ends = sorted({end for _, end in self.edges})
        if len(nodes) != len(ends) or not all(map(_NODE.fullmatch, nodes)):
            raise SpaceError(
                f"an architecture of {self.name} is {self.num_decisions} digits or of the form {shape} (got"
                f" {shown(text)})"
            )
        chosen: dict[tuple[int, int], int] = {}
        for end, node in zip(ends, nodes, strict=True):
            for part in node.strip("|").split("|"):
                operation, start = part.split("~")
                edge = (int(start), end)
                if edge not in self.edges or edge in chosen:
                    raise SpaceError(
                        f"{'edge given twice' if edge in chosen else 'no such edge'}: {end}<-{start} in {shown(text)};"
                        f" the form is {shape}"
                    )
                if operation not in self.operations:
                    raise SpaceError(
                        f"unknown operation {shown(operation)} on edge {end}<-{start};"
                        f" choose from {', '.join(self.operations)}"
                    )
                chosen[edge] = self.operations.index(operation)
        missing = [f"{end}<-{start}" for start, end in self.edges if (start, end) not in chosen]
        if missing:
            raise SpaceError(f"edge {', '.join(missing)} is missing in {shown(text)}; the form is {shape}")
        return np.array([chosen[edge] for edge in self.edges], dtype=np.int8)

    # Paths

    def _live(self, codes: Codes) -> NDArray[np.bool_]:
        """Returns whether each edge lies on a path from input to output, shape (N, E)."""
        passes = ~self._is_zero[codes]
        from_input = np.zeros((len(codes), self.output + 1), dtype=bool)
        from_input[:, 0] = True
        for column, (start, end) in enumerate(self.edges):
            from_input[:, end] |= from_input[:, start] & passes[:, column]
        return np.asarray(self._reaches_output(codes) & from_input[:, [start for start, _ in self.edges]])

    def _reaches_output(self, codes: Codes) -> NDArray[np.bool_]:
        """Returns whether a path leads from each edge to the output, whatever feeds it, shape (N, E)."""
        passes = ~self._is_zero[codes]
        to_output = np.zeros((len(codes), self.output + 1), dtype=bool)
        to_output[:, self.output] = True
        for column, (start, end) in reversed(list(enumerate(self.edges))):
            to_output[:, start] |= to_output[:, end] & passes[:, column]
        return np.asarray(passes & to_output[:, [end for _, end in self.edges]])

    def reaching(self, codes: ArrayLike) -> Codes:
        """Returns codes, shape (N, E), whose edges without a path to the output are cut, whatever feeds them."""
        checked = self.check(codes)
        return np.where(self._reaches_output(checked), checked, np.int8(self._zero))

    def effective(self, codes: ArrayLike) -> Codes:
        """Returns codes with dead edges set to the operation that cuts them, shape (N, E)."""
        checked = self.check(codes)
        return np.where(self._live(checked), checked, np.int8(self._zero))

    def is_connected(self, codes: ArrayLike) -> NDArray[np.bool_]:
        """Returns whether any edge lies on a path from input to output, shape (N,)."""
        return np.asarray(self._live(self.check(codes)).any(axis=1))

    def nonlinear_count(self, codes: ArrayLike) -> NDArray[np.int64]:
        """Returns the most nonlinear functions on any path through the cell, shape (N,); 0 where there is no path.

        The count by which EFS-NAS (arXiv 2412.14678) groups subnets.
        """
        checked = self.check(codes)
        longest = np.full((len(checked), self.output + 1), _UNREACHED, dtype=np.int64)
        longest[:, 0] = 0
        for column, (start, end) in enumerate(self.edges):
            choice = checked[:, column]
            open_ = ~self._is_zero[choice] & (longest[:, start] != _UNREACHED)
            through = np.where(open_, longest[:, start] + self._nonlinear[choice], _UNREACHED)
            longest[:, end] = np.maximum(longest[:, end], through)
        return np.maximum(longest[:, self.output], 0)

    # Graphs

    def graphs(self, codes: ArrayLike) -> Graphs:
        """Returns one node for the input, one per edge's operation, one for the output: V = E + 2 nodes."""
        checked = self.check(codes)
        live = self._live(checked)
        count, width = len(checked), self.num_decisions + 2
        operations = np.full((count, width), ABSENT, dtype=np.int64)
        operations[:, 0], operations[:, -1] = INPUT, OUTPUT
        operations[:, 1:-1] = np.where(live, checked + FIRST_TYPE, ABSENT)
        present = operations != ABSENT
        adjacency = self._line_graph & present[:, :, None] & present[:, None, :]
        return Graphs(operations, adjacency, FIRST_TYPE + len(self.operations))

    @property
    def graph_types(self) -> GraphTypes:
        """The operations."""
        return GraphTypes(tuple(operation_spec(name) for name in self.operations))

    @cached_property
    def _line_graph(self) -> NDArray[np.bool_]:
        """Returns whether one node may feed another when no edge is dead, shape (V, V)."""
        ends = [0, *(end for _, end in self.edges)]
        starts = [*(start for start, _ in self.edges), self.output]
        graph = np.zeros((len(self.edges) + 2, len(self.edges) + 2), dtype=bool)
        graph[:-1, 1:] = np.array(ends)[:, None] == np.array(starts)[None, :]
        return graph

    def _keys(self, codes: Codes) -> NDArray[np.uint64]:
        """Returns Weisfeiler-Lehman keys of the cells with dead edges dropped and identities contracted, shape (N,).

        Two cells share a key when one becomes the other by renaming nodes and moving identities: the same function of
        the same number of weights. Identities are contracted to multiplicities of data flow. NAS-Bench-201's own
        strings (6,466 of them) unroll the graph into a tree, and so merge cells that use one operation's output twice
        with cells that have the operation twice, which are different networks; they also leave sums apart that
        differ only in order or in zeros. Counted as networks there are 5,425. On the cells of NAS-Bench-201 the keys
        are exact; on larger ones the refinement could take two cells for one.
        """
        return graph_keys(*self._contracted(self.effective(codes)), rounds=self.output + 1)

    def _contracted(self, codes: Codes) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
        """Returns node types, shape (N, S + 1), and multiplicities of data flow between nodes, shape (N, S + 1, S + 1).

        Node 0 is the input, node S the output; type 0 marks edges that are cut or contracted.
        """
        count, sources = len(codes), self.num_decisions + 1
        arriving = np.zeros((count, self.output + 1, sources), dtype=np.uint64)  # what is summed at each cell node
        arriving[:, 0, 0] = 1
        flow = np.zeros((count, sources + 1, sources + 1), dtype=np.uint64)
        types = np.zeros((count, sources + 1), dtype=np.int64)
        types[:, 0], types[:, -1] = INPUT, OUTPUT
        for column, (start, end) in enumerate(self.edges):
            choice = codes[:, column]
            identity = self._is_identity[choice]
            computes = ~self._is_zero[choice] & ~identity
            arriving[:, end] += np.where(identity[:, None], arriving[:, start], np.uint64(0))
            arriving[:, end, column + 1] += computes
            flow[:, :-1, column + 1] = np.where(computes[:, None], arriving[:, start], np.uint64(0))
            types[:, column + 1] = np.where(computes, choice + FIRST_TYPE, 0)
        flow[:, :-1, -1] = arriving[:, self.output]
        return types, flow

    # Counts on a network

    def layout(self, network: NetworkSpec) -> tuple[Layer, ...]:
        """Returns stem, stages of cells with residual blocks between them, head."""
        return residual_stages(network)

    def total(self, codes: ArrayLike, network: NetworkSpec, count: CountName) -> NDArray[np.int64]:
        """Returns a count of the whole network, shape (N,): every edge adds its operation in all cells."""
        layers = self.layout(network)
        specs = [operation_spec(operation) for operation in self.operations]
        cells = [layer.shape for layer in layers if layer.kind == CELL]
        table = np.array([sum(spec.count(count, shape) for shape in cells) for spec in specs], dtype=np.int64)
        return np.asarray(table[self.check(codes)].sum(axis=1) + fixed_total(layers, count))
