"""Averages the weights over the last part of a training, at regular intervals."""

from collections.abc import Mapping
from typing import final

import torch
from torch import Tensor, nn

SAMPLES = 200  # at most, that enter a mean


@final
class TailAverage:
    """A running mean of a network's weights, taken at equal distances that end with the last step.

    Stochastic weight averaging (arXiv 1803.05407), without its own learning rate. Batch-norm statistics need no care:
    a subnet records its own before it is evaluated.

    Args:
        network: Owner of the weights.
        share: Share of the training's steps, counted from its end; 0 for no mean.
        first_step: Step before which the training begins.
        last_step: Step before which it ends.
    """

    def __init__(self, network: nn.Module, share: float, first_step: int, last_step: int) -> None:
        self._names = [name for name, _ in network.named_parameters()]
        self._parameters = [parameter.detach() for parameter in network.parameters()]
        self._steps = max(1, round(share * (last_step - first_step))) if share else 0
        self._every = -(-self._steps // SAMPLES)
        self._last = last_step
        self._mean: list[Tensor] = []
        self.count = 0

    def take(self, step: int) -> None:
        """Adds the weights after a number of steps to the mean, if they are due."""
        left = self._last - step
        if left >= self._steps or left % self._every:
            return
        self.count += 1
        if self._mean:
            torch._foreach_lerp_(self._mean, self._parameters, 1 / self.count)
        else:
            self._mean = [parameter.clone() for parameter in self._parameters]

    def mean(self) -> dict[str, Tensor]:
        """Returns the mean by parameter name; empty before the first sample."""
        return dict(zip(self._names, self._mean, strict=False))

    def restore(self, mean: Mapping[str, Tensor], count: int) -> None:
        """Continues from a mean of a number of samples."""
        self.count = count
        if count:
            pairs = zip(self._names, self._parameters, strict=True)
            self._mean = [torch.empty_like(parameter).copy_(mean[name]) for name, parameter in pairs]
