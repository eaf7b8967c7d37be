"""Model facts show if a budget was kept."""

from collections.abc import Callable

from surrogate_nas.deploy.train.model_facts import ModelFacts
from surrogate_nas.deploy.variant import Variant

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
    assert content["classes"]["dog"]["images"] == 38
    assert round(content["balanced"]["percent"], 2) == 89.18


def test_another_runtime_than_the_budget_s_is_said_with_how_much_it_differs(
    facts_of: Make, variant_of: Callable[..., Variant]
) -> None:
    assert facts_of().runtime_note() == ""
    eager = facts_of(conditions="PyTorch, eager on cpu", costs={"latency_ms": 6.0}, onnx={"float": variant_of(0.5)})
    assert "takes 12.0 times less" in eager.runtime_note()
    assert "--set hardware.backend=onnx" in eager.runtime_note()
    # Of another device nothing can be compared here.
    assert facts_of(conditions="raspi4, from the table a.csv", device="raspi4").runtime_note() == ""
