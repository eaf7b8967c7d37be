"""Answers many budgets from one scored space, and gives the front of all answers.

Symbols:
    N: architectures of the space.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from surrogate_nas.costs.budget import Budget
from surrogate_nas.costs.pareto import hypervolume
from surrogate_nas.costs.protocol import CostModel
from surrogate_nas.search.evaluator import Evaluator
from surrogate_nas.search.protocol import Predictor
from surrogate_nas.search.selection import best_first, front, nearest_first, representatives
from surrogate_nas.space.pool import Pool
from surrogate_nas.space.space import Codes, Space


@dataclass(frozen=True)
class Answer:
    """Best architecture within one set of budgets.

    Attributes:
        budgets: All of them must hold.
        code: The best architecture within them, shape (D,); None where there is none.
        predicted_percent: Its predicted accuracy.
        costs: Its costs by name.
        feasible: Number of architectures that meet the budgets.
        nearest: Where none does: codes that come nearest, shape (M, D).
        nearest_excess: Their relative excess over the budgets, summed, shape (M,).
    """

    budgets: tuple[Budget, ...]
    code: Codes | None
    predicted_percent: float | None
    costs: dict[str, float]
    feasible: int
    nearest: Codes
    nearest_excess: tuple[float, ...]


@dataclass(frozen=True)
class Front:
    """Architectures that no other beats in accuracy and in every cost of the front.

    Attributes:
        costs: Names of one or two costs.
        codes: The best accuracy first, shape (P, D).
        hypervolume: In percentage points times the unit of each cost, up to the largest costs of the space and above
            the accuracy of its worst architecture.
    """

    costs: tuple[str, ...]
    codes: Codes
    hypervolume: float


def answer_many(
    space: Space,
    predictor: Predictor,
    costs: CostModel,
    asked: Sequence[Sequence[Budget]],
    misses: int = 5,
    pool: Pool | None = None,
) -> list[Answer]:
    """Returns the best architecture for each set of budgets, of the pool or, without one, of an enumerated space.

    Raises:
        BudgetError: If a budget bounds a cost that is not known.
        SettingsError: If the space is too large to enumerate and there is no pool.
    """
    answers = []
    for budgets in asked:
        evaluator = Evaluator(space, predictor, costs, budgets, pool=pool)
        whole = evaluator.whole_space()
        rows = representatives(whole, evaluator.whole_classes())
        rows = rows[whole.connected[rows]]
        feasible = rows[whole.feasible[rows]]
        nearest = rows[:0] if len(feasible) else nearest_first(whole, rows)[:misses]
        best = best_first(whole, feasible)[:1]
        answers.append(
            Answer(
                tuple(budgets),
                whole.codes[best[0]] if len(best) else None,
                float(whole.mean[best[0]]) if len(best) else None,
                {name: float(values[best[0]]) for name, values in whole.costs.items()} if len(best) else {},
                int(whole.feasible.sum()),
                whole.codes[nearest],
                tuple(whole.excess[nearest].tolist()),
            )
        )
    return answers


def pareto_front(
    space: Space,
    predictor: Predictor,
    costs: CostModel,
    names: Sequence[str],
    pool: Pool | None = None,
) -> Front:
    """Returns the front of accuracy against one or two costs, of the pool or an enumerated space.

    Raises:
        SettingsError: If there are not one or two costs, or one is not known; or the space is too large to enumerate
            and there is no pool.
    """
    evaluator = Evaluator(space, predictor, costs, (), traded=names, pool=pool)
    whole = evaluator.whole_space()
    rows = front(whole, evaluator.whole_classes())
    connected = np.flatnonzero(whole.connected)
    worst_costs, worst = whole.traded[connected].max(axis=0), float(whole.mean[connected].min())
    volume = hypervolume(whole.mean[rows], whole.traded[rows], worst, worst_costs) if len(rows) else 0.0
    return Front(tuple(names), whole.codes[rows], volume)
