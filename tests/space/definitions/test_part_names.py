"""Spaces that say which architecture is their largest, and those that have none."""

import pytest

from surrogate_nas.space.extremes import HasLargest
from surrogate_nas.space.load import load_space


def test_chains_have_a_largest_architecture() -> None:
    names = ("mobilenet_v2", "digits", "nasbench201", "darts")
    assert [isinstance(load_space(name), HasLargest) for name in names] == [True, True, False, False]


KNOWN = ("mobilenet_v2", "mobilenet_v3_large", "mobilenet_v3_small", "efficientnet_lite0", "resnet18")


@pytest.mark.parametrize("name", KNOWN)
def test_every_layer_has_as_many_names_in_every_table(name: str) -> None:
    space = load_space(name)
    assert isinstance(space, HasLargest)
    counts = {tuple(map(len, names.layers)) for names in space.part_names}
    assert len(counts) == 1
    for names in space.part_names:
        parts = [part for layer in names.layers for part in layer]
        assert len(parts) == len(set(parts))
