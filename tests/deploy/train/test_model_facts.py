"""Whether a budget was kept."""

from collections.abc import Callable

from surrogate_nas.deploy.train.model_facts import ModelFacts, Variant

Make = Callable[..., ModelFacts]


def test_a_budget_is_kept_or_not_or_of_another_device(facts_of: Make, variant_of: Callable[..., Variant]) -> None:
    assert facts_of().keeps_budget(variant_of(0.6)) is True
    assert facts_of().keeps_budget(variant_of(0.61)) is False
    assert facts_of(device="raspi4").keeps_budget(variant_of()) is None
    assert facts_of(budgets={"params": 1e6}).keeps_budget(variant_of()) is None


def test_json_says_whether_the_budget_is_kept(facts_of: Make) -> None:
    content = facts_of().as_json()
    assert content["onnx"]["float"]["keeps_latency_budget"] is True
    assert content["test"]["percent"] == 91
