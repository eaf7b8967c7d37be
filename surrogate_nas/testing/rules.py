"""Rules that conformance kits are written in; one that does not hold raises an ``AssertionError``."""

import random
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from surrogate_nas.errors import SpaceError, SurrogateNasError
from surrogate_nas.space.space import Codes, Space

DRAWS = 200
"""Architectures that are looked at where there are more."""
_LEAST_P = 1e-6  # a check of uniform draws fails by chance once in a million times


def require(holds: bool | np.bool_, rule: str) -> None:
    """Raises an error that names the rule, unless it holds."""
    if not holds:
        raise AssertionError(f"does not hold: {rule}")


def refuses(call: Callable[[], object], what: str, *names: str, error: type[SurrogateNasError] = SpaceError) -> None:
    """Requires an error of a kind whose message has some names in it."""
    try:
        call()
    except error as refusal:
        require(all(name in str(refusal) for name in names), f"the refusal of {what} names {names} (got {refusal})")
        return
    raise AssertionError(f"does not hold: {what} is refused with a {error.__name__}")


@contextmanager
def silent(what: str) -> Iterator[None]:
    """Requires that the block gives no warnings."""
    with warnings.catch_warnings(record=True) as given:
        warnings.simplefilter("always")
        yield
    texts = [str(warning.message) for warning in given]
    require(not texts, f"{what} gives no warnings (got {'; '.join(texts)})")


@contextmanager
def untouched_draws() -> Iterator[None]:
    """Requires that the block leaves the random draws of everybody else as they are."""
    before = _draws()
    yield
    changed = [name for name, state in _draws().items() if state != before.get(name, state)]
    require(not changed, f"draws are from a generator of one's own (got others of {', '.join(changed)})")


def _draws() -> dict[str, object]:
    """States of the generators that everybody shares; torch's only where somebody uses torch."""
    states: dict[str, object] = {"random": random.getstate(), "numpy": repr(np.random.get_state())}
    if "torch" in sys.modules:
        states["torch"] = sys.modules["torch"].get_rng_state().tolist()
    return states


def looked_at(space: Space) -> Codes:
    """Returns draws of all codes, shape (N, D), also where a space itself draws effective ones alone."""
    rng = np.random.default_rng(5)
    choices = [len(decision.choices) for decision in space.decisions]
    return space.check(rng.integers(0, choices, size=(DRAWS, space.num_decisions)))


def require_shares(often: NDArray[np.int64], expected: NDArray[np.float64], rule: str) -> None:
    """Requires numbers of draws, shape (K,), as they are expected; rare ones are taken together."""
    rare = expected < 5
    if rare.any():
        often = np.append(often[~rare], often[rare].sum())
        expected = np.append(expected[~rare], expected[rare].sum())
    order = np.argsort(expected)
    often, expected = often[order], expected[order]
    if len(expected) > 1 and expected[0] < 5:  # even together
        often, expected = np.append(often[:2].sum(), often[2:]), np.append(expected[:2].sum(), expected[2:])
    require(often.sum() == round(expected.sum()), f"{rule}: all draws are expected ones")
    if len(expected) > 1:
        require(stats.chisquare(often, expected).pvalue > _LEAST_P, rule)


def follows(given: NDArray[np.generic], values: NDArray[np.generic]) -> bool:
    """Returns whether rows that are equal in ``given``, (N, ...), are equal in ``values``, (N, ...)."""
    one, other = (np.unique(each, axis=0, return_inverse=True)[1].ravel() for each in (given, values))
    return len(np.unique(np.column_stack([one, other]), axis=0)) == len(np.unique(one))
