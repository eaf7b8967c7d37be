"""The graph network of GCN-fit, kept as a reference to compare other models with.

Symbols:
    B: graphs in the batch.
    V: nodes of a graph.
    A: adjacency, (B, V, V); treated as undirected.
    X: features, (B, V, W).

One layer is X' = relu(D^-1/2 (A + A^T + I) D^-1/2 X W) with D the degrees (Kipf and Welling, arXiv 1609.02907).
"""

import torch.nn.functional as F
from torch import Tensor, nn

from surrogate_nas.predictor.models.bidirectional import mean_over_nodes, present_nodes
from surrogate_nas.predictor.models.convolutions import DenseGCNConv
from surrogate_nas.predictor.models.encoding import GraphBatch


class PlainGcn(nn.Module):
    """Predictor as in GCN-fit (arXiv 2004.08423): undirected convolutions, mean over nodes, one number per graph.

    Args:
        num_types: Number of node types.
        width: Features per node W.
        layers: Number of layers.
    """

    def __init__(self, num_types: int, width: int, layers: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(num_types, width)
        self.convolutions = nn.ModuleList([DenseGCNConv(width, width) for _ in range(layers)])
        self.head = nn.Linear(width, 1)

    def forward(self, graphs: GraphBatch) -> Tensor:
        """Returns scores, shape (B,)."""
        present = present_nodes(graphs)
        undirected = (graphs.adjacency + graphs.adjacency.transpose(1, 2)).clamp(max=1)
        features = self.embedding(graphs.operations) * present
        for convolution in self.convolutions:
            features = F.relu(convolution(features, undirected)) * present
        scores: Tensor = self.head(mean_over_nodes(features, present)).squeeze(-1)
        return scores
