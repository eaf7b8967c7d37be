"""One latency, and the reliability of its measurement."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from surrogate_nas._support.words import count_of

_LARGEST = 1e15  # of any of its numbers; a whole number of a file may be beyond what floats hold
DISTURBED = 1.25
"""A sample that takes longer than the fastest tenth by more than this factor was disturbed."""


@dataclass(frozen=True)
class Measurement:
    """Latency of one candidate.

    Attributes:
        median_ms: Median over the samples that count, in milliseconds per forward pass.
        iqr_ms: Interquartile range over the samples that count, in milliseconds.
        repeats: Number of samples that count.
        disturbed: Number of samples that do not count, since other work slowed the machine down; see ``summarize``.
        noisy: Whether in every attempt the range was wide, relative to the median, or most samples were disturbed.
        measured_at: When, as an ISO 8601 date and time in UTC.
    """

    median_ms: float
    iqr_ms: float
    repeats: int
    disturbed: int
    noisy: bool
    measured_at: str

    def __str__(self) -> str:
        noisy = ", noisy" if self.noisy else ""
        return f"{self.median_ms:.3g} ms (IQR {self.iqr_ms:.2g} ms, {count_of(self.repeats, 'sample')}{noisy})"

    @property
    def spread(self) -> float:
        """Interquartile range relative to the median."""
        return self.iqr_ms / self.median_ms

    def scaled(self, factor: float) -> Self:
        """Returns the measurement as a machine would have given it that takes ``factor`` times as long."""
        return replace(self, median_ms=factor * self.median_ms, iqr_ms=factor * self.iqr_ms) if factor != 1 else self

    @classmethod
    def from_json(cls, content: Any) -> Self:  # noqa: ANN401 - a file may hold anything
        """Returns the measurement from the JSON object that ``dataclasses.asdict`` made of it.

        Raises:
            ValueError: If it is not such an object, or a value is impossible.
        """
        if not isinstance(content, dict) or set(content) != set(cls.__dataclass_fields__):
            raise ValueError(f"a measurement has the keys {', '.join(cls.__dataclass_fields__)}")
        numbers = (content["median_ms"], content["iqr_ms"], content["repeats"], content["disturbed"])
        if not all(isinstance(number, (int, float)) and abs(number) <= _LARGEST for number in numbers):
            raise ValueError(f"median_ms, iqr_ms, repeats and disturbed must be finite numbers (got {numbers!s:.100})")
        if content["median_ms"] <= 0 or content["iqr_ms"] < 0 or content["repeats"] < 1 or content["disturbed"] < 0:
            raise ValueError(
                f"median_ms and repeats must be above zero, iqr_ms and disturbed not below (got {numbers!s:.100})"
            )
        if not isinstance(content["noisy"], bool):
            raise ValueError(f"noisy must be true or false (got {content['noisy']!r:.40})")
        datetime.fromisoformat(str(content["measured_at"]))
        return cls(**content)


def summarize(seconds: NDArray[np.float64], noise: float) -> Measurement:
    """Returns samples of one candidate as a measurement made now.

    Other work on the machine (a process in the shared cache, a neighbour on the physical core) slows some samples down
    by half or more and speeds none up. So samples much slower than the fastest tenth are dropped: none on a quiet
    machine; on a busy one the median of the rest equals the median of a quiet one.

    Args:
        seconds: Seconds per forward pass, shape (repeats,).
        noise: Interquartile range over median above which the measurement is noisy.
    """
    counting = seconds[seconds <= DISTURBED * np.percentile(seconds, 10)]
    low, median, high = np.percentile(counting, [25, 50, 75]) * 1e3
    return Measurement(
        median_ms=float(median),
        iqr_ms=float(high - low),
        repeats=len(counting),
        disturbed=len(seconds) - len(counting),
        noisy=bool((high - low) / median > noise or 2 * len(counting) < len(seconds)),
        measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
