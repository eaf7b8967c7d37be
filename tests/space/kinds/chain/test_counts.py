"""Numbers of networks of layers that may be left out, and draws among them, against a list."""

from itertools import pairwise, product

import numpy as np
import pytest

from surrogate_nas.space.kinds.chain.counts import ChainCounts, LayerGroup, draw_any

ELASTIC = LayerGroup((1, 2), np.array([2, 4, 2, 0]), elastic=True)
SINGLE = LayerGroup((0,), np.array([0, 2, 2]), elastic=False)


def listed(group: LayerGroup) -> dict[tuple[int, ...], int]:
    """Returns every network, with its nonlinear count."""
    last = len(group.nonlinear) - 1
    codes = list(product(range(last + 1), repeat=len(group.columns)))
    if group.elastic:  # nothing stands behind a layer that is left out
        codes = [code for code in codes if all(one != last or after == last for one, after in pairwise(code))]
    return {code: int(group.nonlinear[list(code)].sum()) for code in codes}


@pytest.mark.parametrize("group", [ELASTIC, SINGLE])
def test_populations_are_those_of_the_list(group: LayerGroup) -> None:
    counts, ways = np.unique(list(listed(group).values()), return_counts=True)
    assert group.populations == dict(zip(counts.tolist(), ways.tolist(), strict=True))
    assert sum(group.populations.values()) == len(listed(group))


def test_draws_of_one_count_are_uniform() -> None:
    members = [code for code, count in listed(ELASTIC).items() if count == 4]
    drawn = ELASTIC.draw(4, 6000, np.random.default_rng(0))
    found = [int((drawn == code).all(axis=1).sum()) for code in members]
    assert sum(found) == 6000
    expected = 6000 / len(members)  # five networks
    # Chi-squared with 4 degrees of freedom: 23.5 is passed once in 10,000 times.
    assert ((np.array(found) - expected) ** 2 / expected).sum() < 23.5


def test_draws_of_any_are_uniform() -> None:
    drawn = draw_any(ELASTIC, 13_000, np.random.default_rng(1))
    found = np.array([(drawn == code).all(axis=1).sum() for code in listed(ELASTIC)])
    assert found.sum() == 13_000
    # Chi-squared with 12 degrees of freedom: 39 is passed once in 10,000 times.
    assert ((found - 1000) ** 2 / 1000).sum() < 39


def test_groups_are_counted_and_drawn_together() -> None:
    counts = ChainCounts("any", (SINGLE, ELASTIC))
    sums = [first + second for first in listed(SINGLE).values() for second in listed(ELASTIC).values()]
    assert counts.populations() == {count: sums.count(count) for count in sorted(set(sums))}
    drawn = counts.draw(6, 500, np.random.default_rng(2))
    assert drawn.shape == (500, 3)
    assert len(np.unique(drawn, axis=0)) == counts.populations()[6]
    assert (SINGLE.nonlinear[drawn[:, 0]] + ELASTIC.nonlinear[drawn[:, 1:]].sum(axis=1) == 6).all()
