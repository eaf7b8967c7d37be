"""A definition of kind ``cell`` read by itself; ``test_load`` has every way to get one wrong."""

from pathlib import Path

from surrogate_nas._support.definitions import find_definition, read_toml
from surrogate_nas.space.extremes import largest_count
from surrogate_nas.space.kinds.cell.definition import read_cell_space


def test_the_cell_of_nasbench201() -> None:
    path = find_definition("spaces", "nasbench201")
    space = read_cell_space(read_toml(path), Path("elsewhere.toml"), None)
    assert space.edges == ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
    assert space.image_step == 4
    assert largest_count(space, space.network) == 45
