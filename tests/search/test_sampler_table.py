"""Every row of the table passes the conformance kit of samplers, and the settings offer every row."""

from typing import get_args

import numpy as np
import pytest

from surrogate_nas.search.evaluator import Evaluator
from surrogate_nas.search.sampler_table import SAMPLERS
from surrogate_nas.search.settings import SamplerName, SearchSettings
from surrogate_nas.testing.samplers import SAMPLER_CHECKS, SamplerCheck, made_up_evaluator, proposals


@pytest.mark.quick_cases(13)
@pytest.mark.parametrize("check", SAMPLER_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", sorted(SAMPLERS))
def test_every_sampler_conforms(evaluator: Evaluator, name: SamplerName, check: SamplerCheck) -> None:
    evaluator.distribution = made_up_evaluator(evaluator.space).distribution
    check(SAMPLERS[name].make, evaluator)


def test_the_settings_offer_exactly_the_samplers_there_are() -> None:
    assert set(get_args(SamplerName)) == set(SAMPLERS)


@pytest.mark.parametrize("name", ["random", "nsga2", "tpe"])
def test_optunas_samplers_take_the_seed(evaluator: Evaluator, name: SamplerName) -> None:
    settings = SearchSettings(batch=8)
    one, other = (proposals(SAMPLERS[name].make, evaluator, settings, seed, rounds=1)[0] for seed in (0, 1))
    assert not np.array_equal(one, other)
