"""Losses of a fit: pure functions of scores and targets of one batch.

Symbols:
    B: architectures in the batch.
    s: scores of the model, shape (B,).
    t: targets, shape (B,), larger is better.

Only the order that a ranking loss produces matters, so the scale of its scores is arbitrary.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

Loss = Callable[[Tensor, Tensor], Tensor]


def pairwise_logistic(scores: Tensor, targets: Tensor) -> Tensor:
    """Returns the mean over all pairs with t_i > t_j of log(1 + exp(s_j - s_i)); 0 where all targets are equal.

    RankNet (Burges et al., "Learning to Rank using Gradient Descent", ICML 2005) with certain preferences. Pairs of
    equal targets carry no information and are left out.

    Args:
        scores: Shape (B,).
        targets: Shape (B,).

    Returns:
        Shape ().
    """
    better = (targets[:, None] > targets[None, :]).to(scores.dtype)
    lost = F.softplus(scores[None, :] - scores[:, None])
    return (lost * better).sum() / better.sum().clamp(min=1)


def listwise_likelihood(scores: Tensor, targets: Tensor) -> Tensor:
    """Returns minus the log-likelihood, per architecture, of the targets' order in the scores' Plackett-Luce model.

    With s sorted by descending t: 1/B * sum_i (log sum_{j >= i} exp(s_j) - s_i). ListMLE (Xia et al., "Listwise
    Approach to Learning to Rank", ICML 2008). Equal targets keep their order in the batch.

    Args:
        scores: Shape (B,).
        targets: Shape (B,).

    Returns:
        Shape ().
    """
    worst_first = scores[torch.argsort(targets, descending=True, stable=True)].flip(0)
    return (torch.logcumsumexp(worst_first, dim=0) - worst_first).mean()


def mean_squared_error(scores: Tensor, targets: Tensor) -> Tensor:
    """Returns the mean of (s - t)^2, as in GCN-fit (arXiv 2004.08423); targets should have a scale near 1.

    Args:
        scores: Shape (B,).
        targets: Shape (B,).

    Returns:
        Shape ().
    """
    return F.mse_loss(scores, targets)


LOSSES: dict[str, Loss] = {
    "pairwise": pairwise_logistic,
    "listwise": listwise_likelihood,
    "mse": mean_squared_error,
    "mse_values": mean_squared_error,
}
