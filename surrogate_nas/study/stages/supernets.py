"""Trains the sub-supernets."""

from dataclasses import replace

from surrogate_nas.study.findings import Findings
from surrogate_nas.study.problem.problem import Problem
from surrogate_nas.study.running import Run
from surrogate_nas.study.stages.protocol import Stage, Timing
from surrogate_nas.supernet.plan import SupernetPlan
from surrogate_nas.supernet.stage import Workplace, check_stage, is_trained, known_plan, train_stage


class TrainSupernets(Stage):
    """Trains the sub-supernets; the problem then has the subspaces that training decided."""

    name = "supernets"
    inputs = (Problem,)
    timing = Timing.ADDED

    def check(self, problem: Problem, run: Run) -> None:
        """Opens the checkpoints of an earlier process.

        Raises:
            StoreError: If one is damaged.
            RunFolderError: If one belongs to something else.
        """
        check_stage(problem.plan, run.folder.supernets, problem.supernet_identity)

    def reuse(self, findings: Findings, run: Run) -> Findings | None:
        """Takes the checkpoints where every training has come to its end."""
        problem, folder = findings[Problem], run.folder.supernets
        if not is_trained(problem.plan, folder, problem.supernet_identity):
            return None
        run.console.note("supernets: already trained")
        return Findings(replace(problem, plan=known_plan(problem.plan, folder, problem.supernet_identity)))

    def run(self, findings: Findings, run: Run) -> Findings:
        """Trains every member to its last step."""
        problem = findings[Problem]
        return Findings(replace(problem, plan=train_supernets(problem, run)))


def train_supernets(problem: Problem, run: Run) -> SupernetPlan:
    """Trains every member to its last step.

    Returns:
        The plan, with the subspaces that were found on the way.

    Raises:
        Interrupted: If a stop was requested; checkpoints are saved.
        SettingsError: If there are fewer workers than are to share a supernet.
        TrainingError: If a loss is not finite, a worker dies, or a checkpoint cannot be written.
    """
    settings, folder, compute = problem.settings, run.folder, problem.settings.compute
    place = Workplace(
        folder.supernets,
        folder.images,
        settings.data,
        problem.supernet_identity,
        compute.device,
        compute.threads,
        sharing=compute.processes_per_supernet,
    )
    trained = train_stage(problem.plan, place, run.workers, run.console.progress, run.should_stop)
    if not problem.plan.is_known:
        run.console.note(f"supernets: split into {'; '.join(f'({name})' for name in trained.names)}")
    return trained
