"""Rules that make a path sampler for every training, which draws the subnets of its steps."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.space.extremes import ends
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Codes, Space
from surrogate_nas.supernet.rule import Rule, RuleSettings
from surrogate_nas.supernet.rules.samplers import (
    Balanced,
    BalancedWithin,
    Fair,
    PathSampler,
    PerGroup,
    Sandwich,
    WithinGroup,
)
from surrogate_nas.supernet.rules.sharing import SHARINGS
from surrogate_nas.supernet.splits.bands import BandSplit, typical_bands
from surrogate_nas.supernet.splits.boxes import Box, whole_box
from surrogate_nas.supernet.splits.split import Split
from surrogate_nas.supernet.splits.table import SPLITS

_STARTS = 200  # architectures from which the ends of a large subspace are looked for


@dataclass(frozen=True)
class Weighted:
    """Subspaces, and the weight with which each is drawn, shape (K,)."""

    split: Split
    weights: NDArray[np.floating]


@dataclass(frozen=True)
class Source:
    """Architectures that the subnets of a training are drawn from.

    Attributes:
        space: The search space.
        split: Its subspaces.
        group: The subspace that is trained; ``None`` for all of them.
        box: The choices that are trained.
        bands: Subspaces that the sampler draws by weight with any split; ``None`` for none.
        network: Sizes of the supernet.
        settings: Settings of the supernet.
    """

    space: Space
    split: Split
    group: int | None
    box: Box
    bands: Weighted | None
    network: NetworkSpec
    settings: RuleSettings

    @property
    def smallest(self) -> Codes:
        """The architecture with the fewest parameters, shape (D,)."""
        return self._ends[0]

    @property
    def largest(self) -> Codes:
        """The architecture with the most parameters, shape (D,)."""
        return self._ends[1]

    @cached_property
    def _ends(self) -> tuple[Codes, Codes]:
        split, group = self.split, self.group
        rng = np.random.default_rng(0)  # the ends are the space's, not the seed's
        groups = range(split.groups) if group is None else [group]
        start = np.concatenate([split.sample(each, _STARTS, rng) for each in groups])

        def inside(codes: Codes) -> NDArray[np.bool_]:
            return np.ones(len(codes), dtype=bool) if group is None else split.assign(codes) == group

        return ends(self.space, self.network, start, inside)


class SamplingRule(Rule, ABC):
    """Rule that chooses the subnets that a step trains.

    Attributes:
        uses_split: Whether a training of all subspaces distinguishes them.
        is_uniform: Whether every architecture of the space is meant to be trained equally often.
        distils: Whether the largest subnet of a step teaches the others where the settings leave it open.
        mixes: Whether steps may be drawn from one subspace and from all of them in turns.
        fixed: Number of subnets at the beginning of a step that must be what they are; ``None`` for all of them.
    """

    uses_split: ClassVar[bool] = True
    is_uniform: ClassVar[bool] = False
    distils: ClassVar[bool] = False
    mixes: ClassVar[bool] = True
    fixed: ClassVar[int | None] = 0

    def bands(self, space: Space, settings: RuleSettings) -> Weighted | None:  # noqa: ARG002 - one rule has bands
        """Returns the subspaces that are drawn by weight with any split, or ``None``."""
        return None

    @abstractmethod
    def sampler(self, source: Source, seed: int) -> PathSampler:
        """Returns the path sampler of a training."""

    def own_sampler(self, source: Source, seed: int) -> PathSampler:
        """Returns the draws of a soft split from the own subspace, as many subnets a step as from the whole space."""
        return self.sampler(source, seed)

    def trains_several(self, settings: RuleSettings) -> bool:  # noqa: ARG002 - most rules draw one
        """Returns whether the members' steps have several subnets."""
        return False

    def refusals(self, settings: RuleSettings) -> Iterator[str]:
        """Yields a refusal of a split that nothing uses, and of a teacher without pupils."""
        if settings.distillation_share and not self.trains_several(settings):
            yield (
                "distillation needs several subnets a step, of which the largest teaches the others; sampler ="
                f" {settings.sampler!r} trains one here: choose sandwich or fair"
            )
        if settings.own_share < 1 and not self.mixes:
            yield (
                f"own_share = {settings.own_share:g} draws a part of the steps from one subspace, and sampler ="
                f" {settings.sampler!r} draws from all of them at once: choose balanced, uniform or nonlinear, or set"
                " own_share to 1"
            )
        if settings.in_band and self.fixed is None:
            yield (
                f"in_band draws some subnets of a step near the budgets, and sampler = {settings.sampler!r} needs all"
                " that it draws: set in_band to 0, or choose balanced, uniform, nonlinear or sandwich"
            )
        split, sharing = SPLITS[settings.split], SHARINGS[settings.sharing]
        if split.splits and not (self.uses_split or sharing.needs_split):
            yield (
                f"sampler = {settings.sampler!r} does not use a split, and sharing = {settings.sharing!r} has no"
                " other use for it"
            )


