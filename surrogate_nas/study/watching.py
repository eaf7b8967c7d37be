"""What a person may watch while a study runs, and what stays attached to its search."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from surrogate_nas.errors import SurrogateNasError
from surrogate_nas.report.plots.search_plots import SearchPoints, search_figures, write_plots
from surrogate_nas.report.plots.supernet_plots import SupernetPoints, supernet_figures
from surrogate_nas.runs.console import StudyConsole
from surrogate_nas.runs.run_folder import RunFolder
from surrogate_nas.search.journal.dashboard import Dashboard, annotate, dashboard_command, served
from surrogate_nas.search.result import SearchResult
from surrogate_nas.study.stages.prepare import Prepared
from surrogate_nas.study.stages.search import SpaceScores


@contextmanager
def watched(asked: bool, folder: RunFolder, console: StudyConsole) -> Iterator[Dashboard | None]:
    """A dashboard that is not started yet, and ends with the block; None where none was asked for.

    Raises:
        SettingsError: If optuna-dashboard is not installed.
    """
    dashboard = Dashboard(folder.journal, folder.artifacts) if asked else None
    with served(dashboard):
        if dashboard is not None and folder.journal.exists():
            show(dashboard, console)
        yield dashboard


def show(dashboard: Dashboard, console: StudyConsole) -> None:
    """Starts it, or starts it again on a journal that was replaced; what goes wrong there is no reason to stop."""
    try:
        dashboard.start()
    except OSError as error:
        console.warn(f"the dashboard could not be started: {error}")
    else:
        console.note(f"dashboard: {dashboard.url} (until the run ends)")


def search_points(prepared: Prepared, scores: SpaceScores, result: SearchResult) -> SearchPoints:
    """What the plots of the search show."""
    rows = np.flatnonzero(prepared.connected)
    return SearchPoints(
        codes=prepared.codes[rows],
        decisions=[decision.name for decision in prepared.space.decisions],
        choices=[decision.choices for decision in prepared.space.decisions],
        accuracy_percent=np.clip(scores.mean[rows], 0, 100),
        feasible=prepared.feasible[rows],
        costs={budget.cost: (prepared.bounds[budget.cost][rows], budget.limit) for budget in prepared.budgets},
        trial_accuracy_percent=np.clip(result.mean, 0, 100),
        trial_feasible=result.feasible,
    )


def attach(
    folder: RunFolder, points: SearchPoints, supernet: SupernetPoints, command: str, console: StudyConsole
) -> None:
    """Writes the plots as files, and gives the search's study the report, the table and the command that made them.

    What goes wrong is said and is no reason to fail: the answer is on the disk already.
    """
    note = f"Made by\n\n    {command}\n\nLook again with\n\n    {dashboard_command(folder.journal)}\n"
    try:
        plots = write_plots(folder.plots, supernet_figures(supernet) | search_figures(points))
        files = [folder.path / "report.html", folder.path / "lookup.csv", *plots]
        annotate(folder.journal, note, [file for file in files if file.exists()], folder.artifacts)
    except (OSError, SurrogateNasError) as error:
        console.warn(f"plots and notes could not be attached to the search: {error}")
