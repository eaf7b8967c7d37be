"""Codes are accepted, drawn, enumerated and written, on the published space and on others."""

import re
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from surrogate_nas.errors import SpaceError
from surrogate_nas.space.definitions.identity import Identity
from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec

SPACE = load_space("nasbench201")
NETWORK = NetworkSpec(channels=2, cells=1, image_size=8)


def chain(length: int, operations: list[str]) -> CellSpace:
    edges = [(node, node + 1) for node in range(length)]
    return CellSpace(Identity(f"chain{length}", "0" * 16), edges, operations, NETWORK)


SMALL = chain(3, ["none", "skip_connect", "avg_pool_3x3"])
HUGE = chain(15, ["none", "skip_connect", "avg_pool_3x3"])  # 3^15 > 2,000,000


# What a code is


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int64, np.uint64])
def test_any_integers_are_codes(kind: type[np.integer[Any]]) -> None:
    checked = SPACE.check(np.array([[0, 1, 2, 3, 4, 0]], dtype=kind))
    assert checked.dtype == np.int8
    assert checked.tolist() == SPACE.check([[0, 1, 2, 3, 4, 0]]).tolist() == [[0, 1, 2, 3, 4, 0]]
    assert SPACE.check(np.zeros((0, 6), dtype=kind)).shape == (0, 6)


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        ([0] * 6, "need shape (N, 6) (got shape (6,))"),
        ([[0] * 5], "need shape (N, 6) (got shape (1, 5))"),
        ([[0] * 6, [0] * 5], "need 6 entries in every row"),
        (None, "need shape (N, 6) (got shape ())"),
        ([[False] * 6], "must be integers (got bool)"),
        ([[1.0] * 6], "must be integers (got float64)"),
        ([["1"] * 6], "must be integers (got <U1)"),
        ([[2**70] * 6], "must be integers (got object)"),
        ([[0] * 6, [0, 0, -1, 0, 0, 0]], "decision 2<-1 of nasbench201 has choices 0 to 4 (got -1 in row 1)"),
        ([[0, 5, 0, 0, 0, 0]], "decision 2<-0 of nasbench201 has choices 0 to 4 (got 5 in row 0)"),
        # In 8 bits these would be 0 and 1.
        ([[256, 0, 0, 0, 0, 0]], "(got 256 in row 0)"),
        (np.full((1, 6), 2**63 + 1, dtype=np.uint64), "(got 9223372036854775809 in row 0)"),
    ],
)
def test_what_is_no_code_is_refused(codes: Any, message: str) -> None:  # noqa: ANN401
    with pytest.raises(SpaceError, match=re.escape(message)):
        SPACE.check(codes)


def test_a_checked_array_is_not_the_one_that_was_given() -> None:
    codes = np.zeros((1, 6), dtype=np.int8)
    SPACE.check(codes)[0, 0] = 1
    assert codes[0, 0] == 0


# Listing


def test_all_codes_are_in_lexicographic_order() -> None:
    assert SPACE.size == 15_625
    assert SPACE.num_decisions == 6
    assert SPACE.all_codes().tolist() == [list(code) for code in product(range(5), repeat=6)]


@given(st.lists(st.integers(0, 15_624), max_size=20))
def test_positions_and_codes_are_one_to_one(positions: list[int]) -> None:
    codes = SPACE.codes_at(np.array(positions, dtype=np.int64))
    assert codes.shape == (len(positions), 6)
    assert SPACE.index(codes).tolist() == positions


@pytest.mark.parametrize("position", [-1, 15_625])
def test_a_position_outside_the_space_is_refused(position: int) -> None:
    with pytest.raises(SpaceError, match=re.escape(f"0 to 15624 (got {position})")):
        SPACE.codes_at(np.array([0, position]))


