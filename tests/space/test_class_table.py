"""Lookups by class: twins share a row, what is missing is NaN, what computes nothing is last."""

import numpy as np
import pytest

from surrogate_nas.errors import SpaceError
from surrogate_nas.space.class_table import ClassTable
from surrogate_nas.space.load import load_space
from surrogate_nas.space.space import Space
from surrogate_nas.testing.spaces import live_operations


@pytest.fixture(scope="module")
def space() -> Space:
    return load_space("nasbench201")


@pytest.fixture(scope="module")
def table(space: Space) -> ClassTable:
    codes = space.sample(200, np.random.default_rng(0))
    distinct = space.codes_at(np.unique(space.index(space.canonical(codes[space.is_connected(codes)]))))
    values = np.stack([live_operations(space, distinct), -space.nonlinear_count(distinct)], axis=1).astype(np.float64)
    return ClassTable(space, ("live", "linear"), distinct, values)


def test_twins_share_a_row_and_strangers_have_none(space: Space, table: ClassTable) -> None:
    codes = space.sample(500, np.random.default_rng(1))
    codes = codes[space.is_connected(codes)]
    rows = table.columns(codes)
    known = np.isin(space.index(space.canonical(codes)), space.index(table.codes))
    assert 0 < known.sum() < len(codes)
    assert np.array_equal(np.isfinite(rows).all(axis=1), known)
    assert np.array_equal(rows[known, 0], live_operations(space, space.canonical(codes[known])))


def test_what_computes_nothing_is_last(space: Space, table: ClassTable) -> None:
    assert np.array_equal(table.columns(np.zeros((1, 6), np.int8))[0], table.values.min(axis=0))
    assert table.columns(np.zeros((0, 6), np.int8)).shape == (0, 2)


def test_columns_can_be_picked(table: ClassTable) -> None:
    assert np.array_equal(table.pick(("linear",)).values[:, 0], table.values[:, 1])
    with pytest.raises(SpaceError, match="no column depth; the table has live, linear"):
        table.pick(("depth",))


def test_what_is_not_a_table_of_the_space_is_refused(space: Space, table: ClassTable) -> None:
    with pytest.raises(SpaceError, match="one value per name"):
        ClassTable(space, ("live",), table.codes, table.values)
    with pytest.raises(SpaceError, match="in their order"):
        ClassTable(space, table.names, table.codes[::-1], table.values)
    with pytest.raises(SpaceError, match="canonical codes"):
        ClassTable(space, ("one",), np.array([[0, 3, 0, 0, 0, 1]], np.int8), np.ones((1, 1)))
