"""Every kind is a graph network with a convolution of its own."""

import pytest

from surrogate_nas.predictor.ensemble import make_scorer
from surrogate_nas.predictor.models import graph_kinds
from surrogate_nas.predictor.models.graph import GraphScorer
from surrogate_nas.predictor.settings import PredictorSettings
from tests.predictor.conftest import Problem

KINDS = ("gcn", "gin", "gatv2", "transformer", "plain_gcn")


@pytest.mark.parametrize("kind", KINDS)
def test_the_setting_makes_what_stands_here(kind: str, problem: Problem) -> None:
    made = make_scorer(problem.space, PredictorSettings(model=kind, width=8, layers=1))
    assert isinstance(made, GraphScorer)
    assert isinstance(getattr(graph_kinds, kind)(problem.space, PredictorSettings()), GraphScorer)
