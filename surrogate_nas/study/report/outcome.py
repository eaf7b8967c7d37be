"""Shows the outcome of a study, and the commands that help next."""

from importlib.util import find_spec
from pathlib import Path

from surrogate_nas._support.commands import shown
from surrogate_nas.costs.cost import COSTS
from surrogate_nas.errors import InfeasibleBudgetError
from surrogate_nas.report.facts.whole import StudyFacts
from surrogate_nas.report.judgements import surer, too_uncertain
from surrogate_nas.report.summary import print_summary
from surrogate_nas.report.terminal import print_details
from surrogate_nas.report.write import PAGE_NAME
from surrogate_nas.runs.console import StudyConsole
from surrogate_nas.runs.run_folder import RunFolder
from surrogate_nas.search.journal.dashboard import dashboard_command
from surrogate_nas.study.ask.request import resume_command


def show_outcome(facts: StudyFacts, output: Path, console: StudyConsole, *, details: bool = False) -> None:
    """Prints the summary or everything, and the commands that help next.

    Raises:
        InfeasibleBudgetError: If no architecture meets the budget.
    """
    option = COSTS[facts.primary_cost].option
    found = facts.answer.outcome != "infeasible"
    if details:
        print_details(console.results, facts, str(output / PAGE_NAME))
    else:
        print_summary(console.results, facts, next_steps(output, option) if found else {})
    if not found:
        raise InfeasibleBudgetError(_advice(facts, output, option))
    if details:
        for purpose, command in next_steps(output, option).items():
            console.hint(purpose, command)
        if find_spec("optuna_dashboard") is not None:
            console.hint("the search", dashboard_command(RunFolder(output).storage.url or RunFolder(output).journal))


def next_steps(output: Path, option: str) -> dict[str, str]:
    """Returns purpose and command of what a user does with a finished study.

    Args:
        output: The run folder.
        option: Option of the cost that other budgets are given for.
    """
    return {
        "train it": shown("train", output),
        "another budget": shown("lookup", output, option, "20%"),
        "details": f"{shown('report', output)} --open",
    }


def _advice(facts: StudyFacts, output: Path, option: str) -> str:
    resume = resume_command(output)
    if too_uncertain(facts.answer):
        return f"no architecture is certain to meet the budget. {surer(facts.answer, resume)}"
    return (
        "no architecture of the space meets the budget; the report shows the nearest. Try another budget with:"
        f" {resume} {option} ..."
    )
