"""What a predictor is to the stages that use one; no torch, so that importing this is quick.

Symbols:
    N: architectures asked about.
    M: architectures with a label.
    D: decisions of the space.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.integer]
Floats = NDArray[np.float64]
Arrays = dict[str, NDArray[np.generic]]


@dataclass(frozen=True)
class Prediction:
    """What a predictor says about N architectures.

    Attributes:
        mean: Shape (N,), larger is better.
        std: Shape (N,), how far the members of the ensemble disagree, on the scale of ``mean``; 0 with one member.
    """

    mean: Floats
    std: Floats

    def __post_init__(self) -> None:
        if self.mean.ndim != 1 or self.mean.shape != self.std.shape:
            raise ValueError(f"mean and std need one shape (N,) (got {self.mean.shape} and {self.std.shape})")

    def __len__(self) -> int:
        return len(self.mean)


class FittedModel(Protocol):
    """Anything that can be asked about architectures: all that a search needs."""

    def predict(self, codes: Codes) -> Prediction:
        """Mean and spread for codes of shape (N, D)."""
        ...


class Scorer(Protocol):
    """One member of an ensemble: puts architectures in an order, on a scale of its own.

    Call order: ``fit``, or made from the arrays of one that was fitted; then ``score`` and ``arrays``.
    Canonical cells, averaging and calibration are the callers' business, so a new kind of model is one class with
    these three methods and one row in ``model_table.MODELS``.
    """

    def fit(self, codes: Codes, targets: Floats, *, seed: int, should_stop: Callable[[], bool] | None = None) -> None:
        """Learns from scratch.

        Args:
            codes: Shape (M, D).
            targets: Shape (M,), larger is better.
            seed: Decides all random draws.
            should_stop: Asked now and then; True ends the fit.

        Raises:
            Interrupted: If ``should_stop`` said so.
            TrainingError: If the fit diverged.
        """
        ...

    def score(self, codes: Codes) -> Floats:
        """Scores of codes of shape (N, D): shape (N,), larger is better."""
        ...

    def arrays(self) -> Arrays:
        """Everything that was learnt, by name: what a file keeps, and what makes an equal scorer again."""
        ...


StoredArrays = Mapping[str, NDArray[np.generic]]
