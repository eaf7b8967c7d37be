"""Searches the space under the budgets."""

from collections.abc import Sequence

import numpy as np

from surrogate_nas._support.words import count_of
from surrogate_nas.runs.run_folder import digest
from surrogate_nas.search.evaluator import require_traded
from surrogate_nas.search.result import SearchResult
from surrogate_nas.search.run_search import run_search, study_name
from surrogate_nas.study.findings import Findings, LearnedOrder, SpaceScores, StudyLabels
from surrogate_nas.study.problem.contenders import Contenders
from surrogate_nas.study.problem.problem import Problem
from surrogate_nas.study.running import Run
from surrogate_nas.study.stages.fit_predictor import predictor_inputs
from surrogate_nas.study.stages.protocol import Stage, Timing

_ROUNDS = 3  # of measuring networks near the budget, where better ones are left


class PreviewSearch(Stage):
    """Searches once before networks are trained, so that a dashboard has something to show in the meantime."""

    name = "preview"
    inputs = (Problem, LearnedOrder, StudyLabels, SpaceScores)

    def reuse(self, findings: Findings, run: Run) -> Findings | None:  # noqa: ARG002 - whatever was found
        """Does nothing where no dashboard was requested."""
        return None if run.watch.asked else Findings()

    def run(self, findings: Findings, run: Run) -> Findings:
        """Shows what an earlier process searched, and the preview where networks are about to be trained."""
        run.watch.open()
        problem = findings[Problem]
        if problem.settings.loop.trainings:
            search(findings, run)
            run.watch.show()
        return Findings()


class SearchSpace(Stage):
    """Searches the space under the budgets; the search's proposals join the pool and are scored too."""

    name = "search"
    inputs = (Problem, LearnedOrder, StudyLabels, SpaceScores)
    timing = Timing.ANEW

    def check(self, problem: Problem, run: Run) -> None:
        """Refuses a database that does not answer, or has another run's study of that name; and unknown costs to trade.

        Raises:
            SettingsError: If it is one of these.
        """
        if problem.settings.search.traded:
            require_traded(problem.settings.search.traded, problem.table.names)
        if run.database is not None:
            with run.database.answering():
                run.database.own(study_name(problem.space, problem.settings.name))

    def run(self, findings: Findings, run: Run) -> Findings:
        """Searches, continuing the trials of an earlier process."""
        problem, scores = with_measured(findings[Problem], findings[SpaceScores], run)
        result = search(findings | Findings(problem, scores), run)
        # Proposals of another sampler than a scan may not be in the pool yet.
        problem = problem.listing(result.codes)
        run.watch.show()
        return Findings(problem, scores.over(problem.pool), result)


def with_measured(problem: Problem, scores: SpaceScores, run: Run) -> tuple[Problem, SpaceScores]:
    """Returns the problem with the best architectures measured that are predicted within a budget without being sure.

    A search keeps to upper bounds, and so would leave as much of a budget unused as predictions may be wrong.
    Nothing is measured where networks were trained, since they were measured then.

    Args:
        problem: The problem.
        scores: Of its pool.
        run: The run, whose folder keeps the measurements.

    Raises:
        MeasurementError: If a network cannot be run or planned.
        StoreError: If the file of an earlier process is damaged.
        Interrupted: If a stop was requested; measurements are kept.
    """
    settings = problem.settings
    if settings.loop.trainings or not settings.search.measured:
        return problem, scores
    contenders = Contenders.of(problem)
    scores = scores.over(contenders.problem.pool)
    score, tried = scores.mean[contenders.rows], set[int]()
    for _ in range(_ROUNDS):
        # What keeps a budget as measured is sure from now on, so that only better ones are still promising.
        wanted = contenders.promising(score, settings.search.measured)
        if not wanted:
            break
        contenders = _measured(contenders, wanted, run)
        tried.update(wanted)
    if tried:
        keeping = int(contenders.answers[:, sorted(tried)].any(axis=0).sum())
        run.console.note(
            f"search: {keeping} of {count_of(len(tried), 'architecture')} near a budget"
            f" {'keeps' if keeping == 1 else 'keep'} it as measured; their upper bounds do not"
        )
    return contenders.problem, scores


def with_cheapest_measured(problem: Problem, run: Run) -> Problem:
    """Returns the problem with a few architectures measured or planned, where no upper bound keeps the budgets.

    Tried are the ones that are predicted farthest below the budgets, so that a budget is not given up for a margin.

    Args:
        problem: The problem; ``search.measured`` says how many are tried at once.
        run: The run, whose folder keeps the measurements.

    Raises:
        MeasurementError: If a network cannot be run or planned.
        StoreError: If the file of an earlier process is damaged.
        Interrupted: If a stop was requested; measurements are kept.
    """
    if not problem.measures_candidates:
        return problem
    contenders = Contenders.of(problem)
    hopes = {cost: values[contenders.rows] for cost, values in contenders.problem.hopes.items()}
    slack = np.min([-budget.violation(hopes[budget.cost]) for budget in problem.budgets], axis=0)
    at_once = problem.settings.search.measured or problem.settings.loop.trainings
    for _ in range(_ROUNDS):
        wanted = contenders.promising(slack, at_once)
        if not wanted or contenders.problem.feasible.any():
            break
        contenders = _measured(contenders, wanted, run)
    return problem if contenders.problem.table is problem.table else contenders.problem


def _measured(contenders: Contenders, wanted: Sequence[int], run: Run) -> Contenders:
    with run.console.progress(f"{contenders.measured_costs} near the budget ({count_of(len(wanted), 'network')})"):
        contenders = contenders.measured(wanted, run.folder)
    run.stop_if_asked("measuring networks near the budget")
    return contenders


def search(findings: Findings, run: Run) -> SearchResult:
    """Searches the space under the budgets, as an Optuna study in the run folder's journal or in a database.

    Args:
        findings: The problem, its labels and scores, and what was learnt by gradients.
        run: The run.

    Raises:
        Interrupted: If a stop was requested; trials written so far are kept.
    """
    problem, labels, scores = findings[Problem], findings[StudyLabels], findings[SpaceScores]
    costs = {cost: np.round(values, 9).tolist() for cost, values in problem.bounds.items()}
    with run.progress("search", "searching") as progress:
        return run_search(
            problem.space,
            scores,
            problem.cautious_costs,
            problem.budgets,
            problem.settings.search,
            seed=problem.settings.seed,
            journal=run.journal,
            study=problem.settings.name,
            inputs=digest(
                {"predictor": predictor_inputs(problem, labels), "costs": costs, "scores": scores.mean.tolist()}
            ),
            progress=progress,
            pool=problem.pool,
            distribution=findings[LearnedOrder].distribution,
        )
