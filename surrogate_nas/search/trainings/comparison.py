"""Features by which the process of trainings compares architectures.

Symbols:
    N: architectures.
    F: features.
"""

import numpy as np

from surrogate_nas.predictor.features.graph_features import node_types, path_features
from surrogate_nas.search.candidates import Floats
from surrogate_nas.search.trainings.residual import standardised
from surrogate_nas.space.layouts import ChoosesSize
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Codes, Space


def comparable_features(space: Space, network: NetworkSpec, codes: Codes) -> Floats:
    """Returns features of architectures, shape (N, F), distances between them being about 1.

    They are counts of operations and of their successors. In a space that chooses sizes, half of every distance is of
    the network as a whole: its size, its depth, and how often it has each operation and size. Among hundreds of counts
    of successors these would have no weight.

    Args:
        space: The search space.
        network: The deployed network.
        codes: Canonical codes, shape (N, D).
    """
    paths = path_features(space, codes)
    if not isinstance(space, ChoosesSize):
        return standardised(paths)
    # The first columns count operations; sizes are nodes of the graphs.
    whole = np.column_stack([_sizes(space, network, codes), paths[:, : node_types(space).kinds]])
    return np.asarray(np.concatenate([standardised(paths), standardised(whole)], axis=1) / np.sqrt(2))


def _sizes(space: Space, network: NetworkSpec, codes: Codes) -> Floats:
    """Returns logarithms of parameters and multiply-accumulates, and the number of nonlinear functions, (N, 3)."""
    counts = np.stack([space.parameters(codes, network), space.flops(codes, network)], axis=1)
    return np.column_stack([np.log(np.maximum(counts, 1)), space.nonlinear_count(codes)])
