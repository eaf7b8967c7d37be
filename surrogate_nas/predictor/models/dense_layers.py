"""The dense graph convolutions of PyTorch Geometric, imported without its noise.

Importing torch_geometric makes recent versions of torch warn that ``torch.jit.script`` is deprecated: nothing that this
project uses, or that its user could change. Models import their layers from here.
"""

import warnings

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message=".*torch.jit", category=FutureWarning)
    warnings.filterwarnings("ignore", message=".*torch.jit", category=DeprecationWarning)
    from torch_geometric.nn.dense import DenseGCNConv, DenseGINConv, DenseGraphConv

__all__ = ["DenseGCNConv", "DenseGINConv", "DenseGraphConv"]
