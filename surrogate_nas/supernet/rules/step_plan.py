"""Plans each training step: subnets, learning rate, factors of their losses, and the momenta that move.

All of it is worked out for a block of steps at once, since a step of a small supernet takes few milliseconds.
"""

from dataclasses import dataclass
from itertools import compress
from typing import final

import numpy as np

from surrogate_nas.space.space import Space
from surrogate_nas.supernet.rules.samplers import BLOCK, PathSampler
from surrogate_nas.supernet.rules.schedules import Schedule


@dataclass(frozen=True)
class Step:
    """One training step.

    Attributes:
        codes: The subnets to train, S of them, each of length D.
        rate: Learning rate.
        factors: Factors of the losses, length S.
        groups: Group of momenta that each subnet moves, length S.
    """

    codes: tuple[tuple[int, ...], ...]
    rate: float
    factors: tuple[float, ...]
    groups: tuple[int, ...]


@final
class Agenda:
    """The steps of a training.

    Subnets without a path from input to output are dropped: they have nothing to train.

    Args:
        space: The search space.
        sampler: Draws the subnets.
        schedule: The learning-rate rule.
        separation: Decision whose choice is the group of a subnet's momenta; ``None`` for one group.
        first_step: Step before which the training begins.
        last_step: Step before which it ends.
        progress: Shares of the schedule that are over at its beginning and its end.
    """

    def __init__(
        self,
        space: Space,
        sampler: PathSampler,
        schedule: Schedule,
        separation: int | None,
        *,
        first_step: int,
        last_step: int,
        progress: tuple[float, float] = (0.0, 1.0),
    ) -> None:
        self._space, self._sampler, self._schedule, self._separation = space, sampler, schedule, separation
        self._first, self._steps, self._progress = first_step, last_step - first_step, progress
        self._number = -1
        self._block: list[Step] = []

    def step(self, number: int) -> Step:
        """Returns the plan of step ``number``."""
        block, offset = divmod(number, BLOCK)
        if block != self._number:
            self._block, self._number = self._worked_out(block), block
        return self._block[offset]

    def _worked_out(self, block: int) -> list[Step]:
        codes = self._sampler.block(block)  # (BLOCK, S, D)
        begun, ended = self._progress
        share = (np.arange(block * BLOCK, (block + 1) * BLOCK) - self._first) / self._steps
        # A block may begin before the training or end after it; those steps are never taken.
        rates, factors = self._schedule.rates(begun + (ended - begun) * share.clip(0, 1), codes)
        groups = np.zeros_like(codes[:, :, 0]) if self._separation is None else codes[:, :, self._separation]
        connected = self._space.is_connected(codes.reshape(-1, codes.shape[2])).reshape(codes.shape[:2])
        alive: list[list[bool]] = np.asarray(connected).tolist()
        rows = zip(codes.tolist(), rates.tolist(), factors.tolist(), groups.tolist(), alive, strict=True)
        return [
            Step(
                tuple(tuple(code) for code in compress(subnets, living)),
                rate,
                tuple(compress(those, living)),
                tuple(compress(whose, living)),
            )
            for subnets, rate, those, whose, living in rows
        ]
