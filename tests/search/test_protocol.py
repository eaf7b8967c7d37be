"""What is used as scorer, cost model and sampler has the methods that the protocols name."""

from surrogate_nas.search.evaluator import Evaluator
from surrogate_nas.search.protocol import CostModel, Sampler, Scorer, Scores
from surrogate_nas.search.samplers.scan import ScanSampler
from surrogate_nas.search.settings import SearchSettings


def test_protocols_are_met_without_inheriting(evaluator: Evaluator, scorer: Scorer, costs: CostModel) -> None:
    as_scorer: Scorer = scorer
    as_costs: CostModel = costs
    as_sampler: Sampler = ScanSampler(evaluator, SearchSettings(trials=3))
    codes = as_sampler.propose(3)
    scores: Scores = as_scorer.predict(codes)
    assert scores.mean.shape == scores.std.shape == (3,)
    assert set(as_costs.evaluate(codes)) == set(as_costs.names)
    as_sampler.observe(evaluator.evaluate(codes))
    assert as_sampler.propose(3).shape == (0, 6)
