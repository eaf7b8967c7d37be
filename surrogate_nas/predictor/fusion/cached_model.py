"""A fitted model whose answers for the reference architectures are kept, as a stack asks for them a dozen times.

Symbols:
    N: architectures asked about.
    R: architectures of the reference set.
"""

from dataclasses import dataclass

import numpy as np

from surrogate_nas.predictor.protocol import Codes, FittedModel, Prediction
from surrogate_nas.space.space import Space


@dataclass(frozen=True)
class Remembered:
    """A ``FittedModel`` that asks another one only about what it has not been asked before.

    Attributes:
        space: Space of the codes.
        model: The other one; it gives isomorphic architectures one answer.
        known: Its answers by canonical code, as bytes: row of ``answers``.
        answers: Kept answers.
    """

    space: Space
    model: FittedModel
    known: dict[bytes, int]
    answers: Prediction

    def predict(self, codes: Codes) -> Prediction:
        """What the other model says of codes of shape (N, D)."""
        canonical = self.space.canonical(codes)
        rows = np.array([self.known.get(code.tobytes(), -1) for code in canonical], dtype=np.int64)
        new = rows < 0
        mean, std = self.answers.mean[rows], self.answers.std[rows]
        if new.any():
            asked = self.model.predict(canonical[new])
            mean[new], std[new] = asked.mean, asked.std
        return Prediction(mean, std)


def remembered(space: Space, model: FittedModel, reference: Codes) -> Remembered:
    """Keeps a model's answers for reference architectures, shape (R, D), at least one."""
    distinct = np.unique(space.canonical(reference), axis=0)
    known = {code.tobytes(): row for row, code in enumerate(distinct)}
    return Remembered(space, model, known, model.predict(distinct))
