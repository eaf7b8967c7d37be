"""Describes a lookup table: its space, its device, its network, and how it was made."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

from surrogate_nas._support.words import SHARED_WEIGHTS
from surrogate_nas.costs.cost import COSTS
from surrogate_nas.errors import StoreError

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
        kinds: dict[str, tuple[type, ...]] = {
            "batch_size": (int,),
            "seed": (int,),
            "network": (dict,),
            "budgets": (dict,),
            "notes": (dict,),
            "answer": (str, type(None)),
            "decisions": (list,),
            "complete": (bool,),
            "rivals": (list,),
            "label_error_percent": (int, float, type(None)),
        }
        values: dict[str, Any] = {}
        for known in fields(cls):
            if known.name not in content and known.name in _ADDED:
                continue
            if known.name not in content:
                raise StoreError(f"the lookup table metadata lacks {known.name!r}: {where}")
            value = content[known.name]
            fits = isinstance(value, kinds.get(known.name, (str,)))
            if not fits or (known.name == "budgets" and not all(type(one) in (int, float) for one in value.values())):
                raise StoreError(f"the lookup table metadata has a wrong {known.name!r} ({value!r:.80}): {where}")
            values[known.name] = value
        return cls(**values)


def _unit(column: str) -> str | None:
    """Returns the unit of a column in words; None for a column of text."""
    if column in COSTS:
        return COSTS[column].stored
    return _SCORE_UNITS.get(column, _LABEL_UNIT if column.startswith("label_") else None)
