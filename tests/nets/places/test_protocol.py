"""The refusal of modules that do not belong together."""

import pytest
from torch import nn

from surrogate_nas.errors import SpaceError
from surrogate_nas.nets.places.cell import SharedCell
from surrogate_nas.nets.places.protocol import unlike
from surrogate_nas.space.kinds.cell.space import CellSpace


def test_it_names_the_module_of_the_supernet(space: CellSpace) -> None:
    assert "a supernet's Identity cannot be taken over" in str(unlike(nn.Identity()))
    with pytest.raises(SpaceError, match="SharedCell cannot be taken over; train from scratch"):
        list(SharedCell(space, 2).counterparts(nn.Identity(), space.all_codes()[0]))
