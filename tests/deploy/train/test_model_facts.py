"""Intervals of shares, and whether a budget was kept."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surrogate_nas.deploy.accuracy import Accuracy
from surrogate_nas.deploy.train.model_facts import ModelFacts, Variant

Make = Callable[..., ModelFacts]


def test_wilson_s_interval() -> None:
    # Wilson's score interval of 90 of 100, by its formula.
    accuracy = Accuracy.of(90, 100)
    assert (accuracy.percent, accuracy.images) == (90, 100)
    assert accuracy.low == pytest.approx(82.5633, abs=1e-3)
    assert accuracy.high == pytest.approx(94.4770, abs=1e-3)


@given(images=st.integers(1, 10_000), share=st.floats(0, 1))
def test_the_share_is_inside_its_interval(images: int, share: float) -> None:
    accuracy = Accuracy.of(round(share * images), images)
    assert -1e-9 <= accuracy.low <= accuracy.percent + 1e-9
    assert accuracy.percent <= accuracy.high + 1e-9 <= 100 + 2e-9


def test_a_budget_is_kept_or_not_or_of_another_device(facts_of: Make, variant_of: Callable[..., Variant]) -> None:
    assert facts_of().keeps_budget(variant_of(0.6)) is True
    assert facts_of().keeps_budget(variant_of(0.61)) is False
    assert facts_of(device="raspi4").keeps_budget(variant_of()) is None
    assert facts_of(budgets={"params": 1e6}).keeps_budget(variant_of()) is None


def test_json_says_whether_the_budget_is_kept(facts_of: Make) -> None:
    content = facts_of().as_json()
    assert content["onnx"]["float"]["keeps_latency_budget"] is True
    assert content["test"]["percent"] == 91
