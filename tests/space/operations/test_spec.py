"""Shapes; what blocks cost is compared with torch in the tests of fixed layers and of chains."""

import pytest

from surrogate_nas.space.operations.spec import Shape


@pytest.mark.parametrize(
    ("before", "after", "stride"), [(8, 8, 1), (8, 4, 2), (7, 4, 2), (3, 2, 2), (2, 1, 2), (1, 1, 1)]
)
def test_the_stride_follows_from_the_sides(before: int, after: int, stride: int) -> None:
    shape = Shape(3, 5, before, after)
    assert shape.stride == stride
    assert (shape.inputs, shape.outputs) == (3 * before**2, 5 * after**2)
