"""Sums of counts and draws by sum, against what is worked out by hand."""

import numpy as np
from scipy import stats

from surrogate_nas.space.counting import combined_populations, draw_summands, shares


def test_counts_of_two_parts_add_up() -> None:
    one, other = {0: 2, 1: 3}, {1: 5, 3: 7}
    assert combined_populations([one, other]) == {1: 10, 2: 15, 3: 14, 4: 21}
    assert combined_populations([]) == {0: 1}


def test_summands_are_drawn_by_their_populations() -> None:
    one, other = {0: 1, 1: 2, 2: 5}, {0: 3, 1: 1, 2: 2}
    drawn = draw_summands([one, other], 2, 6000, np.random.default_rng(0))
    assert (drawn.sum(axis=1) == 2).all()
    _, often = np.unique(drawn[:, 0], return_counts=True)
    ways = np.array([1 * 2, 2 * 1, 5 * 3])
    assert stats.chisquare(often, 6000 * ways / ways.sum()).pvalue > 1e-4


def test_whole_numbers_beyond_64_bits_are_exact() -> None:
    populations = [{0: 10**18, 1: 1}] * 3
    assert combined_populations(populations) == {0: 10**54, 1: 3 * 10**36, 2: 3 * 10**18, 3: 1}
    assert draw_summands(populations, 3, 4, np.random.default_rng(0)).tolist() == [[1, 1, 1]] * 4


def test_shares_of_whole_numbers_beyond_64_bits_add_up_to_one() -> None:
    assert shares([10**40, 3 * 10**40]).tolist() == [0.25, 0.75]
