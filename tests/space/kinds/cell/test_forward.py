"""The counted needs of a cell's forward pass agree with what the built cell does."""

import numpy as np
import pytest
import torch

from surrogate_nas.nets.operations import build_operation
from surrogate_nas.nets.places.cell import run_cell
from surrogate_nas.space.kinds.cell.forward import additions, alive_maps
from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.space.load import load_space
from tests.fixtures.count_calls import CountCalls


@pytest.fixture(scope="module")
def space() -> CellSpace:
    space = load_space("nasbench201")
    assert isinstance(space, CellSpace)
    return space


def test_additions_are_those_of_the_cell(space: CellSpace) -> None:
    codes = space.effective(space.sample(60, np.random.default_rng(0)))
    for code, expected in zip(codes, additions(space, codes), strict=True):
        names = [space.operations[choice] for choice in code]
        operations = [None if name == "none" else build_operation(name, 2).eval() for name in names]
        with torch.no_grad(), CountCalls() as counter:
            run_cell(space.edges, operations, torch.zeros(1, 2, 4, 4))
        assert counter.count == expected


@pytest.mark.parametrize(
    ("code", "maps"),
    [
        ([0, 0, 0, 0, 0, 0], 2),  # the input, and zeros in the place of an output
        ([0, 0, 0, 1, 0, 0], 1),  # the input is the output
        ([1, 1, 1, 1, 1, 1], 4),  # the input, two sums and the one that replaces the second
        ([0, 0, 0, 3, 0, 0], 3),  # ReLU in addition to the convolution's output
    ],
)
def test_maps_alive_are_those_counted_by_hand(space: CellSpace, code: list[int], maps: int) -> None:
    assert alive_maps(space, np.array([code], dtype=np.int8)).tolist() == [maps]
