"""Scores the pool, and adds the best predicted architectures of a space too large to enumerate."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from surrogate_nas.costs.budget import Budget
from surrogate_nas.costs.protocol import CostModel
from surrogate_nas.predictor.predictor import FittedPredictor
from surrogate_nas.search.widen import explore
from surrogate_nas.space.space import Codes
from surrogate_nas.study.findings import Findings, SpaceScores
from surrogate_nas.study.problem.contenders import known_codes
from surrogate_nas.study.problem.problem import Problem
from surrogate_nas.study.running import Run
from surrogate_nas.study.stages.protocol import Stage

_STREAM = 3  # of the random draws of a study's seed


class ScorePool(Stage):
    """Scores the pool, and adds the best predicted architectures of a space too large to enumerate."""

    name = "scores"
    inputs = (Problem, FittedPredictor)

    def run(self, findings: Findings, run: Run) -> Findings:
        """Scores and lists."""
        problem = findings[Problem]
        return Findings(*list_the_best(problem, SpaceScores.of(problem.pool, findings[FittedPredictor]), run))


def list_the_best(problem: Problem, scores: SpaceScores, run: Run) -> tuple[Problem, SpaceScores]:
    """Returns the problem and its scores, whose pool holds the best architectures under each set of budgets too.

    A pool of the whole space has them already.

    Raises:
        Interrupted: If a stop was requested.
    """
    if problem.pool.complete:
        return problem, scores
    problem = problem.listing(known_codes(problem.space))
    scores = scores.over(problem.pool)
    bounds, hopes = _bounds(problem), _hopes(problem)
    with run.progress("best architectures of a space too large to enumerate", "searching") as progress:

        def explored(costs: CostModel, asked: Sequence[Sequence[Budget]], stream: Sequence[int], before: int) -> Codes:
            return explore(
                problem.pool,
                scores,
                costs,
                asked,
                np.random.default_rng([problem.settings.seed, *stream]),
                kept=problem.settings.pool.kept,
                progress=lambda done, _: progress(before + done, len(bounds) + len(hopes)),
            )

        sure = explored(problem.cautious_costs, bounds, (_STREAM,), 0)
        hopeful = explored(problem.hopeful_costs, hopes, (_STREAM, 1), len(bounds))
    listed = problem.listing(np.concatenate([sure, hopeful]))
    return listed, scores.over(listed.pool)


def _hopes(problem: Problem) -> list[Sequence[Budget]]:
    """Sets of budgets to search under as if predictions held, where measurements decide before the answer is given.

    Where measurements find all of these over a budget, architectures half as far below their upper bounds are next.
    """
    if not problem.measures_candidates:
        return []
    sets, typical = [*problem.also, problem.budgets], problem.typical
    margins = {
        cost: float(np.median(problem.bounds[cost][typical] / problem.hopes[cost][typical]))
        for cost in problem.checkable
    }
    halfway = [
        [replace(one, limit=one.limit / margins.get(one.cost, 1.0) ** 0.5) for one in budgets] for budgets in sets
    ]
    return [*halfway, *sets]


def _bounds(problem: Problem) -> list[Sequence[Budget]]:
    """Sets of bounds to search under: along the first budget's cost for the front, the other budgets, the study's own.

    From the tightest to the loosest, since a search under one starts from the results of the ones before.
    """
    cost = problem.budgets[0].cost
    values = problem.bounds[cost]
    shares = np.linspace(0, 100, problem.settings.pool.steps, endpoint=True)
    limits = np.unique(np.percentile(values[problem.typical], shares, method="higher"))
    return [*([Budget(cost, float(limit))] for limit in limits), *problem.also, problem.budgets]
