"""A graph convolutional network that looks along the data flow and against it.

Symbols:
    B: graphs in the batch.
    V: nodes of a graph.
    W: features per node.
    A: adjacency, (B, V, V), A[b, u, v] = 1 where data flow from u to v.
    X: features, (B, V, W).

One layer is X' = gelu(norm(conv_in(X, A^T) + conv_out(X, A))), where conv(X, A)_u = W1 * sum_v A[u, v] X_v + W2 * X_u:
what flows in and what flows out are convolved with weights of their own, as a cell reads differently backwards.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from surrogate_nas.predictor.dense_layers import DenseGraphConv
from surrogate_nas.predictor.encoding import GraphBatch


class BidirectionalGcn(nn.Module):
    """Scores graphs of operations: one number per graph, on a scale of its own.

    GCN-fit (arXiv 2004.08423) introduced graph convolutions for this; the two directions follow BRP-NAS (arXiv
    2007.08668). The convolution sums over neighbours (GraphConv, arXiv 1810.02244), because a node of a cell is a sum:
    on recorded supernet labels of NAS-Bench-201, sums order held-out architectures better than means, and better than
    the usual GCN, whose symmetric normalisation is made for undirected graphs. A layer replaces the features instead of
    adding to them: its convolutions keep a node's own features already, and a residual measured worse.

    Args:
        num_types: Number of node types.
        width: Features per node W.
        layers: Number of layers.
    """

    def __init__(self, num_types: int, width: int, layers: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(num_types, width)
        self.incoming = nn.ModuleList([DenseGraphConv(width, width) for _ in range(layers)])
        self.outgoing = nn.ModuleList([DenseGraphConv(width, width) for _ in range(layers)])
        self.norms = nn.ModuleList([nn.LayerNorm(width) for _ in range(layers)])
        self.head = nn.Sequential(nn.Linear(2 * width, width), nn.ReLU(), nn.Linear(width, 1))

    def forward(self, graphs: GraphBatch) -> Tensor:
        """Scores, shape (B,)."""
        present = (graphs.operations != 0).unsqueeze(-1).to(graphs.adjacency.dtype)  # (B, V, 1)
        reverse = graphs.adjacency.transpose(1, 2)
        features = self.embedding(graphs.operations) * present  # (B, V, W)
        for incoming, outgoing, norm in zip(self.incoming, self.outgoing, self.norms, strict=True):
            update = norm(incoming(features, reverse) + outgoing(features, graphs.adjacency))
            features = F.gelu(update) * present
        mean = features.sum(dim=1) / present.sum(dim=1)
        scores: Tensor = self.head(torch.cat([mean, features[:, -1]], dim=1)).squeeze(-1)
        return scores
