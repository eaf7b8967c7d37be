"""A cell whose nodes choose their inputs, and what can be read off its code for many architectures at once.

Symbols:
    N: architectures in the batch.
    I: inputs of the cell. M: inner nodes. O: operations.
    D: decisions of the cell. K: parts of the cell's output.
Places of values are 0 to I - 1 for the inputs and I to I + M - 1 for the inner nodes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.space.operations.table import operation_spec
from surrogate_nas.space.space import Codes

Integers = NDArray[np.int64]
Parents = tuple[int, ...]


@dataclass(frozen=True)
class Column:
    """One decision of a cell.

    Attributes:
        kind: Which values a node takes in, which operation stands somewhere, or which values the output has.
        node: Inner node, from 0; M for the output.
        slot: Which of the node's operations.
    """

    kind: Literal["inputs", "operation", "output"]
    node: int
    slot: int = 0


@dataclass(frozen=True)
class NodeChoice:
    """One inner node in one architecture.

    Attributes:
        node: Inner node, from 0.
        places: Places that it takes values from.
        operations: Its operations, one for each place or one for their sum.
    """

    node: int
    places: Parents
    operations: tuple[int, ...]


@dataclass(frozen=True)
class Wiring:
    """One architecture of a cell: its live nodes in order, and the places that the output concatenates."""

    nodes: tuple[NodeChoice, ...]
    output: Parents


@dataclass(frozen=True)
class NodeCell:
    """One kind of cell: every inner node chooses distinct earlier values, and operations for them.

    With operations on edges each chosen value has an operation of its own and a node is their sum (DARTS, arXiv
    1806.09055); with operations on nodes a node is one operation of the sum of its values (NAS-Bench-101, arXiv
    1902.09635). The output concatenates values.

    Attributes:
        name: Name of the cell.
        inputs: Number of values that come from outside, I: the outputs of the cells before it.
        parents: How many values each inner node takes in, length M.
        output: How many values the output chooses; ``None`` for all inner nodes and nothing else.
        on_edges: Whether operations are on edges rather than on nodes.
        reduces: Whether operations on the inputs have a stride of 2.
    """

    name: str
    inputs: int
    parents: tuple[int, ...]
    output: int | None
    on_edges: bool
    reduces: bool = False

    @property
    def nodes(self) -> int:
        """Number of inner nodes, M."""
        return len(self.parents)

    @property
    def parts(self) -> int:
        """Number of values that the output concatenates, K."""
        return self.nodes if self.output is None else self.output

    def slots(self, node: int) -> int:
        """Returns the number of operations of an inner node."""
        return self.parents[node] if self.on_edges else 1

    def inputs_of(self, node: int) -> tuple[Parents, ...]:
        """Returns the sets of places that an inner node, or the output for M, may take values from."""
        if node == self.nodes and self.output is None:
            return (tuple(range(self.inputs, self.inputs + self.nodes)),)
        number = self.parts if node == self.nodes else self.parents[node]
        return tuple(combinations(range(self.inputs + node), number))

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The decisions, in the order of a code; where there is one set of inputs alone nothing is decided."""
        found = []
        for node in range(self.nodes):
            if len(self.inputs_of(node)) > 1:
                found.append(Column("inputs", node))
            found += [Column("operation", node, slot) for slot in range(self.slots(node))]
        if len(self.inputs_of(self.nodes)) > 1:
            found.append(Column("output", self.nodes))
        return tuple(found)

    # What codes say

    def places(self, codes: Codes, node: int) -> Integers:
        """Places that an inner node, or the output for M, takes values from; codes (N, D) to (N, number)."""
        known = np.array(self.inputs_of(node), dtype=np.int64)
        if len(known) == 1:
            return np.broadcast_to(known, (len(codes), known.shape[1]))
        column = self.columns.index(Column("output" if node == self.nodes else "inputs", node))
        return np.asarray(known[codes[:, column]])

    def choices(self, codes: Codes, node: int) -> Integers:
        """Operations of an inner node, codes (N, D) to (N, slots)."""
        columns = [self.columns.index(Column("operation", node, slot)) for slot in range(self.slots(node))]
        return codes[:, columns].astype(np.int64)

    def halves(self, places: Integers) -> NDArray[np.bool_]:
        """Returns whether an operation on the values of these places has a stride of 2, of the shape of ``places``."""
        return (places < self.inputs) & self.reduces

    def live(self, codes: Codes) -> NDArray[np.bool_]:
        """Returns whether the output depends on each inner node, codes (N, D) to (N, M)."""
        count = len(codes)
        rows = np.arange(count)[:, None]
        used = np.zeros((count, self.inputs + self.nodes), dtype=bool)
        used[rows, self.places(codes, self.nodes)] = True
        for node in reversed(range(self.nodes)):
            places = self.places(codes, node)
            used[rows, places] |= used[:, self.inputs + node, None]
        return used[:, self.inputs :]

    def effective(self, codes: Codes) -> Codes:
        """Returns codes with the decisions of nodes that the output does not depend on set to their first choices."""
        live = self.live(codes)
        kept = [column.kind == "output" or live[:, column.node] for column in self.columns]
        return np.where(np.stack(np.broadcast_arrays(*kept), axis=1), codes, np.int8(0)) if kept else codes

    def nonlinear(self, codes: Codes, operations: Sequence[str]) -> Integers:
        """Returns the most nonlinear functions on a path from an input to the output, codes (N, D) to (N,)."""
        inside = nonlinear_table(operations)
        values = np.zeros((len(codes), self.inputs + self.nodes), dtype=np.int64)
        rows = np.arange(len(codes))[:, None]
        for node in range(self.nodes):
            places, choices = self.places(codes, node), self.choices(codes, node)
            arriving = values[rows, places]
            if self.on_edges:
                value = (arriving + inside[self.halves(places).astype(np.int64), choices]).max(axis=1)
            else:
                value = arriving.max(axis=1) + inside[0, choices[:, 0]]
            values[:, self.inputs + node] = value
        return np.asarray(values[rows, self.places(codes, self.nodes)].max(axis=1))

    def wiring(self, code: Codes) -> Wiring:
        """Returns one architecture, code of shape (D,), without dead nodes."""
        row = code[None]
        live = self.live(row)[0]
        chosen = [
            NodeChoice(node, tuple(self.places(row, node)[0].tolist()), tuple(self.choices(row, node)[0].tolist()))
            for node in np.flatnonzero(live).tolist()
        ]
        return Wiring(tuple(chosen), tuple(self.places(row, self.nodes)[0].tolist()))

    def operation_counts(self, codes: Codes, operations: int) -> Integers:
        """Returns how often each operation runs at strides 1 and 2, codes (N, D) to (N, 2, O); dead nodes never run."""
        counts = np.zeros((len(codes), 2, operations), dtype=np.int64)
        live = self.live(codes)
        rows = np.arange(len(codes))
        for node in range(self.nodes):
            places, choices = self.places(codes, node), self.choices(codes, node)
            for slot in range(choices.shape[1]):
                halves = self.halves(places[:, slot]) if self.on_edges else np.zeros(len(codes), dtype=bool)
                np.add.at(counts, (rows, halves.astype(np.int64), choices[:, slot]), live[:, node])
        return counts

    def additions(self, codes: Codes) -> Integers:
        """Returns tensor additions, codes (N, D) to (N,): a node of k values needs k - 1."""
        return np.asarray(self.live(codes) @ (np.array(self.parents, dtype=np.int64) - 1))


def nonlinear_table(operations: Sequence[str]) -> Integers:
    """Returns nonlinear functions of each operation at a stride of 1 and of 2, shape (2, O)."""
    return np.array(
        [[operation_spec(name, stride).nonlinear_functions for name in operations] for stride in (1, 2)], dtype=np.int64
    )
