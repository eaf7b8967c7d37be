"""Checks of the graphs and networks of a search space; ``surrogate_nas.testing.spaces`` lists all checks."""

import pickle
import subprocess
import sys
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.space.graphs import ABSENT, FIRST_TYPE, INPUT, OUTPUT
from surrogate_nas.space.layouts import Layers, chosen_variants, layer_variants, layout_of
from surrogate_nas.space.network import NetworkSpec, fixed_total
from surrogate_nas.space.space import Space
from surrogate_nas.testing.rules import looked_at, refuses, require

_CHILD = """
import pickle, sys
space, codes = pickle.load(sys.stdin.buffer)
found = space.fingerprint, space.digits(codes), space.canonical_keys(codes), space.parameters(codes, space.network)
pickle.dump(found, sys.stdout.buffer)
"""


def check_graphs(space: Space) -> None:
    """Graphs lead from the first to the last node along live operations alone, and count as the space counts."""
    codes = looked_at(space)
    graphs, types = space.graphs(codes), space.graph_types
    operations, adjacency = graphs.operations, graphs.adjacency
    require((operations[:, 0] == INPUT).all() and (operations[:, -1] == OUTPUT).all(), "input is first, output last")
    require(graphs.num_types == types.number == len(types.names), "graphs and graph types have as many types")
    require(((operations >= 0) & (operations < types.number)).all(), f"types of nodes are 0 to {types.number - 1}")
    require(all(types.names), "every type has a name")
    coarse = types.coarse_types()
    require(coarse.shape == (types.number,) and (coarse < types.number).all(), "every type has a coarse type")
    require(not np.tril(adjacency).any(), "data flow to later nodes")
    there = operations != ABSENT
    require(not (adjacency & ~(there[:, :, None] & there[:, None, :])).any(), "data flow between nodes that are there")
    inside = np.array([0] * FIRST_TYPE + [operation.nonlinear_functions for operation in types.operations])
    longest = _longest_path(adjacency, inside[operations])
    require(np.array_equal(np.isfinite(longest), space.is_connected(codes)), "connected: a path leads to the output")
    counts = np.where(np.isfinite(longest), longest, 0)
    require(np.array_equal(counts, space.nonlinear_count(codes)), "the nonlinear count is the longest path's")


def check_layouts(space: Space) -> None:
    """Every layer takes what the one before gives, for networks of several sizes and all sizes that codes choose."""
    codes = looked_at(space)
    for network in _networks(space.network):
        positions, chosen = layer_variants(space, network), chosen_variants(space, codes, network)
        largest = tuple(variants[-1] for variants in positions)
        require(space.layout(network) == largest, "the layout of a network is the one at the largest sizes")
        require(chosen.shape == (len(codes), len(positions)), "every architecture has one layer at every position")
        numbers = np.array([len(variants) for variants in positions])
        require(((chosen >= 0) & (chosen < numbers)).all(), "which is one of the layers that may stand there")
        for row in np.unique(chosen, axis=0, return_index=True)[1]:
            _check_layers(space, network, layout_of(space, codes[row], network))
    if space.image_step > 1:
        odd = replace(space.network, image_size=space.network.image_size + 1)
        refuses(lambda: space.layout(odd), f"images whose side is not a multiple of {space.image_step}")


def _check_layers(space: Space, network: NetworkSpec, layers: Layers) -> None:
    size = network.input_channels, network.image_size
    for position, layer in enumerate(layers):
        where = f"layer {position}, {layer.kind}, of {network}"
        require((layer.in_channels, layer.in_size) == size, f"{where} takes what the one before gives, {size}")
        size = layer.out_channels, layer.out_size
    require(size == (network.classes, 1), f"the last layer gives {network.classes} numbers (got {size})")
    chosen = [layer.decision for layer in layers if layer.decision is not None]
    require(len(set(chosen)) == len(chosen), "a decision changes one layer, or all")
    require(set(chosen) <= set(range(space.num_decisions)), f"decisions are 0 to {space.num_decisions - 1}")


def check_costs(space: Space) -> None:
    """Costs are whole numbers, no lower than without what is searched; parameters do not depend on the image."""
    codes = looked_at(space)
    plain, wide, large, grey = _networks(space.network)
    for network in (plain, wide, large, grey):
        for cost, count in ((space.parameters, "parameters"), (space.flops, "flops")):
            values = cost(codes, network)
            require(values.shape == (len(codes),) and values.dtype == np.int64, f"{count} are whole numbers, one each")
    fixed = fixed_total(space.layout(plain), "parameters")
    parameters, flops = space.parameters(codes, plain), space.flops(codes, plain)
    require((parameters >= fixed).all(), f"parameters are at least {fixed:,}, as many as the fixed layers have")
    require((space.parameters(codes, wide) > parameters).all(), "a wider network has more parameters")
    require(np.array_equal(space.parameters(codes, large), parameters), "parameters do not depend on the image")
    require((space.flops(codes, large) >= flops).all(), "a larger image has no fewer multiply-accumulates")


def check_pickling(space: Space) -> None:
    """A space that has been used is the same in another process."""
    codes = looked_at(space)
    space.canonical(codes)
    try:
        sent = pickle.dumps((space, codes))
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise AssertionError(f"a space can be sent to another process: {error}") from None
    done = subprocess.run([sys.executable, "-c", _CHILD], input=sent, capture_output=True, check=False)
    require(done.returncode == 0, f"a space can be used in another process: {done.stderr.decode()[-500:]}")
    fingerprint, digits, keys, parameters = pickle.loads(done.stdout)
    require((fingerprint, digits) == (space.fingerprint, space.digits(codes)), "it is the same space there")
    require(np.array_equal(keys, space.canonical_keys(codes)), "keys are the same in another process")
    require(np.array_equal(parameters, space.parameters(codes, space.network)), "so are parameters")


def _networks(network: NetworkSpec) -> tuple[NetworkSpec, NetworkSpec, NetworkSpec, NetworkSpec]:
    """Returns the space's own network, a wider one, one of larger images, and one of grey images and other classes."""
    return (
        network,
        replace(network, channels=2 * network.channels),
        replace(network, image_size=2 * network.image_size),
        replace(network, input_channels=1, classes=7),
    )


def _longest_path(adjacency: NDArray[np.bool_], values: NDArray[np.int64]) -> NDArray[np.float64]:
    """Returns the largest sum of node values on a path from first to last node, shape (N,); -inf where none leads."""
    best = np.full(values.shape, -np.inf)
    best[:, 0] = values[:, 0]
    for node in range(1, values.shape[1]):
        best[:, node] = np.where(adjacency[:, :, node], best, -np.inf).max(axis=1) + values[:, node]
    return best[:, -1]
