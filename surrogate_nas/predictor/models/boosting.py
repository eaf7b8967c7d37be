"""Gradient boosting on counts and paths, kept as plain arrays of its trees.

Symbols:
    K: trees.
    L: nodes of the largest tree.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import GradientBoostingRegressor

from surrogate_nas.errors import Interrupted
from surrogate_nas.predictor.features.graph_features import one_hot, path_features
from surrogate_nas.predictor.models.fitting import rank_scale
from surrogate_nas.predictor.protocol import Arrays, Codes, Floats, StoredArrays
from surrogate_nas.predictor.settings import PredictorSettings
from surrogate_nas.predictor.stored_numbers import checked_arrays, wrong_numbers
from surrogate_nas.space.space import Space

TREES = 300
DEPTH = 4
SHRINKAGE = 0.05
ROWS = 0.5
COLUMNS = 0.3
_BATCH = 4096
_FORMS = {
    "feature": (2, np.int64),
    "threshold": (2, np.float64),
    "left": (2, np.int64),
    "right": (2, np.int64),
    "value": (2, np.float64),
    "start": (1, np.float64),
}


class BoostingScorer:
    """A ``Scorer`` made of small regression trees, each fitted to the residuals of the earlier ones.

    The trees are kept as arrays and walked by code of this module, not fitted again on loading: another version of
    scikit-learn would silently grow other trees from the same labels.

    Args:
        space: Space of the codes.
        settings: Settings of the predictor; none of them concerns this model.
        arrays: Result of ``arrays()`` of a fitted scorer, to make an equal one.
        columns: Returns the columns for codes of shape (N, D), shape (N, any); by default the one-hot choices, and
            counts of operations and of their connections.

    Raises:
        StoreError: If the arrays do not belong to such a scorer.
        SpaceError: If the space has no counts of paths.
    """

    def __init__(
        self,
        space: Space,
        settings: PredictorSettings,
        arrays: StoredArrays | None = None,
        columns: Callable[[Codes], Floats] | None = None,
    ) -> None:
        del settings
        self._space = space
        self._given = columns
        self._trees: dict[str, NDArray[Any]] | None = None
        if arrays is not None:
            self._trees = checked_arrays(arrays, _FORMS, "boosting")
            self._check_trees(self._trees)

    def fit(self, codes: Codes, targets: Floats, *, seed: int, should_stop: Callable[[], bool] | None = None) -> None:
        """Grows the trees; see ``Scorer.fit``."""

        def ask(*_state: object) -> bool:
            if should_stop is not None and should_stop():
                raise Interrupted("the fit of the predictor was stopped; no part of it is kept")
            return False

        ask()
        model = GradientBoostingRegressor(
            n_estimators=TREES,
            max_depth=DEPTH,
            learning_rate=SHRINKAGE,
            subsample=ROWS,
            max_features=COLUMNS,
            random_state=seed,
        )
        model.fit(self._columns(codes), rank_scale(targets), monitor=ask)
        self._trees = _as_arrays(model)

    def score(self, codes: Codes) -> Floats:
        """Returns scores of codes of shape (N, D), shape (N,)."""
        trees = self._fitted()
        scores = np.empty(len(codes))
        for start in range(0, len(codes), _BATCH):
            scores[start : start + _BATCH] = _walk(trees, self._columns(codes[start : start + _BATCH]))
        return scores

    def arrays(self) -> Arrays:
        """Returns nodes of the trees, shape (K, L) each, and the value that they start from, shape (1,)."""
        return {name: values.copy() for name, values in self._fitted().items()}

    def _columns(self, codes: Codes) -> Floats:
        if self._given is not None:
            return self._given(codes)
        return np.concatenate([one_hot(self._space, codes), path_features(self._space, codes)], axis=1)

    def _check_trees(self, trees: dict[str, NDArray[Any]]) -> None:
        """Checks that every walk ends in the tables, also for a damaged file."""
        columns = self._columns(np.zeros((1, self._space.num_decisions), dtype=np.int8)).shape[1]
        count, nodes = trees["feature"].shape
        limits = {"feature": columns, "left": nodes, "right": nodes}
        wrong = [name for name in ("threshold", "left", "right", "value") if trees[name].shape != (count, nodes)]
        for name, limit in limits.items():
            values = trees[name].astype(np.int64)
            if values.min() < 0 or values.max() >= limit:
                wrong.append(name)
        if wrong:
            raise wrong_numbers("boosting", wrong)

    def _fitted(self) -> dict[str, NDArray[Any]]:
        if self._trees is None:
            raise RuntimeError("a scorer must be fitted before it is used")
        return self._trees


def _as_arrays(model: GradientBoostingRegressor) -> dict[str, NDArray[Any]]:
    trees = [row[0].tree_ for row in model.estimators_]
    nodes = max(tree.node_count for tree in trees)
    shape = (len(trees), nodes)
    itself = np.tile(np.arange(nodes), (len(trees), 1))  # a leaf is its own child
    left, right = itself.copy(), itself.copy()
    feature, threshold, value = np.zeros(shape, np.int64), np.zeros(shape), np.zeros(shape)
    for row, tree in enumerate(trees):
        inner = np.flatnonzero(tree.children_left >= 0)
        left[row, inner], right[row, inner] = tree.children_left[inner], tree.children_right[inner]
        feature[row, inner], threshold[row, inner] = tree.feature[inner], tree.threshold[inner]
        value[row, : tree.node_count] = SHRINKAGE * tree.value[:, 0, 0]
    start = np.array(model.init_.constant_, dtype=np.float64).reshape(1)
    return {"feature": feature, "threshold": threshold, "left": left, "right": right, "value": value, "start": start}


def _walk(trees: dict[str, NDArray[Any]], columns: Floats) -> Floats:
    """Returns the sum over the trees of the leaf that each row of columns ends in, shape (N,)."""
    scores = np.full(len(columns), float(trees["start"][0]))
    rows = np.arange(len(columns))
    for feature, threshold, left, right, value in zip(
        *(trees[name] for name in ("feature", "threshold", "left", "right", "value")), strict=True
    ):
        node = np.zeros(len(columns), dtype=np.int64)
        for _ in range(DEPTH):
            node = np.where(columns[rows, feature[node]] <= threshold[node], left[node], right[node])
        scores += value[node]
    return scores
