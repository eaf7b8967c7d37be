"""One conformance class that every sampler passes."""

import warnings
from typing import get_args

import numpy as np
import pytest

from surrogate_nas.search.candidates import class_keys
from surrogate_nas.search.evaluator import Evaluator
from surrogate_nas.search.protocol import Sampler
from surrogate_nas.search.sampler_table import SAMPLERS
from surrogate_nas.search.settings import Goal, SamplerName, SearchSettings


def make_sampler(evaluator: Evaluator, settings: SearchSettings, seed: int) -> Sampler:
    made: Sampler = SAMPLERS[settings.sampler].make(evaluator, settings, seed)
    return made


def proposals(evaluator: Evaluator, settings: SearchSettings, seed: int, rounds: int = 3) -> list[np.ndarray]:
    sampler = make_sampler(evaluator, settings, seed)
    found = []
    for _ in range(rounds):
        found.append(sampler.propose(settings.batch))
        sampler.observe(evaluator.evaluate(found[-1]))
    return found


@pytest.mark.parametrize("goal", get_args(Goal))
@pytest.mark.parametrize("name", sorted(SAMPLERS))
class TestEverySampler:
    def test_proposes_well_formed_codes_of_new_classes(
        self, evaluator: Evaluator, name: SamplerName, goal: Goal
    ) -> None:
        batches = proposals(evaluator, SearchSettings(sampler=name, goal=goal, batch=12), seed=0)
        assert all(1 <= len(batch) <= 12 for batch in batches)
        codes = evaluator.space.check(np.concatenate(batches))
        keys = class_keys(evaluator.space, codes)
        assert len(set(keys)) == len(keys)

    def test_repeats_itself_with_the_same_seed(self, evaluator: Evaluator, name: SamplerName, goal: Goal) -> None:
        settings = SearchSettings(sampler=name, goal=goal, batch=8)
        once, again = (np.concatenate(proposals(evaluator, settings, seed=2**40 + 1)) for _ in range(2))
        assert np.array_equal(once, again)

    def test_comes_to_an_end(self, evaluator: Evaluator, name: SamplerName, goal: Goal) -> None:
        # A space of two classes: everything but the first two codes counts as one of them.
        settings = SearchSettings(sampler=name, goal=goal, batch=4, trials=4)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(type(evaluator.space), "canonical", lambda _, codes: (np.asarray(codes) * 0).astype(np.int8))
            sampler = make_sampler(evaluator, settings, 0)
            total = 0
            for _ in range(20):
                codes = sampler.propose(4)
                if not len(codes):
                    break
                total += len(codes)
                sampler.observe(evaluator.evaluate(codes))
            else:
                pytest.fail("the sampler did not end")
        assert total == 1

    def test_works_without_warnings(self, evaluator: Evaluator, name: SamplerName, goal: Goal) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            proposals(evaluator, SearchSettings(sampler=name, goal=goal, batch=12), seed=1, rounds=2)


def test_the_settings_offer_exactly_the_samplers_there_are() -> None:
    assert set(get_args(SamplerName)) == set(SAMPLERS)


@pytest.mark.parametrize("name", ["random", "nsga2", "tpe"])
def test_optunas_samplers_take_the_seed(evaluator: Evaluator, name: SamplerName) -> None:
    settings = SearchSettings(sampler=name, batch=8)
    one, other = (proposals(evaluator, settings, seed, rounds=1)[0] for seed in (0, 1))
    assert not np.array_equal(one, other)
