"""Describes a lookup table: its space, its device, its network, and how it was made."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any, Self

from surrogate_nas._support.words import SHARED_WEIGHTS
from surrogate_nas.costs.cost import COSTS
from surrogate_nas.errors import SpaceError, StoreError

if TYPE_CHECKING:
    from surrogate_nas.space.network import NetworkSpec

UNPROFILED = "latency"
"""Key of a note: why a table has no latency, though the study could have profiled it."""

TRAINED = "label_trained_percent"
"""Column of accuracies after the trainings that predicted accuracies are of, in tables of studies that trained any."""

_SCORE_UNITS = {
    "score": "any, higher is better",
    "predicted_accuracy_percent": "percent",
    "accuracy_std_percent": "percent",
}
_LABEL_UNIT = "percent"
_VERDICTS = ("space", "rival", "undecided")
_MOST_IMAGES = 1_000_000  # in a batch: more is damage
# Fields that tables of the first version may be without.
_ADDED = ("decisions", "complete", "label_error_percent", "conditions", "rivals", "accuracy_basis")


@dataclass(frozen=True)
class TableMetadata:
    """Facts that hold for every row of a table.

    Attributes:
        space_name: Name of the search space.
        space_fingerprint: Hash of its definition.
        device: What the latencies hold for.
        batch_size: Images per batch of the latencies.
        network: Sizes of the deployed network, such as ``{"channels": 16, "cells": 5, "image_size": 32}``.
        primary_cost: The cost that the Pareto front is of.
        created_with: Version of the package that made the table.
        seed: Seed of the study.
        budgets: Bounds that the user set for the study, by cost, in the cost's stored unit.
        answer: Code that the study chose for them, or ``None`` where nothing meets them.
        notes: Anything else worth keeping that JSON can hold.
        decisions: Name and choices of each place in a code, in order; a digit of a code is an index of the choices.
        complete: Whether every connected architecture of the space has a row.
        label_error_percent: How far labels lie from predictions, besides the standard deviation of each prediction: a
            root mean square in percentage points; None in tables of former versions.
        conditions: Runtime, machine, threads and batch of the latencies, or their table; empty in those.
        rivals: For every set of budgets at which off-the-shelf networks were trained: the budgets, the found
            architecture and the best of these networks with their accuracies, and which is ``better``: ``space``,
            ``rival`` or ``undecided``. Empty where none was trained.
        accuracy_basis: What predicted accuracies are of, such as ``"after 3 epochs of training"``.
    """

    space_name: str
    space_fingerprint: str
    device: str
    batch_size: int
    network: Mapping[str, int]
    primary_cost: str
    created_with: str
    seed: int
    budgets: Mapping[str, float] = field(default_factory=dict)
    answer: str | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)
    decisions: Sequence[Mapping[str, Any]] = field(default_factory=list)
    complete: bool = True
    label_error_percent: float | None = None
    conditions: str = ""
    rivals: Sequence[Mapping[str, Any]] = field(default_factory=list)
    accuracy_basis: str = SHARED_WEIGHTS

    def as_json(self, columns: list[str]) -> dict[str, Any]:
        """Returns the facts, with the unit of every column that has one."""
        units = {name: _unit(name) for name in columns}
        return {**asdict(self), "units": {name: unit for name, unit in units.items() if unit is not None}}

    @classmethod
    def from_json(cls, content: Mapping[str, Any], where: object) -> Self:
        """Reads what ``as_json`` made; keys that are none of the fields are ignored.

        Raises:
            StoreError: If a field is missing or of the wrong kind.
        """
        values: dict[str, Any] = {}
        for known in fields(cls):
            if known.name not in content and known.name in _ADDED:
                continue
            if known.name not in content:
                raise StoreError(f"the lookup table metadata lacks {known.name!r}: {where}")
            value = content[known.name]
            if not _FITS.get(known.name, _is_text)(value):
                raise StoreError(f"the lookup table metadata has a wrong {known.name!r} ({value!r:.80}): {where}")
            values[known.name] = value
        return cls(**values)

    def deployed(self, where: object) -> "NetworkSpec":
        """Returns the sizes of the deployed network.

        Args:
            where: Where the table lies, for messages.

        Raises:
            StoreError: If they are the sizes of no network.
        """
        # A deployed table answers budgets without the search space, and should start quickly.
        from surrogate_nas.space.network import NetworkSpec

        try:
            return NetworkSpec.read(self.network)
        except SpaceError as error:
            raise StoreError(f"the lookup table metadata has a wrong 'network': {where}: {error}") from None


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_number(value: object) -> bool:
    """Returns whether a value is a finite number of at least 0."""
    return type(value) in (int, float) and 0 <= value < math.inf  # type: ignore[operator]


def _are_budgets(value: object) -> bool:
    return isinstance(value, dict) and all(one in COSTS and _is_number(limit) for one, limit in value.items())


def _are_decisions(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(one, dict)
        and _is_text(one.get("name"))
        and isinstance(one.get("choices"), list)
        and all(map(_is_text, one["choices"]))
        for one in value
    )


def _are_rivals(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(one, dict)
        and _are_budgets(one.get("budgets"))
        and all(_is_text(one.get(name)) for name in ("found", "rival"))
        and all(_is_number(one.get(name)) for name in ("found_percent", "rival_percent"))
        and one.get("better") in _VERDICTS
        for one in value
    )


_FITS: Mapping[str, Callable[[Any], bool]] = {
    "batch_size": lambda value: type(value) is int and 1 <= value <= _MOST_IMAGES,
    "seed": lambda value: type(value) is int,
    "network": lambda value: isinstance(value, dict),
    "primary_cost": lambda value: _is_text(value) and value in COSTS,
    "budgets": _are_budgets,
    "notes": lambda value: isinstance(value, dict),
    "answer": lambda value: value is None or _is_text(value),
    "decisions": _are_decisions,
    "complete": lambda value: isinstance(value, bool),
    "rivals": _are_rivals,
    "label_error_percent": lambda value: value is None or _is_number(value),
}
"""What each field must be; the others are texts."""


def _unit(column: str) -> str | None:
    """Returns the unit of a column in words; None for a column of text."""
    if column in COSTS:
        return COSTS[column].stored
    return _SCORE_UNITS.get(column, _LABEL_UNIT if column.startswith("label_") else None)
