"""Shifts bring labels of sub-supernets to one level and change no order inside a group."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.supernet.rules.label_scale import NOBODY, SCALES, Ballot, at_least
from surrogate_nas.supernet.splits.bands import BandSplit

CODES = np.arange(6, dtype=np.int8)[:, None]
GROUPS = np.array([0, 0, 0, 1, 1, 1])


def ballot(asked: list[bool], *, both: bool = False, replicas: int = 1) -> Ballot:
    own = np.zeros((6, replicas, 1), dtype=np.int64)
    common = np.where(np.array(asked)[:, None, None], np.full((6, replicas, 1), 9), NOBODY)
    return Ballot(CODES, np.concatenate([own, common], axis=2), GROUPS, both)


def values(own: list[float], common: list[float]) -> np.ndarray:
    return np.stack([np.array(own), np.array(common)], axis=1)[:, None, :]


def test_a_group_is_shifted_by_the_architectures_that_both_evaluate() -> None:
    made = ballot([True, True, False, False, False, False])
    labels = made.labels(values([10, 20, 30, 1, 2, 3], [13, 27, -99, -99, -99, -99]))
    assert labels.tolist() == [15, 25, 35, 1, 2, 3]  # by (3 + 7) / 2; the other group has nothing to go by


def test_the_mean_with_the_parent_is_taken_after_the_shift() -> None:
    made = ballot([True, True, True, False, False, False], both=True)
    labels = made.labels(values([10, 20, 30, 1, 2, 3], [12, 22, 38, -99, -99, -99]))
    assert labels.tolist() == [(14 + 12) / 2, (24 + 22) / 2, (34 + 38) / 2, 1, 2, 3]


def test_several_members_make_the_scale_by_their_mean() -> None:
    members = np.array([[[0, 0, 1]]] * 6)
    labels = Ballot(CODES, members, GROUPS).labels(np.array([[[10.0, 10.0, 14.0]]] * 6))
    assert labels.tolist() == [12] * 6


def test_without_a_common_scale_a_label_is_the_mean_over_replicas() -> None:
    made = Ballot(CODES, np.zeros((6, 2, 1), dtype=np.int64), GROUPS)
    assert made.labels(np.stack([np.full((6, 1), 1.0), np.full((6, 1), 4.0)], axis=1)).tolist() == [2.5] * 6


def test_a_group_that_was_hardly_drawn_is_asked_about_as_well() -> None:
    asked = np.array([True, False, False, False, False, False])
    groups = np.array([0, 0, 0, 4, 4, NOBODY])
    assert at_least(2, asked, groups).tolist() == [True, True, False, True, True, False]
    assert at_least(9, asked, groups).tolist() == [True] * 5 + [False]
    assert at_least(1, asked, groups).tolist() == [True, False, False, True, False, False]


NUMBERS = st.floats(-100, 100)


@settings(max_examples=50, deadline=None)
@given(
    measured=arrays(np.float64, (6, 2, 2), elements=NUMBERS),
    asked=arrays(np.bool_, 6, elements=st.booleans()),
    level=NUMBERS,
)
def test_the_level_of_a_sub_supernet_does_not_matter_where_there_is_a_scale(
    measured: np.ndarray, asked: np.ndarray, level: float
) -> None:
    made = ballot(asked.tolist(), replicas=2)
    moved = measured.copy()
    moved[GROUPS == 1, :, 0] += level
    labels, others = made.labels(measured), made.labels(moved)
    scaled = asked[GROUPS == 1].any()
    expected = labels + np.where((GROUPS == 1) & (not scaled), level, 0.0)
    np.testing.assert_allclose(others, expected, atol=1e-9)
    # Inside a group the differences are the sub-supernet's own.
    own = measured[:, :, 0].mean(axis=1)
    np.testing.assert_allclose(np.diff(labels[:3]), np.diff(own[:3]), atol=1e-9)


def test_scales_shift_all_a_subspace_or_a_count(space: CellSpace) -> None:
    split = BandSplit(space, ((0, 1), (2, 3)))
    codes = space.sample(300, np.random.default_rng(0))
    counts = space.nonlinear_count(codes)
    assert set(SCALES["none"].groups(space, split, codes).tolist()) == {0}
    assert (SCALES["subspace"].groups(space, split, codes) == (counts >= 2)).all()
    groups = SCALES["count"].groups(space, split, codes)
    assert len(set(zip(groups.tolist(), counts.tolist(), strict=True))) == len(set(groups.tolist())) == 4


def test_a_ballot_knows_the_rows_of_the_codes_that_it_was_made_for(space: CellSpace) -> None:
    codes = space.sample(50, np.random.default_rng(1))
    distinct = np.unique(space.effective(codes), axis=0)
    made = Ballot(distinct, np.zeros((len(distinct), 1, 1), np.int64), np.zeros(len(distinct), np.int64))
    assert (distinct[made.rows(space, codes)] == space.effective(codes)).all()
    assert not replace(made, both=True).labels(np.zeros((len(distinct), 1, 1))).any()


@pytest.mark.parametrize("name", list(SCALES))
def test_only_shifts_need_a_parent_or_others(name: str) -> None:
    assert SCALES[name].shifts == (name != "none")


def test_replicas_count_what_their_images_are() -> None:
    made = Ballot(CODES, np.zeros((6, 2, 1), dtype=np.int64), GROUPS)
    of_each = np.stack([np.full((6, 1), 10.0), np.full((6, 1), 40.0)], axis=1)
    assert made.labels(of_each, np.array([20.0, 10.0])).tolist() == [20.0] * 6
