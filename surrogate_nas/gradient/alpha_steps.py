"""Losses that a distribution over architectures descends."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from surrogate_nas.errors import SettingsError
from surrogate_nas.gradient.distributions.distribution import Distribution, Independent
from surrogate_nas.space.space import Space

_SAME = 1e-6  # relative difference of a cost from a sum over decisions that rounding explains


@dataclass(frozen=True)
class RowCosts:
    """A cost that is a sum over decisions.

    Attributes:
        fixed: The part that no choice changes.
        of_choices: The part of every choice, shape (D, C); zeros where a decision has fewer choices.
        reference: The cost that expected costs are compared with, such as a budget.
    """

    fixed: float
    of_choices: NDArray[np.float64]
    reference: float

    def expected(self, distribution: Independent) -> Tensor:
        """Returns the mean cost of the distribution's architectures."""
        probabilities = distribution.rows().exp()
        return self.fixed + (probabilities * torch.as_tensor(self.of_choices).to(probabilities)).sum()

    def penalty(self, distribution: Independent) -> Tensor:
        """Returns the share by which the expected cost is above the reference; negative below it."""
        return (self.expected(distribution) - self.reference) / self.reference


def row_costs(space: Space, costs: NDArray[np.float64], codes: NDArray[np.int8], reference: float) -> RowCosts:
    """Returns the costs of choices whose sums are the costs of some architectures.

    Args:
        space: The space.
        costs: Cost of each architecture, shape (N,).
        codes: The architectures, shape (N, D), enough of them to tell all choices apart.
        reference: The cost that expected costs are compared with.

    Raises:
        SettingsError: If the costs are no sum over decisions.
    """
    widths = [len(decision.choices) for decision in space.decisions]
    most = max(widths)
    hot = (codes[:, :, None] == np.arange(most)).reshape(len(codes), -1).astype(np.float64)
    # The choice 0 of every decision is the fixed part.
    used = np.array([choice > 0 and choice < width for width in widths for choice in range(most)])
    design = np.column_stack([np.ones(len(codes)), hot[:, used]])
    solved = np.linalg.lstsq(design, costs, rcond=None)[0]
    if np.abs(design @ solved - costs).max() > _SAME * np.abs(costs).max():
        raise SettingsError(
            f"gradient.cost_weight needs a cost that is a sum over decisions, and in {space.name} it is not: set"
            " gradient.cost_weight to 0, and let the search keep the budget"
        )
    table = np.zeros(len(used))
    table[used] = solved[1:]
    return RowCosts(float(solved[0]), table.reshape(len(widths), most), reference)


def score_function(distribution: Distribution, codes: Tensor, advantages: Tensor, entropy: float) -> Tensor:
    """Returns a loss whose gradient raises the probability of draws with a positive advantage (REINFORCE).

    Without entropy, its mean gradient over draws is the gradient of minus the expected reward.

    Args:
        distribution: Where the codes were drawn.
        codes: Shape (N, D).
        advantages: Rewards above a baseline that does not depend on the draws, shape (N,).
        entropy: Weight of the entropy.
    """
    log_probability, on_the_way = distribution.follow(codes)
    return -(advantages * log_probability).mean() - entropy * on_the_way.mean()


@dataclass
class Baseline:
    """A moving average of rewards, which begins with the first.

    Attributes:
        decay: Weight of the former average for each new reward.
        value: The average; ``None`` before the first reward.
    """

    decay: float
    value: float | None = None

    def advantages(self, rewards: Tensor) -> Tensor:
        """Returns rewards (N,) above the average of the former ones, and adds them to it."""
        mean = float(rewards.mean())
        before = mean if self.value is None else self.value
        kept = self.decay ** len(rewards)
        self.value = kept * before + (1 - kept) * mean
        return rewards - before
