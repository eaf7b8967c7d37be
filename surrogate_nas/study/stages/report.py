"""Writes the report, and attaches what it shows to the search."""

from dataclasses import replace

from surrogate_nas.errors import SurrogateNasError
from surrogate_nas.predictor.predictor import FittedPredictor
from surrogate_nas.report.facts.whole import StudyFacts
from surrogate_nas.report.plots.search_plots import SearchPoints, search_figures, write_plots
from surrogate_nas.report.plots.supernet_plots import SupernetPoints, supernet_figures
from surrogate_nas.report.write import PAGE_NAME, write_report
from surrogate_nas.runs.environment import earlier_commands
from surrogate_nas.search.journal.dashboard import annotate, dashboard_command
from surrogate_nas.search.result import SearchResult
from surrogate_nas.search.run_search import study_name
from surrogate_nas.study.findings import (
    FinalistChoice,
    Findings,
    LearnedOrder,
    RivalFindings,
    SpaceScores,
    StudyLabels,
)
from surrogate_nas.study.problem.problem import Problem
from surrogate_nas.study.report.answer import answer_facts, infeasible_facts, study_facts
from surrogate_nas.study.report.evidence import evidence_facts, truth_facts
from surrogate_nas.study.report.plotted import predictor_points, search_points, supernet_points
from surrogate_nas.study.report.provenance import provenance_facts
from surrogate_nas.study.report.rival_facts import rivals_facts
from surrogate_nas.study.running import Run
from surrogate_nas.study.stages.protocol import Stage


class WriteReport(Stage):
    """Writes the report of everything that the study has found."""

    name = "report"
    inputs = (
        Problem,
        LearnedOrder,
        StudyLabels,
        FittedPredictor,
        SpaceScores,
        SearchResult,
        FinalistChoice,
        RivalFindings,
    )

    def run(self, findings: Findings, run: Run) -> Findings:
        """Writes page, JSON and plots."""
        problem, labels, predictor = findings[Problem], findings[StudyLabels], findings[FittedPredictor]
        scores, result, choice = findings[SpaceScores], findings[SearchResult], findings[FinalistChoice]
        learned = findings[LearnedOrder]
        notes = (*problem.splits.warnings, *problem.splits.notes, *learned.notes, *scores.notes, *result.notes)
        made = provenance_facts(problem, _commands(run), run.folder.state, result, notes)
        with run.console.progress("report"):
            facts = study_facts(
                problem,
                answer_facts(problem, predictor, scores, choice),
                made,
                evidence_facts(problem, predictor, labels, choice),
                truth_facts(problem, predictor, scores, labels, choice),
            )
            facts = replace(facts, rivals=rivals_facts(problem, choice, findings[RivalFindings]))
            searched = search_points(problem, scores, result)
            supernets = supernet_points(problem, scores, run.folder.supernets)
            points = predictor_points(problem, predictor, scores, labels)
            written = write_report(run.folder.path, facts, replace(points, search=searched, supernet=supernets))
            _attach(searched, supernets, study_name(problem.space, problem.settings.name), run)
        return Findings(written)


def report_infeasible(problem: Problem, run: Run) -> StudyFacts:
    """Writes the report of a study whose budgets no architecture meets."""
    made = provenance_facts(problem, _commands(run), run.folder.state, None, ())
    return write_report(run.folder.path, study_facts(problem, infeasible_facts(problem), made), None)


def _attach(searched: SearchPoints, supernets: SupernetPoints, study: str, run: Run) -> None:
    """Writes the plots as files, and gives the search's study the report, the table and the command that made them.

    A failure is a warning and no reason to fail: the answer is on the disk already.
    """
    folder = run.folder
    look_again = dashboard_command(run.database.shown if run.database else folder.journal)
    note = f"Made by\n\n    {run.request.command}\n\nLook again with\n\n    {look_again}\n"
    try:
        plots = write_plots(folder.plots, supernet_figures(supernets) | search_figures(searched))
        files = [folder.path / PAGE_NAME, folder.path / "lookup.csv", *plots]
        annotate(run.journal, study, note, [file for file in files if file.exists()], folder.artifacts)
    except (OSError, SurrogateNasError) as error:
        run.console.warn(f"plots and notes could not be attached to the search: {error}")


def _commands(run: Run) -> tuple[str, ...]:
    return (*earlier_commands(run.folder.environment)[:-1], run.request.command)
