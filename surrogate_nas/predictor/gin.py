"""A graph isomorphism network that looks along the data flow and against it.

Symbols:
    B: graphs in the batch.
    V: nodes of a graph.
    W: features per node.
    A: adjacency, (B, V, V), A[b, u, v] = 1 where data flow from u to v.
    X: features, (B, V, W).

One layer is X' = gelu(norm(gin_in(X, A^T) + gin_out(X, A))) with gin(X, A)_u = mlp((1 + e) X_u + sum_v A[u, v] X_v).
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from surrogate_nas.predictor.dense_layers import DenseGINConv
from surrogate_nas.predictor.encoding import GraphBatch


class BidirectionalGin(nn.Module):
    """GIN (Xu et al., arXiv 1810.00826) with weights of their own for each direction, one number per graph.

    Args:
        num_types: Number of node types.
        width: Features per node W.
        layers: Number of layers.
    """

    def __init__(self, num_types: int, width: int, layers: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(num_types, width)
        self.incoming = nn.ModuleList([_convolution(width) for _ in range(layers)])
        self.outgoing = nn.ModuleList([_convolution(width) for _ in range(layers)])
        self.norms = nn.ModuleList([nn.LayerNorm(width) for _ in range(layers)])
        self.head = nn.Sequential(nn.Linear(2 * width, width), nn.ReLU(), nn.Linear(width, 1))

    def forward(self, graphs: GraphBatch) -> Tensor:
        """Scores, shape (B,)."""
        present = (graphs.operations != 0).unsqueeze(-1).to(graphs.adjacency.dtype)  # (B, V, 1)
        reverse = graphs.adjacency.transpose(1, 2)
        features = self.embedding(graphs.operations) * present
        for incoming, outgoing, norm in zip(self.incoming, self.outgoing, self.norms, strict=True):
            features = F.gelu(norm(incoming(features, reverse) + outgoing(features, graphs.adjacency))) * present
        mean = features.sum(dim=1) / present.sum(dim=1)
        scores: Tensor = self.head(torch.cat([mean, features[:, -1]], dim=1)).squeeze(-1)
        return scores


def _convolution(width: int) -> nn.Module:
    convolution: nn.Module = DenseGINConv(nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width)))
    return convolution
