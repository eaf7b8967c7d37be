"""Operations see a part of the channels; the others pass by, and channels take turns."""

import pytest
import torch
from torch import Tensor, nn

from surrogate_nas.errors import SpaceError
from surrogate_nas.nets.places.mixture import Mixture
from surrogate_nas.nets.places.partial_cell import PartialCell
from surrogate_nas.nets.places.table import PLACES
from surrogate_nas.space.kinds.cell.space import CellSpace


def shuffled(x: Tensor) -> Tensor:
    """Returns eight channels in the order of four interleaved parts of two."""
    return x[:, [0, 2, 4, 6, 1, 3, 5, 7]]


def test_cut_edges_hand_the_other_channels_on(space: CellSpace) -> None:
    x = torch.randn(2, 8, 4, 4)
    found = PartialCell(space, 8, 4)(x, [1, 0, 0, 0, 0, 0])
    names = {edge: number for number, edge in enumerate(space.edges)}
    cell = PartialCell(space, 8, 4)
    value = {0: x}
    for (start, end), number in sorted(names.items(), key=lambda each: each[1]):
        seen = value[start][:, :2] if number == 0 else torch.zeros_like(x[:, :2])
        edge = shuffled(torch.cat([seen, value[start][:, 2:]], dim=1))
        value[end] = value[end] + edge if end in value else edge
    torch.testing.assert_close(found, value[3])
    assert all(each.shape[0] == 2 for each in cell.parameters())


def test_a_mixture_is_linear_in_its_weights(space: CellSpace) -> None:
    cell = PartialCell(space, 4, 2).double()
    x = torch.randn(2, 4, 4, 4, dtype=torch.float64)
    codes = torch.tensor([[3, 1, 1, 1, 1, 1], [2, 1, 1, 1, 1, 1]])
    hot = [nn.functional.one_hot(code, 5).double() for code in codes]
    mixed = cell.mixed(x, Mixture.of(list(0.3 * hot[0] + 0.7 * hot[1])))
    torch.testing.assert_close(mixed, 0.3 * cell(x, codes[0].tolist()) + 0.7 * cell(x, codes[1].tolist()))


def test_channels_that_cannot_be_divided_are_refused(space: CellSpace) -> None:
    layer = next(each for each in space.layout(space.network) if not each.is_fixed)
    with pytest.raises(SpaceError, match="cannot be divided into 5 parts"):
        PLACES[layer.kind].partial(space, layer, 5)  # type: ignore[attr-defined]
