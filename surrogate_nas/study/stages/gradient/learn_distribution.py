"""Learns a distribution over architectures by gradients, whose order votes in the predictor."""

import numpy as np

from surrogate_nas.errors import Interrupted, SettingsError
from surrogate_nas.gradient.alpha_steps import RowCosts, row_costs
from surrogate_nas.gradient.job import LearningJob
from surrogate_nas.gradient.learned import read_learned
from surrogate_nas.gradient.learned_file import load_learned
from surrogate_nas.gradient.learning import run_learning
from surrogate_nas.runs.run_folder import digest
from surrogate_nas.study.findings import Findings, LearnedOrder
from surrogate_nas.study.problem.problem import Problem
from surrogate_nas.study.running import Run
from surrogate_nas.study.stages.gradient.learned_votes import notes_on, votes_of
from surrogate_nas.study.stages.protocol import Stage, Timing

FILE = "gradient.safetensors"


class LearnDistribution(Stage):
    """Learns a distribution over architectures, where ``gradient.method`` asks for one."""

    name = "gradient"
    inputs = (Problem,)
    timing = Timing.ADDED

    def check(self, problem: Problem, run: Run) -> None:
        """Refuses spaces, sizes and costs that the method cannot do with, and opens an earlier process's state.

        Raises:
            SettingsError: If they do not fit.
            StoreError, RunFolderError: If the state is damaged or belongs to something else.
        """
        if not problem.settings.gradient.learns:
            return
        job = learning_job(problem, run)
        job.build()
        if job.file.exists():
            load_learned(job.file, job.identity)

    def reuse(self, findings: Findings, run: Run) -> Findings | None:  # noqa: ARG002 - as all
        """Finds nothing where no method was asked for."""
        return None if findings[Problem].settings.gradient.learns else Findings(LearnedOrder())

    def run(self, findings: Findings, run: Run) -> Findings:
        """Learns to the last step, and reads an architecture off."""
        problem = findings[Problem]
        settings, job = problem.settings.gradient, learning_job(problem, run)
        finished: list[bool] = []
        with run.console.progress(f"gradient ({settings.method}, {settings.steps:,} steps)") as advance:
            run.workers.run(
                run_learning,
                [job],
                on_result=lambda _, done: finished.append(done),
                on_progress=lambda done: advance(done, settings.steps),
                should_stop=run.should_stop,
            )
        if finished != [True]:
            raise Interrupted("stopped while learning a distribution over architectures")
        learned = read_learned(job)
        notes = notes_on(problem, learned)
        for note in notes:
            run.console.note(note)
        for warning in learned.collapse.warnings:
            run.console.warn(f"gradient.method = {settings.method!r}: {warning}")
        derived = (tuple(learned.code.tolist()),)
        return Findings(
            LearnedOrder(votes_of(problem, learned), (*notes, *learned.collapse.warnings), derived, learned)
        )


def learning_job(problem: Problem, run: Run) -> LearningJob:
    """Returns the search by gradients that the settings ask for.

    Raises:
        SettingsError: If it is to keep a cost that is no sum over decisions.
    """
    settings, costs = problem.settings, _costs(problem)
    of_stage = ("space", "data", "supernet", "augmentation", "seed")
    identity = {name: problem.supernet_identity[name] for name in of_stage}
    identity["gradient"] = digest(settings.gradient.model_dump())
    if costs is not None:
        identity["costs"] = digest({"costs": costs.of_choices.tolist(), "budget": costs.reference})
    return LearningJob(
        problem.space,
        problem.plan.network,
        settings.gradient,
        settings.supernet,
        settings.seed,
        run.folder.images,
        settings.data,
        run.folder.supernets / FILE,
        identity,
        costs,
        settings.compute.device,
        settings.compute.threads,
    )


def _costs(problem: Problem) -> RowCosts | None:
    """Returns the first budget's cost by choice, where the method is to keep it."""
    if not problem.settings.gradient.cost_weight:
        return None
    if not problem.budgets:
        raise SettingsError("gradient.cost_weight needs a budget to compare costs with: give one, or set it to 0")
    budget, rows = problem.budgets[0], np.flatnonzero(problem.connected)
    return row_costs(problem.space, problem.costs[budget.cost][rows], problem.codes[rows], budget.limit)
