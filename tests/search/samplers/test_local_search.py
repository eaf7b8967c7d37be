"""Evolution and local search over the predictor, in a space too large to list and in one that can be checked."""

import numpy as np
import pytest

from surrogate_nas.search.candidates import class_keys
from surrogate_nas.search.evaluator import Evaluator
from surrogate_nas.search.samplers.local_search import ClimbSampler, climb, neighbours
from surrogate_nas.search.settings import SearchSettings
from surrogate_nas.space.space import Space


def test_neighbours_are_all_codes_at_distance_one(space: Space) -> None:
    code = space.parse("013213")[None]
    around = neighbours(space, code)
    assert len({row.tobytes() for row in around}) == len(around) == 24
    assert ((around != code).sum(axis=1) == 1).all()


def test_it_finds_the_constrained_optimum_and_no_neighbour_beats_it(evaluator: Evaluator, space: Space) -> None:
    whole = evaluator.whole_space()
    best = whole.mean[whole.feasible].max()
    hits = 0
    for seed in range(5):
        start = np.empty((0, space.num_decisions), dtype=np.int8)
        pool = climb(evaluator, lambda some: some.mean, start, np.random.default_rng(seed))
        found = pool.mean[pool.feasible].max()
        hits += found == best
        assert len(set(class_keys(space, pool.codes))) == len(pool)
        top = pool.codes[pool.feasible][[np.argmax(pool.mean[pool.feasible])]]
        around = evaluator.evaluate(neighbours(space, top))
        assert found >= around.mean[around.feasible].max()
    assert hits >= 4


@pytest.mark.parametrize("acquisition", ["mean", "ucb", "ei"])
def test_a_space_too_large_to_list_is_searched(large: Evaluator, acquisition: str) -> None:
    settings = SearchSettings.model_validate({"acquisition": acquisition})
    sampler = ClimbSampler(large, settings, 0)
    keys: list[bytes] = []
    first = sampler.propose(10)
    pool = large.evaluate(first)
    sampler.observe(pool)
    assert pool.feasible.all()
    drawn = large.evaluate(large.space.sample(2000, np.random.default_rng(1)))
    assert pool.mean.max() > drawn.mean[drawn.feasible].max()
    keys += class_keys(large.space, first)
    keys += class_keys(large.space, sampler.propose(10))
    assert len(set(keys)) == 20
