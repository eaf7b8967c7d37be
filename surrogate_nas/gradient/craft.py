"""The work of worker processes on the trainings of a search by gradients: learning, and finding where to cut."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import torch

from surrogate_nas.gradient.alpha_steps import RowCosts
from surrogate_nas.gradient.contexts import MixtureContext
from surrogate_nas.gradient.distributions.distribution import Independent
from surrogate_nas.gradient.distributions.relaxations import RELAXATIONS
from surrogate_nas.gradient.job import LearningJob, named_as_here
from surrogate_nas.gradient.learning import run_learning
from surrogate_nas.gradient.settings import GradientSettings
from surrogate_nas.supernet.gradient_matching import Context, Contexts, find_cut
from surrogate_nas.supernet.splits.gradient_cuts import Cut
from surrogate_nas.supernet.stage import Craft
from surrogate_nas.supernet.training import TrainingJob


@dataclass(frozen=True)
class Learning:
    """Runs a training of a search by gradients to its last step.

    Attributes:
        settings: The search by gradients.
        costs: Costs for ``settings.cost_weight``.
    """

    settings: GradientSettings
    costs: RowCosts | None = None

    def __call__(self, job: TrainingJob, report: Callable[[int], None], stopped: Callable[[], bool]) -> bool:
        """Returns whether it is complete; see ``run_learning``."""
        return run_learning(LearningJob(job, self.settings, self.costs), report, stopped)


@dataclass(frozen=True)
class Cutting:
    """Finds where gradients cut the subspace of a training, in the contexts that its weights are trained in.

    Attributes:
        settings: The search by gradients.
    """

    settings: GradientSettings

    def __call__(self, job: TrainingJob, report: Callable[[int], None], stopped: Callable[[], bool]) -> Cut | None:
        """Returns the cut, or None if it was stopped; see ``cut_member``."""
        learning = LearningJob(job, self.settings)
        space, box, row = job.plan.space, job.plan.box(job.training), self.settings.row
        distribution = learning.distribution().to(torch.device(job.device))

        def context_of(decision: int) -> Context:
            if row.weights_see not in RELAXATIONS:
                return Contexts(space, box, decision)
            relaxation = RELAXATIONS[row.weights_see], row.temperature[0]
            return MixtureContext(space, box, decision, cast(Independent, distribution), relaxation)

        with named_as_here():
            return find_cut(job, learning.batches(learning.halves()[0]), context_of, report, stopped)


def craft(settings: GradientSettings, costs: RowCosts | None = None) -> Craft:
    """Returns the work of a stage that learns distributions.

    Args:
        settings: The search by gradients.
        costs: Costs for ``settings.cost_weight``.
    """
    doing = "learning a distribution over architectures"
    return Craft(Learning(settings, costs), Cutting(settings), f"gradient, {settings.method}", doing)
