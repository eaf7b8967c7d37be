"""Reads the tables that map the layers of a chain to the names of parts in files of weights.

A row is a layer and a list of names; ``{block}``, ``{stage}`` and ``{layer}`` stand for the number of the chosen layer
in the chain, of its stage, and in its stage, from 1; ``{block+1}`` and ``{layer-1}`` count from elsewhere.
"""

import re
from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, Field

from surrogate_nas._support.words import choose_from, shown
from surrogate_nas.errors import SpaceError
from surrogate_nas.space.definitions.header import STRICT
from surrogate_nas.space.definitions.part_names import PartNames
from surrogate_nas.space.kinds.chain.skeleton import Skeleton
from surrogate_nas.space.operations.families import find_block, parse_block, structure_of
from surrogate_nas.space.operations.registry import find_own

_PLACEHOLDER = re.compile(r"\{(\w+)([+-]\d+)?\}", re.ASCII)
_CHOSEN, _LAST = "stages", "classifier"
Parts = Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=1, max_length=16)]


class Names(BaseModel):
    """One table ``[[pretrained]]`` of a definition."""

    model_config = STRICT
    source: str
    norm_epsilon: Annotated[float, Field(gt=0, lt=1)] = 1e-5
    parts: dict[str, Parts]


def read_names(tables: Sequence[Names], skeleton: Skeleton, where: str) -> tuple[PartNames, ...]:
    """Returns the names of each table.

    Raises:
        SpaceError: If a row belongs to no layer, a layer has no row, or the blocks of a layer are not parts of one.
    """
    if tables:
        _require_parts(skeleton, where)
    return tuple(_of_table(table, skeleton, f"{where}.{number}") for number, table in enumerate(tables))


def _of_table(table: Names, skeleton: Skeleton, where: str) -> PartNames:
    numbers: list[dict[str, int]] = [
        {"stage": stage, "layer": layer}
        for stage, one in enumerate(skeleton.stages, start=1)
        for layer in range(1, len(one.choices) + 1)
    ]
    rows = [
        *([f"before.{number}"] for number in range(1, len(skeleton.before) + 1)),
        *([f"{_CHOSEN}.{one['stage']}.{one['layer']}", f"{_CHOSEN}.{one['stage']}", _CHOSEN] for one in numbers),
        *([f"after.{number}"] for number in range(1, len(skeleton.after) + 1)),
        [_LAST],
    ]
    known = dict.fromkeys(key for keys in rows for key in keys)
    for key in table.parts:
        if key not in known:
            raise SpaceError(f"{where}.parts: {shown(key)} is no layer; {choose_from(known, key)}")
    of_chosen = [{**one, "block": block} for block, one in enumerate(numbers, start=1)]
    values = [*({} for _ in skeleton.before), *of_chosen, *({} for _ in skeleton.after), {}]
    layers = []
    for keys, numbers_of_layer in zip(rows, values, strict=True):
        found = [key for key in keys if key in table.parts]
        if not found and (numbers_of_layer or keys == [_LAST]):
            raise SpaceError(f"{where}.parts: {keys[0]!r} has no names; add a row {' or '.join(map(repr, keys))}")
        names = table.parts[found[0]] if found else []
        layers.append(tuple(_filled(name, numbers_of_layer, f"{where}.parts: {shown(found[0])}") for name in names))
    return PartNames(table.source, table.norm_epsilon, tuple(layers))


def _filled(name: str, numbers: dict[str, int], where: str) -> str:
    def number(match: re.Match[str]) -> str:
        if match[1] not in numbers:
            known = ", ".join(f"{{{each}}}" for each in numbers) or "no number"
            raise SpaceError(
                f"{where}: {match[0]} in {shown(name)} stands for nothing in this layer, which has {known}"
            )
        return str(numbers[match[1]] + int(match[2] or 0))

    return _PLACEHOLDER.sub(number, name)


def _require_parts(skeleton: Skeleton, where: str) -> None:
    """Refuses layers whose blocks are not all parts of the largest one."""
    for stage, one in enumerate(skeleton.stages, start=1):
        for layer, choices in enumerate(one.choices, start=1):
            blocks = [name for name in choices if not find_block(name).is_identity]
            if any(find_own(name) is not None or find_block(name).divisor > 1 for name in blocks):
                raise SpaceError(
                    f"{where}: layer {stage}.{layer} has blocks of users or with groups, of which no part is taken"
                )
            if len({structure_of(name) for name in blocks}) > 1 or not _hold_each_other(blocks):
                raise SpaceError(
                    f"{where}: the blocks of layer {stage}.{layer} must be parts of one of them, with the largest"
                    f" kernel and expansion of all (got {', '.join(blocks)})"
                )


def _hold_each_other(blocks: Sequence[str]) -> bool:
    numbers = [parse_block(name).numbers for name in blocks]
    sizes = [(one.get("k", 0), one.get("e", 0), one.get("h", 0), -one.get("r", 0)) for one in numbers]
    return tuple(map(max, zip(*sizes, strict=True))) in sizes
