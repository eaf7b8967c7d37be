"""Conformance kit of search spaces: every kind of space, also one of a third party, passes all of ``CHECKS``.

A check takes a space, and raises an ``AssertionError`` that says what does not hold::

    import pytest
    from surrogate_nas.testing.spaces import CHECKS

    @pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
    def test_my_space(check):
        check(my_space)

Where a space has few codes they are all looked at; in larger ones, draws are.

Symbols:
    N: architectures looked at. D: decisions.
"""

import re
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surrogate_nas.space.codes import DIGITS
from surrogate_nas.space.extremes import largest_count, parameter_range
from surrogate_nas.space.graphs import FIRST_TYPE
from surrogate_nas.space.space import Codes, Space
from surrogate_nas.testing.networks import check_costs, check_graphs, check_layouts, check_pickling
from surrogate_nas.testing.rules import DRAWS, follows, looked_at, refuses, require, require_shares

Check = Callable[[Space], None]

_LISTED, _BATCH = 50_000, 4096


def check_space(space: Space) -> None:
    """Runs all checks.

    Raises:
        AssertionError: If one does not hold.

    Example:
        >>> from surrogate_nas import load_space
        >>> from surrogate_nas.testing.spaces import check_space
        >>> check_space(load_space("quick"))
    """
    for check in CHECKS:
        check(space)


