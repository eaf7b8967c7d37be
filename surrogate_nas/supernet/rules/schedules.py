"""Computes learning rates over training, for blocks of steps at once.

Symbols:
    n: steps of a block. S: subnets of a step. D: decisions of the space.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar, Protocol, final

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.errors import SettingsError
from surrogate_nas.space.extremes import parameter_range
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Codes, Space
from surrogate_nas.supernet.rule import Rule, RuleSettings

Rates = tuple[NDArray[np.float64], NDArray[np.float64]]


class Schedule(Protocol):
    """Learning rate as a function of the share of the schedule that is over, and of the step's subnets."""

    def rates(self, progress: NDArray[np.float64], codes: Codes) -> Rates:
        """Returns the learning rates of steps, shape (n,), and factors of their subnets' losses, shape (n, S).

        Args:
            progress: Share of the schedule that is over before each step, from 0 to less than 1, shape (n,).
            codes: Subnets, shape (n, S, D).
        """


@final
class Cosine:
    """Half a cosine from ``first`` to ``last``, the same for every subnet (SGDR, arXiv 1608.03983)."""

    def __init__(self, first: float, last: float) -> None:
        self._first, self._last = first, last

    def rates(self, progress: NDArray[np.float64], codes: Codes) -> Rates:
        """Returns learning rates, shape (n,), and factors of 1, shape (n, S)."""
        wave = (1 + np.cos(np.pi * progress)) / 2
        return self._last + (self._first - self._last) * wave, np.ones(codes.shape[:2])


@final
class Complexity:
    """The complexity-aware learning rate of DYNAS (arXiv 2503.10740): small subnets decay fast, large ones slowly.

    eta_t(a) = eta_0 (1 - t/T)^gamma(a), gamma(a) = w ln C(a) + b, with C the number of parameters, gamma of the
    smallest subnet gamma_max and of the largest 1 / gamma_max. With several subnets a step, the learning rate stays
    eta_0 and the power multiplies each loss.

    C counts the parameters that the subnet computes with, without dead edges, in the supernet's sizes; smallest and
    largest are over all connected architectures of the space. A soft split needs a rate at the end, for what its
    sub-supernets do in the last steps: with one, the rate decays to it and not to 0.

    Args:
        space: The search space.
        network: Sizes of the supernet.
        first: eta_0.
        gamma_max: Exponent of the smallest subnet.
        last: Learning rate at the end.

    Raises:
        SettingsError: If all architectures have the same number of parameters.
    """

    def __init__(self, space: Space, network: NetworkSpec, first: float, gamma_max: float, last: float = 0.0) -> None:
        fewest, most = parameter_range(space, network)
        if fewest == most:
            raise SettingsError(
                f"supernet.schedule = 'complexity' needs architectures that differ in size; in {space.name} all have"
                f" {fewest:,} parameters"
            )
        self._space, self._network, self._first, self._largest_gamma = space, network, first, gamma_max
        self._left = last / first  # of the rate, at the end
        self._smallest = float(np.log(float(fewest)))
        self._slope = (1 / gamma_max - gamma_max) / (float(np.log(float(most))) - self._smallest)

    def gamma(self, codes: Codes) -> NDArray[np.float64]:
        """Returns the exponents of architectures, for codes of shape (N, D), shape (N,)."""
        sizes = np.log(self._space.parameters(self._space.effective(codes), self._network).astype(np.float64))
        return np.maximum(self._largest_gamma + self._slope * (sizes - self._smallest), 0.0)

    def rates(self, progress: NDArray[np.float64], codes: Codes) -> Rates:
        """Returns learning rates, shape (n,), and factors, shape (n, S)."""
        steps, subnets, decisions = codes.shape
        gamma = self.gamma(codes.reshape(-1, decisions)).reshape(steps, subnets)
        powers = self._left + (1 - self._left) * (1 - progress)[:, None] ** gamma
        if subnets == 1:
            return self._first * powers[:, 0], np.ones_like(powers)
        return np.full(steps, self._first), powers


class ScheduleRule(Rule, ABC):
    """A schedule that settings choose."""

    @abstractmethod
    def schedule(self, space: Space, network: NetworkSpec, settings: RuleSettings) -> Schedule:
        """Returns the schedule of all trainings.

        Args:
            space: The search space.
            network: Sizes of the supernet.
            settings: The settings of the supernet.

        Raises:
            SettingsError: If the settings do not fit the space.
        """


@final
class CosineRule(ScheduleRule):
    """Half a cosine."""

    def schedule(self, space: Space, network: NetworkSpec, settings: RuleSettings) -> Schedule:  # noqa: ARG002
        """Returns half a cosine between the two learning rates."""
        return Cosine(settings.learning_rate, settings.last_rate)


@final
class ComplexityRule(ScheduleRule):
    """A learning rate that decays faster for small subnets."""

    own: ClassVar[frozenset[str]] = frozenset({"gamma_max"})

    def schedule(self, space: Space, network: NetworkSpec, settings: RuleSettings) -> Schedule:
        """Returns a decay between the exponents of the smallest and the largest subnet."""
        return Complexity(space, network, settings.learning_rate, settings.gamma_max, settings.last_rate)

    def refusals(self, settings: RuleSettings) -> Iterator[str]:
        """Yields a refusal of a final learning rate other than 0, but for soft splits, which do not end at 0."""
        if settings.final_learning_rate and settings.own_share == 1:
            yield "final_learning_rate belongs to schedule = 'cosine'; 'complexity' ends at 0 where own_share is 1"


SCHEDULES: dict[str, ScheduleRule] = {"cosine": CosineRule(), "complexity": ComplexityRule()}
