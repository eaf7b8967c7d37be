"""Networks of cells whose nodes choose their inputs.

A stage is a number of cells of the first kind. Between stages the size halves and the width doubles: by a cell of the
second kind where there is one that reduces (DARTS, arXiv 1806.09055), else by max pooling and in the projections of the
cell that follows (NAS-Bench-101, arXiv 1902.09635). Every cell first projects what comes from outside to its width.
"""

from collections.abc import Sequence

from surrogate_nas.space.kinds.nodes.node_cell import NodeCell
from surrogate_nas.space.network import NODES, Layer, NetworkSpec, check_halving


def node_layout(cells: Sequence[NodeCell], network: NetworkSpec, stem: int) -> tuple[Layer, ...]:
    """Returns the layers of a network.

    Args:
        cells: One cell, or one and another that reduces.
        network: Sizes; the width is a node's, and ``cells`` counts a stage's cells without the one that reduces.
        stem: Channels of the stem as a multiple of the width.

    Raises:
        SpaceError: If the stages cannot halve the images.
    """
    check_halving(network)
    size, width = network.image_size, network.channels
    layers = [Layer("stem", network.input_channels, stem * width, size, size, 0)]
    # Channels and size of what came before; the stem stands for what is before it.
    outputs = [(stem * width, size)] * max(cell.inputs for cell in cells)
    for stage in range(network.stages):
        kinds = [cells[0]] * network.cells
        if stage:
            width *= 2
            if len(cells) > 1:
                kinds.insert(0, cells[1])
            else:
                channels, size = outputs[-1]
                layers.append(Layer("pooling", channels, channels, size, size // 2, stage))
                outputs.append((channels, size // 2))
        for cell in kinds:
            channels, size = outputs[-1]
            smaller = size // 2 if cell.reduces else size
            outside = tuple(outputs[-cell.inputs :])
            layers.append(Layer(NODES, channels, cell.parts * width, size, smaller, stage, outside=outside))
            outputs.append((cell.parts * width, smaller))
    channels, size = outputs[-1]
    layers.append(Layer("classifier", channels, network.classes, size, 1, network.stages - 1))
    return tuple(layers)


def cell_at(cells: Sequence[NodeCell], layer: Layer) -> int:
    """Returns the index of the cell that stands at a layer of kind ``NODES``."""
    return int(len(cells) > 1 and layer.out_size < layer.in_size)


def node_width(cell: NodeCell, layer: Layer) -> int:
    """Channels of the nodes of a cell that stands at a layer."""
    return layer.out_channels // cell.parts


def projections(cell: NodeCell, layer: Layer) -> tuple[Layer, ...]:
    """Returns the fixed layers that bring each value from outside to the width and size of a cell."""
    width = node_width(cell, layer)
    return tuple(
        Layer("projection", channels, width, size, layer.in_size, layer.stage) for channels, size in layer.outside
    )
