"""The right spaces count as a cell with an operation on each edge."""

import numpy as np
import pytest

from surrogate_nas.space.edge_cells import EdgeCell
from surrogate_nas.space.load import load_space


@pytest.mark.parametrize(
    ("name", "expected"), [("nasbench201", True), ("darts", False), ("fbnet", False), ("quick_elastic", False)]
)
def test_they_are_known_by_what_they_can_do(name: str, expected: bool) -> None:
    assert isinstance(load_space(name), EdgeCell) == expected


def test_an_edge_reaches_the_output_whatever_feeds_it() -> None:
    space = load_space("nasbench201")
    assert isinstance(space, EdgeCell)
    # Nothing enters node 2, whose operation reaches the output; nothing leaves node 1.
    assert space.reaching([[3, 0, 0, 3, 0, 3]]).tolist() == [[0, 0, 0, 3, 0, 3]]
    codes = load_space("nasbench201").all_codes()
    assert np.array_equal(space.reaching(space.reaching(codes)), space.reaching(codes))
    assert not (space.is_connected(codes) & (space.reaching(codes) == 0).all(axis=1)).any()
