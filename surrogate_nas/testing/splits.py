"""Conformance kit of splits: every split, also one of a third party, passes all of ``SPLIT_CHECKS``.

A check takes a space and its split, and raises an ``AssertionError`` that says what does not hold::

    import pytest
    from surrogate_nas.testing.splits import SPLIT_CHECKS

    @pytest.mark.parametrize("check", SPLIT_CHECKS, ids=lambda check: check.__name__)
    def test_my_split(check):
        check(space, my_split)

All codes of a space small enough to enumerate are looked at; in larger ones, draws are.

Symbols:
    N: architectures looked at. D: decisions. K: subspaces.
"""

import pickle
from collections.abc import Callable

import numpy as np

from surrogate_nas.space.space import Codes, Space
from surrogate_nas.supernet.splits.split import Split
from surrogate_nas.testing.rules import DRAWS, looked_at, require, require_shares

SplitCheck = Callable[[Space, Split], None]

_OFTEN = 20  # draws of every architecture where draws are compared with uniform ones


def check_split(space: Space, split: Split) -> None:
    """Runs all checks.

    Raises:
        AssertionError: If one does not hold.
    """
    for check in SPLIT_CHECKS:
        check(space, split)


def _codes(space: Space) -> Codes:
    return space.all_codes() if space.listable else looked_at(space)


def check_partition(space: Space, split: Split) -> None:
    """Every code is in one of the subspaces, each of which has a name of its own."""
    codes = _codes(space)
    groups = split.assign(codes)
    require(groups.shape == (len(codes),), "every code has one subspace")
    require(bool(((groups >= 0) & (groups < split.groups)).all()), "subspaces are numbered from 0")
    require(split.groups == len(set(split.names)) and all(split.names), "every subspace has a name of its own")
    if space.listable:
        require(len(np.unique(groups)) == split.groups, "no subspace is empty")


def check_assignment(space: Space, split: Split) -> None:
    """A code's subspace depends on the code alone."""
    codes = _codes(space)
    order = np.random.default_rng(0).permutation(len(codes))[:DRAWS]
    require(bool((split.assign(codes[order]) == split.assign(codes)[order]).all()), "assignment is of the code alone")


def check_population(space: Space, split: Split) -> None:
    """The population counts the architectures that lead from input to output."""
    population = split.population()
    require(len(population) == split.groups and min(population) > 0, "something can be drawn from every subspace")
    if space.listable:
        connected = space.all_codes()[space.is_connected(space.all_codes())]
        counted = np.bincount(split.assign(connected), minlength=split.groups).tolist()
        require(list(population) == counted, "the population counts what can be drawn")


def check_draws(space: Space, split: Split) -> None:
    """Draws are of their subspace, and lead from input to output; they repeat with the generator."""
    for group in range(split.groups):
        drawn = split.sample(group, DRAWS, np.random.default_rng(1))
        require(drawn.shape == (DRAWS, space.num_decisions) and drawn.dtype == np.int8, "draws are codes")
        require(bool((split.assign(drawn) == group).all()), "draws stay in the subspace")
        require(bool(space.is_connected(drawn).all()), "draws lead from input to output")
        again = split.sample(group, DRAWS, np.random.default_rng(1))
        require(bool((drawn == again).all()), "draws repeat with the generator")
        require(len(split.sample(group, 0, np.random.default_rng(1))) == 0, "no draws are an empty array")


def check_uniform(space: Space, split: Split) -> None:
    """Draws are uniform within a subspace, in spaces small enough to enumerate."""
    if not space.listable:
        return
    codes, rng = space.all_codes(), np.random.default_rng(2)
    connected, groups = space.is_connected(codes), split.assign(codes)
    for group in range(split.groups):
        members = np.flatnonzero((groups == group) & connected)
        drawn = split.sample(group, _OFTEN * len(members), rng)
        often = np.bincount(space.index(drawn), minlength=space.size)[members]
        require_shares(often, np.full(len(members), float(_OFTEN)), "draws are uniform within a subspace")


def check_travels(space: Space, split: Split) -> None:
    """A split reaches a worker process unchanged."""
    copy: Split = pickle.loads(pickle.dumps(split))
    codes = _codes(space)
    require(copy.names == split.names, "a copy has the same names")
    require(bool((copy.assign(codes) == split.assign(codes)).all()), "a copy assigns the same")
    one, other = (each.sample(0, DRAWS, np.random.default_rng(3)) for each in (copy, split))
    require(bool((one == other).all()), "a copy draws the same")


SPLIT_CHECKS: tuple[SplitCheck, ...] = (
    check_partition,
    check_assignment,
    check_population,
    check_draws,
    check_uniform,
    check_travels,
)
