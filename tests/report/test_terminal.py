"""The details as text."""

import io
from dataclasses import replace

from rich.console import Console

from surrogate_nas.report.facts.whole import StudyFacts
from surrogate_nas.report.terminal import print_details


def printed(facts: StudyFacts, *, terminal: bool = False, width: int = 80) -> str:
    stream = io.StringIO()
    print_details(Console(file=stream, width=width, force_terminal=terminal), facts, "runs/a/report.html")
    return stream.getvalue()


def test_the_answer_comes_first_and_the_page_last(facts: StudyFacts) -> None:
    lines = printed(facts).splitlines()
    assert lines[0] == "Budget met: cifar10"
    assert "313213" in lines[1]
    assert lines[-1].endswith("report  runs/a/report.html")


def test_figures_have_units_and_stand_on_one_line_each_in_a_pipe(facts: StudyFacts) -> None:
    text = printed(facts)
    assert "4.71 ms predicted, 4.87 ms (IQR 0.21 ms) measured, of ONNX Runtime on cpu, budget 5 ms\n" in text
    assert "61.3% (95%: 58.4 to 64.2%) predicted with shared weights, not after full training\n" in text
    assert "predictor 0.68 (0.64 to 0.71); parameters 0.44" in text
    assert "\x1b" not in text


def test_ground_truth_fits_eighty_columns_uncut(facts: StudyFacts) -> None:
    text = printed(facts)
    assert "…" not in text
    table = [line for line in text.splitlines() if "whole space" in line]
    assert all(len(line) <= 80 for line in table)
    head = next(line for line in text.splitlines() if "top-10 " in f"{line} ")
    assert head.split() == ["score", "over", "n", "tau", "tau", "top-1", "top-10"]
    assert "0.66 (0.65 to 0.67)" in text
    assert "regret  0.58 points" in text


def test_nothing_meets_the_budget(infeasible: StudyFacts) -> None:
    text = printed(infeasible)
    assert text.startswith("No architecture meets the budget: cifar10")
    assert "smallest reachable 1.21 ms (000000), budget 1 ms" in text
    assert "WARNING" in text


def test_misses_have_names_and_values_of_a_table_are_not_predicted(infeasible: StudyFacts) -> None:
    assert "nearest miss  000000: Latency 1.21 ms" in printed(infeasible)
    miss = infeasible.answer.nearest_misses[0]
    costs = tuple(replace(cost, upper=1.3, confidence=0.95) for cost in miss.costs)
    answer = replace(infeasible.answer, nearest_misses=(replace(miss, costs=costs),))
    assert "Latency 1.21 ms predicted, at most 1.3 ms with 95% confidence" in printed(
        replace(infeasible, answer=answer)
    )


def test_names_cannot_carry_markup(facts: StudyFacts) -> None:
    assert "Budget met: [bold]x[/nothing]" in printed(replace(facts, study="[bold]x[/nothing]"))


def test_a_terminal_gets_colours(facts: StudyFacts) -> None:
    assert "\x1b[" in printed(facts, terminal=True)
