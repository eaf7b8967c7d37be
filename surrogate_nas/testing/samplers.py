"""Conformance kit of search strategies: every sampler, also one of a third party, passes all of ``SAMPLER_CHECKS``.

A check takes what makes the sampler, as a row of ``SAMPLERS`` has it, and an evaluator of the architectures that it
searches. It raises an ``AssertionError`` that says what does not hold::

    import pytest
    from surrogate_nas.testing.samplers import SAMPLER_CHECKS, made_up_evaluator

    @pytest.mark.parametrize("check", SAMPLER_CHECKS, ids=lambda check: check.__name__)
    def test_my_sampler(check):
        check(MySampler, made_up_evaluator(my_space))

Symbols:
    N: architectures. D: decisions.
"""

import zlib
from collections.abc import Callable, Mapping
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.costs.budget import Budget
from surrogate_nas.errors import SpaceError
from surrogate_nas.predictor.protocol import Prediction
from surrogate_nas.search.candidates import class_keys
from surrogate_nas.search.evaluator import Evaluator
from surrogate_nas.search.protocol import Sampler
from surrogate_nas.search.settings import Goal, SearchSettings
from surrogate_nas.space.load import load_space
from surrogate_nas.space.space import Codes, Space
from surrogate_nas.testing.rules import require, silent, untouched_draws

MakeSampler = Callable[[Evaluator, SearchSettings, int], Sampler]
SamplerCheck = Callable[[MakeSampler, Evaluator], None]

_BATCH = 12
_GOALS: tuple[Goal, ...] = get_args(Goal)


def made_up_evaluator(space: Space) -> Evaluator:
    """Returns an evaluator of made-up accuracies and latencies, with a budget that excludes a part of the space.

    Its distribution over architectures prefers late choices.
    """
    latency = _Latency(space).evaluate(space.sample(200, np.random.default_rng(0)))["latency_ms"]
    budgets = [Budget("latency_ms", float(np.quantile(latency, 0.6)))]
    return Evaluator(space, _Accuracy(space), _Latency(space), budgets, distribution=_Preference(space))


class _Accuracy:
    """A nonlinear function of the canonical architecture."""

    def __init__(self, space: Space) -> None:
        self._space = space

    def predict(self, codes: Codes) -> Prediction:
        values = self._space.canonical(codes).astype(np.float64)
        rng = np.random.default_rng(5)
        hidden = np.tanh(values @ rng.normal(size=(values.shape[1], 16)) / 3)
        return Prediction(80 + 5 * hidden @ rng.normal(size=16), 0.1 + np.abs(hidden[:, 0]))


class _Preference:
    """A distribution of independent decisions, in which the last choices are the likeliest."""

    def __init__(self, space: Space) -> None:
        self._space = space
        self._rows = [_softmax(np.arange(len(decision.choices)) / 2) for decision in space.decisions]

    def log_probabilities(self, codes: Codes) -> NDArray[np.float64]:
        taken = [row[codes[:, column]] for column, row in enumerate(self._rows)]
        return np.asarray(np.log(np.stack(taken)).sum(axis=0))

    def draw(self, count: int, rng: np.random.Generator) -> Codes:
        found = np.empty((0, len(self._rows)), dtype=np.int8)
        while len(found) < count:
            drawn = np.stack([rng.choice(len(row), size=count, p=row) for row in self._rows], axis=1).astype(np.int8)
            found = np.concatenate([found, drawn[self._space.is_connected(drawn)]])
        return np.asarray(found[:count])


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    weights = np.exp(logits - logits.max())
    return np.asarray(weights / weights.sum())


class _Latency:
    """A latency that differs between architectures that compute the same, as measured ones do."""

    names = ("latency_ms",)

    def __init__(self, space: Space) -> None:
        self._space = space

    def evaluate(self, codes: Codes) -> Mapping[str, NDArray[np.float64]]:
        jitter = np.array([zlib.crc32(row.tobytes()) % 1000 for row in self._space.check(codes)]) / 2000
        return {"latency_ms": 1.0 + codes.astype(np.float64) @ np.arange(1, codes.shape[1] + 1) / 10 + jitter}


def proposals(make: MakeSampler, evaluator: Evaluator, settings: SearchSettings, seed: int, rounds: int) -> list[Codes]:
    """Returns what a sampler proposes in its first rounds, each of shape (N, D)."""
    sampler = make(evaluator, settings, seed)
    found = []
    for _ in range(rounds):
        codes = sampler.propose(settings.batch)
        try:
            found.append(evaluator.space.check(codes))
        except SpaceError as error:
            raise AssertionError(f"does not hold: proposals are codes of the space ({error})") from None
        sampler.observe(evaluator.evaluate(found[-1]))
    return found


def check_proposals(make: MakeSampler, evaluator: Evaluator) -> None:
    """Proposals are codes of the space, at most as many as requested, of classes not proposed before."""
    for goal in _GOALS:
        batches = proposals(make, evaluator, SearchSettings(goal=goal, batch=_BATCH), seed=0, rounds=3)
        sizes = [len(batch) for batch in batches]
        require(all(0 < size <= _BATCH for size in sizes), f"of {_BATCH} requested, 1 to {_BATCH} come (got {sizes})")
        keys = class_keys(evaluator.space, np.concatenate(batches))
        require(len(set(keys)) == len(keys), f"no canonical class is proposed twice (goal {goal})")


def check_seed(make: MakeSampler, evaluator: Evaluator) -> None:
    """Proposals are a function of the seed and of the observations; other random draws are not disturbed."""
    for goal in _GOALS:
        settings = SearchSettings(goal=goal, batch=8)
        with untouched_draws():
            once, again = (np.concatenate(proposals(make, evaluator, settings, 2**40 + 1, 3)) for _ in range(2))
        require(np.array_equal(once, again), f"one seed gives the same proposals again (goal {goal})")


def check_end(make: MakeSampler, evaluator: Evaluator) -> None:  # noqa: ARG001 - the space is one of few classes
    """A sampler that has proposed every class of a space ends."""
    small = made_up_evaluator(load_space("quick"))
    classes = len(set(class_keys(small.space, small.space.all_codes())))
    for goal in _GOALS:
        sampler = make(small, SearchSettings(goal=goal, batch=_BATCH, trials=_BATCH), 0)
        for _ in range(classes + 1):
            codes = sampler.propose(_BATCH)
            if not len(codes):
                break
            sampler.observe(small.evaluate(codes))
        else:
            raise AssertionError(f"does not hold: a space of {classes} classes is searched to an end (goal {goal})")


def check_silence(make: MakeSampler, evaluator: Evaluator) -> None:
    """A search gives no warnings."""
    for goal in _GOALS:
        with silent("a search"):
            proposals(make, evaluator, SearchSettings(goal=goal, batch=_BATCH), seed=1, rounds=2)


SAMPLER_CHECKS: tuple[SamplerCheck, ...] = (check_proposals, check_seed, check_end, check_silence)
