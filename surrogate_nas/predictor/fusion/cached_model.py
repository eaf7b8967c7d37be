"""Wraps a fitted model and keeps its predictions for the reference architectures, which a stack needs a dozen times.

Symbols:
    N: architectures to predict.
    R: architectures of the reference set.
"""

from dataclasses import dataclass

import numpy as np

from surrogate_nas.predictor.protocol import Codes, FittedModel, Prediction
from surrogate_nas.space.space import Space


@dataclass(frozen=True)
class Remembered:
    """A ``FittedModel`` that passes only new architectures to another model.

    Attributes:
        space: Space of the codes.
        model: The other model; it gives isomorphic architectures equal predictions.
        known: Row of ``answers`` by canonical code, as bytes.
        answers: Kept predictions.
    """

    space: Space
    model: FittedModel
    known: dict[bytes, int]
    answers: Prediction

    def predict(self, codes: Codes) -> Prediction:
        """Returns the other model's prediction for codes of shape (N, D)."""
        canonical = self.space.canonical(codes)
        rows = np.array([self.known.get(code.tobytes(), -1) for code in canonical], dtype=np.int64)
        new = rows < 0
        mean, std = self.answers.mean[rows], self.answers.std[rows]
        if new.any():
            asked = self.model.predict(canonical[new])
            mean[new], std[new] = asked.mean, asked.std
        return Prediction(mean, std)


def remembered(space: Space, model: FittedModel, reference: Codes) -> Remembered:
    """Returns a model that keeps its predictions for reference architectures, shape (R, D), at least one."""
    distinct = np.unique(space.canonical(reference), axis=0)
    known = {code.tobytes(): row for row, code in enumerate(distinct)}
    return Remembered(space, model, known, model.predict(distinct))
