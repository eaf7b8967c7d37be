"""A graph network that reads the data flow in both directions, with any kind of convolution.

Symbols:
    B: graphs in the batch.
    V: nodes of a graph.
    W: features per node.
    A: adjacency, (B, V, V), A[b, u, v] = 1 where data flow from u to v.
    X: features, (B, V, W).

One layer is X' = gelu(norm(in(X, A^T) + out(X, A))), where in and out are convolutions with separate weights: inputs
and outputs of a node are distinguished, since a cell differs from its reverse.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from surrogate_nas.predictor.models.encoding import GraphBatch

# Features per node W -> module that maps X and an adjacency (row u names the nodes that u receives from) to (B, V, W).
MakeConvolution = Callable[[int], nn.Module]


def present_nodes(graphs: GraphBatch) -> Tensor:
    """Returns 1 for every node that is there, 0 for absent ones, shape (B, V, 1)."""
    return (graphs.operations != 0).unsqueeze(-1).to(graphs.adjacency.dtype)


def mean_over_nodes(features: Tensor, present: Tensor) -> Tensor:
    """Returns the mean of features over present nodes, shape (B, W); features are 0 at absent nodes.

    Args:
        features: Shape (B, V, W).
        present: Shape (B, V, 1).
    """
    return features.sum(dim=1) / present.sum(dim=1)


class BidirectionalNetwork(nn.Module):
    """Scores graphs of operations: one number per graph, on an arbitrary scale.

    GCN-fit (arXiv 2004.08423) introduced graph convolutions for this; the two directions follow BRP-NAS (arXiv
    2007.08668). A layer replaces the features instead of adding to them: every convolution here keeps a node's own
    features already, and a residual measured worse.

    Args:
        make_convolution: The kind of convolution, a function of ``convolutions``.
        num_types: Number of node types.
        width: Features per node W.
        layers: Number of layers.
    """

    def __init__(self, make_convolution: MakeConvolution, num_types: int, width: int, layers: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(num_types, width)
        self.incoming = nn.ModuleList([make_convolution(width) for _ in range(layers)])
        self.outgoing = nn.ModuleList([make_convolution(width) for _ in range(layers)])
        self.norms = nn.ModuleList([nn.LayerNorm(width) for _ in range(layers)])
        self.head = nn.Sequential(nn.Linear(2 * width, width), nn.ReLU(), nn.Linear(width, 1))

    def forward(self, graphs: GraphBatch) -> Tensor:
        """Returns scores, shape (B,)."""
        present = present_nodes(graphs)
        reverse = graphs.adjacency.transpose(1, 2)
        features = self.embedding(graphs.operations) * present  # (B, V, W)
        for incoming, outgoing, norm in zip(self.incoming, self.outgoing, self.norms, strict=True):
            update = norm(incoming(features, reverse) + outgoing(features, graphs.adjacency))
            features = F.gelu(update) * present
        pooled = torch.cat([mean_over_nodes(features, present), features[:, -1]], dim=1)
        scores: Tensor = self.head(pooled).squeeze(-1)
        return scores
