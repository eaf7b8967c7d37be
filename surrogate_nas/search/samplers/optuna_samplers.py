"""Adapts Optuna's samplers to the search's protocol: an in-memory study asks for batches and takes results.

The in-memory study is the sampler's memory, not the result: it sees repeated proposals too, which are answered from
earlier evaluations. Finished trials are mirrored to the journal afterwards; NSGA-II working on a
journal itself takes 40 times as long.

Constraints: ``constraints_func`` is deprecated since Optuna 5.0, so violations are set with ``Trial.set_constraint``
before ``tell``, which NSGA-II and TPE read. The mirrored trials need the older attribute; see
``surrogate_nas.search.journal.trials``.
"""

from dataclasses import dataclass

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.samplers import BaseSampler, NSGAIISampler, RandomSampler, TPESampler
from optuna.study import StudyDirection

from surrogate_nas.search.candidates import Candidates, class_keys
from surrogate_nas.search.evaluator import Evaluator
from surrogate_nas.search.journal.quiet_optuna import quiet_optuna
from surrogate_nas.search.settings import Goal, SearchSettings
from surrogate_nas.space.space import Codes

# A generation with a smaller share of new architectures is idle; after so many in a row the sampler has converged, or
# the space is nearly used up, and continuing would cost minutes: Optuna's work per ask grows with earlier asks.
IDLE_SHARE = 0.05
IDLE_GENERATIONS = 5


@dataclass(frozen=True)
class _Known:
    """Result of one canonical class for Optuna: its objectives, and its B + 1 violations."""

    values: tuple[float, ...]
    violation: tuple[float, ...]


class OptunaSampler:
    """Optuna sampler as a proposer of new architectures.

    With the goal ``budget`` the in-memory study has one objective, accuracy; with ``pareto`` the traded costs are the
    others. Its constraints are the B + 1 columns of ``violation``: the budgets, and a path from input to output.

    Args:
        evaluator: Evaluator of the search.
        sampler: Optuna's sampler, seeded.
        goal: Goal of the search.
    """

    def __init__(self, evaluator: Evaluator, sampler: BaseSampler, goal: Goal) -> None:
        self._evaluator = evaluator
        self._space = space = evaluator.space
        self._goal = goal
        self._distributions: dict[str, BaseDistribution] = {
            decision.name: CategoricalDistribution(range(len(decision.choices))) for decision in space.decisions
        }
        maximize, minimize = StudyDirection.MAXIMIZE, StudyDirection.MINIMIZE
        traded = 1 if evaluator.second is None else 2
        directions = [maximize] if goal == "budget" else [maximize] + [minimize] * traded
        with quiet_optuna():
            self._study = optuna.create_study(directions=directions, sampler=sampler)
        self._idle = 0
        self._known: dict[bytes, _Known] = {}
        self._pending: dict[bytes, list[optuna.Trial]] = {}

    def propose(self, count: int) -> Codes:
        """Returns the new ones of a generation of ``count``, shape (n, D); none once the sampler repeats itself."""
        if self._pending:
            raise RuntimeError("observe must be called between two calls of propose")
        with quiet_optuna():
            while self._idle < IDLE_GENERATIONS:
                codes = [code for code in (self._ask() for _ in range(count)) if code is not None]
                self._idle = self._idle + 1 if len(codes) < IDLE_SHARE * count else 0
                if codes:
                    return np.concatenate(codes)
        return np.empty((0, self._space.num_decisions), dtype=np.int8)

    def _ask(self) -> Codes | None:
        """Returns one proposal, shape (1, D), or None if its class was seen before."""
        trial = self._study.ask(self._distributions)
        asked = self._space.check([[trial.params[name] for name in self._distributions]])
        code = self._evaluator.cheapest_alike(asked)
        key = class_keys(self._space, code)[0]
        if key in self._known:
            self._tell(trial, self._known[key])
            return None
        self._pending.setdefault(key, []).append(trial)
        return code if len(self._pending[key]) == 1 else None

    def observe(self, candidates: Candidates) -> None:
        """Passes accuracies (and costs) and violations of the last proposal to Optuna."""
        with quiet_optuna():
            for row, key in enumerate(class_keys(self._space, candidates.codes)):
                values = (float(candidates.mean[row]), *candidates.traded[row].tolist())
                known = _Known(
                    values=values[:1] if self._goal == "budget" else values,
                    violation=tuple(candidates.violation[row].tolist()),
                )
                self._known[key] = known
                for trial in self._pending.pop(key):
                    self._tell(trial, known)

    def _tell(self, trial: optuna.Trial, known: _Known) -> None:
        for column, violation in enumerate(known.violation):
            trial.set_constraint(str(column), violation)
        self._study.tell(trial, known.values)


def random_sampler(evaluator: Evaluator, settings: SearchSettings, seed: int) -> OptunaSampler:
    """Returns a sampler of uniform draws."""
    return OptunaSampler(evaluator, RandomSampler(seed=_seed(seed)), settings.goal)


def nsga2_sampler(evaluator: Evaluator, settings: SearchSettings, seed: int) -> OptunaSampler:
    """Returns NSGA-II (Deb et al., "A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II", 2002)."""
    sampler = NSGAIISampler(population_size=settings.batch, seed=_seed(seed))
    return OptunaSampler(evaluator, sampler, settings.goal)


def tpe_sampler(evaluator: Evaluator, settings: SearchSettings, seed: int) -> OptunaSampler:
    """Returns tree-structured Parzen estimators (Bergstra et al., 2011).

    Multivariate, since the operations of a cell matter together; Optuna does so by itself for one objective only.
    """
    return OptunaSampler(evaluator, TPESampler(multivariate=True, seed=_seed(seed)), settings.goal)


def _seed(seed: int) -> int:
    # Optuna passes the seed to numpy's old generator, which takes 32 bits.
    return seed % 2**32
