"""A distribution votes where it has learnt something and the predictor has votes."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from surrogate_nas.gradient.distributions.derivation import Collapse
from surrogate_nas.gradient.distributions.distribution import Independent
from surrogate_nas.gradient.distributions.subspace import Subspace
from surrogate_nas.gradient.learned import Leaf, Learned
from surrogate_nas.gradient.settings import GradientSettings
from surrogate_nas.predictor.settings import PredictorSettings
from surrogate_nas.space.load import load_space
from surrogate_nas.study.stages.gradient.learned_votes import notes_on, votes_of


def learned(name: str, method: str = "darts", recipe: str = "fusion") -> tuple[Any, Learned]:
    """Returns a problem, as far as votes ask it, and a distribution with a preference."""
    space = load_space(name)
    settings = SimpleNamespace(
        gradient=GradientSettings(method=method, votes=True), predictor=PredictorSettings(recipe=recipe)
    )
    distribution = Independent(space, 0)
    with torch.no_grad():
        distribution.logits[:, 1] += 2.0
    collapse = Collapse(1, 0, space.num_decisions, 0.5)
    leaf = Leaf(Subspace(space), space.all_codes()[1], collapse, distribution, 12.5, 1.5)
    return SimpleNamespace(space=space, settings=settings, truth=None), Learned((leaf,), (1.0,))


def test_the_vote_of_a_class_is_that_of_its_likeliest_code() -> None:
    problem, found = learned("nasbench201")
    votes = votes_of(problem, found)
    assert votes is not None
    codes = problem.space.all_codes()[::61]
    codes = codes[problem.space.is_connected(codes)]
    every = problem.space.all_codes()
    every = every[problem.space.is_connected(every)]
    places, own = problem.space.index(problem.space.canonical(every)), found.log_probabilities(every)
    expected = [own[places == place].max() for place in problem.space.index(problem.space.canonical(codes))]
    np.testing.assert_allclose(votes.columns(codes)[:, 0], expected)
    [note] = notes_on(problem, found)
    assert "validation accuracy 12.5% on shared weights" in note


@pytest.mark.parametrize(
    ("method", "recipe", "reason"),
    [
        ("rsps", "fusion", "gradient.distribution_sees = 'nothing'"),
        ("darts", "labels", "predictor.recipe = 'labels' has no votes"),
    ],
)
def test_a_reason_is_given_where_nothing_votes(method: str, recipe: str, reason: str) -> None:
    problem, found = learned("quick", method, recipe)
    assert votes_of(problem, found) is None
    assert reason in notes_on(problem, found)[1]


def test_nothing_votes_unless_it_was_asked_for() -> None:
    problem, found = learned("quick")
    problem.settings.gradient = GradientSettings(method="darts")
    assert votes_of(problem, found) is None
    assert len(notes_on(problem, found)) == 1


def test_an_architecture_within_the_budget_is_named() -> None:
    problem, found = learned("nasbench201")
    within = problem.space.all_codes()[7]
    notes = notes_on(problem, Learned((replace(found.chosen, within=within),), (1.0,)))
    expected = "this may be over the budget; among architectures within it, the distribution derives"
    assert notes[1] == f"{expected} {problem.space.format(within)}"