def live_operations(space: Space, codes: ArrayLike) -> NDArray[np.int64]:
    """Returns the number of operations on a path from input to output, identities included, shape (N,)."""
    checked, types = space.check(codes), space.graph_types
    parts = np.array_split(checked, max(1, len(checked) // _BATCH))
    kinds = [space.graphs(part).operations for part in parts]
    return np.concatenate([((kind >= FIRST_TYPE) & (kind < types.number - types.marks)).sum(axis=1) for kind in kinds])


# Codes


def check_decisions(space: Space) -> None:
    """Decisions and choices have names of their own, and a digit each; the fingerprint is one."""
    names = [decision.name for decision in space.decisions]
    require(len(set(names)) == len(names) == space.num_decisions > 0, f"names of decisions differ (got {names})")
    for decision in space.decisions:
        choices = decision.choices
        require(0 < len(set(choices)) == len(choices) <= len(DIGITS), f"{decision.name} has different choices, few")
    require(re.fullmatch("[0-9a-f]{16}", space.fingerprint) is not None, "a fingerprint has 16 hexadecimal digits")


def check_refusals(space: Space) -> None:
    """Codes of impossible choices are refused, and the message names the decision."""
    code = looked_at(space)[0].astype(np.int64)
    refuses(lambda: space.check([code[:-1]]), "a code that is too short")
    refuses(lambda: space.check(code), "a code that is not in an array of shape (N, D)")
    refuses(lambda: space.check([code.astype(float)]), "numbers that are not whole")
    for column, decision in enumerate(space.decisions):
        for wrong in (-1, len(decision.choices)):
            changed = code.copy()
            changed[column] = wrong
            refuses(partial(space.check, [changed]), f"choice {wrong} of {decision.name}", decision.name)
        if len(decision.choices) < len(DIGITS):
            text = "".join(DIGITS[choice] for choice in code[:column]) + DIGITS[-1]
            text += "".join(DIGITS[choice] for choice in code[column + 1 :])
            refuses(partial(space.parse, text), f"the digit {DIGITS[-1]} of {decision.name}", decision.name)
    refuses(lambda: space.parse("no architecture"), "a text that is not an architecture")


def check_text(space: Space) -> None:
    """Digits and text are read as the code that they were written from."""
    codes = looked_at(space)
    for code, digits in zip(codes, space.digits(codes), strict=True):
        for text in (digits, space.format(code)):
            require(np.array_equal(space.parse(text), code), f"{text!r} is read as the code {code.tolist()}")


def check_listing(space: Space) -> None:
    """An enumerated space has every code once, in lexicographic order, and finds its place again."""
    if not space.listable:
        refuses(space.all_codes, "an enumeration of a space that is too large")
        refuses(lambda: space.sample(1, np.random.default_rng(0), replace=False), "distinct draws of such a space")
        return
    positions = np.arange(space.size) if space.size <= _LISTED else np.linspace(0, space.size - 1, DRAWS).astype(int)
    codes = space.codes_at(positions)
    require(np.array_equal(space.index(codes), positions), "index finds the positions of codes_at")
    order = np.lexsort(codes.T[::-1])
    require(np.array_equal(order, np.arange(len(codes))), "codes are enumerated in lexicographic order")
    refuses(lambda: space.codes_at(np.array([space.size])), "a position behind the last")
    if space.size <= _LISTED:
        require(np.array_equal(space.all_codes(), codes), "all_codes has the codes of all positions")
        whole = space.sample(space.size, np.random.default_rng(0), replace=False)
        require(len(np.unique(space.index(whole))) == space.size, "draws without replacement differ")


def check_draws(space: Space) -> None:
    """Draws repeat with their seed and are uniform: over all codes, or over effective ones where all draws are such."""
    first, again, other = (space.sample(DRAWS, np.random.default_rng(seed)) for seed in (0, 0, 1))
    require(first.shape == (DRAWS, space.num_decisions), f"{DRAWS} draws have as many rows")
    require(np.array_equal(space.check(first), first), "draws are codes of the space")
    require(np.array_equal(first, again) and not np.array_equal(first, other), "draws follow from their seed")
    refuses(lambda: space.sample(-1, np.random.default_rng(0)), "a negative number of draws")
    if space.size <= _LISTED:
        members = _drawable(space)
        _require_uniform(space, space.sample(_number(members), np.random.default_rng(2)), members, "draws")


# Equal architectures


def check_effective(space: Space) -> None:
    """Effective codes have no other effective code, and are the same architecture at the same or a lower cost."""
    codes = looked_at(space)
    live = space.effective(codes)
    require(np.array_equal(space.effective(live), live), "the effective code of an effective code is itself")
    for name, of in (
        ("nonlinear count", space.nonlinear_count),
        ("connection", space.is_connected),
        ("key", space.canonical_keys),
        ("canonical code", space.canonical),
        ("number of live operations", lambda codes: live_operations(space, codes)),
    ):
        require(np.array_equal(of(codes), of(live)), f"a code and its effective code have the same {name}")
    for cost in (space.parameters, space.flops):
        higher = cost(live, space.network) > cost(codes, space.network)
        require(not higher.any(), f"{cost.__name__} of an effective code are at most as many as of the code as written")


def check_classes(space: Space) -> None:
    """Keys are equal for equal graphs and canonical codes, and architectures of one key have the same numbers."""
    codes = looked_at(space)
    keys, canonical = space.canonical_keys(codes), space.canonical(codes)
    require(np.array_equal(space.canonical(canonical), canonical), "the canonical code of a canonical code is itself")
    require(np.array_equal(space.canonical_keys(canonical), keys), "a code and its canonical code have the same key")
    live = space.effective(codes)
    graphs = space.graphs(live)
    drawn = np.concatenate([graphs.operations, graphs.adjacency.reshape(len(codes), -1)], axis=1)
    require(follows(drawn, keys), "architectures with the same graph have the same key")
    for name, values in (
        ("parameters", space.parameters(live, space.network)),
        ("multiply-accumulates", space.flops(live, space.network)),
        ("nonlinear count", space.nonlinear_count(live)),
    ):
        require(follows(keys, values), f"architectures of one key have the same {name}")
    if space.size <= _LISTED:
        require(follows(keys, canonical), "architectures of one key have the same canonical code")


# Counts


def check_populations(space: Space) -> None:
    """Populations agree with a list, or with draws, and draws of a count are uniform among all that have it."""
    counts, rng = space.counts, np.random.default_rng(0)
    populations = counts.populations()
    require(list(populations) == sorted(populations) and min(populations.values()) > 0, "counts that occur, rising")
    refuses(lambda: counts.draw(max(populations) + 1, 1, rng), "a count that does not occur")
    for count in list(populations)[:: max(1, len(populations) // 5)]:
        drawn = counts.draw(count, DRAWS, rng)
        require(drawn.shape == (DRAWS, space.num_decisions), f"{DRAWS} draws have as many rows")
        require((space.nonlinear_count(drawn) == count).all(), f"draws with {count} nonlinear functions have so many")
        require(space.is_connected(drawn).all(), "draws of a count are connected")
    if space.size <= _LISTED:
        members = _drawable(space)
        members = members[space.is_connected(members)]
        of_members = space.nonlinear_count(members)
        values, ways = np.unique(of_members, return_counts=True)
        listed = dict(zip(values.tolist(), ways.tolist(), strict=True))
        require(populations == listed, f"populations are the list's, {listed} (got {populations})")
        most = max(populations, key=lambda count: populations[count])
        group = members[of_members == most]
        _require_uniform(space, counts.draw(most, _number(group), rng), group, f"draws with {most} nonlinear functions")
        return
    drawn = space.sample(10 * DRAWS, rng)
    found = space.nonlinear_count(drawn[space.is_connected(drawn)])
    expected = np.array([ways / sum(populations.values()) for ways in populations.values()]) * len(found)
    often = np.array([(found == count).sum() for count in populations])
    require_shares(often, expected, "draws have each count as often as populations say")


def check_layer_counts(space: Space) -> None:
    """Every searched layer has a number of nonlinear functions, and together they have at most the largest count."""
    searched = [layer for layer in space.layout(space.network) if not layer.is_fixed]
    largest = largest_count(space, space.network)
    for code in looked_at(space)[:50]:
        counts = space.layer_counts(code, searched)
        require(len(counts) == len(searched), f"{len(searched)} layers have as many counts (got {len(counts)})")
        require(min(counts) >= 0 and sum(counts) <= largest, f"counts of layers are 0 to {largest} together")


def check_parameter_range(space: Space) -> None:
    """The range of parameters holds all connected architectures, and its ends occur where all are looked at."""
    codes = space.all_codes() if space.size <= _LISTED else looked_at(space)
    sizes = space.parameters(space.effective(codes[space.is_connected(codes)]), space.network)
    fewest, most = parameter_range(space, space.network)
    require(fewest <= sizes.min() and sizes.max() <= most, f"parameters are {fewest:,} to {most:,}")
    if space.size <= _LISTED:
        require((fewest, most) == (sizes.min(), sizes.max()), f"parameters are {sizes.min():,} to {sizes.max():,}")


CHECKS: tuple[Check, ...] = (
    check_decisions,
    check_refusals,
    check_text,
    check_listing,
    check_draws,
    check_effective,
    check_classes,
    check_populations,
    check_layer_counts,
    check_parameter_range,
    check_graphs,
    check_layouts,
    check_costs,
    check_pickling,
)


def _drawable(space: Space) -> Codes:
    """Returns the codes that ``sample`` draws: all, or effective ones where no other was drawn."""
    drawn, codes = space.sample(10 * DRAWS, np.random.default_rng(3)), space.all_codes()
    if not np.array_equal(space.effective(drawn), drawn):
        return codes
    return np.asarray(codes[(space.effective(codes) == codes).all(axis=1)])


def _number(members: Codes) -> int:
    """Draws that show whether they are uniform."""
    return 50 * min(len(members), 400)


def _require_uniform(space: Space, drawn: Codes, members: Codes, what: str) -> None:
    known, found = space.index(members), space.index(drawn)
    places = np.minimum(np.searchsorted(known, found), len(known) - 1)
    require(np.array_equal(known[places], found), f"{what} are among the codes that they are drawn from")
    buckets = min(len(members), 400)
    often = np.bincount(places % buckets, minlength=buckets)
    sizes = np.bincount(np.arange(len(members)) % buckets, minlength=buckets)
    require_shares(often, sizes / sizes.sum() * len(drawn), f"{what} are uniform")
