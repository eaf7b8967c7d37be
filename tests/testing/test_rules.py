"""Rules hold or raise, with the rule in the message."""

import random
import re
import warnings
from collections.abc import Callable

import numpy as np
import pytest
import torch

from surrogate_nas.errors import SpaceError
from surrogate_nas.space.load import load_space
from surrogate_nas.testing.rules import (
    DRAWS,
    follows,
    looked_at,
    refuses,
    require,
    require_shares,
    silent,
    untouched_draws,
)


def refuse() -> None:
    raise SpaceError("decision 1.2 has choices 0 to 1")


def test_a_rule_that_does_not_hold_is_named() -> None:
    require(np.bool_(True), "one is one")
    with pytest.raises(AssertionError, match="does not hold: one is two"):
        require(False, "one is two")


def test_a_refusal_names_what_it_should() -> None:
    refuses(refuse, "choice 2", "1.2")
    with pytest.raises(AssertionError, match=re.escape("the refusal of choice 2 names ('1.3',) (got decision 1.2 has")):
        refuses(refuse, "choice 2", "1.3")
    with pytest.raises(AssertionError, match="does not hold: choice 0 is refused with a SpaceError"):
        refuses(lambda: None, "choice 0")


def test_a_warning_breaks_silence() -> None:
    with silent("nothing"):
        pass
    with pytest.raises(AssertionError, match=re.escape("a call gives no warnings (got careful)")), silent("a call"):
        warnings.warn("careful", stacklevel=1)


@pytest.mark.parametrize(
    ("name", "draw"),
    [
        ("random", random.random),
        ("numpy", lambda: np.random.random()),
        ("torch", lambda: torch.rand(1)),
    ],
)
def test_draws_of_everybody_else_are_watched(name: str, draw: Callable[[], object]) -> None:
    with untouched_draws():
        np.random.default_rng(0).random()
    with pytest.raises(AssertionError, match=f"got others of {name}"), untouched_draws():
        draw()


def test_all_codes_are_looked_at_also_where_effective_ones_are_drawn() -> None:
    space = load_space("quick_elastic")
    codes = looked_at(space)
    assert codes.shape == (DRAWS, space.num_decisions)
    assert not np.array_equal(space.effective(codes), codes)


def test_shares_are_compared_with_rare_ones_together() -> None:
    require_shares(np.array([50, 48, 1, 1]), np.array([49.0, 49.0, 1.0, 1.0]), "even")
    for often in ([90, 8, 1, 1], [50, 48, 1, 0]):
        with pytest.raises(AssertionError, match="does not hold: even"):
            require_shares(np.array(often), np.array([49.0, 49.0, 1.0, 1.0]), "even")


def test_rare_ones_that_are_few_together_do_not_decide_alone() -> None:
    expected = np.array([1000.0, 600.0, 399.9, 0.1])
    for often in ([1000, 600, 399, 1], [1000, 599, 399, 2]):
        require_shares(np.array(often), expected, "even")
    with pytest.raises(AssertionError, match="does not hold: even"):
        require_shares(np.array([1000, 500, 399, 101]), expected, "even")


def test_what_follows_is_equal_where_what_is_given_is() -> None:
    given = np.array([[0, 1], [0, 1], [1, 1]])
    assert follows(given, np.array([2**63, 2**63, 2**63], dtype=np.uint64))
    assert not follows(given, np.array([2**63, 2**63 + 1, 0], dtype=np.uint64))
