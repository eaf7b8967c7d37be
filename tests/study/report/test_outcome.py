"""What is said at the end."""

from dataclasses import replace
from pathlib import Path

import pytest

from surrogate_nas.errors import InfeasibleBudgetError
from surrogate_nas.report.facts import StudyFacts
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
    assert errors.splitlines() == [
        "another budget:  python -m surrogate_nas.lookup 'my runs/a' --flops-budget 20%",
        "the search:      optuna-dashboard 'my runs/a/search.journal'",
    ]


def test_nothing_within_the_budget_is_an_outcome_of_its_own(
    facts: StudyFacts, problem: Problem, capsys: pytest.CaptureFixture[str]
) -> None:
    nothing = replace(facts, answer=infeasible_facts(problem), trust=None)
    with pytest.raises(InfeasibleBudgetError, match="--output-dir run --resume --latency-budget"):
        show_outcome(nothing, Path("run"), StudyConsole())
    out, errors = capsys.readouterr()
    assert "No architecture meets the budget" in out
    assert "smallest reachable" in out
    assert errors == ""
