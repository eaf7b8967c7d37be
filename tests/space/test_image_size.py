"""Sizes where architectures resize their images, and where they do not."""

from surrogate_nas.space.image_size import ResizingSpace, seen_size, smallest_map
from surrogate_nas.space.kinds.chain.elastic import ResolutionSpace
from surrogate_nas.space.kinds.chain.space import ChainSpace
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec

loaded = load_space("quick_elastic")
assert isinstance(loaded, ResolutionSpace)
QUICK = loaded


def test_spaces_that_resize_are_found_by_what_they_can_do() -> None:
    assert issubclass(ResolutionSpace, ResizingSpace)
    assert not issubclass(ChainSpace, ResizingSpace)


def test_an_architecture_says_which_size_it_sees() -> None:
    sizes = NetworkSpec(4, 1, 16, stages=2)
    assert [seen_size(QUICK, [choice, *[0] * 6], sizes) for choice in (0, 1)] == [12, 16]
    assert seen_size(QUICK.chain, [0] * 6, sizes) == 16


def test_the_smallest_map_is_that_of_the_smallest_resolution() -> None:
    assert smallest_map(QUICK, QUICK.network) == 3
    assert smallest_map(QUICK.chain, QUICK.network) == 4
