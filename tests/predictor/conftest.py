"""A small labelled problem on the real space, quick enough to fit in a second."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from surrogate_nas.predictor.protocol import Scorer, StoredArrays
from surrogate_nas.predictor.settings import PredictorSettings
from surrogate_nas.space.load import load_space
from surrogate_nas.space.space import Codes, Space
from surrogate_nas.testing.spaces import live_operations


@dataclass(frozen=True)
class Problem:
    space: Space
    codes: Codes
    targets: NDArray[np.float64]
    accuracy_percent: NDArray[np.float64]

    def truth(self, codes: Codes) -> NDArray[np.float64]:
        """Returns the truth that a model should find: a mix of counts that is equal for isomorphic cells."""
        canonical = self.space.canonical(codes)
        return self.space.nonlinear_count(canonical) + 0.1 * live_operations(self.space, canonical).astype(np.float64)


def always(scorer: Scorer) -> Callable[..., Scorer]:
    """Returns a row for the table of models that gives one and the same scorer."""

    def make(space: Space, settings: PredictorSettings, arrays: StoredArrays | None = None) -> Scorer:
        return scorer

    return make


@pytest.fixture(scope="session")
def space() -> Space:
    return load_space("nasbench201")


@pytest.fixture(scope="session")
def problem(space: Space) -> Problem:
    codes = space.sample(120, np.random.default_rng(3))
    blank = Problem(space, codes, np.empty(0), np.empty(0))
    targets = blank.truth(codes) + np.random.default_rng(4).normal(0, 0.05, len(codes))
    return Problem(space, codes, targets, 50 + 10 * targets)


@pytest.fixture(scope="session")
def quick() -> PredictorSettings:
    return PredictorSettings(width=16, layers=2, steps=60, ensemble=2, folds=3)
