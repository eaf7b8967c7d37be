"""The computation of one cell, for operations that it owns or borrows."""

from collections.abc import Callable, Sequence

from torch import Tensor


def run_cell(
    edges: Sequence[tuple[int, int]], operations: Sequence[Callable[[Tensor], Tensor] | None], x: Tensor
) -> Tensor:
    """Sums, at every node, what the operations on its incoming edges make of their start nodes.

    Args:
        edges: Start and end node of each edge, topologically ordered, length E; the last node is the output.
        operations: What each edge does, length E; ``None`` cuts the edge.
        x: Input at node 0, shape (B, C, H, W).

    Returns:
        Value of the output node, of the shape of x; zeros where no edge reaches it.
    """
    nodes: dict[int, Tensor] = {0: x}
    for (start, end), operation in zip(edges, operations, strict=True):
        if operation is None or start not in nodes:
            continue
        value = operation(nodes[start])
        nodes[end] = nodes[end] + value if end in nodes else value
    output = nodes.get(max(end for _, end in edges))
    return x.new_zeros(x.shape) if output is None else output
