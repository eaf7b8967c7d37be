"""Plans a supernet stage: its sets of weights, and the architectures that each trains and evaluates."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from surrogate_nas.errors import SettingsError
from surrogate_nas.nets.places.protocol import SizedPlace
from surrogate_nas.nets.places.table import places_of
from surrogate_nas.space.layouts import ChoosesSize
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Space
from surrogate_nas.supernet.phases import Phase, Training, make_phases, steps_before_split
from surrogate_nas.supernet.presets import AUTO
from surrogate_nas.supernet.rules.samplers import Mixture, NearBudgets, PathSampler
from surrogate_nas.supernet.rules.sampling import Source, Weighted
from surrogate_nas.supernet.rules.schedules import Schedule
from surrogate_nas.supernet.rules.sharing import REDUCTIONS, WEIGHTS, Copies
from surrogate_nas.supernet.rules.step_plan import Agenda, Opening, Teaching
from surrogate_nas.supernet.settings import Rules, SupernetSettings
from surrogate_nas.supernet.shared_network import SharedNetwork, initialise
from surrogate_nas.supernet.splits.boxes import Box, BoxSplit, whole_box
from surrogate_nas.supernet.splits.gradient_cuts import Cut, boxes_after
from surrogate_nas.supernet.splits.split import Split

_LEAST_SHARE = 0.01  # of the usual steps: fewer leave nearly random weights, whose labels say nothing
PARENTS = 1_000_000  # from here on members are parents, counted over the replicas
_REPLICA_STRIDE = 15_485_863  # between the seeds of replicas' images, so that no study's seed meets another's replica


@dataclass(frozen=True)
class SupernetPlan:
    """The trainings of a supernet stage, and its members: the sets of weights that architectures are evaluated with.

    With whole-subnet sharing each subspace is a member; with depth-wise sharing, one set of weights, or without a
    split, there is one. Members may begin from common parents; a split by gradients is known only once these are
    trained, and ``with_cuts`` adds it to the plan.

    Training members apart on the same sequence of batches is equivalent to one step with one subnet per subspace
    where no weight is shared between subspaces; only the gradient norm is clipped per member.

    Attributes:
        space: The search space.
        network: Sizes of the supernet.
        settings: The rules of splitting, sharing and sampling.
        split: The subspaces; the whole space as long as they are not known.
        seed: Seed of weights and draws.
        cuts: Cuts that gradients have decided so far.
        near: Architectures near the budgets, of which ``settings.in_band`` is drawn; codes as tuples.
        parts: Operations see one in so many channels of a place.
        folds: Number of divisions of the images; every replica is trained once on each.
    """

    space: Space
    network: NetworkSpec
    settings: SupernetSettings
    split: Split
    seed: int
    cuts: tuple[Cut, ...] = ()
    near: tuple[tuple[int, ...], ...] = ()
    parts: int = 1
    folds: int = 1

    @property
    def rules(self) -> Rules:
        """Rules that the settings choose."""
        return self.settings.rules

    # Members

    @property
    def members(self) -> int:
        """Number of sets of weights that architectures are evaluated with, over all replicas and folds."""
        return self.members_per_replica * self.repetitions

    @property
    def repetitions(self) -> int:
        """Number of times that everything is trained: once for each replica on each fold."""
        return self.settings.replicas * self.folds

    @property
    def members_per_replica(self) -> int:
        """Number of members in one replica; one of them evaluates a given architecture."""
        if not self.rules.sharing.owns_weights:
            return 1
        return 2**self._rounds if self.rules.split.is_late else self.split.groups

    @property
    def is_known(self) -> bool:
        """True once the subspaces are decided."""
        return self.is_decided(self._rounds)

    def is_decided(self, level: int) -> bool:
        """Returns whether the subspaces that trainings of a level draw from are decided."""
        return not self.rules.split.is_late or len(self.cuts) >= 2**level - 1

    @property
    def names(self) -> tuple[str, ...]:
        """Short descriptions of the subspaces, or of how they will be found."""
        return self.split.names if self.is_known else ("split by gradients during training",)

    @property
    def titles(self) -> tuple[str, ...]:
        """The names as a sentence has them."""
        return self.split.titles if self.is_known else self.names

    @property
    def drawn_by(self) -> Split:
        """Split that draws of architectures are balanced over: the split, or without one the sampler's bands."""
        return self.split if self.rules.split.splits or self._bands is None else self._bands.split

    def member_of(self, codes: ArrayLike) -> NDArray[np.int64]:
        """Returns the number of the member of the first replica that evaluates each code, shape (N,).

        Raises:
            SettingsError: If the subspaces are not decided.
        """
        if not self.is_known:
            raise SettingsError(
                "the members of an architecture are known only once the parents of the split are trained"
            )
        groups = self.split.assign(codes)
        return groups if self.rules.sharing.owns_weights else np.zeros_like(groups)

    def members_of(self, codes: ArrayLike) -> NDArray[np.int64]:
        """Returns the members that evaluate each code, one of each repetition, shape (N, repetitions).

        Raises:
            SettingsError: If the subspaces are not decided.
        """
        return self.member_of(codes)[:, None] + self.members_per_replica * np.arange(self.repetitions)

    def with_cuts(self, cuts: Sequence[Cut]) -> "SupernetPlan":
        """Returns the plan with more decided by gradients; ``cuts`` are all cuts so far, of whole levels."""
        boxes = boxes_after(self.space, cuts, len(cuts).bit_length())
        return replace(self, cuts=tuple(cuts), split=BoxSplit(self.space, boxes))

    @property
    def asks_parents(self) -> bool:
        """True where labels need the parents' own checkpoints."""
        settings = self.settings
        asked = self.rules.scale.shifts or settings.label_both
        return asked and len(self.phases) > 1 and not settings.parent_keeps

    # Trainings

    @cached_property
    def phases(self) -> tuple[Phase, ...]:
        """All trainings; within a phase they share no weights, and the last phase trains the members."""
        groups: list[int | None] = [*range(self.members_per_replica)] if self.rules.sharing.owns_weights else [None]
        return make_phases(self.settings, groups, self._member_steps(), self.folds)

    def _member_steps(self) -> list[int]:
        """Returns each member's steps after its split: equal, but by population in bands that are drawn uniformly."""
        left, members = self.settings.steps - steps_before_split(self.settings), self.members_per_replica
        if kept := self.settings.parent_keeps:
            return [left] * (members - kept) + [0] * kept
        in_bands = members > 1 and self.rules.split.by_counts
        if not (in_bands and self.rules.sampling.is_uniform):
            return [left] * members
        population = self.split.population()
        return [max(1, round(left * members * part / sum(population))) for part in population]

    def check_steps(self) -> None:
        """Refuses sub-supernets that hardly train, since hardly any architecture is theirs.

        Raises:
            SettingsError: If there is one.
        """
        steps, usual = self._member_steps(), self.settings.steps - steps_before_split(self.settings)
        for name, own in zip(self.split.names, steps, strict=False):  # splits that are decided late have no names yet
            if 0 < own < _LEAST_SHARE * usual:
                raise SettingsError(
                    f"the sub-supernet of '{name}' would train for {own:,} of {usual:,} steps, since so few"
                    f" architectures of {self.space.name} are its own; merge it with a neighbour in supernet.bands, or"
                    " set supernet.sampler to 'balanced'"
                )

    def is_cut(self, training: Training) -> bool:
        """Returns whether gradients cut the subspace of a training in two once it is finished."""
        return self.rules.split.is_late and training.level + 1 < len(self.phases)

    def is_evaluated(self, training: Training) -> bool:
        """Returns whether architectures may be evaluated with the weights that a training ends with.

        Weights of the last parents may serve labels: settings of labels decide it, and no weights follow from these.
        """
        return training.level + 2 >= len(self.phases)

    def training(self, member: int) -> Training:
        """Returns the training of a member: the last of those that its weights went through, or a parent's."""
        return self.phases[-1][member] if member < PARENTS else self.phases[-2][member - PARENTS]

    def steps(self, member: int) -> int:
        """Returns the steps of a member and of its parents."""
        return self.training(member).last_step

    def build(self, stream: int) -> SharedNetwork:
        """Returns a network with the first weights of a member, or of a training by its stream."""
        network = self._network()
        initialise(network, self.seed_of(stream))
        return network

    def _network(self) -> SharedNetwork:
        nested, scaled = WEIGHTS[self.settings.weights], self.settings.weights_from is not None
        return SharedNetwork(self.space, self.network, *self.copies(), nested=nested, scaled=scaled, parts=self.parts)

    def split_at(self, level: int) -> Split:
        """Returns the subspaces that trainings of a level draw from."""
        if not self.rules.split.is_late:
            return self.split
        return BoxSplit(self.space, boxes_after(self.space, self.cuts, level))

    def subspace(self, training: Training) -> str:
        """Returns a short description of what a training draws from."""
        return "whole space" if training.group is None else self.split_at(training.level).names[training.group]

    def box(self, training: Training) -> Box:
        """Returns the choices that a training draws from; all of them where its subspace is not a box."""
        split = self.split_at(training.level)
        if training.group is None or not isinstance(split, BoxSplit):
            return whole_box(self.space)
        return split.boxes[training.group]

    def sampler(self, training: Training) -> PathSampler:
        """Returns the path sampler that draws the subnets of a training's steps."""
        rule, source, seed = self.rules.sampling, self._source(training), self.seed_of(training.stream)
        is_soft = self.settings.own_share < 1 and training.level + 1 == len(self.phases) and source.group is not None
        if not is_soft:
            return self._near_budgets(rule.sampler(source, seed), source, seed)
        everywhere = replace(source, group=None, box=whole_box(self.space))
        own = self._near_budgets(rule.own_sampler(source, seed), source, seed)
        common = self._near_budgets(rule.sampler(everywhere, seed), everywhere, seed)
        return Mixture(own, common, self.settings.own_share, seed)

    def _near_budgets(self, sampler: PathSampler, source: Source, seed: int) -> PathSampler:
        """Returns the sampler, a share of whose subnets are of the list near the budgets."""
        near, fixed = np.array(self.near, dtype=np.int8), self.rules.sampling.fixed
        if source.group is not None and len(near):
            near = near[source.split.assign(near) == source.group]
        if not len(near) or fixed is None:
            return sampler
        return NearBudgets(sampler, near, self.settings.in_band, fixed, seed)

    def _source(self, training: Training) -> Source:
        split = self.split_at(training.level)
        box = self.box(training)
        return Source(self.space, split, training.group, box, self._bands, self.network, self.settings)

    @cached_property
    def _bands(self) -> Weighted | None:
        return self.rules.sampling.bands(self.space, self.settings)

    def schedule(self) -> Schedule:
        """Returns the learning-rate schedule of all trainings.

        Raises:
            SettingsError: If the settings do not fit the space.
        """
        return self.rules.schedule.schedule(self.space, self.network, self.settings)

    def copies(self) -> Copies:
        """Returns where the supernet has copies of its cells.

        Raises:
            SettingsError: If the settings do not fit the network.
        """
        return self.rules.sharing.copies(self.space, self.network, self.split.groups, self.settings)

    def separation(self, training: Training) -> int | None:
        """Returns the decision by which momenta are kept apart, or ``None`` where they are not."""
        return self.rules.momentum.separation(self.box(training), self.seed)

    def agenda(self, training: Training) -> Agenda:
        """Returns the steps of a training."""
        share, until = self.settings.distillation_share, self.sorted_at(training)
        return Agenda(
            self.space,
            self.sampler(training),
            self.schedule(),
            self.separation(training),
            first_step=training.first_step,
            last_step=training.last_step,
            progress=training.progress,
            teaching=Teaching(self.network, share) if share else None,
            opening=None if until is None else Opening(until, self._source(training).largest),
        )

    def sorted_at(self, training: Training) -> int | None:
        """Returns the step before which a training sorts channels; ``None`` where it does not.

        Until then it trains its largest subnet. Weights that a parent trained come sorted.
        """
        # At least one step is left for all the other subnets.
        steps = max(0, min(round(self.settings.largest_share * training.steps), training.steps - 1))
        return training.first_step + steps if steps and training.inherits == "nothing" else None

    def check_weights(self) -> None:
        """Refuses weights that cannot be parts of larger ones.

        Raises:
            SettingsError: If they are to be nested, and the space has no blocks.
            SpaceError: If no part can be taken of a block that a user wrote.
        """
        nested, sized = WEIGHTS[self.settings.weights], isinstance(self.space, ChoosesSize)
        if nested and not any(isinstance(place, SizedPlace) for place in places_of(self.space)):
            raise SettingsError(
                f"supernet.weights = {self.settings.weights!r} needs layers that choose a block, as chains have them;"
                f" {self.space.name} has none: set supernet.weights to 'own'"
            )
        if nested or sized:
            with torch.device("meta"):  # only to see whether it can be built
                self._network()
        elif self.settings.largest_share:
            raise SettingsError(
                "supernet.largest_share sorts channels for narrower blocks, and here every block has its own: set"
                " supernet.weights to 'nested', or supernet.largest_share to 0"
            )

    def fold(self, training: Training) -> int:
        """Returns the fold whose images a training learns from."""
        return training.replica % self.folds

    def image_seed(self, training: Training) -> int:
        """Returns the seed of a training's mini-batches, one per replica, whose trainings may meet in one step."""
        return self.seed + _REPLICA_STRIDE * training.replica

    def seed_of(self, stream: int) -> int:
        """Returns the seed of a stream of random draws."""
        return self.seed * 1_000_003 + stream

    @property
    def _rounds(self) -> int:
        return self.rules.split.rounds(self.settings)


