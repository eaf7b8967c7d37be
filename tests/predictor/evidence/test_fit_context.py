"""A context of another model differs in nothing else."""

from dataclasses import replace

from surrogate_nas.predictor.evidence.fit_context import FitContext
from surrogate_nas.predictor.settings import PredictorSettings
from surrogate_nas.space.space import Space


def test_only_the_model_changes(space: Space) -> None:
    context = FitContext(space, PredictorSettings(model="auto", steps=7), seed=3)
    other = context.of_model("ridge")
    assert other.settings == PredictorSettings(model="ridge", steps=7)
    assert replace(other, settings=context.settings) == context
