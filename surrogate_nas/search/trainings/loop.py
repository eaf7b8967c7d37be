"""Searches, trains the finalists for a while, learns from them and searches again, within a budget of trainings."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from surrogate_nas._support.words import count_of
from surrogate_nas.search.settings import LoopSettings
from surrogate_nas.search.trainings.residual import Posterior, ResidualProcess

Train = Callable[[Sequence[int]], Sequence[float]]
"""Trains the candidates at some rows; returns their validation accuracies in percent, in that order."""


TrainFor = Callable[[int, Sequence[int]], Sequence[float]]
"""The same for a length in epochs."""


@dataclass(frozen=True)
class Learnt:
    """Knowledge about N candidates after trainings.

    Attributes:
        rows: Candidates that were trained, in order; with several lengths, only for the longest one.
        accuracy_percent: Their validation accuracies.
        posterior: Expected accuracies of all candidates now.
        stopped: Reason for fewer trainings than allowed; None if all were made.
        allowed: True for candidates that may be an answer, shape (N,).
        trained: Lengths in epochs, rising, and the number of trainings of each.
    """

    rows: tuple[int, ...]
    accuracy_percent: tuple[float, ...]
    posterior: Posterior
    stopped: str | None
    allowed: NDArray[np.bool_]
    trained: tuple[tuple[int, int], ...] = ()

    @property
    def best_first(self) -> list[int]:
        """Allowed candidates, the best expected one first; an untrained one may precede a trained one.

        A measured accuracy is noisy, and the best of several is partly lucky; expectations account for that.
        """
        order = np.argsort(-self.posterior.mean, kind="stable")
        return [int(row) for row in order[self.allowed[order]]]


def learn_by_training(process: ResidualProcess, train: Train, settings: LoopSettings) -> Learnt:
    """Spends up to ``settings.trainings`` trainings in ``settings.rounds`` batches.

    Args:
        process: The candidates.
        train: Called once a round.
        settings: Number of trainings and rounds, and the rule to stop.
    """
    rows: list[int] = []
    values: list[float] = []
    stopped = None
    for size in batch_sizes(min(settings.trainings, int(process.allowed.sum())), settings.rounds):
        gain = process.expected_gain(rows, values, size)
        if gain < settings.stop_gain_percent:
            more = f"{count_of(size, 'more training')} {'was' if size == 1 else 'were'}"
            stopped = f"{more} expected to gain {gain:.3f} percentage points at most"
            break
        batch = process.next_batch(rows, values, size)
        values.extend(float(value) for value in train(batch))
        rows.extend(batch)
    return Learnt(tuple(rows), tuple(values), process.posterior(rows, values), stopped, process.allowed)


def learn_by_lengths(process: ResidualProcess, train: TrainFor, settings: LoopSettings, epochs: int) -> Learnt:
    """Runs successive halving (Jamieson and Talwalkar, AISTATS 2016) over training lengths.

    All trainings are first of the shortest length. The accuracies expected after them are the scores at the start of
    the next length, and the best of the trained architectures are trained again from the beginning, for longer; sets of
    budgets take them in turns. With one length this is ``learn_by_training``.

    Args:
        process: The candidates.
        train: Called for each batch.
        settings: Number of trainings of the shortest length, and number of lengths.
        epochs: The longest length.
    """
    first, *longer = training_lengths(epochs, settings)
    learnt = learn_by_training(process, partial(train, first), settings)
    learnt = replace(learnt, trained=((first, len(learnt.rows)),))
    for length in longer:
        if not learnt.rows:
            break
        promoted = process.in_turns(learnt.rows, learnt.posterior.mean)
        promoted = promoted[: -(-len(promoted) // settings.halving)]
        process = process.with_score(learnt.posterior.mean)
        values = [float(value) for value in train(length, promoted)]
        learnt = replace(
            learnt,
            rows=tuple(promoted),
            accuracy_percent=tuple(values),
            posterior=process.posterior(promoted, values),
            trained=(*learnt.trained, (length, len(promoted))),
        )
    return learnt


def training_lengths(epochs: int, settings: LoopSettings) -> list[int]:
    """Returns lengths in epochs, rising to ``epochs``, without duplicates."""
    lengths = [max(1, round(epochs / settings.halving**step)) for step in range(settings.lengths)]
    return sorted(set(lengths))


def batch_sizes(trainings: int, rounds: int) -> list[int]:
    """Returns the sizes of the batches, the larger ones first: 10 in 3 rounds are 4, 3 and 3."""
    return [len(part) for part in np.array_split(np.arange(trainings), min(rounds, max(trainings, 1))) if len(part)]
