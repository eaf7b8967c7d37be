"""Splits a space by the number of nonlinear functions (EFS-NAS, arXiv 2412.14678)."""

from typing import ClassVar, final

from surrogate_nas.space.space import Space
from surrogate_nas.supernet.rule import RuleSettings
from surrogate_nas.supernet.splits.bands import BandSplit, equal_bands
from surrogate_nas.supernet.splits.split import SplitRule


@final
class SplitByCount(SplitRule):
    """Bands of nonlinear counts are the subspaces."""

    own: ClassVar[frozenset[str]] = frozenset({"groups", "bands"})
    by_counts: ClassVar[bool] = True

    def split(self, space: Space, settings: RuleSettings) -> BandSplit:
        """Returns the bands of the settings, or the asked number of bands of nearly equal population."""
        return BandSplit(space, equal_bands(space, settings.groups) if settings.bands is None else settings.bands)
