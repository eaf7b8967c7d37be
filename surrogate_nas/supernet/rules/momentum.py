"""Chooses whose momenta a step moves: one set for all subnets, or one for each group of them."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import final

import numpy as np

from surrogate_nas.supernet.rule import Rule, RuleSettings
from surrogate_nas.supernet.splits.boxes import Box

_SEPARATION_STREAM = 700_000  # of the random draws of a plan's seed


class MomentumRule(Rule, ABC):
    """Rule that groups subnets; each group has its own momenta over the same weights."""

    @abstractmethod
    def separation(self, box: Box, seed: int) -> int | None:
        """Returns the decision whose choice is the group of a subnet, or ``None`` for one group.

        Args:
            box: The choices that a training draws from.
            seed: Seed of the plan.
        """


@final
class Joint(MomentumRule):
    """One set of momenta for all subnets."""

    def separation(self, box: Box, seed: int) -> int | None:  # noqa: ARG002 - there is one group
        """Returns ``None``: there is one group."""
        return None


@final
class Separated(MomentumRule):
    """Separate momenta for each choice of one decision (DYNAS, arXiv 2503.10740)."""

    def separation(self, box: Box, seed: int) -> int | None:
        """Returns the first decision, in an order drawn from the seed, that is open in the box.

        So a training whose parent's decision is still open continues with its parent's momenta.
        """
        order = np.random.default_rng([seed, _SEPARATION_STREAM]).permutation(len(box))
        return next((int(column) for column in order if len(box[column]) > 1), None)

    def refusals(self, settings: RuleSettings) -> Iterator[str]:
        """Yields a refusal where there is no momentum to separate."""
        if settings.momentum == 0:
            yield "momentum_groups = 'separated' needs a momentum above 0"


MOMENTUM_GROUPS: dict[str, MomentumRule] = {"joint": Joint(), "separated": Separated()}
