"""The likeliest architectures come first, the ones within the budgets before all others; draws follow the seed."""

import numpy as np
import pytest

from surrogate_nas.costs.budget import Budget
from surrogate_nas.errors import SettingsError
from surrogate_nas.search.candidates import class_keys
from surrogate_nas.search.evaluator import Evaluator
from surrogate_nas.search.samplers.likeliest import LearnedSampler
from surrogate_nas.search.settings import SearchSettings
from surrogate_nas.space.load import load_space
from surrogate_nas.space.space import Codes
from surrogate_nas.testing.samplers import made_up_evaluator

SETTINGS = SearchSettings(sampler="learned", batch=50)


def proposed(evaluator: Evaluator, rounds: int, seed: int = 0) -> Codes:
    sampler = LearnedSampler(evaluator, SETTINGS, seed)
    return np.concatenate([sampler.propose(50) for _ in range(rounds)])


def test_the_likeliest_within_the_budget_come_first() -> None:
    evaluator = made_up_evaluator(load_space("nasbench201"))
    space, distribution = evaluator.space, evaluator.distribution
    assert distribution is not None
    every = space.all_codes()[space.is_connected(space.all_codes())]
    best: dict[bytes, float] = {}
    for key, value in zip(class_keys(space, every), distribution.log_probabilities(every).tolist(), strict=True):
        best[key] = max(value, best.get(key, -np.inf))
    codes = proposed(evaluator, 4)
    assert evaluator.feasible(codes).all()
    values = [best[key] for key in class_keys(space, codes)]
    assert (np.diff(values) <= 0).all()
    # No likelier class within the budget is left out.
    alike = evaluator.cheapest_alike(every)
    fits = dict(zip(class_keys(space, every), evaluator.feasible(alike).tolist(), strict=True))
    assert sorted((value for key, value in best.items() if fits[key]), reverse=True)[: len(values)] == values


def test_others_follow_where_no_more_keep_the_budget() -> None:
    evaluator = made_up_evaluator(load_space("quick"))
    space = evaluator.space
    codes = proposed(evaluator, 3)
    assert len(codes) == len(set(class_keys(space, space.all_codes())))
    fits = evaluator.feasible(codes)
    assert 0 < fits.sum() < len(fits)
    assert fits[: fits.sum()].all()


class TestDraws:
    """A space that cannot be listed."""

    @pytest.fixture
    def evaluator(self, monkeypatch: pytest.MonkeyPatch) -> Evaluator:
        space = load_space("nasbench_macro")
        monkeypatch.setattr(type(space), "listable", False)
        return made_up_evaluator(space)

    def test_they_are_new_likely_and_within_the_budget(self, evaluator: Evaluator) -> None:
        codes = proposed(evaluator, 3)
        assert len(set(class_keys(evaluator.space, codes))) == len(codes) == 150
        assert evaluator.feasible(codes).all()
        uniform = evaluator.space.sample(500, np.random.default_rng(0))
        uniform = uniform[evaluator.feasible(uniform)]
        distribution = evaluator.distribution
        assert distribution is not None
        assert distribution.log_probabilities(codes).mean() > distribution.log_probabilities(uniform).mean() + 0.2

    def test_they_follow_the_seed(self, evaluator: Evaluator) -> None:
        assert np.array_equal(proposed(evaluator, 2), proposed(evaluator, 2))
        assert not np.array_equal(proposed(evaluator, 1), proposed(evaluator, 1, seed=1))

    def test_where_nothing_keeps_the_budget_the_rest_is_proposed(self, evaluator: Evaluator) -> None:
        evaluator.budgets = (Budget("latency_ms", 1e-3),)
        codes = proposed(evaluator, 2)
        assert len(codes) == 100
        assert not evaluator.feasible(codes).any()


def test_without_a_distribution_it_is_refused() -> None:
    evaluator = made_up_evaluator(load_space("quick"))
    evaluator.distribution = None
    with pytest.raises(SettingsError, match=r"search\.sampler = 'learned' needs a distribution .* gradient\.method"):
        LearnedSampler(evaluator, SETTINGS, 0)
