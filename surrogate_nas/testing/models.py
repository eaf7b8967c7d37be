"""Conformance kit of predictor models: every kind, also one of a third party, passes all of ``MODEL_CHECKS``.

A check takes what makes the model, as a row of ``MODELS`` has it, and a space whose architectures it scores. It raises
an ``AssertionError`` that says what does not hold::

    import pytest
    from surrogate_nas.space.load import load_space
    from surrogate_nas.testing.models import MODEL_CHECKS

    @pytest.mark.parametrize("check", MODEL_CHECKS, ids=lambda check: check.__name__)
    def test_my_model(check):
        check(MyScorer, load_space("nasbench201"))

Symbols:
    N: architectures. D: decisions.
"""

from collections.abc import Callable
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.errors import Interrupted, StoreError
from surrogate_nas.predictor.protocol import Arrays, Scorer, StoredArrays
from surrogate_nas.predictor.settings import PredictorSettings
from surrogate_nas.ranking import kendall_tau
from surrogate_nas.space.space import Codes, Space
from surrogate_nas.testing.rules import refuses, require, untouched_draws
from surrogate_nas.testing.spaces import live_operations

LABELLED = 120
"""Architectures that a model is fitted to."""
_LEAST_TAU = 0.6
_LEARNS = PredictorSettings(width=16, layers=2, steps=60)
_SHORT = PredictorSettings(width=16, layers=2, steps=8)  # where it does not matter what was learnt


class MakeScorer(Protocol):
    """A row of the table of models."""

    def __call__(self, space: Space, settings: PredictorSettings, arrays: StoredArrays | None = None) -> Scorer:
        """Makes a scorer that is yet to be fitted, or the equal of the one whose arrays are given."""
        ...


ModelCheck = Callable[[MakeScorer, Space], None]


def made_up_values(space: Space, codes: Codes) -> NDArray[np.float64]:
    """Returns values that a model should learn, shape (N,): a mix of counts, equal for isomorphic architectures."""
    canonical = space.canonical(codes)
    return space.nonlinear_count(canonical) + 0.1 * live_operations(space, canonical).astype(np.float64)


def _labelled(space: Space) -> tuple[Codes, NDArray[np.float64]]:
    """Returns canonical codes, shape (N, D), and noisy values, shape (N,)."""
    codes = space.canonical(space.sample(LABELLED, np.random.default_rng(3)))
    return codes, made_up_values(space, codes) + np.random.default_rng(4).normal(0, 0.05, len(codes))


def _fitted(make: MakeScorer, space: Space, settings: PredictorSettings = _SHORT) -> Scorer:
    scorer, (codes, values) = make(space, settings), _labelled(space)
    scorer.fit(codes, values, seed=0)
    return scorer


def check_order(make: MakeScorer, space: Space) -> None:
    """Architectures that were not seen are put in order, one number each; other random draws are not disturbed."""
    with untouched_draws():
        scorer = _fitted(make, space, _LEARNS)
    unseen = space.canonical(space.sample(200, np.random.default_rng(9)))
    scores = scorer.score(unseen)
    require(scores.shape == (200,) and bool(np.isfinite(scores).all()), "scores are finite, one for each architecture")
    tau = kendall_tau(scores, made_up_values(space, unseen))
    require(tau > _LEAST_TAU, f"architectures that were not seen are ordered, tau {_LEAST_TAU} (got {tau:.2f})")
    require(scorer.score(unseen[:0]).shape == (0,), "no architectures have no scores")


def check_seed(make: MakeScorer, space: Space) -> None:
    """One seed gives one model, whatever was fitted before."""
    codes, values = _labelled(space)
    scores = _fitted(make, space).score(codes)
    twice = make(space, _SHORT)
    twice.fit(codes, values[::-1].copy(), seed=1)
    twice.fit(codes, values, seed=0)
    require(np.array_equal(scores, twice.score(codes)), "one seed gives one model, and a fit forgets the one before")


def check_arrays(make: MakeScorer, space: Space) -> None:
    """The arrays of a fitted model make its equal, to the bit, and others are refused."""
    codes, _ = _labelled(space)
    first = _fitted(make, space)
    arrays = first.arrays()
    again = make(space, _SHORT, arrays)
    require(np.array_equal(first.score(codes), again.score(codes)), "stored arrays make an equal model")
    missing: Arrays = dict(list(arrays.items())[1:])
    empty: Arrays = {name: value[:0] for name, value in arrays.items()}
    wrong = {"arrays without the first": missing, "an array too many": arrays | {"more": np.zeros(1)}, "none": empty}
    for what, stored in wrong.items():
        refuses(partial(make, space, _SHORT, stored), what, "wrong or missing", error=StoreError)


def check_stop(make: MakeScorer, space: Space) -> None:
    """A fit that is asked to stop ends."""
    codes, values = _labelled(space)
    scorer = make(space, _SHORT)
    fit = partial(scorer.fit, codes, values, seed=0, should_stop=lambda: True)
    refuses(fit, "a fit that is asked to stop", error=Interrupted)


def check_call_order(make: MakeScorer, space: Space) -> None:
    """A model that has learnt nothing has no scores."""
    scorer = make(space, _SHORT)
    try:
        scorer.score(_labelled(space)[0])
    except RuntimeError as error:
        require("fitted before" in str(error), f"the error says that a scorer is fitted before (got {error})")
        return
    raise AssertionError("does not hold: a score before the fit is refused with a RuntimeError")


MODEL_CHECKS: tuple[ModelCheck, ...] = (check_order, check_seed, check_arrays, check_stop, check_call_order)
