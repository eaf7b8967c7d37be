"""Rules by which subspaces share weights."""

from abc import ABC
from collections.abc import Iterator
from typing import ClassVar, NamedTuple, final

from surrogate_nas.errors import SettingsError
from surrogate_nas.space.extremes import largest_count
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Space
from surrogate_nas.supernet.rule import Rule, RuleSettings
from surrogate_nas.supernet.splits.table import SPLITS

# Thresholds of EFS-NAS (arXiv 2412.14678) on 15 cells, 15 / 15, 20 / 10, 20, 30 nonlinear functions, as shares of the
# largest running count, 45; and the number of stages that its variants share.
_THRESHOLDS = {1: (), 2: (1 / 3,), 3: (1 / 3, 4 / 9), 4: (2 / 9, 4 / 9, 6 / 9)}
_SHARED_STAGES = {1: 0, 2: 1, 3: 1, 4: 0}


class Copies(NamedTuple):
    """Places where a supernet has copies of its cells.

    Attributes:
        thresholds: Running counts after which the next copy is used, ascending.
        shared_stages: Stages at the start that have one copy only.
    """

    thresholds: tuple[float, ...] = ()
    shared_stages: int = 0


class SharingRule(Rule, ABC):
    """Rule by which subspaces share weights.

    Attributes:
        words: Its name in a report.
        owns_weights: Whether every subspace owns all its weights.
        needs_split: Whether the split decides which weights an architecture uses.
    """

    words: ClassVar[str]
    owns_weights: ClassVar[bool] = False
    needs_split: ClassVar[bool] = True

    def copies(
        self,
        space: Space,  # noqa: ARG002 - most rules have no copies
        network: NetworkSpec,  # noqa: ARG002
        groups: int,  # noqa: ARG002
        settings: RuleSettings,  # noqa: ARG002
    ) -> Copies:
        """Returns where a supernet has copies of its cells.

        Args:
            space: The search space.
            network: Sizes of the supernet.
            groups: Number of subspaces.
            settings: The settings of the supernet.

        Raises:
            SettingsError: If the settings do not fit the network.
        """
        return Copies()

    def refusals(self, settings: RuleSettings) -> Iterator[str]:
        """Yields a refusal of a share of steps before a split that splits nothing off."""
        branches = self.owns_weights and SPLITS[settings.split].splits
        if settings.own_share < 1 and not branches:
            yield (
                f"own_share = {settings.own_share:g} is of sub-supernets with weights of their own: it needs sharing ="
                f" 'whole' and a split (got sharing = {settings.sharing!r}, split = {settings.split!r})"
            )
        if settings.parent_keeps and (SPLITS[settings.split].is_late or not settings.share_before_split):
            yield (
                f"parent_keeps = {settings.parent_keeps} needs a parent that trains before the split, and subspaces"
                " that are known from the beginning: set parent_share above 0, sharing to 'whole', and split to"
                " 'nonlinear' or 'edge'"
            )
        if settings.label_both and not (branches and settings.share_before_split):
            yield (
                "label_both = true takes the mean with the parent's label: set parent_share above 0, sharing to"
                " 'whole', and a split"
            )
        if settings.parent_share and not (self.owns_weights and SPLITS[settings.split].splits):
            yield "parent_share belongs to a split with sharing = 'whole': nothing else is split off"


@final
class WholeSubnets(SharingRule):
    """Every subspace owns all its weights."""

    words: ClassVar[str] = "whole subnet"
    owns_weights: ClassVar[bool] = True


@final
class OneSet(SharingRule):
    """A single set of weights; the split serves the sampler alone."""

    words: ClassVar[str] = "one set of weights"
    needs_split: ClassVar[bool] = False

    def refusals(self, settings: RuleSettings) -> Iterator[str]:
        """Yields a refusal of splits that are about weights."""
        if SPLITS[settings.split].is_late:
            yield f"split = {settings.split!r} decides who shares weights with whom: it needs sharing = 'whole'"
        yield from super().refusals(settings)


@final
class DepthWise(SharingRule):
    """Copies of cells, chosen by the running count of nonlinear functions (EFS-NAS, arXiv 2412.14678)."""

    own: ClassVar[frozenset[str]] = frozenset({"thresholds", "shared_stages"})
    words: ClassVar[str] = "depth-wise"

    def copies(self, space: Space, network: NetworkSpec, groups: int, settings: RuleSettings) -> Copies:
        """Returns the copies of the settings, or of the paper for as many groups."""
        thresholds, shared = _thresholds(groups, settings), settings.shared_stages
        if shared is None:
            shared = min(_SHARED_STAGES.get(groups, 0), network.stages - 1)
        if shared >= network.stages:
            raise SettingsError(
                f"supernet.shared_stages must be at most {network.stages - 1}, or no cell has copies (got {shared})"
            )
        largest = largest_count(space, network)
        # A share times the largest count may miss a whole number by rounding, which would move a cell to another copy.
        return Copies(tuple(round(share * largest, 6) for share in thresholds), shared)

    def refusals(self, settings: RuleSettings) -> Iterator[str]:
        """Yields a refusal of splits other than by counts."""
        if not SPLITS[settings.split].by_counts:
            yield f"sharing = 'depth' chooses copies by the count of split = 'nonlinear', not of {settings.split!r}"
        yield from super().refusals(settings)


def _thresholds(groups: int, settings: RuleSettings) -> tuple[float, ...]:
    """Returns shares of the largest running count, ascending."""
    shares = settings.thresholds
    if shares is None:
        if groups not in _THRESHOLDS:
            raise SettingsError(f"supernet.thresholds must be given for more than 4 groups (got {groups} groups)")
        return _THRESHOLDS[groups]
    if list(shares) != sorted(set(shares)):
        raise SettingsError(f"supernet.thresholds must ascend (got {list(shares)})")
    return shares


SHARINGS: dict[str, SharingRule] = {"whole": WholeSubnets(), "depth": DepthWise(), "one": OneSet()}
# True where the choices of a layer are parts of the largest one's weights; else each has weights of its own.
WEIGHTS: dict[str, bool] = {"own": False, "nested": True}
# True where the blocks between stages are light, of one convolution; else they are the deployed network's.
REDUCTIONS: dict[str, bool] = {"light": True, "residual": False}
