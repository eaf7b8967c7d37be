"""Bands of nonlinear counts of nearly equal population, exact in spaces of any size."""

from collections.abc import Sequence
from itertools import accumulate

import numpy as np

from surrogate_nas.errors import SettingsError
from surrogate_nas.space.space import Space


def occurring_counts(space: Space) -> list[int]:
    """All nonlinear counts, those of disconnected architectures too, rising."""
    if space.listable:
        found: list[int] = np.unique(space.nonlinear_count(space.all_codes())).tolist()
        return found
    return list(space.counts.populations())


def equal_bands(space: Space, groups: int) -> tuple[tuple[int, ...], ...]:
    """Cuts the nonlinear counts of a space into bands of neighbours whose largest population is smallest.

    Populations are of architectures that can be drawn; counts that only disconnected ones have join the band above.

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
            f"supernet.groups must be at most {len(counts)}, how many nonlinear counts {space.name} has (got {groups})"
        )
    cuts = even_cuts(populations, groups)
    occurring = occurring_counts(space)
    ends = np.searchsorted(occurring, [counts[cut - 1] for cut in cuts], side="right")
    return tuple(tuple(band.tolist()) for band in np.split(np.array(occurring), ends))


def even_cuts(parts: Sequence[int], groups: int) -> list[int]:
    """Where to cut a sequence so that the largest sum of a group is smallest; of several such cuts the earliest."""
    count, sums = len(parts), [0, *accumulate(parts)]
    # largest[g][i]: the smallest largest sum of parts[i:] in g + 1 groups, None where there are too few parts.
    largest: list[list[int | None]] = [[sums[count] - sums[i] if i < count else None for i in range(count + 1)]]
    for _ in range(1, groups):
        rest = largest[-1]
        largest.append(
            [
                min(
                    (max(sums[cut] - sums[i], left) for cut in range(i + 1, count) if (left := rest[cut]) is not None),
                    default=None,
                )
                for i in range(count + 1)
            ]
        )
    limit = largest[groups - 1][0]
    assert limit is not None
    cuts: list[int] = []
    for group in range(groups - 1, 0, -1):
        start, rest = cuts[-1] if cuts else 0, largest[group - 1]
        cuts.append(
            next(
                cut
                for cut in range(start + 1, count)
                if sums[cut] - sums[start] <= limit and (left := rest[cut]) is not None and left <= limit
            )
        )
    return cuts
