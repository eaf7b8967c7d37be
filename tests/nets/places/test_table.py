"""Which module stands where something is searched."""

from surrogate_nas.nets.places.cell import SharedCell
from surrogate_nas.nets.places.table import shared_layer
from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.space.network import Layer


def test_a_place_for_a_cell_gets_a_cell_of_its_width(space: CellSpace) -> None:
    built = shared_layer(space, Layer("cell", 5, 5, 4, 4, 0))
    assert isinstance(built, SharedCell)
    assert {weight.shape[0] for weight in built.parameters()} == {5}
