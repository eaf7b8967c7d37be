"""Finds the best architectures by a predictor in spaces too large to enumerate: evolution, then local search.

One round scores thousands of architectures with the predictor and returns the few best that are new, so that a trial,
which may be a training, is spent on the best of thousands.

Symbols:
    N: architectures of a pool.
    D: decisions.
"""

from collections.abc import Callable

import numpy as np

from surrogate_nas.search.acquisition import acquire
from surrogate_nas.search.candidates import Candidates, Floats, class_keys, concatenate
from surrogate_nas.search.evaluator import Evaluator
from surrogate_nas.search.protocol import Sampler
from surrogate_nas.search.samplers.evolution import mutated
from surrogate_nas.search.samplers.scan import ScanSampler
from surrogate_nas.search.settings import SearchSettings
from surrogate_nas.space.space import Codes, Space

POPULATION = 400
GENERATIONS = 20
ELITE = 50
CLIMBERS = 20
# Steps of local search; each evaluates every neighbour of every climber.
STEPS = 20


class ClimbSampler:
    """Proposes the best new architectures that evolution and local search over the predictor find.

    Args:
        evaluator: Scores and costs.
        settings: The acquisition.
        seed: Seed of all draws.
    """

    def __init__(self, evaluator: Evaluator, settings: SearchSettings, seed: int) -> None:
        self._evaluator = evaluator
        self._settings = settings
        self._rng = np.random.default_rng(seed)
        self._seen: set[bytes] = set()
        self._elite = np.empty((0, evaluator.space.num_decisions), dtype=np.int8)
        self._incumbent: float | None = None

    def propose(self, count: int) -> Codes:
        """Returns at most ``count`` new codes, shape (n, D), the most promising first."""

        def value(pool: Candidates) -> Floats:
            return acquire(pool.mean, pool.std, self._settings.acquisition, self._settings.kappa, self._incumbent)

        pool = climb(self._evaluator, value, self._elite, self._rng)
        order = _best_first(pool, value(pool))
        pool = pool.take(order)
        self._elite = pool.codes[:ELITE]
        new = []
        for row, key in enumerate(class_keys(self._evaluator.space, pool.codes)):
            if key not in self._seen:
                self._seen.add(key)
                new.append(row)
            if len(new) == count:
                break
        return pool.codes[new]

    def observe(self, candidates: Candidates) -> None:
        """Remembers the best feasible prediction among the proposals."""
        if candidates.feasible.any():
            best = float(candidates.mean[candidates.feasible].max())
            self._incumbent = best if self._incumbent is None else max(best, self._incumbent)


def climb(
    evaluator: Evaluator, value: Callable[[Candidates], Floats], start: Codes, rng: np.random.Generator
) -> Candidates:
    """Returns all evaluated architectures, one per canonical code, at least one of which no neighbour beats.

    Args:
        evaluator: Scores and costs.
        value: Value to maximise among the feasible, shape (N,) to a pool; infeasible ones move to the budgets.
        start: Codes to begin with in addition to random ones, shape (N, D).
        rng: Source of randomness.
    """
    space = evaluator.space
    looked = _Looked(evaluator)
    population = looked.at(np.concatenate([start, space.sample(POPULATION, rng)]))
    for _ in range(GENERATIONS):
        best = population.take(_best_first(population, value(population))[:ELITE])
        mothers, fathers = (best.codes[rng.integers(0, len(best), POPULATION)] for _ in range(2))
        crossed = np.where(rng.random(mothers.shape) < 0.5, mothers, fathers).astype(np.int8)
        crossing = rng.random(POPULATION) < 0.5
        children = np.where(crossing[:, None], crossed, mutated(space, mothers, rng))
        population = concatenate([best, looked.at(children)])
    climbers = population.take(_best_first(population, value(population))[:CLIMBERS])
    for _ in range(STEPS):
        around = looked.at(neighbours(space, climbers.codes))
        joined = concatenate([climbers, around])
        better = joined.take(_best_first(joined, value(joined))[:CLIMBERS])
        if len(better) == len(climbers) and np.array_equal(better.codes, climbers.codes):
            break
        climbers = better
    return looked.everything()


def neighbours(space: Space, codes: Codes) -> Codes:
    """Returns every code that differs from a given one in one decision, shape (N * sum of other choices, D)."""
    made = []
    for column, decision in enumerate(space.decisions):
        for choice in range(len(decision.choices)):
            changed = codes[codes[:, column] != choice].copy()
            changed[:, column] = choice
            made.append(changed)
    return np.concatenate(made)


def _best_first(pool: Candidates, value: Floats) -> np.ndarray:
    # Excesses first: feasible codes come before infeasible ones.
    return np.lexsort((pool.primary_cost, -value, pool.excess))


class _Looked:
    """Evaluates each canonical code once and keeps all of them."""

    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator
        self._known: set[bytes] = set()
        self._parts: list[Candidates] = []

    def at(self, codes: Codes) -> Candidates:
        """Returns the codes that were not evaluated before, evaluated; may be none."""
        codes = self._evaluator.cheapest_alike(codes)
        fresh = []
        # Keys of isomorphism classes would take longer than the scores that they save.
        for row, code in enumerate(self._evaluator.space.canonical(codes)):
            if (key := code.tobytes()) not in self._known:
                self._known.add(key)
                fresh.append(row)
        part = self._evaluator.evaluate(codes[fresh])
        self._parts.append(part)
        return part

    def everything(self) -> Candidates:
        """Returns all evaluated architectures."""
        return concatenate(self._parts)


def scan_or_climb(evaluator: Evaluator, settings: SearchSettings, seed: int) -> Sampler:
    """Returns the exact sampler where a space or pool can be scanned, otherwise evolution and local search."""
    return ScanSampler(evaluator, settings) if evaluator.pool is not None else ClimbSampler(evaluator, settings, seed)