def test_a_space_too_large_to_list_can_still_be_drawn_from_and_written() -> None:
    assert SMALL.listable
    assert not HUGE.listable
    codes = HUGE.sample(20, np.random.default_rng(0))
    assert [HUGE.parse(text).tolist() for text in HUGE.digits(codes)] == codes.tolist()
    # Without a listing there is no first of a class.
    assert np.array_equal(HUGE.canonical(codes), HUGE.effective(codes))
    for refused in (
        HUGE.all_codes,
        lambda: HUGE.index(codes),
        lambda: HUGE.sample(1, np.random.default_rng(0), replace=False),
    ):
        with pytest.raises(SpaceError, match=re.escape("too large to enumerate (14348907 > 2000000 architectures)")):
            refused()


# Drawing


def test_draws_are_uniform_over_the_whole_space() -> None:
    codes = SMALL.sample(27 * 400, np.random.default_rng(1))
    assert chisquare(np.bincount(SMALL.index(codes), minlength=27)).pvalue > 0.01


def test_draws_of_every_decision_are_uniform_in_the_published_space() -> None:
    codes = SPACE.sample(20_000, np.random.default_rng(2))
    assert min(chisquare(np.bincount(column, minlength=5)).pvalue for column in codes.T) > 0.001
    pair = codes[:, 0].astype(int) * 5 + codes[:, 5]
    assert chisquare(np.bincount(pair, minlength=25)).pvalue > 0.001


def test_distinct_draws_are_distinct_and_equally_likely() -> None:
    drawn = np.concatenate(
        [SMALL.index(SMALL.sample(9, np.random.default_rng(seed), replace=False)) for seed in range(900)]
    ).reshape(900, 9)
    assert all(len(set(row)) == 9 for row in drawn.tolist())
    assert chisquare(np.bincount(drawn.ravel(), minlength=27)).pvalue > 0.01
    whole = SMALL.sample(27, np.random.default_rng(0), replace=False)
    assert sorted(SMALL.index(whole).tolist()) == list(range(27))


@pytest.mark.parametrize("replace", [True, False])
def test_draws_repeat_with_their_seed(replace: bool) -> None:
    first, again, other = (SPACE.sample(50, np.random.default_rng(seed), replace=replace) for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert SPACE.sample(0, np.random.default_rng(0), replace=replace).shape == (0, 6)


@pytest.mark.parametrize("replace", [True, False])
def test_a_negative_number_of_draws_is_refused(replace: bool) -> None:
    with pytest.raises(SpaceError, match=re.escape("at least 0 (got -1)")):
        SPACE.sample(-1, np.random.default_rng(0), replace=replace)


def test_more_distinct_draws_than_there_are_architectures_are_refused() -> None:
    with pytest.raises(SpaceError, match=re.escape("chain3 has 27 architectures (requested: 28 distinct ones)")):
        SMALL.sample(28, np.random.default_rng(0), replace=False)


# Text


def test_digits_read_back() -> None:
    codes = SPACE.sample(200, np.random.default_rng(5))
    assert [SPACE.parse(text).tolist() for text in SPACE.digits(codes)] == codes.tolist()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("013215", "decision 3<-2 of nasbench201 has choices 0 to 4 (got '5' in '013215')"),
        ("9z0000", "decision 1<-0 of nasbench201 has choices 0 to 4 (got '9' in '9z0000')"),
        ("0000000", "is 6 digits or of the form"),
        ("01321\u00b2", "is 6 digits or of the form"),
        ("01321\u0663", "is 6 digits or of the form"),
        ("-13213", "is 6 digits or of the form"),
    ],
)
def test_wrong_digits_are_refused(text: str, message: str) -> None:
    with pytest.raises(SpaceError, match=re.escape(message)):
        SPACE.parse(text)


@pytest.mark.parametrize("code", [1102, None, 1.5, b"1102", [1, 1, 0, 2]])
def test_an_architecture_that_is_no_text_is_refused(code: object) -> None:
    with pytest.raises(SpaceError, match="an architecture of quick is a text, in quotes"):
        load_space("quick").parse(code)  # type: ignore[arg-type]


def test_the_refusal_of_a_long_one_is_short() -> None:
    with pytest.raises(SpaceError) as error:
        load_space("quick").parse([10**18] * 1000)  # type: ignore[arg-type]
    assert len(str(error.value)) < 150
