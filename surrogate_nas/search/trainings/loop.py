"""Searches, trains the finalists for a while, learns from them and searches again, within a budget of trainings."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from surrogate_nas._support.words import count_of
from surrogate_nas.search.candidates import Floats
from surrogate_nas.search.settings import LoopSettings
from surrogate_nas.search.trainings.residual import Posterior, ResidualProcess
from surrogate_nas.search.trainings.trained_first import trained_first

Train = Callable[[Sequence[int]], Sequence[float]]
"""Trains the candidates at some rows; returns their validation accuracies in percent, in that order."""


TrainFor = Callable[[int, Sequence[int]], Sequence[float]]
"""The same for a length in epochs."""

Check = Callable[[Sequence[int]], NDArray[np.bool_]]
"""Measures the candidates at some rows; returns which candidates may be answers to each set of budgets, (B, N)."""

_MOST_CHOICES = 10  # of one batch, whose members may all be measured over the budget
_PREFERRED = 4  # one training in so many is of a preferred candidate, at most
_DERIVED = 2  # and one in so many of the first batch is derived by another search


@dataclass(frozen=True)
class Beginning:
    """Candidates to begin with.

    Attributes:
        preferred: Rows of candidates that are trained in any case, in the first batch, the most wanted one first: a
            quarter of all trainings at most, or of the networks of the longest length, where there are several. Kinds
            of networks that learn slowly would not get so far.
        drawn: Rows of draws, which fill the first batch in this order; the best scores fill it if there are none.
        only_drawn: True if later batches are draws, too, where a score says little about other candidates.
        check: Measures candidates before they are trained; None where costs are known.
        derived: Rows of candidates that another search derived, the most wanted one first: half of the first batch at
            most, and one at least.
    """

    preferred: Sequence[int] = ()
    drawn: Sequence[int] = ()
    check: Check | None = None
    derived: Sequence[int] = ()
    only_drawn: bool = False


@dataclass(frozen=True)
class Learnt:
    """Knowledge about N candidates after trainings.

    Attributes:
        rows: Candidates that were trained, in order; with several lengths, only for the longest one.
        accuracy_percent: Their validation accuracies.
        posterior: Expected accuracies of all candidates now.
        stopped: Reason for fewer trainings than allowed; None if all were made.
        process: The candidates, as they are known after measurements.
        trained: Lengths in epochs, rising, and the number of trainings of each.
    """

    rows: tuple[int, ...]
    accuracy_percent: tuple[float, ...]
    posterior: Posterior
    stopped: str | None
    process: ResidualProcess
    trained: tuple[tuple[int, int], ...] = ()

    @property
    def expected_percent(self) -> Floats:
        """Expected accuracies of all candidates, shape (N,), none of an untrained one above ``trained_first``."""
        return trained_first(self.posterior.mean, self.rows, self.process.answers)

    @property
    def best_first(self) -> list[int]:
        """Allowed candidates, the best expected one first: a trained one, where one keeps the budgets.

        A measured accuracy is noisy, and the best of several is partly lucky; expectations account for that.
        """
        order = np.argsort(-self.expected_percent, kind="stable")
        return [int(row) for row in order[self.process.allowed[order]]]


def learn_by_training(
    process: ResidualProcess, train: Train, settings: LoopSettings, beginning: Beginning | None = None
) -> Learnt:
    """Spends up to ``settings.trainings`` trainings in ``settings.rounds`` batches.

    Args:
        process: The candidates.
        train: Called once a round.
        settings: Number of trainings and rounds, and the rule to stop.
        beginning: Candidates of the first batch; the best by their scores unless given.
    """
    beginning = beginning or Beginning()
    rows: list[int] = []
    values: list[float] = []
    stopped = None
    for size in batch_sizes(min(settings.trainings, int(process.allowed.sum())), settings.rounds):
        gain = process.expected_gain(rows, values, size)
        if gain < settings.stop_gain_percent:
            more = f"{count_of(size, 'more training')} {'was' if size == 1 else 'were'}"
            stopped = f"{more} expected to gain {gain:.3f} percentage points at most"
            break
        choose = partial(_choose, (rows, values), size, beginning, settings.trainings)
        batch, process = _affordable(process, choose, beginning.check)
        if not batch:
            stopped = "every architecture that was to be trained next is measured over the budgets"
            break
        values.extend(float(value) for value in train(batch))
        rows.extend(batch)
    return Learnt(tuple(rows), tuple(values), process.posterior(rows, values), stopped, process)


def _choose(
    known: tuple[Sequence[int], Sequence[float]],
    size: int,
    beginning: Beginning,
    trainings: int,
    process: ResidualProcess,
) -> list[int]:
    """Returns the next batch: the one to begin with, or the one that the trainings so far suggest.

    Args:
        known: Rows of the trained candidates, and their accuracies.
        size: Number of candidates.
        beginning: Candidates of the first batch.
        trainings: Number of trainings in all.
        process: The candidates.
    """
    if known[0]:
        return _later(known, size, beginning, process)
    derived = process.in_turns(beginning.derived, _in_order(beginning.derived, len(process)))
    chosen = derived[: max(1, size // _DERIVED)]
    preferred = _first_of(beginning.preferred, trainings, process)
    chosen += [row for row in preferred if row not in chosen][: size - len(chosen)]
    drawn = process.in_turns(beginning.drawn, _in_order(beginning.drawn, len(process)))
    chosen += [row for row in drawn if row not in chosen][: size - len(chosen)]
    return chosen + process.next_batch([], [], size - len(chosen), chosen)


def _later(
    known: tuple[Sequence[int], Sequence[float]], size: int, beginning: Beginning, process: ResidualProcess
) -> list[int]:
    """Returns the batch that trainings suggest: of draws alone, where later batches are draws and enough are left."""
    rows, values = known
    if beginning.only_drawn:
        drawn = np.zeros(len(process), dtype=np.bool_)
        drawn[list(beginning.drawn)] = True
        chosen = process.with_answers(process.answers & drawn).next_batch(rows, values, size)
        if len(chosen) == size:
            return chosen
    return process.next_batch(rows, values, size)


def _first_of(preferred: Sequence[int], trainings: int, process: ResidualProcess) -> list[int]:
    """Returns the preferred candidates of a number of trainings, one for each set of budgets at least."""
    count = min(trainings, max(-(-trainings // _PREFERRED), process.sets))
    return process.in_turns(preferred, _in_order(preferred, len(process)))[:count]


def _in_order(rows: Sequence[int], count: int) -> NDArray[np.float64]:
    """Returns values of candidates, shape (count,), by which the first of the rows is the best."""
    values = np.zeros(count)
    values[list(rows)] = np.arange(len(rows), 0, -1)
    return values


def _affordable(
    process: ResidualProcess, choose: Callable[[ResidualProcess], list[int]], check: Check | None
) -> tuple[list[int], ResidualProcess]:
    """Returns a batch whose members keep their budgets as measured too, and the candidates as they are known then."""
    batch = choose(process)
    if check is None:
        return batch, process
    for _ in range(_MOST_CHOICES):
        process, before = process.with_answers(check(batch)), batch
        batch = choose(process)
        if batch == before:
            return batch, process
    process = process.with_answers(check(batch))
    return [row for row in batch if process.allowed[row]], process


def learn_by_lengths(
    process: ResidualProcess,
    train: TrainFor,
    settings: LoopSettings,
    epochs: int,
    beginning: Beginning | None = None,
) -> Learnt:
    """Runs successive halving (Jamieson and Talwalkar, AISTATS 2016) over training lengths.

    All trainings are first of the shortest length. The accuracies expected after them are the scores at the start of
    the next length, and the best of the trained architectures are trained again from the beginning, for longer; sets of
    budgets take them in turns. With one length this is ``learn_by_training``.

    Args:
        process: The candidates.
        train: Called for each batch.
        settings: Number of trainings of the shortest length, and number of lengths.
        epochs: The longest length.
        beginning: Candidates of the first batch; the best by their scores unless given.
    """
    first, *longer = training_lengths(epochs, settings)
    beginning = beginning or Beginning()
    early = replace(beginning, preferred=()) if longer else beginning
    learnt = learn_by_training(process, partial(train, first), settings, early)
    learnt = replace(learnt, trained=((first, len(learnt.rows)),))
    for length in longer:
        if not learnt.rows:
            break
        process = learnt.process.with_score(learnt.posterior.mean)
        promoted = process.in_turns(learnt.rows, learnt.posterior.mean)
        promoted = promoted[: -(-len(promoted) // settings.halving)]
        if length == epochs:
            wanted, process = _affordable(
                process, partial(_first_of, beginning.preferred, len(promoted)), beginning.check
            )
            promoted += [row for row in wanted if row not in promoted]
        values = [float(value) for value in train(length, promoted)]
        learnt = replace(
            learnt,
            rows=tuple(promoted),
            accuracy_percent=tuple(values),
            posterior=process.posterior(promoted, values),
            process=process,
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
