"""Measures of networks with random weights: pure functions of their features and gradients.

Symbols:
    A: architectures.
    B: images.
    C: channels; H, W: height and width.
    P: positions, B * H * W.
"""

import torch
from torch import Tensor

_SMALL = 1e-8
_JITTER = 1e-3


def spectrum_entropy(features: Tensor) -> Tensor:
    """Returns the entropy of the channel covariance's normalised eigenvalues: AZ-NAS's expressivity (arXiv 2403.19232).

    High where the features fill their space evenly, 0 where all of them lie on a line.

    Args:
        features: Shape (A, B, C, H, W).

    Returns:
        Shape (A,), 0 to log C.
    """
    rows = features.transpose(1, 2).flatten(2)  # (A, C, P)
    rows = rows - rows.mean(dim=2, keepdim=True)
    values = torch.linalg.eigvalsh(rows @ rows.transpose(1, 2) / rows.shape[2]).clamp(min=0)
    shares = values / values.sum(dim=1, keepdim=True).clamp(min=_SMALL)
    entropy: Tensor = -(shares * torch.log(shares + _SMALL)).sum(dim=1)
    return entropy


def gradient_gain(outgoing: Tensor, incoming: Tensor) -> Tensor:
    """Returns the largest singular value of the matrix that carries a random gradient through a layer, as in AZ-NAS.

    With signs s at the output and their gradient g at the input, the matrix is the mean over positions of g s^T. A
    layer that halves the size has its input gradient folded into channels first.

    Args:
        outgoing: Signs at the output, shape (A, B, C, H, W).
        incoming: Gradients at the input, shape (A, B, C', k H, k W), or less by fewer than k rows and columns.

    Returns:
        Shape (A,).
    """
    factor = -(-incoming.shape[-1] // outgoing.shape[-1])
    lacking = [factor * there - here for here, there in zip(incoming.shape[-2:], outgoing.shape[-2:], strict=True)]
    incoming = torch.nn.functional.pad(incoming, (0, lacking[1], 0, lacking[0])) if any(lacking) else incoming
    folded = torch.nn.functional.pixel_unshuffle(incoming, factor) if factor > 1 else incoming
    left = folded.transpose(1, 2).flatten(2)
    right = outgoing.transpose(1, 2).flatten(2)
    # The largest singular value through the smaller Gram matrix, several times faster than a decomposition.
    matrix = left @ right.transpose(1, 2) / right.shape[2]
    if matrix.shape[1] > matrix.shape[2]:
        matrix = matrix.transpose(1, 2)
    largest: Tensor = torch.linalg.eigvalsh(matrix @ matrix.transpose(1, 2))[:, -1]
    return largest.clamp(min=0).sqrt()


def trainability(gain: Tensor) -> Tensor:
    """Returns AZ-NAS's score of a gain, of any shape: 0 where gradients keep their size, else negative."""
    return 2 - gain - 1 / (gain + 1e-6)


def code_matches(activations: Tensor) -> Tensor:
    """Returns for each pair of images the number of units where both or neither are active (naswot, arXiv 2006.04647).

    Args:
        activations: Inputs of a rectifier, shape (A, B, ...).

    Returns:
        Shape (A, B, B).
    """
    signs = (activations > 0).flatten(2).to(torch.float32) * 2 - 1
    return (signs @ signs.transpose(1, 2) + signs.shape[2]) / 2


def log_determinant(kernel: Tensor) -> Tensor:
    """Returns the log-determinant of positive semidefinite matrices of shape (A, B, B), shape (A,)."""
    jitter = _JITTER * torch.eye(kernel.shape[1], dtype=torch.float64)
    logarithm: Tensor = torch.linalg.slogdet(kernel.double() + jitter)[1]
    return logarithm
