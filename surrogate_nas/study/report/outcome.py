"""Says what a study found, and what can be done next."""

from pathlib import Path

from surrogate_nas._support.commands import shown
from surrogate_nas.costs.cost import COSTS
from surrogate_nas.errors import InfeasibleBudgetError
from surrogate_nas.report.facts import StudyFacts
from surrogate_nas.report.terminal import print_summary
from surrogate_nas.report.write import PAGE_NAME
from surrogate_nas.runs.console import StudyConsole
from surrogate_nas.runs.run_folder import RunFolder
from surrogate_nas.search.journal.dashboard import dashboard_command
from surrogate_nas.study.ask.request import resume_command


def show_outcome(facts: StudyFacts, output: Path, console: StudyConsole) -> None:
    """Prints the summary, and what can be done next.

    Raises:
        InfeasibleBudgetError: If no architecture meets the budget.
    """
    print_summary(console.results, facts, str(output / PAGE_NAME))
    option = COSTS[facts.primary_cost].option
    if facts.answer.outcome == "infeasible":
        raise InfeasibleBudgetError(
            "no architecture of the space meets the budget; the report says what comes nearest. With another one:"
            f" {resume_command(output)} {option} ..."
        )
    console.hint("another budget", shown("lookup", output, option, "20%"))
    console.hint("the search", dashboard_command(RunFolder(output).journal))
