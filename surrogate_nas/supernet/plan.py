"""The plan of a supernet stage: which sets of weights there are, and who trains and answers for which architectures."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surrogate_nas.errors import SettingsError, SpaceError
from surrogate_nas.space.cell import CellSpace
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Space
from surrogate_nas.supernet.paths import Balanced, PathSampler, PerGroup, WithinGroup
from surrogate_nas.supernet.settings import SupernetSettings
from surrogate_nas.supernet.sharing import SharedNetwork, initialise
from surrogate_nas.supernet.splits import NonlinearSplit, NoSplit, Split, equal_bands

# Thresholds of EFS-NAS (arXiv 2412.14678) on 15 cells, 15 / 15, 20 / 10, 20, 30 nonlinear functions, as shares of the
# largest running count, 45; and the number of stages that its variants share.
_THRESHOLDS = {1: (), 2: (1 / 3,), 3: (1 / 3, 4 / 9), 4: (2 / 9, 4 / 9, 6 / 9)}
_SHARED_STAGES = {1: 0, 2: 1, 3: 1, 4: 0}


@dataclass(frozen=True)
class SupernetPlan:
    """The members of a supernet stage: sets of weights that are trained independently of each other.

    With whole-subnet sharing each subspace is a member; with depth-wise sharing, or without a split, there is one.
    Training members apart on the same sequence of batches is what one step with one subnet per subspace amounts to
    where no weight is shared between subspaces; only the gradient norm is clipped for each member by itself.

    Attributes:
        space: The search space.
        network: Sizes of the supernet.
        settings: How to split, share and sample.
        split: The subspaces.
        seed: Seed of weights and draws.
    """

    space: CellSpace
    network: NetworkSpec
    settings: SupernetSettings
    split: Split
    seed: int

    @property
    def members(self) -> int:
        """Number of independent sets of weights."""
        return self.split.groups if self.settings.sharing == "whole" else 1

    def member_of(self, codes: ArrayLike) -> NDArray[np.int64]:
        """Which member answers for each code, shape (N,)."""
        groups = self.split.assign(codes)
        return groups if self.settings.sharing == "whole" else np.zeros_like(groups)

    def steps(self, member: int) -> int:
        """Optimizer steps of a member: equal for all, or by population where sampling is uniform over the space."""
        if self.members == 1 or self.settings.sampler != "uniform":
            return self.settings.steps
        population = self.split.population()
        return max(1, round(self.settings.steps * self.members * float(population[member] / population.sum())))

    def sampler(self, member: int) -> PathSampler:
        """Draws the subnets of a member's training steps."""
        seed = self.seed * 1_000_003 + member
        if self.members > 1:
            return WithinGroup(self.split, member, seed)
        if self.settings.sampler == "per_group":
            return PerGroup(self.split, seed)
        equal = self.settings.sampler == "balanced"
        population = self.split.population()
        return Balanced(self.split, seed, np.ones(len(population)) if equal else population.astype(np.float64))

    def build(self, member: int) -> SharedNetwork:
        """A member's network with its first weights."""
        thresholds: tuple[float, ...] = ()
        shared_stages = 0
        if self.settings.sharing == "depth":
            thresholds, shared_stages = self._copies()
        network = SharedNetwork(self.space, self.network, thresholds, shared_stages)
        initialise(network, self.seed * 1_000_003 + member)
        return network

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
        cells = sum(layer.kind == "cell" for layer in self.space.layout(self.network))
        largest = int(self.space.nonlinear_count(self.space.all_codes()).max()) * cells
        # A share times the largest count may miss a whole number by rounding, which would move a cell to another copy.
        return tuple(round(share * largest, 6) for share in shares), shared


def make_plan(space: Space, network: NetworkSpec, settings: SupernetSettings, seed: int) -> SupernetPlan:
    """Checks the settings against the space and makes the plan.

    Raises:
        SpaceError: If supernets cannot be built on this kind of space.
        SettingsError: If bands, groups or thresholds do not fit the space.
    """
    if not isinstance(space, CellSpace):
        raise SpaceError(f"supernets can be built for cell spaces only (got {type(space).__name__})")
    if settings.split == "none":
        split: Split = NoSplit(space)
    else:
        bands = equal_bands(space, settings.groups) if settings.bands is None else settings.bands
        split = NonlinearSplit(space, bands)
    plan = SupernetPlan(space, network, settings, split, seed)
    if settings.sharing == "depth":
        plan._copies()  # a wrong threshold is found now, not after an hour
    return plan
