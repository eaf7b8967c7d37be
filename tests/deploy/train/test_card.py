"""Card and terminal have the measured figures next to the predicted ones."""

from collections.abc import Callable
from pathlib import Path

import pytest

from surrogate_nas._support.model_format import Preprocessing
from surrogate_nas.deploy.device_file import DeviceFile
from surrogate_nas.deploy.train.card import latency_text, model_card, predicted_text, show_model
from surrogate_nas.deploy.train.model_facts import ModelFacts
from surrogate_nas.deploy.variant import Variant
from surrogate_nas.export.runtimes.table import CORTEX_M
from surrogate_nas.runs.console import StudyConsole

Make = Callable[..., ModelFacts]
GREY = Preprocessing(8, 1, (0.5,), (0.2,))


def test_the_card_has_every_section(facts_of: Make, variant_of: Callable[..., Variant]) -> None:
    both = {"float": variant_of(), "int8": variant_of(0.7, "model.int8.onnx")}
    card = model_card(facts_of(onnx=both), ("cat", "dog"), GREY, "0.1.0")
    for section in ("What it is", "Data and training", "Accuracy", "Costs", "Limits", "How to repeat"):
        assert f"## {section}" in card
    assert "grey images of 8x8 pixels" in card
    assert "Classes: cat, dog" in card
    assert "| test images, torch | 91.00% (95%: 83.77 to 95.19%) |" in card
    assert "| predicted by the study, with shared weights | 70.00% (95%: 66.00 to 74.00%) |" in card
    assert "| latency_ms | 0.4 ms | 0.6 ms |" in card
    assert "0.5 ms (IQR 0.01 ms), within the budget of 0.6 ms" in card
    assert "0.7 ms (IQR 0.01 ms), OVER the budget of 0.6 ms" in card
    assert "python -m surrogate_nas.train RUN" in card


def test_the_lowest_class_comes_first_and_a_name_breaks_no_table(facts_of: Make) -> None:
    confusion = {"cat": {"cat": 60, "a|b": 2}, "a|b": {"cat": 37, "a|b": 1}}
    facts = facts_of(confusion=confusion, trained_on={"cat": 400, "a|b": 9})
    card = model_card(facts, ("cat", "a|b"), GREY, "0.1.0")
    rows = [line for line in card.splitlines() if line.startswith(("| cat", "| a"))]
    assert rows[0].startswith(r"| a\|b | 9 | 38 | 2.63% (95%: ")
    assert rows[1].startswith("| cat | 400 | 62 | 96.77% (95%: ")
    assert rows[2:] == ["| cat | 60 | 2 |", r"| a\|b | 37 | 1 |"]
    assert r"|  | cat | a\|b |" in card
    assert "mean over classes (balanced accuracy) | 49.70% (95%: " in card


def test_of_many_classes_the_most_frequent_mistakes_are_shown(facts_of: Make) -> None:
    names = [f"c{number}" for number in range(13)]
    confusion = {true: {true: 50, names[(at + 1) % 13]: at + 1} for at, true in enumerate(names)}
    card = model_card(facts_of(confusion=confusion, trained_on=dict.fromkeys(names, 7)), tuple(names), GREY, "0.1.0")
    shown = card[card.index("The most frequent mistakes") : card.index("## Costs")]
    assert "| class | named | images |\n| --- | --- | --- |\n| c12 | c0 | 13 |\n| c11 | c12 | 12 |" in shown
    assert shown.count("\n| c") == 10 + 1


def test_what_may_be_wrong_with_the_images_stands_in_the_card(facts_of: Make) -> None:
    card = model_card(facts_of(warnings=("half of them are blue",)), ("cat", "dog"), GREY, "0.1.0")
    assert "- **Warning**: half of them are blue" in card
    assert "**Warning**" not in model_card(facts_of(), ("cat", "dog"), GREY, "0.1.0")


def test_it_says_where_the_model_resizes_its_images(facts_of: Make) -> None:
    card = model_card(facts_of(seen_size=6), ("cat", "dog"), GREY, "0.1.0")
    assert "grey images of 8x8 pixels, which the model itself resizes to 6x6\n" in card


def test_another_device_s_budget_is_not_held_against_this_machine(facts_of: Make) -> None:
    card = model_card(facts_of(device="raspi4"), ("cat", "dog"), GREY, "0.1.0")
    assert "which is not this machine as it is now: measure there" in card
    assert "within the budget" not in card


def test_texts(facts_of: Make, variant_of: Callable[..., Variant]) -> None:
    assert predicted_text(facts_of(predicted_half_width=None)) == "70.00%"
    assert predicted_text(facts_of(predicted_percent=99.0)).endswith("95.00 to 100.00%)")
    assert latency_text(facts_of(budgets={}), variant_of()) == "0.5 ms (IQR 0.01 ms)"


def test_measured_beside_predicted(
    facts_of: Make, variant_of: Callable[..., Variant], capsys: pytest.CaptureFixture[str]
) -> None:
    with StudyConsole() as console:
        show_model(facts_of(onnx={"float": variant_of(0.9)}), Path("runs/a"), console)
    shown = capsys.readouterr()
    assert "test accuracy  91.00%" in shown.out
    assert "predicted  70.00%" in shown.out
    assert "OVER the budget" in shown.out
    assert "lowest class  dog: 81.58%" in shown.out
    assert "on 38 images" in shown.out
    assert "balanced  89.18% (95%: " in shown.out
    assert "train another architecture by a tighter --latency-budget" in shown.err
    assert "python -m surrogate_nas.predict runs/a/models/333123 IMAGE..." in shown.err


def test_the_file_for_a_device_stands_next_to_its_budgets(
    facts_of: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    planned = {"ram_bytes": 121_000.0, "flash_bytes": 1_200_000.0}
    file = DeviceFile(CORTEX_M, "ExecuTorch for Cortex-M", planned, ("model.c", "model.h"))
    facts = facts_of(device_file=file, budgets={"ram_bytes": 256_000.0, "flash_bytes": 1e6})
    card = model_card(facts, ("cat", "dog"), GREY, "0.1.0")
    assert "RAM 121 KB, within the budget of 256 KB; flash 1.2 MB, OVER the budget of 1 MB" in card
    assert f"`{CORTEX_M}` (ExecuTorch for Cortex-M), `model.c` and `model.h` (the same as C source)" in card
    assert facts.as_json()["device_file"]["costs"]["ram_bytes"] == 121_000
    show_model(facts, tmp_path, StudyConsole())
    out, err = capsys.readouterr()
    assert f"for the device  {CORTEX_M}, by ExecuTorch for Cortex-M" in out
    assert "as C source: model.c, model.h" in out
    assert "RAM  121 KB, within the budget of 256 KB" in out
    assert "train another architecture by a tighter --flash-budget" in " ".join(err.split())


def test_names_of_classes_are_shown_as_they_are(facts_of: Make) -> None:
    name = "zebra\nline|`c*<i>"
    facts = facts_of(
        confusion={"cat": {"cat": 60, name: 2}, name: {"cat": 37, name: 1}}, trained_on={"cat": 4, name: 9}
    )
    card = model_card(facts, ("cat", name), GREY, "0.1.0")
    shown = r"\|\`c\*&lt;i>"
    assert "- Classes: cat, zebra" in card
    assert card.count(shown) >= 4
    assert "<i>" not in card
