"""Model facts show if a budget was kept."""

from collections.abc import Callable
from dataclasses import replace

from surrogate_nas.deploy.accuracy import Accuracy
from surrogate_nas.deploy.train.model_facts import ModelFacts
from surrogate_nas.deploy.variant import Variant

Make = Callable[..., ModelFacts]


def test_a_budget_is_kept_or_not_or_of_another_device(facts_of: Make, variant_of: Callable[..., Variant]) -> None:
    assert facts_of().keeps_budget(variant_of(0.6)) is True
    assert facts_of().keeps_budget(variant_of(0.61)) is False
    assert facts_of(device="raspi4").keeps_budget(variant_of()) is None
    # A table of predictions is of the machine that it was made on, which was its cpu.
    assert facts_of(conditions="cpu, from the table there.parquet").keeps_budget(variant_of()) is None
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


def test_signed_8_bits_come_with_the_setting_that_they_need(facts_of: Make, variant_of: Callable[..., Variant]) -> None:
    both = {"float": variant_of(), "int8": variant_of(0.5, "model.int8.onnx")}
    assert facts_of(onnx=both).overflow_note() == ""
    assert facts_of(signed_int8=True).overflow_note() == ""
    note = facts_of(onnx=both, signed_int8=True).overflow_note()
    assert note.startswith("model.int8.onnx has signed activations.")
    assert "sets the session's entry session.x64quantprecision to 1" in note


def test_a_study_of_8_bits_holds_its_budget_against_the_8_bit_model(
    facts_of: Make, variant_of: Callable[..., Variant]
) -> None:
    facts = facts_of(onnx={"float": variant_of(0.61), "int8": variant_of(0.5)}, numbers="int8")
    assert facts.keeps_budget(facts.onnx["float"]) is None
    assert facts.keeps_budget(facts.onnx["int8"]) is True
    assert facts.own_costs["latency_ms"].measured == 0.5


def test_a_loss_of_more_than_a_point_to_8_bits_is_said(facts_of: Make, variant_of: Callable[..., Variant]) -> None:
    one = variant_of(0.5)
    way_on = "; the same command with --resume --set training.quantisation_epochs=5 may win some back"
    lost = f"percentage points of accuracy to the float model (more than 1){way_on}"
    for right, words in ((89, []), (80, [lost])):
        small = replace(one, file="model.int8.onnx", accuracy=Accuracy.of(right, 100))
        facts = facts_of(onnx={"float": replace(one, accuracy=Accuracy.of(90, 100)), "int8": small})
        assert [text.split("loses 10.00 ")[-1] for text in facts.losses()] == words
        assert facts.as_json()["int8_losses"] == facts.losses()


def test_what_a_training_for_8_bits_did_is_one_sentence(facts_of: Make, variant_of: Callable[..., Variant]) -> None:
    assert facts_of().tuning() == ""
    models = {"float": variant_of(), "int8": variant_of(file="model.int8.onnx")}
    far = facts_of(onnx=models, plain_int8=Accuracy.of(50, 100), quantisation_epochs=3)
    assert far.tuning() == (
        "Test accuracy is 90.00% in float, 50.00% in 8 bits without quantisation-aware training, and 90.00% in 8 bits"
        " after 3 epochs of it."
    )
    near = replace(far, plain_int8=Accuracy.of(89, 100))
    assert near.tuning().endswith("of it; so many test images cannot tell the last two apart.")
    lost = {"float": variant_of(), "int8": replace(models["int8"], accuracy=Accuracy.of(80, 100))}
    (hint,) = facts_of(onnx=lost).losses()
    assert hint.endswith(
        "(more than 1); the same command with --resume --set training.quantisation_epochs=5 may win some back"
    )
    (known,) = facts_of(onnx=lost, quantisation_epochs=3).losses()
    assert known.endswith("(more than 1)")


def test_latency_of_another_device_is_not_this_machine_s(facts_of: Make) -> None:
    assert facts_of().own_costs["latency_ms"].measured is not None
    of_table = facts_of(conditions="pi, from the table a.csv", device="pi")
    assert of_table.own_costs["latency_ms"].measured is None


def test_a_model_that_is_much_faster_than_predicted_is_said(facts_of: Make, variant_of: Callable[..., Variant]) -> None:
    predicted = facts_of().costs["latency_ms"]
    assert facts_of(onnx={"float": variant_of(0.9 * predicted)}).faster_note() == ""
    note = facts_of(onnx={"float": variant_of(0.5 * predicted)}).faster_note()
    assert "the machine was slower when the study measured it" in note
    assert "--set hardware.remeasure=true" in note
    assert facts_of(onnx={"float": variant_of(0.5 * predicted)}, device="pi").faster_note() == ""
