"""Predictors, cost models and samplers have the methods of their protocols."""

from surrogate_nas.costs.protocol import CostModel
from surrogate_nas.search.evaluator import Evaluator
from surrogate_nas.search.protocol import Predictor, Sampler, Scores
from surrogate_nas.search.samplers.scan import ScanSampler
from surrogate_nas.search.settings import SearchSettings


def test_protocols_are_met_without_inheriting(evaluator: Evaluator, predictor: Predictor, costs: CostModel) -> None:
    as_scorer: Predictor = predictor
    as_costs: CostModel = costs
    as_sampler: Sampler = ScanSampler(evaluator, SearchSettings(trials=3))
    codes = as_sampler.propose(3)
    scores: Scores = as_scorer.predict(codes)
    assert scores.mean.shape == scores.std.shape == (3,)
    assert set(as_costs.evaluate(codes)) == set(as_costs.names)
    as_sampler.observe(evaluator.evaluate(codes))
    assert as_sampler.propose(3).shape == (0, 6)
