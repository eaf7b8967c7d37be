"""Optuna behind the protocol: repeats cost nothing, constraints steer, and the call order is kept."""

from typing import get_args

import numpy as np
import optuna
import pytest
from optuna.samplers import NSGAIISampler, RandomSampler
from optuna.trial import FrozenTrial, TrialState

from surrogate_nas.search.evaluator import Evaluator
from surrogate_nas.search.samplers.optuna_samplers import OptunaSampler
from surrogate_nas.search.settings import Goal


def test_a_generation_is_scored_in_one_call_and_repeats_not_at_all(evaluator: Evaluator, calls: list[int]) -> None:
    sampler = OptunaSampler(evaluator, NSGAIISampler(population_size=20, seed=0), "budget")
    sizes = []
    for _ in range(4):
        codes = sampler.propose(20)
        sizes.append(len(codes))
        sampler.observe(evaluator.evaluate(codes))
    assert calls == sizes


class Spy(RandomSampler):
    """A sampler that shows the study it works on."""

    study: optuna.Study

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        self.study = study
        super().before_trial(study, trial)


@pytest.mark.parametrize("goal", get_args(Goal))
def test_optuna_is_told_values_and_violations_of_every_trial(evaluator: Evaluator, goal: Goal) -> None:
    spy = Spy(seed=0)
    sampler = OptunaSampler(evaluator, spy, goal)
    codes = sampler.propose(300)
    sampler.observe(evaluator.evaluate(codes))
    assert len(codes) < len(spy.study.trials) == 300  # some repeat a class
    for trial in spy.study.trials:
        asked = evaluator.space.check([list(trial.params.values())])
        known = evaluator.evaluate(evaluator.cheapest_alike(asked))
        assert trial.state == TrialState.COMPLETE
        assert list(trial.constraints.values()) == known.violation[0].tolist()
        values = [known.mean[0], known.primary_cost[0]]
        assert trial.values == pytest.approx(values if goal == "pareto" else values[:1])


def test_proposing_twice_without_observing_is_an_error(evaluator: Evaluator) -> None:
    sampler = OptunaSampler(evaluator, RandomSampler(seed=0), "pareto")
    sampler.propose(3)
    with pytest.raises(RuntimeError, match="observe"):
        sampler.propose(3)


def test_a_class_is_proposed_by_its_cheapest_member(evaluator: Evaluator) -> None:
    codes = OptunaSampler(evaluator, RandomSampler(seed=0), "budget").propose(30)
    assert np.array_equal(codes, evaluator.cheapest_alike(codes))
