"""One architecture as the lookup table answers it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

_NORMAL_95 = 1.96


def half_interval(std_percent: float, label_error_percent: float) -> float:
    """Returns half of the 95% interval of a predicted accuracy, in percentage points.

    Args:
        std_percent: Standard deviation of the prediction.
        label_error_percent: How far labels lie from predictions besides, as a root mean square.
    """
    return _NORMAL_95 * math.hypot(std_percent, label_error_percent)


def label_error_of(half_interval_percent: float, std_percent: float) -> float:
    """Returns how far labels lie from predictions, of an interval that ``half_interval`` made; not below 0."""
    return math.sqrt(max(0.0, (half_interval_percent / _NORMAL_95) ** 2 - std_percent**2))


@dataclass(frozen=True)
class Entry:
    """One architecture of the table.

    Attributes:
        code: One digit per decision.
        architecture: The same with the names of the operations.
        canonical: Code of the representative of all architectures that compute the same.
        score: What rows are ranked by; higher is better.
        predicted_accuracy_percent: Expected accuracy.
        accuracy_std_percent: Standard deviation of that expectation.
        costs: By name, in stored units.
        labels: Measured accuracies by name, in percent; what was not measured is left out.
        pareto: Whether no row has both a better score and a smaller primary cost.
    """

    code: str
    architecture: str
    canonical: str
    score: float
    predicted_accuracy_percent: float
    accuracy_std_percent: float
    costs: dict[str, float]
    labels: dict[str, float]
    pareto: bool

    @classmethod
    def from_row(cls, row: Mapping[str, Any], costs: Sequence[str], labels: Sequence[str]) -> Self:
        """Returns the entry of a row of columns by name.

        Args:
            row: Column name to value, ``None`` where a label is absent.
            costs: Names of the columns that are costs.
            labels: Names of the columns that are labels.
        """
        return cls(
            code=row["code"],
            architecture=row["architecture"],
            canonical=row["canonical"],
            score=row["score"],
            predicted_accuracy_percent=row["predicted_accuracy_percent"],
            accuracy_std_percent=row["accuracy_std_percent"],
            costs={name: row[name] for name in costs},
            labels={name: row[name] for name in labels if row[name] is not None},
            pareto=row["pareto"],
        )

    def as_json(self) -> dict[str, Any]:
        """Returns the entry as JSON holds it."""
        return asdict(self)
