"""The right architecture is chosen, with the figures that the run has for it."""

import json
from pathlib import Path

import numpy as np
import pytest

from surrogate_nas._support.files import write_json
from surrogate_nas.deploy.train.chosen import choose
from surrogate_nas.errors import InfeasibleBudgetError, RunFolderError, SettingsError, StoreError


def test_the_study_s_answer_is_the_default(finished_run: Path) -> None:
    choice = choose(finished_run)
    assert choice.entry.code == "333123"
    assert choice.is_answer
    assert choice.half_width == pytest.approx(4.0)
    assert choice.budgets == {"latency_ms": 1e3}
    assert choice.folder == finished_run / "models" / "333123"
    assert (choice.network.channels, choice.network.classes) == (4, 10)


def test_another_budget_or_code(finished_run: Path) -> None:
    choice = choose(finished_run, {"latency": "2.5ms"})
    assert (choice.entry.code, choice.is_answer, choice.budgets) == ("311141", False, {"latency_ms": 2.5})
    # Its own spread in place of the answer's: the error of labels stays.
    assert choice.half_width == pytest.approx(np.sqrt(4.0**2 - (1.959964 * 0.5) ** 2), rel=1e-4)
    both = choose(finished_run, {"latency": "2.5ms", "params": "0.15K", "flops": None})
    assert (both.entry.code, both.budgets) == ("202102", {"latency_ms": 2.5, "params": 150.0})
    assert choose(finished_run, arch="202102").entry.code == "202102"
    text = choice.entry.architecture
    assert choose(finished_run, arch=text).entry.code == "311141"


def test_the_error_of_labels_is_the_table_s_own(digits_copy: Path) -> None:
    facts = json.loads((digits_copy / "lookup.json").read_text())
    write_json(digits_copy / "lookup.json", {**facts, "label_error_percent": 2.0})
    (digits_copy / "report.json").unlink()
    choice = choose(digits_copy)
    assert choice.half_width == pytest.approx(1.96 * np.hypot(2.0, 0.5))
    assert choose(digits_copy, arch="311141").half_width == pytest.approx(1.96 * 2.0)


def test_what_cannot_be_chosen_is_said(finished_run: Path, digits_copy: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="exclude each other"):
        choose(finished_run, {"latency": "3ms"}, arch="333123")
    with pytest.raises(SettingsError, match="--arch: "):
        choose(finished_run, arch="nothing")
    with pytest.raises(SettingsError, match="has no architecture 000000"):
        choose(finished_run, arch="000000")
    with pytest.raises(InfeasibleBudgetError):
        choose(finished_run, {"latency": "0.1ms"})
    with pytest.raises(RunFolderError, match="is not a run folder"):
        choose(tmp_path / "none")
    (digits_copy / "report.json").unlink()
    with pytest.raises(StoreError, match="report of the run is missing"):
        choose(digits_copy)


def test_without_an_answer_one_has_to_be_asked_for(digits_copy: Path) -> None:
    facts = json.loads((digits_copy / "lookup.json").read_text())
    write_json(digits_copy / "lookup.json", {**facts, "answer": None})
    write_json(digits_copy / "report.json", {"answer": {"chosen": None}})
    with pytest.raises(RunFolderError, match="give a budget, such as --latency-budget, or --arch"):
        choose(digits_copy)
    assert choose(digits_copy, {"latency": "3ms"}).half_width is None


@pytest.mark.parametrize(
    "answer",
    [
        [1],
        {"chosen": "x"},
        {"chosen": {"accuracy_std": 1}},
        {"chosen": {"accuracy_percent": {"low": 1, "value": 2, "high": "x"}, "accuracy_std": 1}},
        {"chosen": {"accuracy_percent": {"low": 1, "value": 2, "high": 1e300}, "accuracy_std": 1}},
    ],
    ids=str,
)
def test_a_damaged_report_is_said(digits_copy: Path, answer: object) -> None:
    write_json(digits_copy / "report.json", {"answer": answer})
    with pytest.raises(StoreError, match="the report of the run is damaged"):
        choose(digits_copy)


@pytest.mark.parametrize("network", [{"sides": 3}, {"channels": "x"}, {"classes": 10**10}, {}], ids=str)
def test_damaged_sizes_are_said_before_anything_is_built(digits_copy: Path, network: dict[str, object]) -> None:
    facts = json.loads((digits_copy / "lookup.json").read_text())
    sizes = {**facts["network"], **network} if network else {}
    write_json(digits_copy / "lookup.json", {**facts, "network": sizes})
    with pytest.raises(StoreError, match="the lookup table metadata has a wrong 'network'"):
        choose(digits_copy)
