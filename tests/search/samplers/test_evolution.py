"""Mutations change one decision; the population grows old."""

import numpy as np

from surrogate_nas.search.evaluator import Evaluator
from surrogate_nas.search.samplers.evolution import EvolutionSampler, fitness, mutated
from surrogate_nas.search.settings import SearchSettings
from surrogate_nas.space.space import Space


def test_a_child_differs_in_exactly_one_decision_and_every_choice_is_met(space: Space) -> None:
    parents = np.zeros((3000, space.num_decisions), dtype=np.int8)
    children = mutated(space, parents, np.random.default_rng(0))
    assert ((children != parents).sum(axis=1) == 1).all()
    for column in range(space.num_decisions):
        assert set(children[:, column].tolist()) == set(range(5))


def test_what_breaks_no_budget_wins(evaluator: Evaluator, space: Space) -> None:
    pool = evaluator.evaluate(space.sample(200, np.random.default_rng(0)))
    best = max(range(len(pool)), key=fitness(pool).__getitem__)
    assert pool.feasible[best]
    assert pool.mean[best] == pool.mean[pool.feasible].max()


def test_it_beats_random_draws(evaluator: Evaluator, space: Space) -> None:
    found = []
    for seed in range(8):
        sampler = EvolutionSampler(evaluator, SearchSettings(batch=15), seed)
        best = -np.inf
        for _ in range(8):
            pool = evaluator.evaluate(sampler.propose(15))
            sampler.observe(pool)
            best = max(best, pool.mean[pool.feasible].max(initial=-np.inf))
        rng = np.random.default_rng(seed)
        drawn = evaluator.evaluate(space.sample(120, rng))
        found.append(best - drawn.mean[drawn.feasible].max())
    assert np.mean(found) > 0
