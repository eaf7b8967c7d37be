"""Finds the architectures that come nearest to budgets that nothing meets."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.costs.budget import Budget
from surrogate_nas.costs.cost import COSTS, format_apart, format_reachable
from surrogate_nas.errors import InfeasibleBudgetError
from surrogate_nas.lookup.entry import Entry


def least_rows(excess: NDArray[np.float64], some: int) -> NDArray[np.int64]:
    """Returns rows of the least excess, at least ``some`` of them if there are so many, the least first.

    Equal ones keep the order of the table.

    Args:
        excess: Shape (N,).
        some: At least 1.
    """
    last = min(len(excess), some) - 1
    least = np.flatnonzero(excess <= np.partition(excess, last)[last])
    return least[np.argsort(excess[least], kind="stable")]


def infeasible_error(
    budgets: Sequence[Budget], smallest: Sequence[float], misses: Sequence[Entry]
) -> InfeasibleBudgetError:
    """Returns the error that says what can be reached.

    Args:
        budgets: The budgets that nothing meets.
        smallest: Smallest reachable cost of each budget.
        misses: The nearest architectures.
    """
    asked = " and ".join(str(budget) for budget in budgets)
    several = len(budgets) > 1
    alone = " by each budget alone" if several else ""
    reach = ", ".join(
        f"{_title(budget, several)}{format_reachable(budget.cost, least)}"
        for budget, least in zip(budgets, smallest, strict=True)
    )
    nearest = "; ".join(
        f"{entry.code} ({', '.join(_named(budget, entry.costs[budget.cost], several) for budget in budgets)}, "
        f"accuracy {entry.predicted_accuracy_percent:.2f} %)"
        for entry in misses
    )
    return InfeasibleBudgetError(
        f"no architecture meets {asked}; the smallest reachable{alone} is {reach}; nearest misses: {nearest}"
    )


def _title(budget: Budget, several: bool) -> str:
    """Returns the name of a budget's cost, where there are several."""
    return f"{COSTS[budget.cost].title} " if several else ""


def _named(budget: Budget, value: float, several: bool) -> str:
    # What is over the budget is rounded up, as the smallest reachable cost is: it may be the same network.
    over = value > budget.limit
    text = format_reachable(budget.cost, value) if over else format_apart(budget.cost, value, budget.limit)[0]
    return f"{_title(budget, several)}{text}"
