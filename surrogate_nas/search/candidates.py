"""Holds architectures with all data that the search has about them.

Symbols:
    N: architectures.
    D: decisions of the space.
    B: budgets.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.space.space import Codes, Space

AnyArray = NDArray[Any]
Floats = NDArray[np.float64]
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Candidates:
    """Evaluated architectures, one row each.

    Attributes:
        codes: Shape (N, D).
        mean: Predicted accuracy, shape (N,).
        std: Spread of the prediction, shape (N,).
        costs: Name (with unit) to values of shape (N,).
        violation: Relative excess over each budget, and 1 where no path leads from input to output, else -1; shape
            (N, B + 1); at most 0 is feasible.
        primary: The cost that is traded against accuracy.
        second: A second one, for fronts of three objectives.
    """

    codes: Codes
    mean: Floats
    std: Floats
    costs: Mapping[str, Floats]
    violation: Floats
    primary: str
    second: str | None = None

    @property
    def objectives(self) -> tuple[str, ...]:
        """Costs that are traded against accuracy, one or two."""
        return (self.primary,) if self.second is None else (self.primary, self.second)

    @property
    def traded(self) -> Floats:
        """Values of the traded costs, shape (N, 1) or (N, 2)."""
        return np.column_stack([self.costs[name] for name in self.objectives])

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def primary_cost(self) -> Floats:
        """First cost that is traded against accuracy, shape (N,)."""
        return self.costs[self.primary]

    @property
    def connected(self) -> NDArray[np.bool_]:
        """True where a path leads from input to output, shape (N,)."""
        return np.asarray(self.violation[:, -1] <= 0, dtype=np.bool_)

    @property
    def feasible(self) -> NDArray[np.bool_]:
        """True where connected and within every budget, shape (N,)."""
        return np.asarray((self.violation <= 0).all(axis=1), dtype=np.bool_)

    @property
    def excess(self) -> Floats:
        """Sum of the budgets' relative excesses, plus 1 where not connected, shape (N,); 0 exactly where feasible."""
        return np.asarray(np.maximum(self.violation, 0).sum(axis=1), dtype=np.float64)

    def take(self, rows: Rows | NDArray[np.bool_]) -> "Candidates":
        """Returns the candidates at some rows, in that order."""
        costs = {name: values[rows] for name, values in self.costs.items()}
        return replace(
            self,
            codes=self.codes[rows],
            mean=self.mean[rows],
            std=self.std[rows],
            costs=costs,
            violation=self.violation[rows],
        )


def concatenate(parts: Sequence[Candidates]) -> Candidates:
    """Returns candidates one after another; at least one part is needed, and all must be of one search."""
    first = parts[0]
    return replace(
        first,
        codes=np.concatenate([part.codes for part in parts]),
        mean=np.concatenate([part.mean for part in parts]),
        std=np.concatenate([part.std for part in parts]),
        costs={name: np.concatenate([part.costs[name] for part in parts]) for name in first.costs},
        violation=np.concatenate([part.violation for part in parts]),
    )


def class_numbers(space: Space, codes: Codes) -> Rows:
    """Returns a number per code, shape (N,), equal where codes of this call have one canonical architecture."""
    if space.listable:
        return space.index(space.canonical(codes))
    return np.unique(space.canonical_keys(codes), return_inverse=True)[1].reshape(-1).astype(np.int64)


def class_keys(space: Space, codes: Codes) -> list[bytes]:
    """Returns a key per code that identifies its canonical class in every call."""
    if space.listable:
        return [row.tobytes() for row in space.canonical(codes)]
    return [key.tobytes() for key in space.canonical_keys(codes)]
