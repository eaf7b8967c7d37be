"""Regularised evolution (Real et al., "Regularized Evolution for Image Classifier Architecture Search", 1802.01548).

Tournaments choose the parents, children differ from theirs in one decision, and the oldest die rather than the worst.
Feasible architectures win against infeasible ones; among the infeasible, the smaller excess wins (Deb, 2000).
"""

from collections import deque

import numpy as np

from surrogate_nas.search.candidates import Candidates, class_keys
from surrogate_nas.search.evaluator import Evaluator
from surrogate_nas.search.settings import SearchSettings
from surrogate_nas.space.space import Codes, Space

TOURNAMENT = 10
# Children that were seen before, one after another, after which the space around the population is used up.
_PATIENCE = 1000


def mutated(space: Space, codes: Codes, rng: np.random.Generator) -> Codes:
    """Returns each code with one decision changed to another choice, all equally likely, shape (N, D)."""
    result = codes.copy()
    rows = np.arange(len(codes))
    columns = rng.integers(0, space.num_decisions, len(codes))
    choices = np.array([len(decision.choices) for decision in space.decisions])
    several = choices[columns] > 1
    shift = rng.integers(1, np.maximum(choices[columns], 2))
    result[rows, columns] = np.where(several, (codes[rows, columns] + shift) % choices[columns], codes[rows, columns])
    return result


def fitness(candidates: Candidates) -> list[tuple[float, float]]:
    """Returns a value per candidate, larger is better: feasible ones first, then accuracy."""
    return list(zip((-candidates.excess).tolist(), candidates.mean.tolist(), strict=True))


class EvolutionSampler:
    """Proposes children of tournament winners among the youngest ``batch`` architectures.

    Args:
        evaluator: Evaluator of the search.
        settings: ``batch`` is the size of the population.
        seed: Seed of all draws.
    """

    def __init__(self, evaluator: Evaluator, settings: SearchSettings, seed: int) -> None:
        self._evaluator = evaluator
        self._space = evaluator.space
        self._rng = np.random.default_rng(seed)
        self._population: deque[tuple[tuple[float, float], Codes]] = deque(maxlen=settings.batch)
        self._seen: set[bytes] = set()

    def propose(self, count: int) -> Codes:
        """Returns at most ``count`` new codes, shape (n, D); random ones until there is a population."""
        found: list[Codes] = []
        misses = 0
        while len(found) < count and misses < _PATIENCE:
            code = self._evaluator.cheapest_alike(self._child())
            key = class_keys(self._space, code)[0]
            if key in self._seen:
                misses += 1
                continue
            self._seen.add(key)
            found.append(code)
            misses = 0
        return np.concatenate(found) if found else np.empty((0, self._space.num_decisions), dtype=np.int8)

    def _child(self) -> Codes:
        """Returns a code of shape (1, D)."""
        # Occasionally a random newcomer, so that the search continues when all neighbours of the population were seen.
        if not self._population or self._rng.random() < 0.01:
            return self._space.sample(1, self._rng)
        size = min(TOURNAMENT, len(self._population))
        picked = self._rng.choice(len(self._population), size=size, replace=False)
        parent = max((self._population[int(i)] for i in picked), key=lambda member: member[0])[1]
        return mutated(self._space, parent, self._rng)

    def observe(self, candidates: Candidates) -> None:
        """Adds the children to the population and removes the oldest."""
        for row, value in enumerate(fitness(candidates)):
            self._population.append((value, candidates.codes[row : row + 1]))
