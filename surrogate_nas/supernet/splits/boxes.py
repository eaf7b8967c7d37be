"""Boxes: some choices of every decision, all combined."""

from math import prod

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.errors import SettingsError
from surrogate_nas.space.space import Codes, Space

Box = tuple[tuple[int, ...], ...]


def whole_box(space: Space) -> Box:
    """All choices of all decisions, length D."""
    return tuple(tuple(range(len(decision.choices))) for decision in space.decisions)


def in_box(codes: Codes, box: Box) -> NDArray[np.bool_]:
    """Whether each code, shape (N, D), takes an allowed choice in every decision, shape (N,)."""
    inside = np.ones(len(codes), dtype=bool)
    for column, allowed in enumerate(box):
        inside &= np.isin(codes[:, column], allowed)
    return inside


def box_population(space: Space, box: Box) -> int:
    """Number of connected architectures in a box, exact.

    Raises:
        SpaceError: If not all are connected, and the space is too large to list.
    """
    if space.always_connected:
        return prod(map(len, box))
    codes = space.all_codes()
    return int((space.is_connected(codes) & in_box(codes, box)).sum())


def draw_box(box: Box, count: int, rng: np.random.Generator) -> Codes:
    """Uniform draws of the codes in a box, connected or not, shape (count, D)."""
    columns = [np.array(allowed, dtype=np.int8)[rng.integers(len(allowed), size=count)] for allowed in box]
    return np.stack(columns, axis=1)


def box_name(space: Space, box: Box) -> str:
    """A few words on what a box leaves out."""
    limits = [
        f"{'/'.join(decision.choices[choice] for choice in allowed)} on {decision.name}"
        for decision, allowed in zip(space.decisions, box, strict=True)
        if len(allowed) < len(decision.choices)
    ]
    return "; ".join(limits) or "whole space"


def edge_boxes(space: Space, edge: str | None) -> tuple[Box, ...]:
    """One box for every choice of one decision (FS-NAS, arXiv 2006.06863).

    Args:
        space: The space.
        edge: Name of the decision; the first where none is given.

    Raises:
        SettingsError: If there is no such decision.
    """
    names = [decision.name for decision in space.decisions]
    if edge is not None and edge not in names:
        raise SettingsError(f"supernet.split_edge must be one of {', '.join(names)} (got {edge!r})")
    column = 0 if edge is None else names.index(edge)
    box = whole_box(space)
    return tuple((*box[:column], (choice,), *box[column + 1 :]) for choice in box[column])
