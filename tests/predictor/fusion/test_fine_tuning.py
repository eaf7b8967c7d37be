"""Networks learn the score of the space, then follow the few trained networks."""

import numpy as np
import pytest

from surrogate_nas.predictor.fusion.fine_tuning import pretrained_members, tuned_members
from surrogate_nas.predictor.settings import PredictorSettings
from surrogate_nas.ranking import kendall_tau
from tests.predictor.conftest import Problem


@pytest.mark.slow
def test_tuning_keeps_what_was_learnt_and_bends_it(problem: Problem) -> None:
    settings = PredictorSettings(width=16, layers=2, ensemble=1)
    space = problem.space
    reference = space.canonical(space.sample(400, np.random.default_rng(0)))
    score = space.nonlinear_count(reference).astype(np.float64)
    first = pretrained_members(space, settings, reference, score, seed=0)
    assert kendall_tau(first[0].score(reference), score) > 0.8
    trained = reference[:40]
    # In truth lower is better, which only the few networks show.
    member = tuned_members(first, trained, -space.nonlinear_count(trained).astype(np.float64), reference, seed=0)[0]
    scores = member.score(reference)
    assert kendall_tau(scores, score) < 0
    assert abs(scores.mean()) < 1e-6
    assert abs(scores.std() - 1) < 1e-6
