"""Every row of the table passes the conformance kit of models."""

import pytest

from surrogate_nas.predictor.model_table import MODELS
from surrogate_nas.space.space import Space
from surrogate_nas.testing.models import MODEL_CHECKS, ModelCheck


@pytest.mark.quick_cases(9)
@pytest.mark.parametrize("check", MODEL_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("kind", list(MODELS))
def test_every_model_conforms(space: Space, kind: str, check: ModelCheck) -> None:
    check(MODELS[kind], space)