def make_plan(space: Space, network: NetworkSpec, settings: SupernetSettings, seed: int) -> SupernetPlan:
    """Checks the settings against the space and makes the plan.

    The default preset trains one supernet where all architectures have the same number of nonlinear functions.

    Args:
        space: The search space.
        network: Sizes of the supernet; the settings choose the blocks between its stages.
        settings: The rules of splitting, sharing and sampling.
        seed: Seed of weights and draws.

    Raises:
        SpaceError: If the sizes do not fit the space.
        SettingsError: If bands, groups, thresholds, an edge or the number of steps do not fit the space.
    """
    space.layout(network)  # Settings that do not fit are refused now, not after an hour.
    network = replace(network, light_reductions=REDUCTIONS[settings.reductions])
    if settings.preset == AUTO and not _can_split(space, settings):
        settings = settings.without_split()
    split = settings.rules.split.split(space, settings)
    plan = SupernetPlan(space, network, settings, split, seed)
    # The rest is made when it is needed, but refused now.
    plan.copies()
    plan.check_weights()
    if settings.parent_keeps >= max(1, plan.members_per_replica):
        raise SettingsError(
            f"supernet.parent_keeps must leave a sub-supernet to train: at most {plan.members_per_replica - 1}"
            f" (got {settings.parent_keeps})"
        )
    steps_before_split(settings)
    plan.check_steps()
    plan.schedule()
    return plan


def _can_split(space: Space, settings: SupernetSettings) -> bool:
    """Returns whether a split by counts of nonlinear functions has something to divide."""
    return not settings.rules.split.by_counts or len(space.counts.populations()) > 1
