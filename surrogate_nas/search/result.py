"""Result of a search: its best architectures, or its nearest misses."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.search.candidates import Candidates, Floats, Rows, class_numbers
from surrogate_nas.search.selection import best_first, front, nearest_first, representatives
from surrogate_nas.space.space import Codes, Space


@dataclass(frozen=True)
class SearchResult:
    """Outcome of a search; T trials, D decisions, B budgets.

    ``best`` is None where no connected architecture seen meets every budget; then ``nearest`` and ``smallest_costs``
    give the distance to the budgets, and ``finalists`` and ``pareto`` are empty. With the sampler scan, finalists,
    Pareto front, nearest and smallest costs are over all scanned architectures; otherwise over the trials. All of them
    are connected.

    Attributes:
        codes: The trials, shape (T, D).
        mean: Predicted accuracy, shape (T,).
        std: Spread of the prediction, shape (T,).
        costs: Name (with unit) to values of shape (T,).
        violation: Relative excess over each budget, and 1 where no path leads from input to output, else -1; shape
            (T, B + 1); at most 0 is feasible.
        feasible: True where connected and within every budget, shape (T,).
        best: Trial with the highest predicted accuracy among the feasible ones; ties go to the cheaper.
        finalists: Codes of the best feasible architectures, best first, of distinct canonical classes, shape (F, D).
        pareto: Codes of the feasible Pareto front of accuracy and primary cost, best accuracy first, shape (P, D).
        nearest: Connected codes with the smallest excess over the budgets, of distinct canonical classes, shape
            (M, D); M is 0 unless ``best`` is None.
        primary_cost: Name of the cost that is traded against accuracy.
        smallest_costs: The smallest value of each cost among connected architectures; empty if none was seen.
        exact: Whether the whole space was scored.
        opened: Whether the journal was created, resumed or replaced.
        notes: Messages for the user: repairs, fewer trials than asked for.
    """

    codes: Codes
    mean: Floats
    std: Floats
    costs: dict[str, Floats]
    violation: Floats
    feasible: NDArray[np.bool_]
    best: int | None
    finalists: Codes
    pareto: Codes
    nearest: Codes
    primary_cost: str
    smallest_costs: dict[str, float]
    exact: bool
    opened: Literal["created", "resumed", "replaced"]
    notes: tuple[str, ...]


def summarise(
    space: Space,
    trials: Candidates,
    whole: Candidates | None,
    *,
    finalists: int,
    opened: Literal["created", "resumed", "replaced"],
    notes: tuple[str, ...],
    classes: Rows | None = None,
) -> SearchResult:
    """Picks best, finalists, Pareto front or nearest misses.

    Args:
        space: The search space.
        trials: The T trials, in order.
        whole: The whole space, or the pool that stands for it, where it was scored.
        finalists: Number of finalists, and of nearest misses.
        opened: State of the journal.
        notes: Messages for the user.
        classes: Canonical class of each architecture of ``whole``; computed where it is not given.
    """
    known = trials if whole is None else whole
    classes = class_numbers(space, known.codes) if classes is None else classes
    connected = known.connected
    chosen = representatives(known, classes)
    chosen = chosen[connected[chosen]]
    feasible = chosen[known.feasible[chosen]]
    best_trials = best_first(trials, np.flatnonzero(trials.feasible))
    nearest = chosen[:0] if len(feasible) else nearest_first(known, chosen)[:finalists]
    return SearchResult(
        codes=trials.codes,
        mean=trials.mean,
        std=trials.std,
        costs=dict(trials.costs),
        violation=trials.violation,
        feasible=trials.feasible,
        best=int(best_trials[0]) if len(best_trials) else None,
        finalists=known.codes[best_first(known, feasible)[:finalists]],
        pareto=known.codes[front(known, classes)],
        nearest=known.codes[nearest],
        primary_cost=trials.primary,
        smallest_costs=(
            {name: float(values[connected].min()) for name, values in known.costs.items()} if connected.any() else {}
        ),
        exact=whole is not None and len(whole) == space.size,
        opened=opened,
        notes=notes,
    )
