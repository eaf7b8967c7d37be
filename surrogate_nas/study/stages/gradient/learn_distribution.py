"""Learns distributions over architectures by gradients, whose order may vote in the predictor."""

from dataclasses import dataclass

import numpy as np

from surrogate_nas.errors import RunFolderError, SettingsError
from surrogate_nas.gradient.alpha_steps import RowCosts, row_costs
from surrogate_nas.gradient.craft import craft
from surrogate_nas.gradient.job import LearningJob, learning_plan
from surrogate_nas.gradient.learned import Learned, read_learned
from surrogate_nas.runs.run_folder import digest
from surrogate_nas.study.findings import Findings, LearnedOrder
from surrogate_nas.study.problem.problem import Problem
from surrogate_nas.study.running import Run
from surrogate_nas.study.stages.gradient.learned_votes import notes_on, votes_of
from surrogate_nas.study.stages.protocol import Stage, Timing
from surrogate_nas.supernet.plan import SupernetPlan
from surrogate_nas.supernet.stage import Workplace, check_stage, train_stage

_COSTS = "costs"  # in the identity of files


class LearnDistribution(Stage):
    """Learns a distribution over architectures, or one of each subspace, where ``gradient.method`` asks for it."""

    name = "gradient"
    inputs = (Problem,)
    timing = Timing.ADDED

    def check(self, problem: Problem, run: Run) -> None:
        """Refuses spaces, sizes and costs that the method cannot do with, and opens an earlier process's files.

        Raises:
            SettingsError: If they do not fit.
            StoreError, RunFolderError: If a file is damaged or belongs to something else.
        """
        if problem.settings.gradient.learns:
            half, batch = len(problem.splits.train) // 2, problem.settings.supernet.batch_size
            if batch > half:
                raise SettingsError(
                    f"gradient.method = {problem.settings.gradient.method!r} learns from half of the"
                    f" {len(problem.splits.train)} training images, less than one batch of {batch}; add images, or set"
                    f" supernet.batch_size={half} at most"
                )
            Search.of(problem, run).check()

    def reuse(self, findings: Findings, run: Run) -> Findings | None:  # noqa: ARG002 - as all
        """Finds nothing where no method was asked for."""
        return None if findings[Problem].settings.gradient.learns else Findings(LearnedOrder())

    def run(self, findings: Findings, run: Run) -> Findings:
        """Learns to the last step, and reads an architecture off every distribution."""
        problem = findings[Problem]
        learned = Search.of(problem, run).run(problem, run)
        notes, warnings = notes_on(problem, learned), learned.chosen.collapse.warnings
        for note in notes:
            run.console.note(note)
        for warning in warnings:
            run.console.warn(f"gradient.method = {problem.settings.gradient.method!r}: {warning}")
        # One that is only predicted to be over a budget may be measured within it, so that both are candidates.
        codes = [code for leaf in learned.best_first for code in (leaf.code, leaf.within) if code is not None]
        derived = tuple(tuple(code.tolist()) for code in codes)
        return Findings(LearnedOrder(votes_of(problem, learned), (*notes, *warnings), derived, learned))


@dataclass(frozen=True)
class Search:
    """The search by gradients that the settings ask for.

    Attributes:
        plan: Its trainings.
        place: Its files.
        costs: The first budget's cost by choice, where the method is to keep it.
    """

    plan: SupernetPlan
    place: Workplace
    costs: RowCosts | None

    @classmethod
    def of(cls, problem: Problem, run: Run) -> "Search":
        """Returns the search of a study.

        Raises:
            SettingsError: If it does not fit the space, or is to keep a cost that is no sum over decisions.
        """
        settings, compute, costs = problem.settings, problem.settings.compute, _costs(problem)
        of_stage = ("space", "data", "supernet", "augmentation", "seed")
        identity = {name: problem.supernet_identity[name] for name in of_stage}
        identity["gradient"] = digest(settings.gradient.model_dump(exclude={"votes"}))
        if costs is not None:
            # Rounded: the last bits of the fit depend on which architectures the study lists.
            scale = float(np.abs(costs.of_choices).max()) or 1.0
            rounded = np.round(costs.of_choices / scale, 9) + 0.0
            identity[_COSTS] = digest({"costs": rounded.tolist(), "budget": costs.reference})
        plan = learning_plan(
            problem.space, problem.plan.network, settings.gradient, settings.supernet, problem.settings.seed
        )
        place = Workplace(
            run.folder.distributions,
            run.folder.images,
            settings.data,
            identity,
            compute.device,
            compute.threads,
            craft(settings.gradient, costs),
        )
        return cls(plan, place, costs)

    def check(self) -> None:
        """Opens the files of an earlier process.

        Raises:
            StoreError, RunFolderError: If a file is damaged or belongs to something else.
        """
        folder, identity = self.place.folder, self.place.identity
        check_stage(self.plan, folder, {name: value for name, value in identity.items() if name != _COSTS})
        try:
            check_stage(self.plan, folder, identity)
        except RunFolderError:
            raise RunFolderError(
                f"the distributions in {folder} were learnt for another first budget, whose cost gradient.cost_weight"
                f" weighs; remove {folder} to learn them again, or use another --output-dir"
            ) from None

    def run(self, problem: Problem, run: Run) -> Learned:
        """Learns to the last step.

        Raises:
            Interrupted: If a stop was requested; everything done is kept.
            TrainingError: If a loss is not finite, a worker dies, or a state cannot be written.
        """
        settings = problem.settings
        self.place.folder.mkdir(parents=True, exist_ok=True)
        plan = train_stage(self.plan, self.place, run.workers, run.console.progress, run.should_stop)
        jobs = [LearningJob(self.place.job(plan, each), settings.gradient, self.costs) for each in plan.phases[-1]]
        at_once = settings.labels.images_at_once(problem.plan.network.image_size)
        return read_learned(jobs, settings.labels.validation_images, at_once, problem.keeps)


def _costs(problem: Problem) -> RowCosts | None:
    """Returns the first budget's cost by choice, where the method is to keep it."""
    if not problem.settings.gradient.cost_weight:
        return None
    if not problem.budgets:
        raise SettingsError("gradient.cost_weight needs a budget to compare costs with: give one, or set it to 0")
    budget, rows = problem.budgets[0], np.flatnonzero(problem.connected)
    # Not what single networks were measured to have: the sum over decisions is of predictions.
    predicted = problem.table.predictions.evaluate(problem.codes[rows])[budget.cost]
    return row_costs(problem.space, predicted, problem.codes[rows], budget.limit)
