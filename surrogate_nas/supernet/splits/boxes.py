"""Boxes: some choices of every decision, all combined."""

from collections.abc import Sequence
from itertools import combinations
from math import prod
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surrogate_nas.errors import SettingsError
from surrogate_nas.space.counting import shares
from surrogate_nas.space.space import Codes, Space
from surrogate_nas.supernet.splits.split import SpaceSplit

Box = tuple[tuple[int, ...], ...]


def whole_box(space: Space) -> Box:
    """Returns all choices of all decisions, length D."""
    return tuple(tuple(range(len(decision.choices))) for decision in space.decisions)


def in_box(codes: Codes, box: Box) -> NDArray[np.bool_]:
    """Returns whether each code, shape (N, D), takes an allowed choice in every decision, shape (N,)."""
    inside = np.ones(len(codes), dtype=bool)
    for column, allowed in enumerate(box):
        inside &= np.isin(codes[:, column], allowed)
    return inside


def box_population(space: Space, box: Box) -> int:
    """Returns the exact number of connected architectures in a box; in stages of elastic depth, of networks.

    Raises:
        SpaceError: If not all are connected, and the space is too large to enumerate.
    """
    if not space.always_connected:
        codes = space.all_codes()
        return int((space.is_connected(codes) & in_box(codes, box)).sum())
    in_runs = {column for run in space.elastic_runs for column in run}
    alone = prod(len(allowed) for column, allowed in enumerate(box) if column not in in_runs)
    return alone * prod(sum(_ways(space, box, run)) for run in space.elastic_runs)


def draw_box(space: Space, box: Box, count: int, rng: np.random.Generator) -> Codes:
    """Returns uniform draws of the codes in a box, connected or not, shape (count, D).

    In stages of elastic depth they are of the networks in it, each by its effective code.
    """
    columns = [np.array(allowed, dtype=np.int8)[rng.integers(len(allowed), size=count)] for allowed in box]
    codes = np.stack(columns, axis=1)
    for run in space.elastic_runs:
        depths = rng.choice(len(run) + 1, size=count, p=shares(_ways(space, box, run)))
        for place, column in enumerate(run):
            blocks, left_out = _blocks(space, box, column), len(space.decisions[column].choices) - 1
            stands = depths > place
            codes[~stands, column] = left_out
            if stands.any():
                codes[stands, column] = np.array(blocks, dtype=np.int8)[rng.integers(len(blocks), size=stands.sum())]
    return codes


def depths_in(space: Space, box: Box, run: Sequence[int]) -> list[int]:
    """Returns the numbers of layers of a stage of elastic depth that networks in a box have."""
    return [depth for depth, ways in enumerate(_ways(space, box, run)) if ways]


def _ways(space: Space, box: Box, run: Sequence[int]) -> list[int]:
    """Returns the networks in a box with each number of layers of a stage of elastic depth, from none on."""
    blocks = [len(_blocks(space, box, column)) for column in run]
    may_miss = [len(box[column]) > number for column, number in zip(run, blocks, strict=True)]
    return [prod(blocks[:depth]) * all(may_miss[depth:]) for depth in range(len(run) + 1)]


def _blocks(space: Space, box: Box, column: int) -> list[int]:
    """Returns the allowed choices of a layer that may be left out with which it stands."""
    return [choice for choice in box[column] if choice < len(space.decisions[column].choices) - 1]


def box_name(space: Space, box: Box) -> str:
    """Returns a short name for a box: the choices of the decisions that it narrows."""
    limits = [
        f"{'/'.join(decision.choices[choice] for choice in allowed)} on {decision.name}"
        for decision, allowed in zip(space.decisions, box, strict=True)
        if len(allowed) < len(decision.choices)
    ]
    return "; ".join(limits) or "whole space"


@final
class BoxSplit(SpaceSplit):
    """Subspaces that are boxes: some choices of every decision, all combined.

    Splits of edges have this form: all choices of one edge (FS-NAS, arXiv 2006.06863), or two halves of one edge
    after another (GM-NAS, arXiv 2203.15207).

    Args:
        space: The space.
        boxes: The allowed choices of every decision for each subspace, shape (K, D, some).

    Raises:
        SettingsError: If the boxes are not a partition of the space, or nothing can be drawn from one.
    """

    def __init__(self, space: Space, boxes: Sequence[Box]) -> None:
        apart = all(
            any(not set(one) & set(other) for one, other in zip(first, second, strict=True))
            for first, second in combinations(boxes, 2)
        )
        if not apart or sum(prod(map(len, box)) for box in boxes) != space.size:
            raise SettingsError(f"subspaces must hold every architecture of {space.name} exactly once (got {boxes})")
        self.boxes = tuple(boxes)
        super().__init__(space, tuple(box_name(space, box) for box in boxes))

    def assign(self, codes: ArrayLike) -> NDArray[np.int64]:
        """Returns the index of the subspace of each code, shape (N,); in stages of elastic depth, of its network."""
        checked = self._space.effective(codes) if self._space.elastic_runs else self._space.check(codes)
        return np.asarray(np.stack([in_box(checked, box) for box in self.boxes]).argmax(axis=0), dtype=np.int64)

    def _count(self, group: int) -> int:
        return box_population(self._space, self.boxes[group])

    def _draw(self, group: int, count: int, rng: np.random.Generator) -> Codes:
        return draw_box(self._space, self.boxes[group], count, rng)
