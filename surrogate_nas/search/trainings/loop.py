"""Searches, trains the finalists for a while, learns from them and searches again, within a budget of trainings."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
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

Known = tuple[Sequence[int], Sequence[float]]
"""Rows of trained candidates, and their accuracies in percent."""

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
        check: Measures candidates before they are trained; None where costs are known.
        derived: Rows of candidates that another search derived, the most wanted one first: half of the first batch at
            most, and one at least.
        variations: Rows of draws by the row of the candidate that they are variations of. Where there are some, the
            preferred candidates are a batch of their own, and all others are variations of the best of them.
    """

    preferred: Sequence[int] = ()
    drawn: Sequence[int] = ()
    check: Check | None = None
    derived: Sequence[int] = ()
    variations: Mapping[int, Sequence[int]] = field(default_factory=dict)


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
        train: Called for each batch.
        settings: Number of trainings and rounds, and the rule to stop.
        beginning: Candidates of the first batch; the best by their scores unless given.
    """
    beginning = beginning or Beginning()
    rows: list[int] = []
    values: list[float] = []
    stopped = None
    trainings = min(settings.trainings, int(process.allowed.sum()))
    if beginning.variations:
        rows, process = _affordable(process, partial(_first_of, beginning.preferred, trainings), beginning.check)
        values = [float(value) for value in train(rows)] if rows else []
    for batches, size in enumerate(batch_sizes(trainings - len(rows), settings.rounds)):
        # Preferred candidates alone say little about their variations, so the batch after them is trained in any case.
        gain = process.expected_gain(rows, values, size) if batches else float("inf")
        if gain < settings.stop_gain_percent:
            more = f"{count_of(size, 'more training')} {'was' if size == 1 else 'were'}"
            stopped = f"{more} expected to gain {gain:.3f} percentage points at most"
            break
        if batches:
            choose = partial(_later, (rows, values), size, beginning)
        else:
            choose = partial(_first_batch, (rows, values), size, beginning, trainings)
        batch, process = _affordable(process, choose, beginning.check)
        if not batch:
            stopped = "every architecture that was to be trained next is measured over the budgets"
            break
        values.extend(float(value) for value in train(batch))
        rows.extend(batch)
    return Learnt(tuple(rows), tuple(values), process.posterior(rows, values), stopped, process)


def _first_batch(known: Known, size: int, beginning: Beginning, trainings: int, process: ResidualProcess) -> list[int]:
    """Returns the batch to begin with, or the first one after the preferred candidates, where these were a batch.

    Args:
        known: What was trained, preferred candidates or nothing.
        size: Number of candidates.
        beginning: Candidates to begin with.
        trainings: Number of trainings in all.
        process: The candidates.
    """
    rows, _ = known
    chosen = process.in_turns(beginning.derived, _in_order(beginning.derived, len(process)))
    chosen = [row for row in chosen if row not in rows][: max(1, size // _DERIVED)]
    wanted = [] if beginning.variations else _first_of(beginning.preferred, trainings, process)
    order = _in_order(beginning.drawn, len(process))
    for draws in (_of_the_best(known, beginning, process), process):
        wanted += draws.in_turns(beginning.drawn, order)
    wanted = [row for row in dict.fromkeys(wanted) if row not in (*rows, *chosen)]
    chosen += wanted[: size - len(chosen)]
    return chosen + process.next_batch(*known, size - len(chosen), chosen)


def _later(known: Known, size: int, beginning: Beginning, process: ResidualProcess) -> list[int]:
    """Returns the batch that trainings suggest: of variations alone, where there are enough."""
    chosen: list[int] = []
    if beginning.variations:
        every = np.zeros(len(process), dtype=np.bool_)
        every[list(beginning.drawn)] = True
        for draws in (_of_the_best(known, beginning, process), process.with_answers(process.answers & every)):
            chosen += draws.next_batch(*known, size - len(chosen), chosen)
    return chosen + process.next_batch(*known, size - len(chosen), chosen)


def _of_the_best(known: Known, beginning: Beginning, process: ResidualProcess) -> ResidualProcess:
    """Returns the candidates, of which only variations of the best trained parents may be answers to a set of budgets.

    Parents as good as the best one but for the least unit of deviations have variations too. All candidates may be
    answers where no parent was trained that keeps these budgets.
    """
    answers = process.answers.copy()
    accuracy = dict(zip(*known, strict=True))
    for one in answers:
        parents = [row for row in accuracy if one[row] and row in beginning.variations]
        least = max((accuracy[row] for row in parents), default=0.0) - process.least_unit
        its = np.zeros(len(process), dtype=np.bool_)
        its[[row for parent in parents if accuracy[parent] >= least for row in beginning.variations[parent]]] = True
        if parents:
            one &= its
    return process.with_answers(answers)


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
