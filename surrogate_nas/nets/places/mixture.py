"""Weights for the choices of every decision, in place of one choice each.

A supernet under a mixture runs several choices at a place and sums their weighted outputs, as differentiable searches
do (DARTS, arXiv 1806.09055). A code is the mixture whose weights are one-hot.

Symbols:
    D: decisions of the space. O: choices of a decision.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Mixture:
    """Weights for the choices of every decision.

    Attributes:
        weights: Shape (O,) for each decision, length D.
        computed: Choices that are run, ascending, for each decision. A choice that is not among them adds nothing,
            and its weight has no gradient; one of weight 0 may be among them for its gradient.
    """

    weights: tuple[Tensor, ...]
    computed: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, weights: Sequence[Tensor]) -> "Mixture":
        """Returns the mixture that runs the choices whose weights are not zero."""
        computed = tuple(tuple(torch.nonzero(each.detach()).flatten().tolist()) for each in weights)
        return cls(tuple(weights), computed)

    @classmethod
    def one_hot(cls, code: Sequence[int], choices: Sequence[int]) -> "Mixture":
        """Returns the mixture that is one architecture.

        Args:
            code: The architecture, length D.
            choices: Number of choices of each decision, length D.
        """
        weights = tuple(torch.eye(count)[choice] for choice, count in zip(code, choices, strict=True))
        return cls(weights, tuple((int(choice),) for choice in code))
