"""The process gets the right inputs and predicts from them."""

import numpy as np
import pytest
from scipy.stats import norm

from surrogate_nas.predictor.fusion.priors import make_prior
from surrogate_nas.predictor.fusion.process import fit_process, known_groups, normal_scores, standardised
from surrogate_nas.ranking import kendall_tau
from tests.predictor.conftest import Problem


def test_normal_scores_are_quantiles_and_equal_for_equal_targets() -> None:
    scores = normal_scores(np.array([3.0, 1.0, 2.0]))
    plain = norm.ppf([5 / 6, 1 / 6, 1 / 2])
    assert scores == pytest.approx(plain / plain.std())
    tied = normal_scores(np.array([1.0, 1.0, 0.0, 5.0]))
    assert tied[0] == tied[1]
    assert tied[2] < tied[0] < tied[3]


def test_groups_are_standardised_and_constants_dropped(problem: Problem) -> None:
    space, reference = problem.space, problem.space.all_codes()
    prior = make_prior(space, reference)
    groups = standardised(known_groups(space, prior, [prior.score]), reference)(reference)
    assert [group.shape[1] for group in groups[:3]] == [1, 1, 4]
    for group in groups:
        np.testing.assert_allclose(group.mean(axis=0), 0, atol=1e-9)
        np.testing.assert_allclose(group.std(axis=0), 1, atol=1e-9)
    assert len(standardised(known_groups(space, prior, [], structure=False), reference)(reference)) == 2


def test_a_process_learns_an_order_from_networks(problem: Problem) -> None:
    space, reference = problem.space, problem.space.all_codes()
    prior = make_prior(space, reference)
    groups = standardised(known_groups(space, prior, []), reference)
    model = fit_process(space, groups, problem.codes[:60], -problem.targets[:60])
    prediction = model.predict(reference)
    assert kendall_tau(prediction.mean, -problem.truth(reference)) > 0.8
    assert (prediction.std >= 0).all()
