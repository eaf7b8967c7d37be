"""Architectures that differ from a given one in few decisions.

Symbols:
    N: architectures of the table.
    D: decisions, one letter of a code each.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.errors import SettingsError
from surrogate_nas.lookup.entry import Entry


@dataclass(frozen=True)
class Neighbour:
    """An architecture that could take the place of another.

    Attributes:
        entry: The architecture.
        changed: Places in the code that differ, the first is 0.
        accuracy_gain_percent: Predicted accuracy minus the other's, percentage points.
        cost_change: Primary cost minus the other's, in its stored unit; below zero is cheaper.
    """

    entry: Entry
    changed: tuple[int, ...]
    accuracy_gain_percent: float
    cost_change: float

    @classmethod
    def of(cls, entry: Entry, other: Entry, primary_cost: str) -> Self:
        """Returns an entry as the neighbour of another."""
        return cls(
            entry,
            tuple(place for place, (a, b) in enumerate(zip(entry.code, other.code, strict=True)) if a != b),
            entry.predicted_accuracy_percent - other.predicted_accuracy_percent,
            entry.costs[primary_cost] - other.costs[primary_cost],
        )

    def as_json(self) -> dict[str, Any]:
        """Returns the neighbour as JSON holds it."""
        return {
            **self.entry.as_json(),
            "changed": list(self.changed),
            "accuracy_gain_percent": self.accuracy_gain_percent,
            "cost_change": self.cost_change,
        }


def changed_decisions(letters: NDArray[np.uint8], code: str) -> NDArray[np.uint16]:
    """Returns the number of decisions in which each code differs from one.

    Args:
        letters: Codes of the table, shape (D, N).
        code: D letters.

    Returns:
        Shape (N,).

    Raises:
        SettingsError: If the code is not a text, or has not one letter per decision.
    """
    # Python's users write 1102 where '1102' is meant, which may have lost leading zeros.
    if not isinstance(code, str):
        raise SettingsError(f"a code of this table is a text, in quotes (got {code!r:.40})")
    if len(code) != len(letters) or not code.isascii():
        raise SettingsError(f"a code of this table has {len(letters)} digits (got {code!r})")
    changes = np.zeros(letters.shape[1], dtype=np.uint16)
    for place, letter in enumerate(code.encode()):
        changes += letters[place] != letter
    return changes


def nearest_rows(
    changes: NDArray[np.uint16], wanted: NDArray[np.bool_], most_changes: int | None = None
) -> Iterator[int]:
    """Yields wanted rows, the fewest changes first and equally near ones in the order of the table.

    Args:
        changes: Shape (N,).
        wanted: Shape (N,).
        most_changes: Rows with more changes are left out.
    """
    last = int(changes.max()) if most_changes is None else most_changes
    for number in range(last + 1):
        yield from np.flatnonzero((changes == number) & wanted).tolist()
