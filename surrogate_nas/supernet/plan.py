"""The plan of a supernet stage: which sets of weights there are, and who trains and answers for which architectures."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surrogate_nas.errors import SettingsError
from surrogate_nas.space.extremes import largest_count
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Space
from surrogate_nas.supernet.phases import Phase, Training, make_phases, steps_before_split
from surrogate_nas.supernet.rules.samplers import Balanced, BalancedWithin, Fair, PathSampler, PerGroup, WithinGroup
from surrogate_nas.supernet.rules.schedules import Complexity, Cosine, Schedule
from surrogate_nas.supernet.rules.step_plan import Agenda
from surrogate_nas.supernet.settings import SupernetSettings
from surrogate_nas.supernet.shared_network import SharedNetwork, initialise
from surrogate_nas.supernet.splits.bands import equal_bands
from surrogate_nas.supernet.splits.boxes import Box, edge_boxes, whole_box
from surrogate_nas.supernet.splits.gradient_cuts import Cut, boxes_after, check_rounds
from surrogate_nas.supernet.splits.split import BoxSplit, NonlinearSplit, NoSplit, Split

# Thresholds of EFS-NAS (arXiv 2412.14678) on 15 cells, 15 / 15, 20 / 10, 20, 30 nonlinear functions, as shares of the
# largest running count, 45; and the number of stages that its variants share.
_THRESHOLDS = {1: (), 2: (1 / 3,), 3: (1 / 3, 4 / 9), 4: (2 / 9, 4 / 9, 6 / 9)}
_SHARED_STAGES = {1: 0, 2: 1, 3: 1, 4: 0}
_DRAWN_BANDS = 4  # of which subnets are drawn by weight: the counts of NAS-Bench-201, on which it was measured
_REPLICA_STRIDE = 15_485_863  # between the seeds of replicas' images, so that no study's seed meets another's replica
_SEPARATION_STREAM = 700_000  # of the random draws of a plan's seed


@dataclass(frozen=True)
class SupernetPlan:
    """The trainings of a supernet stage, and its members: the sets of weights that architectures are evaluated with.

    With whole-subnet sharing each subspace is a member; with depth-wise sharing, one set of weights, or without a
    split, there is one. Members may begin from common parents; a split by gradients is known only once these are
    trained, and ``with_cuts`` tells the plan.

    Training members apart on the same sequence of batches is what one step with one subnet per subspace amounts to
    where no weight is shared between subspaces; only the gradient norm is clipped for each member by itself.

    Attributes:
        space: The search space.
        network: Sizes of the supernet.
        settings: How to split, share and sample.
        split: The subspaces; the whole space as long as they are not known.
        seed: Seed of weights and draws.
        cuts: What gradients have decided so far.
    """

    space: Space
    network: NetworkSpec
    settings: SupernetSettings
    split: Split
    seed: int
    cuts: tuple[Cut, ...] = ()

    # Members

    @property
    def members(self) -> int:
        """Number of sets of weights that architectures are evaluated with, those of all replicas."""
        return self.members_per_replica * self.settings.replicas

    @property
    def members_per_replica(self) -> int:
        """Number of sets of weights of which one answers for an architecture."""
        if self.settings.split == "gradient":
            return int(2**self.settings.split_rounds)
        return self.split.groups if self.settings.sharing == "whole" else 1

    @property
    def is_known(self) -> bool:
        """Whether the subspaces are decided."""
        return self.settings.split != "gradient" or len(self.cuts) == self.members - 1

    @property
    def names(self) -> tuple[str, ...]:
        """A few words on each subspace, or on how they will be found."""
        return self.split.names if self.is_known else ("split by gradients during training",)

    @property
    def drawn_by(self) -> Split:
        """What tells architectures apart when they are drawn: the split, or without one the bands of the sampler."""
        if self.settings.split == "none" and self.settings.sampler == "nonlinear":
            return self._drawn_bands[0]
        return self.split

    def member_of(self, codes: ArrayLike) -> NDArray[np.int64]:
        """Which member of the first replica answers for each code, shape (N,).

        Raises:
            SettingsError: If the subspaces are not decided.
        """
        if not self.is_known:
            raise SettingsError("who answers for an architecture is known once the parents of the split are trained")
        groups = self.split.assign(codes)
        return groups if self.settings.sharing == "whole" else np.zeros_like(groups)

    def members_of(self, codes: ArrayLike) -> NDArray[np.int64]:
        """The members that answer for each code, one of each replica, shape (N, replicas).

        Raises:
            SettingsError: If the subspaces are not decided.
        """
        return self.member_of(codes)[:, None] + self.members_per_replica * np.arange(self.settings.replicas)

    def with_cuts(self, cuts: Sequence[Cut]) -> "SupernetPlan":
        """The plan with more decided by gradients; ``cuts`` are all that there are, of whole levels."""
        boxes = boxes_after(self.space, cuts, len(cuts).bit_length())
        return replace(self, cuts=tuple(cuts), split=BoxSplit(self.space, boxes))

    # Trainings

    @cached_property
    def phases(self) -> tuple[Phase, ...]:
        """All trainings; those of a phase share no weights, and the last phase is that of the members."""
        whole = self.settings.sharing == "whole"
        groups: list[int | None] = list(range(self.members_per_replica)) if whole else [None]
        return make_phases(self.settings, groups, self._member_steps())

    def _member_steps(self) -> list[int]:
        """Steps of each member after it was split off: equal, but by population in bands that are drawn uniformly."""
        left, members = self.settings.steps - steps_before_split(self.settings), self.members_per_replica
        if members == 1 or self.settings.sampler != "uniform" or self.settings.split != "nonlinear":
            return [left] * members
        population = self.split.population()
        return [max(1, round(left * members * part / sum(population))) for part in population]

    def training(self, member: int) -> Training:
        """The training of a member, the last of those that its weights went through."""
        return self.phases[-1][member]

    def steps(self, member: int) -> int:
        """Steps of a member, those of its parents included."""
        return self.training(member).last_step

    def build(self, stream: int) -> SharedNetwork:
        """A network with the first weights of a member, or of a training by its stream."""
        thresholds: tuple[float, ...] = ()
        shared_stages = 0
        if self.settings.sharing == "depth":
            thresholds, shared_stages = self._copies()
        network = SharedNetwork(self.space, self.network, thresholds, shared_stages)
        initialise(network, self._seed_of(stream))
        return network

    def split_at(self, level: int) -> Split:
        """The subspaces that trainings of a level draw from."""
        if self.settings.split != "gradient":
            return self.split
        return BoxSplit(self.space, boxes_after(self.space, self.cuts, level))

    def subspace(self, training: Training) -> str:
        """A few words on what a training draws from."""
        return "whole space" if training.group is None else self.split_at(training.level).names[training.group]

    def box(self, training: Training) -> Box:
        """The choices that a training draws from; all of them where its subspace is no box."""
        split = self.split_at(training.level)
        if training.group is None or not isinstance(split, BoxSplit):
            return whole_box(self.space)
        return split.boxes[training.group]

    def sampler(self, training: Training) -> PathSampler:
        """Draws the subnets of a training's steps."""
        seed, split, rule = self._seed_of(training.stream), self.split_at(training.level), self.settings.sampler
        if rule == "fair":
            return Fair(self.space, self.box(training), seed)
        if rule == "nonlinear":
            bands, weights = self._drawn_bands
            if training.group is None:
                return Balanced(bands, seed, weights)
            return BalancedWithin(bands, weights, split, training.group, seed)
        if training.group is not None:
            return WithinGroup(split, training.group, seed)
        if rule == "per_group":
            return PerGroup(split, seed)
        if rule == "uniform":
            return Balanced(split, seed, np.array([float(part) for part in split.population()]))
        return Balanced(split, seed, np.ones(split.groups))

    @cached_property
    def _drawn_bands(self) -> tuple[Split, NDArray[np.floating]]:
        """What the sampler ``nonlinear`` draws by weight: bands of counts, from the fewest, and their weights."""
        groups = min(_DRAWN_BANDS, len(self.space.counts.populations()))
        bands = NonlinearSplit(self.space, equal_bands(self.space, groups))
        return bands, np.arange(1, groups + 1) ** self.settings.nonlinear_power

    def schedule(self) -> Schedule:
        """The learning rate of all trainings."""
        settings = self.settings
        if settings.schedule == "complexity":
            return Complexity(self.space, self.network, settings.learning_rate, settings.gamma_max)
        return Cosine(settings.learning_rate, settings.final_learning_rate)

    def separation(self, training: Training) -> int | None:
        """The decision by which momenta are kept apart, or ``None`` where they are not.

        Decisions come in an order drawn from the seed; the first one that is open in the training's subspace counts, so
        that a training whose parent's decision is still open goes on with its parent's momenta.
        """
        if self.settings.momentum_groups == "joint":
            return None
        order = np.random.default_rng([self.seed, _SEPARATION_STREAM]).permutation(self.space.num_decisions)
        box = self.box(training)
        return next((int(column) for column in order if len(box[column]) > 1), None)

    def agenda(self, training: Training) -> Agenda:
        """What each step of a training does."""
        return Agenda(
            self.space,
            self.sampler(training),
            self.schedule(),
            self.separation(training),
            first_step=training.first_step,
            last_step=training.last_step,
            progress=training.progress,
        )

    def image_seed(self, training: Training) -> int:
        """Decides the mini-batches of a training: the same for all of a replica, which may meet in one step."""
        return self.seed + _REPLICA_STRIDE * training.replica

    def _seed_of(self, stream: int) -> int:
        return self.seed * 1_000_003 + stream

    def _copies(self) -> tuple[tuple[float, ...], int]:
        """Thresholds as running counts, and the number of shared stages."""
        groups, shares = self.split.groups, self.settings.thresholds
        if shares is None:
            if groups not in _THRESHOLDS:
                raise SettingsError(f"supernet.thresholds must be given for more than 4 groups (got {groups} groups)")
            shares = _THRESHOLDS[groups]
        if list(shares) != sorted(set(shares)):
            raise SettingsError(f"supernet.thresholds must ascend (got {list(shares)})")
        shared, stages = self.settings.shared_stages, self.network.stages
        if shared is None:
            shared = min(_SHARED_STAGES.get(groups, 0), stages - 1)
        if shared >= stages:
            raise SettingsError(
                f"supernet.shared_stages must be at most {stages - 1}, or no cell has copies (got {shared})"
            )
        largest = largest_count(self.space, self.network)
        # A share times the largest count may miss a whole number by rounding, which would move a cell to another copy.
        return tuple(round(share * largest, 6) for share in shares), shared


def make_plan(space: Space, network: NetworkSpec, settings: SupernetSettings, seed: int) -> SupernetPlan:
    """Checks the settings against the space and makes the plan.

    Args:
        space: The search space.
        network: Sizes of the supernet; the settings say what stands between its stages.
        settings: How to split, share and sample.
        seed: Seed of weights and draws.

    Raises:
        SpaceError: If the sizes do not fit the space.
        SettingsError: If bands, groups, thresholds, an edge or the number of steps do not fit the space.
    """
    space.layout(network)  # What does not fit is found now, not after an hour.
    network = replace(network, light_reductions=settings.reductions == "light")
    plan = SupernetPlan(space, network, settings, _make_split(space, settings), seed)
    if settings.sharing == "depth":
        plan._copies()
    assert plan.phases
    plan.schedule()
    return plan


def _make_split(space: Space, settings: SupernetSettings) -> Split:
    if settings.split == "edge":
        return BoxSplit(space, edge_boxes(space, settings.split_edge))
    if settings.split == "nonlinear":
        return NonlinearSplit(space, equal_bands(space, settings.groups) if settings.bands is None else settings.bands)
    if settings.split == "gradient":
        check_rounds(space, settings.split_rounds)
    return NoSplit(space)
