"""Stored trees against scikit-learn's own walk, and files that would lead the walk astray."""

import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingRegressor

from surrogate_nas.errors import StoreError
from surrogate_nas.predictor.features.graph_features import one_hot, path_features
from surrogate_nas.predictor.models import boosting as boosting_scorer
from surrogate_nas.predictor.models.boosting import BoostingScorer
from surrogate_nas.predictor.settings import PredictorSettings
from tests.predictor.conftest import Problem

SETTINGS = PredictorSettings(model="boosting")


def test_it_walks_its_trees_as_scikit_learn_does(problem: Problem, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[GradientBoostingRegressor] = []

    def keep(**options: object) -> GradientBoostingRegressor:
        made.append(GradientBoostingRegressor(**options))
        return made[-1]

    monkeypatch.setattr(boosting_scorer, "GradientBoostingRegressor", keep)
    scorer = BoostingScorer(problem.space, SETTINGS)
    scorer.fit(problem.codes, problem.targets, seed=0)
    unseen = problem.space.sample(300, np.random.default_rng(5))
    columns = np.concatenate([one_hot(problem.space, unseen), path_features(problem.space, unseen)], axis=1)
    np.testing.assert_allclose(scorer.score(unseen), made[0].predict(columns))


@pytest.mark.parametrize(("name", "value"), [("left", -1), ("right", 10_000), ("feature", 10_000)])
def test_trees_that_lead_nowhere_are_refused(problem: Problem, name: str, value: int) -> None:
    scorer = BoostingScorer(problem.space, SETTINGS)
    scorer.fit(problem.codes, problem.targets, seed=0)
    arrays = scorer.arrays()
    arrays[name][0, 0] = value
    with pytest.raises(StoreError, match=f"wrong or missing: {name}"):
        BoostingScorer(problem.space, SETTINGS, arrays)
