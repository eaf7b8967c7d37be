"""The kinds of graph convolution that a bidirectional network can be made of, by the number W of features per node."""

from torch import nn

from surrogate_nas.predictor.models.attention import GatV2Convolution, TransformerConvolution
from surrogate_nas.predictor.models.dense_layers import DenseGINConv, DenseGraphConv


def sum_convolution(width: int) -> nn.Module:
    """conv(X, A)_u = W1 sum_v A[u, v] X_v + W2 X_u (GraphConv, arXiv 1810.02244).

    A node of a cell is a sum: on recorded supernet labels of NAS-Bench-201, sums order held-out architectures better
    than means, and better than the usual GCN, whose symmetric normalisation is made for undirected graphs.
    """
    made: nn.Module = DenseGraphConv(width, width)
    return made


def isomorphism_convolution(width: int) -> nn.Module:
    """conv(X, A)_u = mlp(X_u + sum_v A[u, v] X_v) (GIN: Xu et al., arXiv 1810.00826)."""
    made: nn.Module = DenseGINConv(nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width)))
    return made


def gatv2_convolution(width: int) -> nn.Module:
    """Attention over neighbours and the node itself (GATv2: Brody et al., arXiv 2105.14491)."""
    return GatV2Convolution(width)


def transformer_convolution(width: int) -> nn.Module:
    """Dot-product attention over neighbours, beside the node's own features (Shi et al., arXiv 2009.03509)."""
    return TransformerConvolution(width)
