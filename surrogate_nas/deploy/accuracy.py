"""Accuracies on test images, each with what chance leaves open; no more than the standard library."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from surrogate_nas._support.words import count_of

_NORMAL_95 = 1.959963984540054  # two-sided


@dataclass(frozen=True)
class Accuracy:
    """A share of images in percent, with its 95% interval by Wilson's score (1927).

    The interval is what the number of images leaves open, not what another training would give.
    """

    percent: float
    low: float
    high: float
    images: int

    @classmethod
    def of(cls, correct: float, images: int) -> Self:
        """Returns the accuracy of a number of correct images, which need not be whole in a mean over classes."""
        share, square = correct / images, _NORMAL_95**2
        centre = (share + square / (2 * images)) / (1 + square / images)
        half = math.sqrt(share * (1 - share) / images + square / (4 * images**2)) * _NORMAL_95 / (1 + square / images)
        low = 0.0 if correct == 0 else 100 * (centre - half)
        high = 100.0 if correct == images else 100 * (centre + half)
        return cls(100 * share, low, high, images)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Reads what ``dataclasses.asdict`` made.

        Raises:
            KeyError, TypeError, ValueError: If it is not that.
        """
        percent, low, high = (float(content[name]) for name in ("percent", "low", "high"))
        return cls(percent, low, high, int(content["images"]))

    def __str__(self) -> str:
        return f"{self.percent:.2f}% (95%: {self.low:.2f} to {self.high:.2f}%) of {count_of(self.images, 'test image')}"
