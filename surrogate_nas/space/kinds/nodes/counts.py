"""Counts the codes of a cell of each nonlinear count, and draws exactly uniformly among them, without a list.

A dynamic program over the nodes. All that the nodes still to come need to know of those before is the nonlinear
functions on the longest path to each, in any order; these are few. Counts are whole numbers of any size.

Symbols:
    N: draws. D: decisions of the cell.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import prod
from typing import final

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.errors import SpaceError
from surrogate_nas.space.counting import combined_populations, draw_summands, shares
from surrogate_nas.space.kinds.nodes.node_cell import NodeCell, nonlinear_table
from surrogate_nas.space.space import Codes

# Longest paths to the inner nodes so far.
State = tuple[int, ...]


@final
@dataclass(frozen=True)
class NodeCounts:
    """Counts of all codes of one or two cells.

    Attributes:
        space: Name of the space, for messages.
        cells: The cells.
        operations: Names of the operations.
    """

    space: str
    cells: tuple[NodeCell, ...]
    operations: tuple[str, ...]

    def populations(self) -> dict[int, int]:
        """Returns the number of codes for each nonlinear count that occurs, exact, by rising count."""
        return combined_populations(self._of_cells())

    def draw(self, count: int, size: int, rng: np.random.Generator) -> Codes:
        """Returns uniform draws with replacement among the codes of one nonlinear count, shape (size, D).

        Raises:
            SpaceError: If no code has that count.
        """
        known = self.populations()
        if count not in known:
            raise SpaceError(
                f"architectures of {self.space} have {', '.join(map(str, known))} nonlinear functions (got {count})"
            )
        summands = draw_summands(self._of_cells(), count, size, rng)
        drawn = [draw_cells(cell, self.operations, summands[:, index], rng) for index, cell in enumerate(self.cells)]
        return np.concatenate(drawn, axis=1)

    def _of_cells(self) -> list[dict[int, int]]:
        return [cell_populations(cell, self.operations) for cell in self.cells]


@lru_cache(maxsize=64)
def cell_populations(cell: NodeCell, operations: tuple[str, ...]) -> dict[int, int]:
    """Returns the number of codes of a cell for each nonlinear count that occurs, by rising count."""
    return dict(sorted(_completions(cell, operations, ()).items()))


@lru_cache(maxsize=2**16)
def _completions(cell: NodeCell, operations: tuple[str, ...], state: State) -> Counter[int]:
    """Returns the number of ways to decide the rest of a cell for each nonlinear count, given a sorted state."""
    node, found = len(state), Counter[int]()
    if node == cell.nodes:
        values = _values(cell, state)
        found.update(max(values[place] for place in places) for places in cell.inputs_of(node))
        return found
    for value, ways in _outcomes(cell, operations, state).items():
        for count, more in _completions(cell, operations, tuple(sorted((*state, value)))).items():
            found[count] += ways * more
    return found


def _outcomes(cell: NodeCell, operations: tuple[str, ...], state: State) -> Counter[int]:
    """Returns the number of ways to decide the next node for each longest path to it."""
    node, values = len(state), _values(cell, state)
    if not cell.on_edges:
        return Counter(value for _, value in _options(cell, operations, state))
    added = [Counter(row) for row in nonlinear_table(operations).tolist()]
    ways = [
        {value + inside: many for inside, many in added[int(cell.reduces and place < cell.inputs)].items()}
        for place, value in enumerate(values)
    ]
    ends = sorted({end for paths in ways for end in paths})
    # The ways of a place not to go beyond each end; the ways of several places are their product.
    within = [[sum(many for end, many in paths.items() if end <= bound) for bound in ends] for paths in ways]
    found = Counter[int]()
    for places in cell.inputs_of(node):
        below = 0
        for position, end in enumerate(ends):
            upto = prod(within[place][position] for place in places)
            found[end] += upto - below
            below = upto
    return +found


@lru_cache(maxsize=2**14)
def _options(cell: NodeCell, operations: tuple[str, ...], state: State) -> tuple[tuple[tuple[int, ...], int], ...]:
    """Returns every way to decide the next node: its columns of a code, and the longest path to it."""
    node, values = len(state), _values(cell, state)
    inside = nonlinear_table(operations).tolist()
    several = len(cell.inputs_of(node)) > 1
    found = []
    for index, places in enumerate(cell.inputs_of(node)):
        for chosen in product(range(len(operations)), repeat=cell.slots(node)):
            if cell.on_edges:
                strides = [int(cell.reduces and place < cell.inputs) for place in places]
                edges = zip(places, strides, chosen, strict=True)
                value = max(values[place] + inside[stride][choice] for place, stride, choice in edges)
            else:
                value = max(values[place] for place in places) + inside[0][chosen[0]]
            found.append(((index, *chosen) if several else chosen, value))
    return tuple(found)


def _values(cell: NodeCell, state: State) -> State:
    return (0,) * cell.inputs + state


def draw_cells(cell: NodeCell, operations: Sequence[str], counts: NDArray[np.int64], rng: np.random.Generator) -> Codes:
    """Draws one code for each wanted nonlinear count, shape (N,), uniform among the ones that have it, shape (N, D)."""
    names = tuple(operations)
    codes = np.zeros((len(counts), len(cell.columns)), dtype=np.int8)
    # Draws with the same wanted count and the same state are drawn together.
    groups: dict[tuple[int, State], NDArray[np.int64]] = {
        (int(count), ()): np.flatnonzero(counts == count) for count in np.unique(counts)
    }
    filled = 0
    for _ in range(cell.nodes):
        grown: dict[tuple[int, State], list[NDArray[np.int64]]] = {}
        for (count, state), rows in groups.items():
            options = _options(cell, names, state)
            ways = [_completions(cell, names, tuple(sorted((*state, value))))[count] for _, value in options]
            picked = rng.choice(len(options), size=len(rows), p=shares(ways))
            columns = np.array([option for option, _ in options], dtype=np.int8)
            codes[rows, filled : filled + columns.shape[1]] = columns[picked]
            values = np.array([value for _, value in options])[picked]
            for value in np.unique(values):
                grown.setdefault((count, (*state, int(value))), []).append(rows[values == value])
        filled += columns.shape[1]
        groups = {key: np.concatenate(parts) for key, parts in grown.items()}
    if filled < codes.shape[1]:
        for (count, state), rows in groups.items():
            values_of = _values(cell, state)
            fits = [max(values_of[place] for place in places) == count for places in cell.inputs_of(cell.nodes)]
            codes[rows, filled] = rng.choice(np.flatnonzero(fits), size=len(rows))
    return codes
