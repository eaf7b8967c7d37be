"""Distributions over the architectures of a box.

Symbols:
    N: architectures. D: decisions. C: largest number of choices of a decision; the choices that it lacks, or that the
    box excludes, have probability 0.
"""

from abc import ABC, abstractmethod
from typing import final

import torch
from torch import Tensor, nn

from surrogate_nas.space.space import Space
from surrogate_nas.supernet.splits.boxes import Box, whole_box

_FIRST_SPREAD = 1e-3  # of logits before the first step, as in DARTS


class Distribution(nn.Module, ABC):
    """A distribution over architectures, with parameters to learn.

    Attributes:
        choices: Number of choices of each decision, length D.
        allowed: Choices that have a probability, shape (D, C).

    Args:
        space: The space.
        box: Choices that have a probability; all of them if not given.
    """

    allowed: Tensor

    def __init__(self, space: Space, box: Box | None = None) -> None:
        super().__init__()
        self.choices = tuple(len(decision.choices) for decision in space.decisions)
        allowed = torch.zeros(len(self.choices), max(self.choices), dtype=torch.bool)
        for row, chosen in zip(allowed, whole_box(space) if box is None else box, strict=True):
            row[list(chosen)] = True
        self.register_buffer("allowed", allowed, persistent=False)

    @abstractmethod
    def follow(self, codes: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the log-probability of codes (N, D), and the entropy of the decisions on the way, shape (N,) each."""

    @abstractmethod
    def draw(self, noise: Tensor) -> Tensor:
        """Returns codes (N, D) drawn with Gumbel noise of shape (N, D, C)."""

    def masked(self, logits: Tensor, decision: int | slice) -> Tensor:
        """Returns logits (..., C) of decisions, minus infinity where a choice has no probability."""
        return logits.masked_fill(~self.allowed[decision], -torch.inf)

    def reference_entropy(self) -> float:
        """Returns the largest entropy that is possible, that of a uniform distribution."""
        return float(self.allowed.sum(dim=1).double().log().sum())


def entropy_of(log_probabilities: Tensor) -> Tensor:
    """Returns entropies of log-probabilities (..., C), of which some may be minus infinity."""
    known = log_probabilities.masked_fill(log_probabilities.isinf(), 0.0)
    return -(log_probabilities.exp() * known).sum(dim=-1)


@final
class Independent(Distribution):
    """Softmax distributions of decisions that do not depend on each other.

    Attributes:
        logits: Shape (D, C).

    Args:
        space: The space.
        seed: Seed of the first logits, which are nearly equal.
        box: Choices that have a probability; all of them if not given.
    """

    def __init__(self, space: Space, seed: int, box: Box | None = None) -> None:
        super().__init__(space, box)
        generator = torch.Generator().manual_seed(seed)
        self.logits = nn.Parameter(_FIRST_SPREAD * torch.randn(self.allowed.shape, generator=generator))

    def rows(self) -> Tensor:
        """Returns log-probabilities of the choices, shape (D, C)."""
        return self.masked(self.logits, slice(None)).log_softmax(dim=1)

    def follow(self, codes: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the log-probability of codes (N, D), and the entropy, which is the same for all, shape (N,) each."""
        rows = self.rows()
        taken = rows.expand(len(codes), -1, -1).gather(2, codes[:, :, None])
        return taken.sum(dim=(1, 2)), entropy_of(rows).sum().expand(len(codes))

    def draw(self, noise: Tensor) -> Tensor:
        """Returns codes (N, D) drawn with Gumbel noise of shape (N, D, C)."""
        return (self.rows().detach() + noise).argmax(dim=2)
