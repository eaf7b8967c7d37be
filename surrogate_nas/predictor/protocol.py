"""Protocols of a predictor for the stages that use one; no torch, so that the import is quick.

Symbols:
    N: architectures to predict.
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
    """Prediction for N architectures.

    Attributes:
        mean: Shape (N,), larger is better.
        std: Disagreement of the ensemble's members, shape (N,), on the scale of ``mean``; 0 with one member.
    """

    mean: Floats
    std: Floats

    def __post_init__(self) -> None:
        if self.mean.ndim != 1 or self.mean.shape != self.std.shape:
            raise ValueError(f"mean and std need one shape (N,) (got {self.mean.shape} and {self.std.shape})")

    def __len__(self) -> int:
        return len(self.mean)


class FittedModel(Protocol):
    """Model that predicts architectures: all that a search needs."""

    def predict(self, codes: Codes) -> Prediction:
        """Returns mean and spread for codes of shape (N, D)."""
        ...


class Scorer(Protocol):
    """Member of an ensemble, which puts architectures in an order, on an arbitrary scale.

    Call order: ``fit``, or made from the arrays of one that was fitted; then ``score`` and ``arrays``.
    Callers handle canonical cells, averaging and calibration, so a new kind of model is one class with these three
    methods and one row in ``model_table.MODELS``.
    """

    def fit(self, codes: Codes, targets: Floats, *, seed: int, should_stop: Callable[[], bool] | None = None) -> None:
        """Learns from scratch.

        Args:
            codes: Shape (M, D).
            targets: Shape (M,), larger is better.
            seed: Seed of all random draws.
            should_stop: Called from time to time; True ends the fit.

        Raises:
            Interrupted: If ``should_stop`` returned True.
            TrainingError: If the fit diverged.
        """
        ...

    def score(self, codes: Codes) -> Floats:
        """Returns scores of codes of shape (N, D): shape (N,), larger is better."""
        ...

    def arrays(self) -> Arrays:
        """Returns everything that was learnt, by name, for a file and for an equal scorer."""
        ...


StoredArrays = Mapping[str, NDArray[np.generic]]
