"""Isomorphism keys of cells whose nodes choose their inputs.

Symbols:
    N: architectures. I: inputs of the cell. M: inner nodes. S: sources of data: the inputs, then every operation.
    K: parts of the output.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.space.hashing import graph_keys
from surrogate_nas.space.kinds.nodes.node_cell import NodeCell
from surrogate_nas.space.operations.table import operation_spec
from surrogate_nas.space.space import Codes

_ABSENT, _PART = 0, 1


def cell_keys(cell: NodeCell, codes: Codes, operations: Sequence[str]) -> NDArray[np.uint64]:
    """Returns Weisfeiler-Lehman keys of cells, codes (N, D) to (N,), with identities contracted and dead nodes dropped.

    Two cells share a key when one becomes the other by renaming nodes, parts of the output included (whatever follows
    can permute its weights likewise), and moving identities. Larger cells than the papers' could share a key
    without being isomorphic.
    """
    return graph_keys(*contracted(cell, codes, operations), rounds=cell.nodes + 2)


def contracted(cell: NodeCell, codes: Codes, operations: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """Cells as graphs of what computes, without identities.

    Returns:
        Types, shape (N, S + K): 0 for what is dead or an identity, 1 for a part of the output, others for each input
        and each operation at each stride; and how often data flow from one to another, shape (N, S + K, S + K).
    """
    count, slots = len(codes), sum(cell.slots(node) for node in range(cell.nodes))
    sources = cell.inputs + slots
    rows = np.arange(count)
    identity = np.array([[operation_spec(name, stride).is_identity for name in operations] for stride in (1, 2)])
    types = np.zeros((count, sources + cell.parts), dtype=np.int64)
    flow = np.zeros((count, sources + cell.parts, sources + cell.parts), dtype=np.uint64)
    # What is summed at each place, as multiplicities of sources.
    value = np.zeros((count, cell.inputs + cell.nodes, sources), dtype=np.uint64)
    for place in range(cell.inputs):
        types[:, place] = _PART + 1 + place
        value[:, place, place] = 1
    live, source = cell.live(codes), cell.inputs
    for node in range(cell.nodes):
        places, choices = cell.places(codes, node), cell.choices(codes, node)
        for slot in range(cell.slots(node)):
            taken = places[:, [slot]] if cell.on_edges else places
            arriving = value[rows[:, None], taken].sum(axis=1, dtype=np.uint64)
            stride = cell.halves(taken[:, 0]).astype(np.int64) if cell.on_edges else np.zeros(count, dtype=np.int64)
            choice = choices[:, slot]
            hands_on = identity[stride, choice]
            computes = live[:, node] & ~hands_on
            kind = _PART + 1 + cell.inputs + stride * len(operations) + choice
            types[:, source] = np.where(computes, kind, _ABSENT)
            flow[:, :sources, source] = np.where(computes[:, None], arriving, np.uint64(0))
            value[:, cell.inputs + node] += np.where(hands_on[:, None], arriving, np.uint64(0))
            value[:, cell.inputs + node, source] += computes
            source += 1
    outputs = cell.places(codes, cell.nodes)
    for part in range(cell.parts):
        types[:, sources + part] = _PART
        flow[:, :sources, sources + part] = value[rows, outputs[:, part]]
    return types, flow
