"""The result of trials alone, where the space was not scored as a whole."""

import numpy as np

from surrogate_nas.search.evaluator import Evaluator
from surrogate_nas.search.result import summarise


def test_isomorphic_trials_count_once_among_the_finalists(evaluator: Evaluator) -> None:
    space = evaluator.space
    # The second and third differ in a dead edge only; the same computation, so the cheaper one stands for both.
    trials = evaluator.evaluate(space.check([[1, 0, 0, 0, 0, 0], [0, 0, 0, 1, 0, 0], [0, 0, 0, 1, 4, 0]]))
    result = summarise(space, trials, None, finalists=3, opened="created", notes=("a note",))
    assert not result.exact
    assert result.notes == ("a note",)
    assert trials.feasible.all()
    cheaper = trials.codes[1 + int(np.argmin(trials.primary_cost[1:]))].tolist()
    assert len(result.finalists) == 2
    assert cheaper in result.finalists.tolist()
    assert result.smallest_costs["params"] == trials.costs["params"].min()
    assert result.best is not None
    assert trials.mean[result.best] == trials.mean.max()
