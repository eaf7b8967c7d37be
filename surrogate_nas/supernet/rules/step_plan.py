"""Plans each training step: subnets, learning rate, factors of their losses, and the momenta that move.

All of it is worked out for a block of steps at once, since a step of a small supernet takes few milliseconds.
"""

from dataclasses import dataclass
from itertools import compress
from typing import NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.space.extremes import sizes
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Codes, Space
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
        teacher: Position of the subnet whose scores the others learn; ``None`` where all learn labels alone.
        distillation: Share of these scores in what they learn.
    """

    codes: tuple[tuple[int, ...], ...]
    rate: float
    factors: tuple[float, ...]
    groups: tuple[int, ...]
    teacher: int | None = None
    distillation: float = 0.0


class Opening(NamedTuple):
    """First steps of a training that train one subnet alone.

    Attributes:
        until: Step before which they end.
        code: The subnet, shape (D,).
    """

    until: int
    code: Codes


class Teaching(NamedTuple):
    """Distillation from the largest subnet of each step, as in US-Nets (arXiv 1903.05134).

    Attributes:
        network: Sizes of the supernet, by which subnets are compared.
        share: Share of its scores in what the other subnets learn.
    """

    network: NetworkSpec
    share: float


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
        teaching: How subnets of a step learn from each other; ``None`` where they do not.
        opening: Its first steps, if they are of one subnet.
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
        teaching: Teaching | None = None,
        opening: Opening | None = None,
    ) -> None:
        self._space, self._sampler, self._schedule, self._separation = space, sampler, schedule, separation
        self._first, self._length, self._progress = first_step, last_step - first_step, progress
        self._teaching, self._opening = teaching, opening
        self._number = -1
        self._block: list[Step] = []

    def step(self, number: int) -> Step:
        """Returns the plan of step ``number``."""
        block, offset = divmod(number, BLOCK)
        if block != self._number:
            self._block, self._number = self._worked_out(block), block
        return self._block[offset]

    def _worked_out(self, block: int) -> list[Step]:
        steps = self._steps_of(block, self._sampler.block(block))
        if self._opening is None:
            return steps
        opened = min(BLOCK, max(0, self._opening.until - block * BLOCK))
        alone = np.broadcast_to(self._opening.code, (BLOCK, 1, len(self._opening.code)))
        return [*self._steps_of(block, alone)[:opened], *steps[opened:]]

    def _steps_of(self, block: int, codes: Codes) -> list[Step]:
        """Returns the steps of a block on given subnets, shape (BLOCK, S, D)."""
        begun, ended = self._progress
        share = (np.arange(block * BLOCK, (block + 1) * BLOCK) - self._first) / self._length
        # A block may begin before the training or end after it; those steps are never taken.
        rates, factors = self._schedule.rates(begun + (ended - begun) * share.clip(0, 1), codes)
        groups = self._groups(codes)
        connected = self._space.is_connected(codes.reshape(-1, codes.shape[2])).reshape(codes.shape[:2])
        alive: list[list[bool]] = np.asarray(connected).tolist()
        teachers = self._teachers(codes, np.asarray(connected))
        rows = zip(codes.tolist(), rates.tolist(), factors.tolist(), groups.tolist(), alive, teachers, strict=True)
        return [
            Step(
                tuple(tuple(code) for code in compress(subnets, living)),
                rate,
                tuple(compress(those, living)),
                tuple(compress(whose, living)),
                teacher,
                0.0 if self._teaching is None else self._teaching.share,
            )
            for subnets, rate, those, whose, living, teacher in rows
        ]

    def _groups(self, codes: Codes) -> Codes:
        """Returns the group of momenta of each subnet, for codes (n, S, D), shape (n, S)."""
        if self._separation is None:
            return np.zeros_like(codes[:, :, 0])
        if self._space.elastic_runs:  # what stands at a layer depends on the layers before it
            codes = self._space.effective(codes.reshape(-1, codes.shape[2])).reshape(codes.shape)
        return np.asarray(codes[:, :, self._separation])

    def _teachers(self, codes: Codes, connected: NDArray[np.bool_]) -> list[int | None]:
        """Returns the position of each step's largest subnet among its connected ones, for codes (n, S, D)."""
        if self._teaching is None:
            return [None] * len(codes)
        found = sizes(self._space, self._teaching.network, codes.reshape(-1, codes.shape[2])).reshape(codes.shape[:2])
        largest = np.where(connected, found, -np.inf).argmax(axis=1)
        before = connected.cumsum(axis=1)[np.arange(len(codes)), largest] - 1
        positions: list[int | None] = before.tolist()
        return positions
