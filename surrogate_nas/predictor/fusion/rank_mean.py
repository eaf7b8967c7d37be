"""Joins several predictors: the mean of the ranks that they give.

Symbols:
    K: predictors that are joined.
    N: architectures to predict.
"""

from dataclasses import dataclass

import numpy as np

from surrogate_nas.predictor.fusion.rank_transform import RankTransform, rank_transform
from surrogate_nas.predictor.protocol import Codes, FittedModel, Floats, Prediction
from surrogate_nas.space.space import Space


@dataclass(frozen=True)
class Ranked:
    """A ``FittedModel`` whose scores are standardised ranks among reference architectures.

    Attributes:
        model: The model.
        transform: Maps its scores to ranks.
    """

    model: FittedModel
    transform: RankTransform

    def score(self, codes: Codes) -> Floats:
        """Returns ranks of codes of shape (N, D), shape (N,)."""
        return self.transform(self.model.predict(codes).mean)


def ranked(model: FittedModel, reference: Codes) -> Ranked:
    """Returns the model with ranks by its own scores of the reference architectures, shape (R, D)."""
    return Ranked(model, rank_transform(model.predict(reference).mean, "scores of a predictor"))


@dataclass(frozen=True)
class Stack:
    """A ``FittedModel`` that gives the mean of the ranks of several models.

    All of them count the same. Weights by cross-validation (Breiman, "Stacked regressions", 1996) were between 0.22
    and 0.26 for each of four models and changed tau by less than 0.005: up to a hundred networks are too few to learn
    weights from.

    Attributes:
        space: Space of the codes.
        models: The K models by name.
    """

    space: Space
    models: dict[str, Ranked]

    def predict(self, codes: Codes) -> Prediction:
        """Returns the mean of the models' ranks for codes of shape (N, D), and how far the models disagree.

        Raises:
            SpaceError: If the codes are not codes of the space.
        """
        codes = self.space.check(codes)
        ranks = np.stack([model.score(codes) for model in self.models.values()])
        return Prediction(ranks.mean(axis=0), ranks.std(axis=0))
