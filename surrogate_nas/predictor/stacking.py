"""Several predictors as one, with weights that cross-validation on trained networks chose.

Symbols:
    K: predictors that are joined.
    M: trained networks.
    N: architectures asked about.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from surrogate_nas.predictor.protocol import Codes, FittedModel, Floats, Prediction
from surrogate_nas.predictor.rank_transform import RankTransform, rank_transform
from surrogate_nas.space.space import Space

# How many trained networks it takes to doubt the start as much as they can: its weight counts like this many of them.
START_COUNTS_LIKE = 5.0


@dataclass(frozen=True)
class Ranked:
    """A ``FittedModel`` whose scores are standardised ranks among reference architectures.

    Attributes:
        model: The model.
        transform: From its scores to ranks.
    """

    model: FittedModel
    transform: RankTransform

    def score(self, codes: Codes) -> Floats:
        """Ranks of codes of shape (N, D), shape (N,)."""
        return self.transform(self.model.predict(codes).mean)


def ranked(model: FittedModel, reference: Codes) -> Ranked:
    """The model with ranks by its own scores of the reference architectures, shape (R, D)."""
    return Ranked(model, rank_transform(model.predict(reference).mean, "scores of a predictor"))


@dataclass(frozen=True)
class Stack:
    """A ``FittedModel`` that adds the ranks that several models give.

    Attributes:
        space: Space of the codes.
        models: The K models by name.
        weights: At least 0, shape (K,).
    """

    space: Space
    models: dict[str, Ranked]
    weights: Floats

    def predict(self, codes: Codes) -> Prediction:
        """Weighted mean of the models' ranks for codes of shape (N, D), and how far the models disagree.

        Raises:
            SpaceError: If the codes are not codes of the space.
        """
        codes = self.space.check(codes)
        used = [(model, weight) for model, weight in zip(self.models.values(), self.weights, strict=True) if weight > 0]
        ranks = np.stack([model.score(codes) for model, _ in used])
        share = np.array([weight for _, weight in used]) / self.weights.sum()
        mean = share @ ranks
        return Prediction(mean, np.sqrt(share @ (ranks - mean) ** 2))


def stacking_weights(held_out: Sequence[Floats], ranks: Floats) -> Floats:
    """Non-negative least squares of the ranks on held-out scores, drawn towards the first model alone.

    Stacking (Wolpert, 1992; with non-negative weights Breiman, "Stacked regressions", 1996). With few trained networks
    the first model, which knows none of them, keeps its weight; with many they decide.

    Args:
        held_out: Score of each network by models that did not see it, K of shape (M,).
        ranks: Standardised ranks of the networks' accuracies, shape (M,).

    Returns:
        Shape (K,), at least one of them positive.
    """
    columns = np.stack(held_out, axis=1)
    anchor = np.zeros(columns.shape[1])
    anchor[0] = 1.0
    strength = START_COUNTS_LIKE**0.5
    weights, _ = nnls(
        np.concatenate([columns, strength * np.eye(len(anchor))]), np.concatenate([ranks, strength * anchor])
    )
    return np.asarray(weights if weights.any() else anchor, dtype=np.float64)
