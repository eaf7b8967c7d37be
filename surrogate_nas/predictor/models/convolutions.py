"""Graph convolutions on dense batches: layers of PyTorch Geometric, and of attention, which has no dense form there.

Symbols:
    B: graphs in the batch.
    V: nodes of a graph.
    W: features per node.
    H: heads; C = W / H: features of a head.
    A: adjacency, (B, V, V); node u receives from node v where A[b, u, v] = 1.
    X: features, (B, V, W).
    a: attention, (B, H, V, V), rows of which sum to 1 over the nodes received from.

Graphs of a space have few nodes and all of them the same number, so V^2 pairs of nodes cost less than lists of edges.
Names, shapes and initial values of weights follow GATv2Conv and TransformerConv; tests compare the layers.
"""

import warnings
from math import gcd, sqrt

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# Importing torch_geometric makes recent versions of torch warn that ``torch.jit.script`` is deprecated, which this
# project does not use and its user cannot change. So models import their layers from here.
with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message=".*torch.jit", category=FutureWarning)
    warnings.filterwarnings("ignore", message=".*torch.jit", category=DeprecationWarning)
    from torch_geometric.nn.dense import DenseGCNConv, DenseGINConv, DenseGraphConv

__all__ = [
    "DenseGCNConv",
    "DenseGINConv",
    "DenseGraphConv",
    "GatV2Convolution",
    "TransformerConvolution",
    "gatv2_convolution",
    "isomorphism_convolution",
    "sum_convolution",
    "transformer_convolution",
]

MOST_HEADS = 4
_SLOPE = 0.2


def heads_of(width: int) -> int:
    """Returns the number of heads that divide the features: 4, or 2 or 1 where 4 is not a divisor."""
    return gcd(width, MOST_HEADS)


def _attention(logits: Tensor, heard: Tensor) -> Tensor:
    """Returns softmax over the nodes received from, 0 elsewhere and where there are none, shape (B, H, V, V).

    Args:
        logits: Shape (B, H, V, V).
        heard: Bool, shape (B, V, V).
    """
    masked = logits.masked_fill(~heard.unsqueeze(1), torch.finfo(logits.dtype).min)
    return torch.softmax(masked, dim=-1) * heard.unsqueeze(1)


class GatV2Convolution(nn.Module):
    """GATv2: the attention of u to v depends on both of them (Brody et al., arXiv 2105.14491).

    X'_u = sum_v a[u, v] L X_v + b with a[u, v] = softmax_v(att . leaky_relu(L X_v + R X_u)), u itself among the v.

    Args:
        width: Features per node W.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads = heads_of(width)
        self.lin_l = nn.Linear(width, width)
        self.lin_r = nn.Linear(width, width)
        self.att = nn.Parameter(torch.empty(self.heads, width // self.heads))
        self.bias = nn.Parameter(torch.zeros(width))
        for weight in (self.lin_l.weight, self.lin_r.weight, self.att):
            nn.init.xavier_uniform_(weight)
        for bias in (self.lin_l.bias, self.lin_r.bias):
            nn.init.zeros_(bias)

    def forward(self, features: Tensor, adjacency: Tensor) -> Tensor:
        """Returns what every node receives, shape (B, V, W), from X and A."""
        source = self.lin_l(features).unflatten(-1, (self.heads, -1))  # (B, V, H, C)
        target = self.lin_r(features).unflatten(-1, (self.heads, -1))
        pairs = F.leaky_relu(target.unsqueeze(2) + source.unsqueeze(1), _SLOPE)  # (B, u, v, H, C)
        logits = (pairs * self.att).sum(dim=-1).permute(0, 3, 1, 2)
        itself = torch.eye(adjacency.shape[1], dtype=torch.bool, device=adjacency.device)
        attention = _attention(logits, (adjacency > 0) | itself)
        heard: Tensor = torch.einsum("bhuv,bvhc->buhc", attention, source).flatten(2)
        return heard + self.bias


class TransformerConvolution(nn.Module):
    """Layer of the graph transformer: dot-product attention over neighbours (Shi et al., arXiv 2009.03509).

    X'_u = S X_u + sum_v a[u, v] L X_v with a[u, v] = softmax_v(Q X_u . K X_v / sqrt(C)) over the v that reach u.

    Args:
        width: Features per node W.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads = heads_of(width)
        self.lin_key = nn.Linear(width, width)
        self.lin_query = nn.Linear(width, width)
        self.lin_value = nn.Linear(width, width)
        self.lin_skip = nn.Linear(width, width)

    def forward(self, features: Tensor, adjacency: Tensor) -> Tensor:
        """Returns what every node receives, added to its own features, shape (B, V, W), from X and A."""
        query, key, value = (
            layer(features).unflatten(-1, (self.heads, -1)).transpose(1, 2)  # (B, H, V, C)
            for layer in (self.lin_query, self.lin_key, self.lin_value)
        )
        logits = query @ key.transpose(2, 3) / sqrt(query.shape[-1])
        heard = _attention(logits, adjacency > 0) @ value
        together: Tensor = self.lin_skip(features) + heard.transpose(1, 2).flatten(2)
        return together


def sum_convolution(width: int) -> nn.Module:
    """Returns conv(X, A)_u = W1 sum_v A[u, v] X_v + W2 X_u (GraphConv, arXiv 1810.02244).

    A node of a cell is a sum: on recorded supernet labels of NAS-Bench-201, sums order held-out architectures better
    than means, and better than the usual GCN, whose symmetric normalisation is made for undirected graphs.
    """
    made: nn.Module = DenseGraphConv(width, width)
    return made


def isomorphism_convolution(width: int) -> nn.Module:
    """Returns conv(X, A)_u = mlp(X_u + sum_v A[u, v] X_v) (GIN: Xu et al., arXiv 1810.00826)."""
    made: nn.Module = DenseGINConv(nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width)))
    return made


def gatv2_convolution(width: int) -> nn.Module:
    """Returns attention over neighbours and the node itself (GATv2: Brody et al., arXiv 2105.14491)."""
    return GatV2Convolution(width)


def transformer_convolution(width: int) -> nn.Module:
    """Returns dot-product attention over neighbours plus the node's own features (Shi et al., arXiv 2009.03509)."""
    return TransformerConvolution(width)
