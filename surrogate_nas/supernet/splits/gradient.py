"""Splits a space by gradients, halved round by round (GM-NAS, arXiv 2203.15207)."""

from collections.abc import Iterator
from typing import ClassVar, final

from surrogate_nas.errors import SettingsError
from surrogate_nas.space.space import Space
from surrogate_nas.supernet.rule import Inheritance, RuleSettings
from surrogate_nas.supernet.splits.boxes import BoxSplit, box_population, whole_box
from surrogate_nas.supernet.splits.none import whole_space
from surrogate_nas.supernet.splits.split import SplitRule

_MOST_CHOICES = 20  # of a decision: half a million ways to part them in two


@final
class SplitByGradients(SplitRule):
    """Agreement of gradients decides where subspaces are cut; the default is the second split, at epoch 40 of 90."""

    own: ClassVar[frozenset[str]] = frozenset({"split_rounds", "split_batches"})
    by_boxes: ClassVar[bool] = True
    is_late: ClassVar[bool] = True
    parent_share: ClassVar[float] = 4 / 9
    inherits: ClassVar[Inheritance] = "state"

    def split(self, space: Space, settings: RuleSettings) -> BoxSplit:
        """Returns the whole space, after a check that it can be halved so often."""
        check_rounds(space, settings.split_rounds)
        return whole_space(space)

    def rounds(self, settings: RuleSettings) -> int:
        """Returns how often every sub-supernet is split in two."""
        return settings.split_rounds

    def refusals(self, settings: RuleSettings) -> Iterator[str]:
        """Yields why there would be no gradients to decide, or several decisions."""
        if settings.replicas > 1:
            yield "split = 'gradient' finds other subspaces in each replica: it needs replicas = 1"
        if settings.share_before_split == 0:
            yield "split = 'gradient' needs a parent_share above 0: gradients of trained weights decide"


def check_rounds(space: Space, rounds: int) -> None:
    """Refuses more halvings than a space has decisions or architectures for, and decisions that take too long to halve.

    Raises:
        SettingsError: If there are too many halvings, or choices.
    """
    if rounds > space.num_decisions:
        raise SettingsError(
            f"supernet.split_rounds must be at most {space.num_decisions}, the number of decisions of {space.name},"
            f" each cut once (got {rounds})"
        )
    most = max(space.decisions, key=lambda decision: len(decision.choices))
    if len(most.choices) > _MOST_CHOICES:
        raise SettingsError(
            f"split = 'gradient' tries all ways to part the choices of a decision in two, and {most.name} of"
            f" {space.name} has {len(most.choices)} choices, more than {_MOST_CHOICES}: choose another split"
        )
    population = box_population(space, whole_box(space))
    if 2**rounds > population:
        raise SettingsError(
            f"supernet.split_rounds makes {2**rounds} groups of the {population} architectures of {space.name} that"
            f" lead from input to output (got {rounds})"
        )
