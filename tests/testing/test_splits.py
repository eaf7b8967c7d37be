"""The kit of splits passes what is a split, and names what is wrong with one that is not."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

from surrogate_nas.space.load import load_space
from surrogate_nas.space.space import Codes, Space
from surrogate_nas.supernet.splits.boxes import BoxSplit
from surrogate_nas.supernet.splits.edge import edge_boxes
from surrogate_nas.supernet.splits.split import Split
from surrogate_nas.testing.splits import check_split

SPACE = load_space("quick")


class Changed(Split):
    """A sound split, of which one answer is another."""

    def __init__(self, space: Space) -> None:
        self.right = BoxSplit(space, edge_boxes(space, None))
        self.names = self.right.names

    def assign(self, codes: ArrayLike) -> NDArray[np.int64]:
        return self.right.assign(codes)

    def population(self) -> tuple[int, ...]:
        return self.right.population()

    def sample(self, group: int, count: int, rng: np.random.Generator) -> Codes:
        return self.right.sample(group, count, rng)


class Unnamed(Changed):
    def __init__(self, space: Space) -> None:
        super().__init__(space)
        self.names = ("same",) * self.right.groups


class Drifting(Changed):
    def assign(self, codes: ArrayLike) -> NDArray[np.int64]:
        return np.roll(self.right.assign(codes), 1)


class Miscounted(Changed):
    def population(self) -> tuple[int, ...]:
        return tuple(count + 1 for count in self.right.population())


class Straying(Changed):
    def sample(self, group: int, count: int, rng: np.random.Generator) -> Codes:
        return self.right.sample((group + 1) % self.groups, count, rng)


class Favouring(Changed):
    def sample(self, group: int, count: int, rng: np.random.Generator) -> Codes:
        drawn = self.right.sample(group, count, rng)
        drawn[: count // 3] = drawn[:1]
        return drawn


class Moody(Changed):
    def sample(self, group: int, count: int, rng: np.random.Generator) -> Codes:  # noqa: ARG002 - that is the mistake
        return self.right.sample(group, count, np.random.default_rng())


def test_a_sound_split_passes() -> None:
    check_split(SPACE, Changed(SPACE))


@pytest.mark.parametrize(
    ("make", "rule"),
    [
        (Unnamed, "every subspace has a name of its own"),
        (Drifting, "assignment is of the code alone"),
        (Miscounted, "the population counts what can be drawn"),
        (Straying, "draws stay in the subspace"),
        (Favouring, "draws are uniform within a subspace"),
        (Moody, "draws repeat with the generator"),
    ],
)
def test_what_is_wrong_is_named(make: Callable[[Space], Split], rule: str) -> None:
    with pytest.raises(AssertionError, match=rule):
        check_split(SPACE, make(SPACE))
