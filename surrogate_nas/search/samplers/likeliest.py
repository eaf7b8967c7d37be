"""Proposes the likeliest architectures of a distribution that was learnt by gradients before the search.

In a space that is small enough to list, the proposals are in the order of probability. In others they are draws.
Architectures within the budgets come first, and the others only where no more of them are found.
"""

import numpy as np

from surrogate_nas.errors import SettingsError
from surrogate_nas.search.candidates import Candidates, Rows, class_keys, class_numbers
from surrogate_nas.search.evaluator import Evaluator
from surrogate_nas.search.protocol import LearnedDistribution
from surrogate_nas.search.settings import SearchSettings
from surrogate_nas.space.space import Codes

_DRAWS = 256
# Rounds of draws without a new architecture within the budgets, one after another, after which no more are expected.
_PATIENCE = 20


class LearnedSampler:
    """Proposes by the probabilities of ``evaluator.distribution``.

    Args:
        evaluator: Evaluator of the search, with a distribution.
        settings: Settings of the search.
        seed: Seed of the draws; a space that is small enough to list needs none.

    Raises:
        SettingsError: If there is no distribution.
    """

    def __init__(self, evaluator: Evaluator, settings: SearchSettings, seed: int) -> None:
        if evaluator.distribution is None:
            raise SettingsError(
                f"search.sampler = {settings.sampler!r} needs a distribution over architectures, which a study learns"
                " with gradient.method: choose another sampler"
            )
        self._evaluator, self._distribution = evaluator, evaluator.distribution
        self._rng = np.random.default_rng(seed)
        self._seen: set[bytes] = set()
        self._spare: list[Codes] = []  # drawn, and beyond a budget
        self._exhausted = False
        self._listed = likeliest_first(evaluator, evaluator.distribution) if evaluator.space.listable else None
        self._proposed = 0

    def propose(self, count: int) -> Codes:
        """Returns at most ``count`` new codes, shape (n, D)."""
        if self._listed is not None:
            start = self._proposed
            self._proposed = min(start + count, len(self._listed))
            return self._listed[start : self._proposed]
        return self._drawn(count)

    def observe(self, candidates: Candidates) -> None:
        """Ignores results: the distribution learnt before the search."""

    def _drawn(self, count: int) -> Codes:
        """Returns new draws, the ones within the budgets first."""
        found: list[Codes] = []
        idle = 0
        while len(found) < count and not self._exhausted:
            codes = self._distribution.draw(_DRAWS, self._rng)
            before = len(found)
            for code, key, fits in zip(
                codes, class_keys(self._evaluator.space, codes), self._evaluator.feasible(codes), strict=True
            ):
                if key in self._seen or (fits and len(found) == count):
                    continue
                self._seen.add(key)
                (found if fits else self._spare).append(code)
            idle = 0 if len(found) > before else idle + 1
            self._exhausted = idle == _PATIENCE
        more = count - len(found)
        found, self._spare = found + self._spare[:more], self._spare[more:]
        return np.array(found, dtype=np.int8).reshape(-1, self._evaluator.space.num_decisions)


def likeliest_first(evaluator: Evaluator, distribution: LearnedDistribution) -> Codes:
    """Returns one architecture of every connected class, (N, D): within the budgets first, then the likeliest first.

    A class has the probability of its likeliest member, and is proposed by the member that suits the budgets best.

    Args:
        evaluator: Of a space that is small enough to list.
        distribution: A distribution over its architectures.
    """
    space = evaluator.space
    codes = space.all_codes()
    codes = codes[space.is_connected(codes)]
    likeliest = _first_of_each(class_numbers(space, codes), -distribution.log_probabilities(codes))
    proposed = evaluator.cheapest_alike(codes[likeliest])
    order = np.argsort(~evaluator.feasible(proposed), kind="stable")
    return np.asarray(proposed[order])


def _first_of_each(classes: Rows, values: np.ndarray) -> Rows:
    """Returns the row of the least value of each class, the least first."""
    order = np.argsort(values, kind="stable")
    _, first = np.unique(classes[order], return_index=True)
    return np.asarray(order[np.sort(first)], dtype=np.int64)
