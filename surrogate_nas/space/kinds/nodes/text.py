"""Cells whose nodes choose their inputs, as text.

A node is written between bars: with operations on edges ``|operation~place|operation~place|``, with operations on nodes
``|operation~place&place|``; nodes are joined by ``+``; a chosen output is a last part ``|output~place&place|``. Places
are 0 to I - 1 for the cell's I inputs, then one for every inner node.
"""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from surrogate_nas._support.words import shown
from surrogate_nas.errors import SpaceError
from surrogate_nas.space.kinds.nodes.node_cell import NodeCell, Parents
from surrogate_nas.space.space import Codes

_OUTPUT = "output"
# Few digits, since no cell has many nodes and Python refuses to read numbers of thousands of digits.
_PART = re.compile(r"[^|~+&]+~\d{1,3}(&\d{1,3})*", re.ASCII)


def format_cell(cell: NodeCell, row: Codes, operations: Sequence[str]) -> str:
    """Returns one cell, from its part of a code, shape (D,)."""
    codes, nodes = row[None], []
    for node in range(cell.nodes):
        places = cell.places(codes, node)[0].tolist()
        names = [operations[choice] for choice in cell.choices(codes, node)[0]]
        nodes.append(_node(zip(names, [[place] for place in places] if cell.on_edges else [places], strict=True)))
    if cell.output is not None:
        nodes.append(_node([(_OUTPUT, cell.places(codes, cell.nodes)[0].tolist())]))
    return "+".join(nodes)


def _node(parts: "Sequence[tuple[str, list[int]]] | zip[tuple[str, list[int]]]") -> str:
    return "|" + "".join(f"{name}~{'&'.join(map(str, places))}|" for name, places in parts)


def parse_cell(cell: NodeCell, text: str, operations: Sequence[str]) -> NDArray[np.int8]:
    """Returns the part of a code, shape (D,), of a cell in the form of ``format_cell``; inputs may be in any order.

    Raises:
        SpaceError: If it is not such a text, or not a cell of this kind.
    """
    example = format_cell(cell, np.zeros(len(cell.columns), dtype=np.int8), operations)
    nodes = text.split("+")
    if len(nodes) != example.count("+") + 1:
        raise SpaceError(
            f"a cell {cell.name} has {example.count('+') + 1} nodes joined by '+', as {example} (got {shown(text)})"
        )
    chosen: dict[tuple[str, int, int], int] = {}
    for node, written in enumerate(nodes):
        parts = _parts(written, f"node {node} of cell {cell.name}", example)
        places = tuple(place for _, taken in parts for place in taken)
        order = sorted(range(len(parts)), key=lambda part: parts[part][1])
        known = cell.inputs_of(node)
        if tuple(sorted(places)) not in known or len(parts) != (cell.slots(node) if node < cell.nodes else 1):
            raise SpaceError(
                f"{_what(cell, node)} takes in {_choices(known)} (got {shown(written)}); the form is {example}"
            )
        chosen["output" if node == cell.nodes else "inputs", node, 0] = known.index(tuple(sorted(places)))
        for slot, part in enumerate(order):
            name = parts[part][0]
            if node == cell.nodes and name == _OUTPUT:
                continue
            if node == cell.nodes or name not in operations:
                raise SpaceError(
                    f"unknown operation {shown(name)} on {_what(cell, node)};"
                    f" choose from {_OUTPUT if node == cell.nodes else ', '.join(operations)}"
                )
            chosen["operation", node, slot] = list(operations).index(name)
    return np.array([chosen[column.kind, column.node, column.slot] for column in cell.columns], dtype=np.int8)


def _parts(written: str, what: str, example: str) -> list[tuple[str, Parents]]:
    inner = written[1:-1].split("|")
    if not (written.startswith("|") and written.endswith("|") and all(map(_PART.fullmatch, inner))):
        raise SpaceError(f"{what} is not written as in {example} (got {shown(written)})")
    split = [part.split("~") for part in inner]
    return [(name, tuple(int(place) for place in places.split("&"))) for name, places in split]


def _what(cell: NodeCell, node: int) -> str:
    return f"the output of cell {cell.name}" if node == cell.nodes else f"node {node} of cell {cell.name}"


def _choices(known: Sequence[Parents]) -> str:
    return " or ".join("&".join(map(str, places)) for places in known)
