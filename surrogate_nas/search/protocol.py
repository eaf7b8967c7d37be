"""Protocols of the parts that the search needs (a predictor, a cost model), and of samplers.

All take codes of shape (N, D); see ``surrogate_nas.space.space``.
"""

from typing import Protocol

import numpy as np

from surrogate_nas.search.candidates import AnyArray, Candidates, Floats
from surrogate_nas.space.space import Codes


class Scores(Protocol):
    """Predicted accuracy (higher is better) and its spread, both of shape (N,)."""

    @property
    def mean(self) -> AnyArray:
        """Predicted accuracy, shape (N,)."""

    @property
    def std(self) -> AnyArray:
        """Standard deviation of the prediction, shape (N,)."""


class Predictor(Protocol):
    """Predictor that has been fitted."""

    def predict(self, codes: Codes) -> Scores:
        """Scores codes of shape (N, D)."""


class LearnedDistribution(Protocol):
    """Distribution over architectures that proposes to the sampler ``learned``."""

    def log_probabilities(self, codes: Codes) -> Floats:
        """Returns the log-probability of codes (N, D), shape (N,)."""

    def draw(self, count: int, rng: np.random.Generator) -> Codes:
        """Returns draws that lead from input to output, shape (count, D)."""


class Sampler(Protocol):
    """Sampler that proposes architectures it has not proposed before.

    Call order: ``propose`` and ``observe`` in turns, and ``observe`` with exactly the codes just proposed, in their
    order. The proposals of a sampler are a function of its seed and of what it has observed.
    """

    def propose(self, count: int) -> Codes:
        """Returns at most ``count`` codes, shape (n, D), of distinct canonical classes that were not proposed before.

        Shape (0, D) means that the sampler is done: it finds nothing new.
        """

    def observe(self, candidates: Candidates) -> None:
        """Takes the evaluation of the last proposal."""
