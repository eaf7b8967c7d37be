"""The card says what was measured, beside what was predicted."""

from collections.abc import Callable

from surrogate_nas._support.model_format import Preprocessing
from surrogate_nas.deploy.train.card import latency_text, model_card, predicted_text
from surrogate_nas.deploy.train.trained import Outcome, Variant

Make = Callable[..., Outcome]
GREY = Preprocessing(8, 1, (0.5,), (0.2,))


def test_the_card_has_every_section(outcome_of: Make, variant_of: Callable[..., Variant]) -> None:
    both = {"float": variant_of(), "int8": variant_of(0.7, "model.int8.onnx")}
    card = model_card(outcome_of(onnx=both), ("cat", "dog"), GREY, "0.1.0")
    for section in ("What it is", "Data and training", "Accuracy", "Costs", "Limits", "How to repeat"):
        assert f"## {section}" in card
    assert "grey images of 8x8 pixels" in card
    assert "Classes: cat, dog" in card
    assert "| test images, torch | 91.00% (95%: 83.77 to 95.19%) |" in card
    assert "| predicted by the study, for shared weights | 70.00% (95%: 66.00 to 74.00%) |" in card
    assert "| latency_ms | 0.4 ms | 0.6 ms |" in card
    assert "0.5 ms (IQR 0.01 ms), within the budget of 0.6 ms" in card
    assert "0.7 ms (IQR 0.01 ms), OVER the budget of 0.6 ms" in card
    assert "python -m surrogate_nas.train RUN" in card


def test_it_says_where_the_model_resizes_its_images(outcome_of: Make) -> None:
    card = model_card(outcome_of(seen_size=6), ("cat", "dog"), GREY, "0.1.0")
    assert "grey images of 8x8 pixels, which the model itself resizes to 6x6; `model.json`" in card


def test_another_device_s_budget_is_not_held_against_this_machine(outcome_of: Make) -> None:
    card = model_card(outcome_of(device="raspi4"), ("cat", "dog"), GREY, "0.1.0")
    assert "budget is of raspi4, which is not this machine" in card
    assert "within the budget" not in card


def test_texts(outcome_of: Make, variant_of: Callable[..., Variant]) -> None:
    assert predicted_text(outcome_of(predicted_half_width=None)) == "70.00%"
    assert predicted_text(outcome_of(predicted_percent=99.0)).endswith("95.00 to 100.00%)")
    assert latency_text(outcome_of(budgets={}), variant_of()) == "0.5 ms (IQR 0.01 ms)"
