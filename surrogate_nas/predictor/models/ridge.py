"""Ridge regression on pairs of decisions: the baseline that a graph network has to beat.

Symbols:
    M: architectures with a label.
    K: columns of ``pairs_of_decisions``.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import RidgeCV

from surrogate_nas.errors import Interrupted
from surrogate_nas.predictor.features.graph_features import pairs_of_decisions
from surrogate_nas.predictor.models.fitting import rank_scale
from surrogate_nas.predictor.protocol import Arrays, Codes, Floats, StoredArrays
from surrogate_nas.predictor.settings import PredictorSettings
from surrogate_nas.predictor.stored_numbers import checked_arrays, wrong_numbers
from surrogate_nas.space.space import Space

PENALTIES = np.logspace(-1, 3, 13)
_BATCH = 4096


class RidgeScorer:
    """A ``Scorer`` that is linear in the one-hot choices and in the products of two of them.

    Ranks of the targets are fitted, with the penalty that leave-one-out errors of the labels themselves prefer. Nothing
    is drawn at random. One coefficient per column and the intercept are kept.

    Args:
        space: Space of the codes.
        settings: Settings of the predictor; none of them concerns this model.
        arrays: Result of ``arrays()`` of a fitted scorer, to make an equal one.

    Raises:
        StoreError: If the arrays do not belong to such a scorer.
    """

    def __init__(self, space: Space, settings: PredictorSettings, arrays: StoredArrays | None = None) -> None:
        del settings
        self._space = space
        self._learnt: dict[str, NDArray[Any]] | None = None
        if arrays is not None:
            self._learnt = checked_arrays(
                arrays, {"coefficients": (1, np.float64), "intercept": (1, np.float64)}, "ridge"
            )
            columns = pairs_of_decisions(space, np.zeros((1, space.num_decisions), dtype=np.int8)).shape[1]
            if len(self._learnt["coefficients"]) != columns:
                raise wrong_numbers("ridge", ["coefficients"])

    def fit(self, codes: Codes, targets: Floats, *, seed: int, should_stop: Callable[[], bool] | None = None) -> None:
        """Fits the coefficients; see ``Scorer.fit``."""
        del seed
        if should_stop is not None and should_stop():
            raise Interrupted("the fit of the predictor was stopped; no part of it is kept")
        model = RidgeCV(alphas=PENALTIES).fit(pairs_of_decisions(self._space, codes), rank_scale(targets))
        self._learnt = {
            "coefficients": np.array(model.coef_, dtype=np.float64),
            "intercept": np.array([model.intercept_], dtype=np.float64),
        }

    def score(self, codes: Codes) -> Floats:
        """Returns scores of codes of shape (N, D), shape (N,)."""
        learnt = self._fitted()
        scores = np.empty(len(codes))
        for start in range(0, len(codes), _BATCH):
            columns = pairs_of_decisions(self._space, codes[start : start + _BATCH])
            scores[start : start + _BATCH] = columns @ learnt["coefficients"] + learnt["intercept"]
        return scores

    def arrays(self) -> Arrays:
        """Returns coefficients, shape (K,), and intercept, shape (1,)."""
        return {name: values.copy() for name, values in self._fitted().items()}

    def _fitted(self) -> dict[str, NDArray[Any]]:
        if self._learnt is None:
            raise RuntimeError("a scorer must be fitted before it is used")
        return self._learnt
