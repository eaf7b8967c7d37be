"""The console shows the outcome at the end."""

from dataclasses import replace
from pathlib import Path

import pytest

from surrogate_nas.errors import InfeasibleBudgetError
from surrogate_nas.report.facts.whole import StudyFacts
from surrogate_nas.report.json_file import read_facts
from surrogate_nas.runs.console import StudyConsole
from surrogate_nas.study.problem.problem import Problem
from surrogate_nas.study.report.answer import infeasible_facts
from surrogate_nas.study.report.outcome import show_outcome


@pytest.fixture
def facts(finished: Path) -> StudyFacts:
    return read_facts(finished / "report.json")


def test_the_next_commands_can_be_pasted(facts: StudyFacts, capsys: pytest.CaptureFixture[str]) -> None:
    show_outcome(replace(facts, primary_cost="flops"), Path("my runs/a"), StudyConsole())
    out, errors = capsys.readouterr()
    assert "Budget met: tiny" in out
    for line in (
        "next      train it: python -m surrogate_nas.train 'my runs/a'",
        "          another budget: python -m surrogate_nas.lookup 'my runs/a' --flops-budget 20%",
        "          details: python -m surrogate_nas.report 'my runs/a' --open",
    ):
        assert f"{line}\n" in out
    assert errors == ""


def test_details_are_everything_that_the_report_says(facts: StudyFacts, capsys: pytest.CaptureFixture[str]) -> None:
    show_outcome(facts, Path("run"), StudyConsole(), details=True)
    out, errors = capsys.readouterr()
    assert "best 10%" in out
    assert errors.splitlines()[-1].split() == ["the", "search:", "optuna-dashboard", "run/search.journal"]


def test_nothing_within_the_budget_is_an_outcome_of_its_own(
    facts: StudyFacts, problem: Problem, capsys: pytest.CaptureFixture[str]
) -> None:
    nothing = replace(facts, answer=infeasible_facts(problem), trust=None)
    with pytest.raises(InfeasibleBudgetError, match="--output-dir run --resume --latency-budget"):
        show_outcome(nothing, Path("run"), StudyConsole())
    out, errors = capsys.readouterr()
    assert "No architecture meets the budget" in out
    assert "smallest" in out
    assert errors == ""


def test_latencies_that_are_too_uncertain_come_with_the_way_on(facts: StudyFacts, problem: Problem) -> None:
    answer = infeasible_facts(problem)
    smallest = tuple(replace(one, predicted=one.budget / 2, smallest=2 * one.budget) for one in answer.smallest)
    nothing = replace(facts, answer=replace(answer, smallest=smallest), trust=None)
    with pytest.raises(InfeasibleBudgetError, match=r"Measure .* --resume --set hardware\.remeasure=true$"):
        show_outcome(nothing, Path("run"), StudyConsole())


@pytest.mark.parametrize(
    ("cost", "here", "words"),
    [
        (
            "latency_ms",
            False,
            r"Measure more networks on the device, .* hardware export-bench --networks 100",
        ),
        (
            "ram_bytes",
            True,
            r"Plan more networks with .* --set hardware\.whole_networks=120$",
        ),
    ],
)
def test_the_way_on_is_of_the_cost_that_is_uncertain(
    facts: StudyFacts, problem: Problem, cost: str, here: bool, words: str
) -> None:
    answer = infeasible_facts(problem)
    smallest = tuple(
        replace(one, cost=cost, predicted=one.budget / 2, smallest=2 * one.budget) for one in answer.smallest[:1]
    )
    unsure = replace(answer, smallest=smallest, measured_here=here)
    with pytest.raises(InfeasibleBudgetError, match=words):
        show_outcome(replace(facts, answer=unsure, trust=None), Path("run"), StudyConsole())