class _OfSubspaces(SamplingRule):
    """Rule for trainings of all subspaces; within a single one, draws are uniform."""

    def sampler(self, source: Source, seed: int) -> PathSampler:
        """Returns draws of all subspaces, or of the one that is trained."""
        if source.group is None:
            return self._of_all(source.split, seed)
        return WithinGroup(source.split, source.group, seed)

    @abstractmethod
    def _of_all(self, split: Split, seed: int) -> PathSampler:
        """Returns draws of all subspaces."""


@final
class BalancedRule(_OfSubspaces):
    """One subnet a step: a subspace, all of them equally often, then a subnet of it."""

    def _of_all(self, split: Split, seed: int) -> PathSampler:
        return Balanced(split, seed, np.ones(split.groups))


@final
class PerGroupRule(_OfSubspaces):
    """One subnet of each subspace a step."""

    mixes: ClassVar[bool] = False
    fixed: ClassVar[int | None] = None

    def trains_several(self, settings: RuleSettings) -> bool:
        """Returns whether a training draws from several subspaces."""
        several = len(settings.bands) if settings.bands else settings.groups
        return SPLITS[settings.split].splits and not SHARINGS[settings.sharing].owns_weights and several > 1

    def _of_all(self, split: Split, seed: int) -> PathSampler:
        return PerGroup(split, seed)


@final
class UniformRule(_OfSubspaces):
    """One subnet a step, uniform over the space (SPOS, arXiv 1904.00420)."""

    is_uniform: ClassVar[bool] = True

    def _of_all(self, split: Split, seed: int) -> PathSampler:
        return Balanced(split, seed, np.array([float(part) for part in split.population()]))


@final
class NonlinearRule(SamplingRule):
    """One subnet a step, with a preference for many nonlinear functions."""

    own: ClassVar[frozenset[str]] = frozenset({"nonlinear_power"})
    uses_split: ClassVar[bool] = False

    def bands(self, space: Space, settings: RuleSettings) -> Weighted:
        """Returns bands of counts, from the fewest, and their weights."""
        bands = BandSplit(space, typical_bands(space))
        return Weighted(bands, np.arange(1, bands.groups + 1) ** settings.nonlinear_power)

    def sampler(self, source: Source, seed: int) -> PathSampler:
        """Returns draws of bands by weight, restricted to the subnets of the trained subspace."""
        assert source.bands is not None  # the bands of this rule
        bands, weights = source.bands.split, source.bands.weights
        if source.group is None:
            return Balanced(bands, seed, weights)
        return BalancedWithin(bands, weights, source.split, source.group, seed)

    def own_sampler(self, source: Source, seed: int) -> PathSampler:
        """Returns uniform draws: the preference for many nonlinear functions is part of the other steps."""
        assert source.group is not None  # of a soft split
        return WithinGroup(source.split, source.group, seed)


@final
class FairRule(SamplingRule):
    """Every choice of every decision once a step (FairNAS, arXiv 1907.01845)."""

    uses_split: ClassVar[bool] = False
    fixed: ClassVar[int | None] = None

    def sampler(self, source: Source, seed: int) -> PathSampler:
        """Returns permutations of the choices of every decision."""
        return Fair(source.space, source.box, seed)

    def own_sampler(self, source: Source, seed: int) -> PathSampler:
        """Returns permutations of the own choices, as many subnets a step as the whole space has."""
        return Fair(source.space, source.box, seed, max(map(len, whole_box(source.space))))

    def trains_several(self, settings: RuleSettings) -> bool:  # noqa: ARG002 - always
        """Returns true: one subnet for each choice."""
        return True

    def refusals(self, settings: RuleSettings) -> Iterator[str]:
        """Yields a refusal of subspaces that permutations would leave, or that nothing uses."""
        if SHARINGS[settings.sharing].owns_weights and not SPLITS[settings.split].by_boxes:
            yield (
                "sampler = 'fair' permutes operations edge by edge, which leaves the subspaces of"
                f" split = {settings.split!r}"
            )
        yield from super().refusals(settings)


@final
class SandwichRule(SamplingRule):
    """The largest, the smallest and some uniformly drawn subnets a step (US-Nets, arXiv 1903.05134)."""

    own: ClassVar[frozenset[str]] = frozenset({"sandwich_random"})
    uses_split: ClassVar[bool] = False
    distils: ClassVar[bool] = True
    fixed: ClassVar[int | None] = 2

    def sampler(self, source: Source, seed: int) -> PathSampler:
        """Returns both ends of the subspace that is trained, and draws from it."""
        both = np.stack([source.largest, source.smallest])
        return Sandwich(both, source.settings.sandwich_random, source.split, source.group, seed)

    def trains_several(self, settings: RuleSettings) -> bool:  # noqa: ARG002 - always
        """Returns true: two at least."""
        return True


SAMPLERS: dict[str, SamplingRule] = {
    "balanced": BalancedRule(),
    "per_group": PerGroupRule(),
    "uniform": UniformRule(),
    "nonlinear": NonlinearRule(),
    "fair": FairRule(),
    "sandwich": SandwichRule(),
}
