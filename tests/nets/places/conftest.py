"""The space of one cell that places are tried on."""

import pytest
import torch

from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.space.load import load_space


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def space() -> CellSpace:
    space = load_space("nasbench201")
    assert isinstance(space, CellSpace)
    return space
