"""Finds, stores and applies cuts: the decisions by which gradients split sub-supernets in two (GM-NAS)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from surrogate_nas._support.files import read_json, write_json
from surrogate_nas.errors import RunFolderError, SettingsError, StoreError
from surrogate_nas.space.space import Space
from surrogate_nas.supernet.splits.boxes import Box, box_population, whole_box

Part = tuple[int, ...]
_REMEDY = "remove it to split this supernet again"


@dataclass(frozen=True)
class Cut:
    """A subspace cut in two at one decision.

    Attributes:
        decision: Column of a code.
        parts: The choices that each half keeps.
    """

    decision: int
    parts: tuple[Part, Part]


def boxes_after(space: Space, cuts: Sequence[Cut], level: int) -> tuple[Box, ...]:
    """Returns the subspaces after a number of rounds, length 2 ** level.

    Args:
        space: The space.
        cuts: Cuts of the rounds, each round in the order of its subspaces: 1, 2, 4, ...
        level: Number of rounds.
    """
    boxes = [whole_box(space)]
    for round_ in range(level):
        first = 2**round_ - 1
        halves = [(box, cut) for box, cut in zip(boxes, cuts[first : 2 * first + 1], strict=True)]
        boxes = [(*box[: cut.decision], part, *box[cut.decision + 1 :]) for box, cut in halves for part in cut.parts]
    return tuple(boxes)


def best_cut(space: Space, box: Box, distances: dict[int, NDArray[np.float64]], halvings: int) -> Cut:
    """Returns the cut with the least distance inside its halves at any decision, then the largest cut.

    All bipartitions of a decision's choices are tried. Halves must hold enough architectures, and open decisions, for
    the rounds that follow.

    Args:
        space: The space.
        box: The subspace.
        distances: Symmetric distances between the choices of each decision that is left to cut, in the order of the
            box: decision to shape (choices, choices).
        halvings: Number of times that each half will be cut again.

    Raises:
        SettingsError: If no cut is possible.
    """
    found: list[tuple[float, Cut]] = []
    for decision, between in distances.items():
        first, inside = _bipartitions(between)
        for row in np.argsort(inside, kind="stable").tolist():
            sides = (np.flatnonzero(first[row]), np.flatnonzero(~first[row]))
            one, other = (tuple(box[decision][position] for position in side.tolist()) for side in sides)
            halves = ((*box[:decision], half, *box[decision + 1 :]) for half in (one, other))
            if all(box_population(space, half) >= 2**halvings for half in halves):
                found.append((float(np.triu(between, 1).sum()) - float(inside[row]), Cut(decision, (one, other))))
                break
    if not found:
        raise SettingsError(
            f"no decision of {space.name} can be cut in two halves with {2**halvings} architectures each that lead from"
            " input to output; set a smaller supernet.split_rounds"
        )
    return max(found, key=lambda each: each[0])[1]


def _bipartitions(between: NDArray[np.float64]) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Returns all ways to part choices in two, and the distances inside both parts.

    Args:
        between: Symmetric distances of n choices, 0 to themselves, shape (n, n).

    Returns:
        True for the choices of the part with the first choice, shape (2^(n-1) - 1, n), and sums of distances, one each.
    """
    count = len(between)
    numbers = np.arange(2 ** (count - 1) - 1)[:, None]
    first = np.concatenate([np.ones_like(numbers), numbers >> np.arange(count - 1) & 1], axis=1).astype(bool)
    sides = first.astype(np.float64), 1.0 - first
    return first, np.asarray(sum(((side @ between) * side).sum(axis=1) / 2 for side in sides))


class _Stored(BaseModel):
    """Content of a file with a cut."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[1]
    identity: dict[str, str]
    decision: str
    choices: tuple[tuple[str, ...], tuple[str, ...]]
    distances: dict[str, tuple[tuple[float, ...], ...]] = Field(min_length=1)


def write_cut(
    path: Path,
    space: Space,
    cut: Cut,
    distances: dict[int, NDArray[np.float64]],
    identity: dict[str, str],
) -> None:
    """Writes a cut, by the names of its decision and choices, with the distances that led to it.

    Raises:
        WriteError: If it cannot be written.
    """
    decision = space.decisions[cut.decision]
    content: dict[str, Any] = {
        "schema_version": 1,
        "identity": identity,
        "decision": decision.name,
        "choices": [[decision.choices[choice] for choice in part] for part in cut.parts],
        "distances": {space.decisions[column].name: table.tolist() for column, table in distances.items()},
    }
    write_json(path, content)


def read_cut(path: Path, space: Space, box: Box, identity: dict[str, str]) -> Cut:
    """Reads a cut of a subspace.

    Raises:
        StoreError: If the file is damaged, or does not cut this subspace.
        RunFolderError: If it belongs to something else; the first differing field is named.
    """
    try:
        stored = _Stored.model_validate(read_json(path, "split of a supernet", _REMEDY))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"])
        raise StoreError(f"the split of a supernet in {path} is damaged: {where}: {first['msg']}; {_REMEDY}") from None
    for field, value in identity.items():
        if stored.identity.get(field) != value:
            raise RunFolderError(
                f"the split of a supernet in {path} was made with {field} = {stored.identity.get(field)}, not {value};"
                " use another --output-dir, or --overwrite"
            )
    names = [decision.name for decision in space.decisions]
    if stored.decision in names:
        column = names.index(stored.decision)
        choices = space.decisions[column].choices
        if all(name in choices for part in stored.choices for name in part):
            one, other = (tuple(choices.index(name) for name in part) for part in stored.choices)
            if one and other and sorted(one + other) == sorted(box[column]):
                return Cut(column, (one, other))
    raise StoreError(
        f"the split of a supernet in {path} is damaged: it does not part the choices of a decision in two; {_REMEDY}"
    )
