"""The kit finds planted faults; ``tests/predictor/test_model_table.py`` runs every model through it."""

from collections.abc import Callable

import numpy as np
import pytest

from surrogate_nas.errors import Interrupted
from surrogate_nas.predictor.models.ridge import RidgeScorer
from surrogate_nas.predictor.protocol import Arrays, Codes, Floats, StoredArrays
from surrogate_nas.predictor.settings import PredictorSettings
from surrogate_nas.space.load import load_space
from surrogate_nas.space.space import Space
from surrogate_nas.testing import models
from surrogate_nas.testing.models import MODEL_CHECKS, ModelCheck

SPACE = load_space("nasbench201")
Stop = Callable[[], bool] | None


class Backwards(RidgeScorer):
    def score(self, codes: Codes) -> Floats:
        return -super().score(codes)


class Wide(RidgeScorer):
    def score(self, codes: Codes) -> Floats:
        return super().score(codes)[:, None]


class SharedDraws(RidgeScorer):
    def fit(self, codes: Codes, targets: Floats, *, seed: int, should_stop: Stop = None) -> None:
        np.random.seed(seed + 7)
        super().fit(codes, targets, seed=seed, should_stop=should_stop)


class Remembers(RidgeScorer):
    def fit(self, codes: Codes, targets: Floats, *, seed: int, should_stop: Stop = None) -> None:
        before = self._learnt
        super().fit(codes, targets, seed=seed, should_stop=should_stop)
        if before is not None and self._learnt is not None:
            self._learnt["intercept"] += before["intercept"]


class Rounded(RidgeScorer):
    def arrays(self) -> Arrays:
        return {name: np.asarray(values, dtype=np.float64).round(3) for name, values in super().arrays().items()}


class TakesAnything(RidgeScorer):
    def __init__(self, space: Space, settings: PredictorSettings, arrays: StoredArrays | None = None) -> None:
        super().__init__(space, settings)
        if arrays is not None:
            self._learnt = dict(arrays)


class Unstoppable(RidgeScorer):
    def fit(self, codes: Codes, targets: Floats, *, seed: int, should_stop: Stop = None) -> None:
        try:
            super().fit(codes, targets, seed=seed, should_stop=should_stop)
        except Interrupted:
            return


class Guesses(RidgeScorer):
    def score(self, codes: Codes) -> Floats:
        return super().score(codes) if self._learnt else np.zeros(len(codes))


@pytest.mark.parametrize("check", MODEL_CHECKS, ids=lambda check: check.__name__)
def test_a_sound_model_conforms(check: ModelCheck) -> None:
    check(RidgeScorer, SPACE)


@pytest.mark.parametrize(
    ("kind", "check", "rule"),
    [
        (Backwards, models.check_order, "architectures that were not seen are ordered, tau 0.6 .got -0"),
        (Wide, models.check_order, "one for each architecture"),
        (SharedDraws, models.check_order, "got others of numpy"),
        (Remembers, models.check_seed, "forgets the one before"),
        (Rounded, models.check_arrays, "stored arrays make an equal model"),
        (TakesAnything, models.check_arrays, "arrays without the first is refused with a StoreError"),
        (Unstoppable, models.check_stop, "a fit that is asked to stop is refused with a Interrupted"),
        (Guesses, models.check_call_order, "a score before the fit is refused"),
    ],
)
def test_a_planted_fault_is_found(kind: type[RidgeScorer], check: ModelCheck, rule: str) -> None:
    with pytest.raises(AssertionError, match=rule):
        check(kind, SPACE)


def test_every_check_is_in_the_list() -> None:
    assert {check.__name__ for check in MODEL_CHECKS} == {name for name in vars(models) if name.startswith("check_")}
