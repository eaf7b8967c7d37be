"""Splits a space into one subspace for every choice of one decision (FS-NAS, arXiv 2006.06863)."""

from typing import ClassVar, final

from surrogate_nas.errors import SettingsError
from surrogate_nas.space.space import Space
from surrogate_nas.supernet.rule import RuleSettings
from surrogate_nas.supernet.splits.boxes import Box, BoxSplit, whole_box
from surrogate_nas.supernet.splits.split import SplitRule


@final
class SplitByEdge(SplitRule):
    """The choices of one decision are the subspaces; the default share of a parent is 600 of 900 epochs."""

    own: ClassVar[frozenset[str]] = frozenset({"split_edge"})
    by_boxes: ClassVar[bool] = True
    parent_share: ClassVar[float] = 2 / 3

    def split(self, space: Space, settings: RuleSettings) -> BoxSplit:
        """Returns the subspaces of the decision that the settings name, or of the first."""
        return BoxSplit(space, edge_boxes(space, settings.split_edge))


def edge_boxes(space: Space, edge: str | None) -> tuple[Box, ...]:
    """Returns one box for every choice of one decision.

    Args:
        space: The space.
        edge: Name of the decision; the first where none is given.

    Raises:
        SettingsError: If there is no such decision.
    """
    names = [decision.name for decision in space.decisions]
    if edge is not None and edge not in names:
        raise SettingsError(f"supernet.split_edge must be one of {', '.join(names)} (got {edge!r})")
    column = 0 if edge is None else names.index(edge)
    box = whole_box(space)
    return tuple((*box[:column], (choice,), *box[column + 1 :]) for choice in box[column])
