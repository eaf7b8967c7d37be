"""Treats the whole space as one subspace: a one-shot supernet."""

from typing import ClassVar, final

from surrogate_nas.space.space import Space
from surrogate_nas.supernet.rule import RuleSettings
from surrogate_nas.supernet.splits.boxes import BoxSplit, whole_box
from surrogate_nas.supernet.splits.split import SplitRule


@final
class NoSplit(SplitRule):
    """The whole space, which is a box of all choices and a band of all counts."""

    splits: ClassVar[bool] = False
    by_boxes: ClassVar[bool] = True
    by_counts: ClassVar[bool] = True

    def split(self, space: Space, settings: RuleSettings) -> BoxSplit:  # noqa: ARG002 - the space alone decides
        """Returns the whole space as one subspace."""
        return whole_space(space)


def whole_space(space: Space) -> BoxSplit:
    """Returns a space as one subspace.

    Raises:
        SettingsError: If no architecture leads from input to output.
    """
    return BoxSplit(space, [whole_box(space)])
