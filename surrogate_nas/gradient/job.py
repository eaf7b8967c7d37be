"""Input of a process that learns a distribution: a training of a plan, and the settings of the search by gradients."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from surrogate_nas.data.batches import Batches
from surrogate_nas.data.cache import load_splits
from surrogate_nas.errors import SettingsError, SpaceError
from surrogate_nas.gradient.alpha_steps import RowCosts
from surrogate_nas.gradient.distributions.controller import Controller
from surrogate_nas.gradient.distributions.distribution import Distribution, Independent
from surrogate_nas.gradient.distributions.subspace import Subspace
from surrogate_nas.gradient.halves import Half, halves
from surrogate_nas.gradient.settings import GradientSettings
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Space
from surrogate_nas.supernet.phases import Training
from surrogate_nas.supernet.plan import SupernetPlan, make_plan
from surrogate_nas.supernet.settings import SupernetSettings
from surrogate_nas.supernet.training import TrainingJob

_OF_SPLIT = re.compile(r"supernet\.(?=split|groups|parent_share|steps)")


@dataclass(frozen=True)
class LearningJob:
    """Input of one process that learns a distribution, or trains weights that several of them begin from.

    Attributes:
        work: The training, with its plan, images and files.
        settings: The search by gradients.
        costs: Costs for ``settings.cost_weight``.
    """

    work: TrainingJob
    settings: GradientSettings
    costs: RowCosts | None = None

    @property
    def plan(self) -> SupernetPlan:
        """The plan that the training is of."""
        return self.work.plan

    @property
    def training(self) -> Training:
        """The training."""
        return self.work.training

    @property
    def space(self) -> Space:
        """The search space."""
        return self.plan.space

    @property
    def file(self) -> Path:
        """Path that the state is written to and resumed from."""
        return self.work.checkpoint

    @property
    def learns(self) -> bool:
        """True where the distribution learns: a parent's stays as it began."""
        return self.training.level + 1 == len(self.plan.phases)

    @property
    def subspace(self) -> Subspace:
        """The architectures that it draws from."""
        return Subspace(self.space, self.plan.split_at(self.training.level), self.training.group)

    @property
    def seed(self) -> int:
        """Seed of its draws."""
        return self.plan.seed_of(self.training.stream)

    def distribution(self) -> Distribution:
        """Returns the distribution as it begins."""
        kind = Controller if self.settings.row.controller else Independent
        return kind(self.space, self.seed, self.plan.box(self.training))

    def halves(self) -> tuple[Half, Half]:
        """Returns the images of the weights and of the distribution, equal for all trainings of a plan."""
        return halves(load_splits(self.work.images, checked=True).to(self.work.device), self.plan.seed)

    def batches(self, half: Half) -> Batches:
        """Returns mini-batches of a half, equal for all trainings of a plan."""
        data, seed = self.work.data, self.plan.image_seed(self.training)
        return Batches(half, self.plan.settings.batch_size, seed=seed, flip=data.flip, shift=data.shift)


@contextmanager
def named_as_here() -> Iterator[None]:
    """Names settings of the split as this search has them, in what the trainings of a supernet refuse."""
    try:
        yield
    except SettingsError as error:
        raise SettingsError(_OF_SPLIT.sub("gradient.", str(error))) from None


def learning_plan(
    space: Space, network: NetworkSpec, settings: GradientSettings, supernet: SupernetSettings, seed: int
) -> SupernetPlan:
    """Returns the trainings of a search by gradients: one, or the parents and members of its split.

    Args:
        space: The search space.
        network: Sizes of the supernet.
        settings: The search by gradients.
        supernet: Settings of the supernet, of which batches, rates and blocks count.
        seed: Seed of weights and draws.

    Raises:
        SettingsError: If choices of the space cannot be mixed, or not with these settings; or if the supernet's
            settings name weights to begin with.
    """
    row = settings.row
    if supernet.weights_from is not None:
        raise SettingsError(
            f"gradient.method = {settings.method!r} begins with random weights, and supernet.weights_from ="
            f" {supernet.weights_from!r} names others; leave one of the two out"
        )
    with named_as_here():
        plan = replace(make_plan(space, network, settings.supernet(supernet), seed), parts=row.partial_channels)
    try:
        shared = plan.build(0)
    except SpaceError as error:
        raise SettingsError(
            f"gradient.partial_channels = {row.partial_channels} does not fit supernet.channels ="
            f" {supernet.channels} or the space: {error}"
        ) from None
    refusal = shared.refusal_to_mix()
    if refusal is not None:
        raise SettingsError(
            f"gradient.method = {settings.method!r} cannot mix the choices of space = {space.name!r}: {refusal}; set"
            " gradient.method to 'none'"
        )
    return plan
