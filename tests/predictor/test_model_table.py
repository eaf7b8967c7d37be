"""What every kind of model must do: one class, which each row of the table passes."""

import numpy as np
import pytest
import torch

from surrogate_nas.errors import Interrupted, StoreError
from surrogate_nas.predictor.ensemble import make_scorer
from surrogate_nas.predictor.model_table import MODELS
from surrogate_nas.predictor.protocol import Arrays, Scorer
from surrogate_nas.predictor.settings import PredictorSettings
from surrogate_nas.ranking import kendall_tau
from surrogate_nas.space.space import Space
from tests.predictor.conftest import Problem


@pytest.mark.parametrize("kind", list(MODELS))
class TestEveryModel:
    def fitted(self, kind: str, problem: Problem, seed: int = 0) -> Scorer:
        scorer = make_scorer(problem.space, self.settings(kind))
        scorer.fit(problem.space.canonical(problem.codes), problem.targets, seed=seed)
        return scorer

    def settings(self, kind: str) -> PredictorSettings:
        return PredictorSettings.model_validate({"model": kind, "width": 16, "layers": 2, "steps": 60})

    def test_orders_architectures_that_it_did_not_see(self, kind: str, problem: Problem) -> None:
        unseen = problem.space.canonical(problem.space.sample(200, np.random.default_rng(9)))
        assert kendall_tau(self.fitted(kind, problem).score(unseen), problem.truth(unseen)) > 0.6

    def test_one_seed_one_model(self, kind: str, problem: Problem) -> None:
        first, again = self.fitted(kind, problem), self.fitted(kind, problem)
        assert np.array_equal(first.score(problem.codes), again.score(problem.codes))

    def test_its_arrays_make_it_again_to_the_bit(self, kind: str, problem: Problem) -> None:
        first = self.fitted(kind, problem)
        again = make_scorer(problem.space, self.settings(kind), first.arrays())
        assert np.array_equal(first.score(problem.codes), again.score(problem.codes))

    def test_a_second_fit_forgets_the_first(self, kind: str, problem: Problem) -> None:
        twice = self.fitted(kind, problem, seed=1)
        twice.fit(problem.space.canonical(problem.codes), problem.targets, seed=0)
        assert np.array_equal(twice.score(problem.codes), self.fitted(kind, problem).score(problem.codes))

    def test_random_draws_of_others_are_left_alone(self, kind: str, problem: Problem) -> None:
        torch_state, numpy_state = torch.get_rng_state(), repr(np.random.get_state())
        self.fitted(kind, problem)
        assert torch.equal(torch_state, torch.get_rng_state())
        assert numpy_state == repr(np.random.get_state())

    def test_it_stops_when_told(self, kind: str, problem: Problem) -> None:
        scorer = make_scorer(problem.space, self.settings(kind))
        with pytest.raises(Interrupted):
            scorer.fit(problem.codes, problem.targets, seed=0, should_stop=lambda: True)

    def test_arrays_of_something_else_are_refused(self, kind: str, problem: Problem) -> None:
        arrays = self.fitted(kind, problem).arrays()
        missing: Arrays = dict(list(arrays.items())[1:])
        for wrong in (missing, arrays | {"more": np.zeros(1)}, {name: value[:0] for name, value in arrays.items()}):
            with pytest.raises(StoreError, match="wrong or missing"):
                make_scorer(problem.space, self.settings(kind), wrong)

    def test_no_architectures_have_no_scores(self, kind: str, problem: Problem) -> None:
        assert self.fitted(kind, problem).score(problem.codes[:0]).shape == (0,)

    def test_it_is_fitted_first(self, kind: str, space: Space) -> None:
        scorer = make_scorer(space, self.settings(kind))
        with pytest.raises(RuntimeError, match="fitted before"):
            scorer.score(space.sample(1, np.random.default_rng(0)))
