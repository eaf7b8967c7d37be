"""Bands of nonlinear counts of nearly equal population, exact in spaces of any size."""

from collections.abc import Sequence
from itertools import accumulate
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surrogate_nas.errors import SettingsError
from surrogate_nas.space.counting import shares
from surrogate_nas.space.space import Codes, Space
from surrogate_nas.supernet.splits.split import SpaceSplit

_TYPICAL_BANDS = 4


def occurring_counts(space: Space) -> list[int]:
    """Returns all nonlinear counts in rising order, including counts that only disconnected architectures have."""
    if space.listable:
        found: list[int] = np.unique(space.nonlinear_count(space.all_codes())).tolist()
        return found
    return list(space.counts.populations())


def equal_bands(space: Space, groups: int) -> tuple[tuple[int, ...], ...]:
    """Cuts the nonlinear counts of a space into bands of neighbours of nearly equal population.

    A population counts architectures that can be drawn; counts that only disconnected ones have join the band above.

    Args:
        space: The space.
        groups: Number of bands.

    Raises:
        SettingsError: If there are fewer counts than bands.
    """
    ways = space.counts.populations()
    counts, populations = list(ways), list(ways.values())
    if groups > len(counts):
        raise SettingsError(
            f"supernet.groups must be at most {len(counts)}, the number of nonlinear counts of"
            f" {space.name} (got {groups})"
        )
    cuts = even_cuts(populations, groups)
    occurring = occurring_counts(space)
    ends = np.searchsorted(occurring, [counts[cut - 1] for cut in cuts], side="right")
    return tuple(tuple(band.tolist()) for band in np.split(np.array(occurring), ends))


def typical_bands(space: Space) -> tuple[tuple[int, ...], ...]:
    """Returns as many bands of counts as NAS-Bench-201 has counts, on which rules by bands were measured, or fewer."""
    return equal_bands(space, min(_TYPICAL_BANDS, len(space.counts.populations())))


def even_cuts(parts: Sequence[int], groups: int) -> list[int]:
    """Returns where to cut a sequence so that the squares of the groups' sums add up to the least.

    Of several ways it takes the earliest cuts. The largest sum alone would leave the other groups open: of a space
    whose last counts hold nearly everything, the first bands would hold nearly nothing.
    """
    count, sums = len(parts), [0, *accumulate(parts)]
    # least[g][i]: the least sum of squares of parts[i:] in g + 1 groups, and the end of the first of them; None where
    # there are too few parts. Whole numbers, since populations have up to hundreds of digits.
    least: list[list[tuple[int, int] | None]] = [
        [((sums[count] - sums[i]) ** 2, count) if i < count else None for i in range(count + 1)]
    ]
    for _ in range(1, groups):
        rest = least[-1]
        least.append(
            [
                min(
                    (
                        ((sums[cut] - sums[i]) ** 2 + left[0], cut)
                        for cut in range(i + 1, count)
                        if (left := rest[cut]) is not None
                    ),
                    default=None,
                )
                for i in range(count + 1)
            ]
        )
    cuts: list[int] = []
    for group in range(groups - 1, 0, -1):
        found = least[group][cuts[-1] if cuts else 0]
        assert found is not None
        cuts.append(found[1])
    return cuts


@final
class BandSplit(SpaceSplit):
    """Subspaces by the number of nonlinear functions (EFS-NAS, arXiv 2412.14678).

    Args:
        space: The space.
        bands: The counts that make up each subspace; together exactly the counts that occur, each once.

    Raises:
        SettingsError: If the bands are not such a partition.
    """

    def __init__(self, space: Space, bands: Sequence[Sequence[int]]) -> None:
        occurring = occurring_counts(space)
        if sorted(count for band in bands for count in band) != occurring or not all(bands):
            raise SettingsError(
                f"supernet.bands must hold each nonlinear count of {space.name} ({', '.join(map(str, occurring))})"
                f" exactly once, with no empty band (got {[list(band) for band in bands]})"
            )
        self._bands = tuple(tuple(band) for band in bands)
        self._group_of = np.zeros(max(occurring) + 1, dtype=np.int64)
        for group, band in enumerate(self._bands):
            self._group_of[list(band)] = group
        super().__init__(space, tuple(f"{'/'.join(map(str, band))} nonlinear" for band in bands))

    @property
    def titles(self) -> tuple[str, ...]:
        """The counts as a sentence has them: ``0 to 7 nonlinear functions``."""
        return tuple(f"{_in_words(sorted(band))} nonlinear {_noun(band)}" for band in self._bands)

    def assign(self, codes: ArrayLike) -> NDArray[np.int64]:
        """Returns the index of the subspace of each code, shape (N,)."""
        return np.asarray(self._group_of[self._space.nonlinear_count(codes)])

    def _count(self, group: int) -> int:
        ways = self._space.counts.populations()
        return sum(ways.get(count, 0) for count in self._bands[group])

    def _draw(self, group: int, count: int, rng: np.random.Generator) -> Codes:
        ways, band = self._space.counts.populations(), self._bands[group]
        chosen = rng.choice(len(band), size=count, p=shares([ways.get(each, 0) for each in band]))
        codes = np.zeros((count, self._space.num_decisions), dtype=np.int8)
        for position in np.unique(chosen):
            rows = np.flatnonzero(chosen == position)
            codes[rows] = self._space.counts.draw(band[position], len(rows), rng)
        return codes


def _in_words(counts: Sequence[int]) -> str:
    """Returns rising counts in words; three neighbours and more as a range."""
    whole = len(counts) > 2 and counts[-1] - counts[0] == len(counts) - 1
    if whole:
        return f"{counts[0]} to {counts[-1]}"
    *first, last = map(str, counts)
    return f"{', '.join(first)} or {last}" if first else last


def _noun(counts: Sequence[int]) -> str:
    return "function" if list(counts) == [1] else "functions"
