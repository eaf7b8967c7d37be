"""Evaluates scores, costs and budget violations of architectures, and checks the outputs of its models."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.costs.budget import Budget
from surrogate_nas.costs.protocol import CostModel
from surrogate_nas.errors import BudgetError, CostTableError, SettingsError, StoreError
from surrogate_nas.search.candidates import AnyArray, Candidates, Floats, Rows, class_numbers
from surrogate_nas.search.protocol import LearnedDistribution, Predictor
from surrogate_nas.space.pool import Pool, whole_pool
from surrogate_nas.space.space import Codes, Space


class Evaluator:
    """Evaluates architectures of one search.

    Attributes:
        space: The search space.
        budgets: The B budgets, in the order of the columns of ``violation``, whose last column is 1 where no path
            leads from input to output, else -1.
        primary: The cost that is traded against accuracy: the first budget's, without budgets the model's first, unless
            ``traded`` names others.
        second: Second cost that is traded, or None.
        distribution: Distribution over architectures that was learnt before the search, or None.

    Args:
        space: The search space.
        predictor: The fitted predictor.
        costs: Costs of architectures; must name every budget's cost.
        budgets: Upper bounds.
        traded: Costs that are traded against accuracy, one or two.
        pool: The architectures that a scan goes through; the whole space where it can be enumerated.
        distribution: A distribution over architectures; only the sampler ``learned`` needs one.
    """

    def __init__(
        self,
        space: Space,
        predictor: Predictor,
        costs: CostModel,
        budgets: Sequence[Budget],
        traded: Sequence[str] = (),
        pool: Pool | None = None,
        distribution: LearnedDistribution | None = None,
    ) -> None:
        if not costs.names:
            raise SettingsError("the search needs at least one cost (the cost model names none)")
        for budget in budgets:
            if not isinstance(budget, Budget):
                raise BudgetError(f"a budget needs its limit: give {budget!r}.resolve(costs of all architectures)")
            if budget.cost not in costs.names:
                raise BudgetError(
                    f"a budget must bound a cost that is known here, one of {', '.join(costs.names)}"
                    f" (got {budget.cost!r})"
                )
        self.space = space
        self.budgets = tuple(budgets)
        self.primary = budgets[0].cost if budgets else costs.names[0]
        self.second: str | None = None
        self.distribution = distribution
        if traded:
            self._trade(traded, costs.names)
        self._predictor = predictor
        self._costs = costs
        self._pool = pool
        self._whole: Candidates | None = None
        self._cheapest: Rows | None = None

    def _trade(self, traded: Sequence[str], known: Sequence[str]) -> None:
        require_traded(traded, known)
        self.primary, self.second = traded[0], traded[1] if len(traded) == 2 else None

    @property
    def pool(self) -> Pool | None:
        """Architectures that a scan goes through; None where the space is too large and no pool was given."""
        if self._pool is None and self.space.listable:
            self._pool = whole_pool(self.space)
        return self._pool

    def evaluate(self, codes: Codes) -> Candidates:
        """Evaluates codes of shape (N, D), violation (N, B + 1), by a look-up once the pool is known.

        Raises:
            StoreError: If the predictor's scores have the wrong shape or are not finite.
            CostTableError: If a cost is missing, of the wrong shape or not finite.
        """
        if self._whole is not None and self._pool is not None:
            # A look-up rather than a second prediction: floating-point sums depend on the batch they are part of.
            rows = self._pool.find(codes)
            if (rows >= 0).all():
                return self._whole.take(rows)
        scores = self._predictor.predict(codes)
        costs, violation = self._price(codes)
        return Candidates(
            codes=codes,
            mean=self._score("mean", scores.mean, codes),
            std=self._score("std", scores.std, codes),
            costs=costs,
            violation=violation,
            primary=self.primary,
            second=self.second,
        )

    def whole_space(self) -> Candidates:
        """Returns every architecture of the pool in its order, scored in one call and remembered.

        Raises:
            SettingsError: If the space is too large to enumerate and no pool of it was given.
        """
        pool = self.pool
        if pool is None:
            raise SettingsError(
                f"the sampler scan must enumerate the space, but {self.space.name} has {self.space.size}"
                " architectures: choose the sampler climb, evolution, reinforce, nsga2, tpe or random"
            )
        if self._whole is None:
            self._whole = self.evaluate(pool.codes)
        return self._whole

    def whole_classes(self) -> Rows:
        """Returns a number for each architecture of the pool, shape (N,), equal for one canonical class.

        Raises:
            SettingsError: If there is no pool; see ``whole_space``.
        """
        self.whole_space()
        assert self._pool is not None
        return self._pool.representatives

    def cheapest_alike(self, codes: Codes) -> Codes:
        """Returns for each code, shape (N, D), the isomorphic architecture that suits the budgets best.

        Isomorphic codes compute the same and may still differ in cost, as written or as measured; a sampler that meets
        a class by its most expensive member must not reject the class for that. The best member has the smallest
        excess over the budgets, then the smallest primary cost. In spaces too large to enumerate the given codes are
        returned.
        """
        if not self.space.listable:
            return codes
        if self._cheapest is None:
            everything = self.space.all_codes()
            costs, violation = self._price(everything)
            classes = class_numbers(self.space, everything)
            order = np.lexsort((costs[self.primary], np.maximum(violation, 0).sum(axis=1), classes))
            _, first, inverse = np.unique(classes[order], return_index=True, return_inverse=True)
            self._cheapest = np.empty(len(order), dtype=np.int64)
            self._cheapest[order] = order[first[inverse]]
        return self.space.codes_at(self._cheapest[self.space.index(codes)])

    def feasible(self, codes: Codes) -> NDArray[np.bool_]:
        """Returns true for codes (N, D) that are connected and within every budget, shape (N,), without a prediction.

        Raises:
            CostTableError: If a cost is missing, of the wrong shape or not finite.
        """
        return np.asarray((self._price(codes)[1] <= 0).all(axis=1), dtype=np.bool_)

    def _price(self, codes: Codes) -> tuple[dict[str, Floats], Floats]:
        """Returns costs by name, each of shape (N,), and violation, shape (N, B + 1)."""
        costs = self._costs.evaluate(codes)
        checked = {name: self._cost(name, costs.get(name), codes) for name in self._costs.names}
        violation = np.empty((len(codes), len(self.budgets) + 1))
        for column, budget in enumerate(self.budgets):
            violation[:, column] = budget.violation(checked[budget.cost])
        # An architecture whose output does not depend on its input is cheap, but never an answer.
        violation[:, -1] = np.where(self.space.is_connected(codes), -1.0, 1.0)
        return checked, violation

    def _score(self, what: str, values: AnyArray, codes: Codes) -> Floats:
        array = np.asarray(values, dtype=np.float64)
        if array.shape != (len(codes),):
            raise StoreError(f"the predictor's {what} must have shape ({len(codes)},) (got {array.shape})")
        if not np.isfinite(array).all():
            worst = self._first_bad(array, codes)
            raise StoreError(f"the predictor's {what} must be finite (got {worst}); fit the predictor again")
        return array

    def _cost(self, name: str, values: AnyArray | None, codes: Codes) -> Floats:
        if values is None:
            raise CostTableError(f"the cost model names {name} but does not return it")
        array = np.asarray(values, dtype=np.float64)
        if array.shape != (len(codes),):
            raise CostTableError(f"the cost {name} must have shape ({len(codes)},) (got {array.shape})")
        if not np.isfinite(array).all():
            raise CostTableError(f"the cost {name} must be a finite number (got {self._first_bad(array, codes)})")
        return array

    def _first_bad(self, array: Floats, codes: Codes) -> str:
        row = int(np.flatnonzero(~np.isfinite(array))[0])
        return f"{array[row]} for architecture {self.space.digits(codes[row : row + 1])[0]}"


def require_traded(traded: Sequence[str], known: Sequence[str]) -> None:
    """Refuses costs that accuracy cannot be traded against.

    Raises:
        SettingsError: If they are not one or two of the known costs.
    """
    if len(traded) not in (1, 2) or len(set(traded)) < len(traded) or not set(traded) <= set(known):
        raise SettingsError(
            f"accuracy is traded against one or two of the costs {', '.join(known)} (got {', '.join(traded)})"
        )
