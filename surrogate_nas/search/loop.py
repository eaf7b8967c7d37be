"""Search, train the finalists for a while, learn from them, search again: within a budget of trainings."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.search.residual import Posterior, ResidualProcess
from surrogate_nas.search.settings import LoopSettings

Train = Callable[[Sequence[int]], Sequence[float]]
"""Trains the candidates at some rows; gives their validation accuracies in percent, in that order."""


@dataclass(frozen=True)
class Learnt:
    """What the trainings taught about N candidates.

    Attributes:
        rows: Candidates that were trained, in order.
        accuracy_percent: Their validation accuracies.
        posterior: What is believed of all candidates now.
        stopped: Why fewer were trained than allowed; None if as many were.
        allowed: Which candidates may be answered with, shape (N,).
    """

    rows: tuple[int, ...]
    accuracy_percent: tuple[float, ...]
    posterior: Posterior
    stopped: str | None
    allowed: NDArray[np.bool_]

    @property
    def best_first(self) -> list[int]:
        """Allowed candidates, what is believed the best first; an untrained one may be ahead of a trained one.

        A measured accuracy is noisy, and the best of several is so partly by luck: beliefs take that into account.
        """
        order = np.argsort(-self.posterior.mean, kind="stable")
        return [int(row) for row in order[self.allowed[order]]]


def learn_by_training(process: ResidualProcess, train: Train, settings: LoopSettings) -> Learnt:
    """Spends up to ``settings.trainings`` trainings in ``settings.rounds`` batches.

    Args:
        process: The candidates.
        train: Called once a round.
        settings: How many trainings, in how many rounds, and when to stop.
    """
    rows: list[int] = []
    values: list[float] = []
    stopped = None
    for size in batch_sizes(min(settings.trainings, int(process.allowed.sum())), settings.rounds):
        gain = process.expected_gain(rows, values, size)
        if gain < settings.stop_gain_percent:
            stopped = f"{size} more trainings were expected to gain {gain:.3f} percentage points at most"
            break
        batch = process.next_batch(rows, values, size)
        values.extend(float(value) for value in train(batch))
        rows.extend(batch)
    return Learnt(tuple(rows), tuple(values), process.posterior(rows, values), stopped, process.allowed)


def batch_sizes(trainings: int, rounds: int) -> list[int]:
    """Sizes of the batches, the larger ones first: 10 in 3 rounds are 4, 3 and 3."""
    return [len(part) for part in np.array_split(np.arange(trainings), min(rounds, max(trainings, 1))) if len(part)]
