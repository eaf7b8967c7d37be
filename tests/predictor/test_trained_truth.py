"""Predictors on networks that were really trained: the space ``quick`` on the digits (``benchmarks.quick_truth``)."""

import numpy as np
import pytest

from surrogate_nas.predictor.predictor import fit_predictor
from surrogate_nas.predictor.protocol import Codes, Floats
from surrogate_nas.predictor.settings import PredictorSettings
from surrogate_nas.ranking import kendall_tau
from surrogate_nas.report.truth.truth import read_truth
from surrogate_nas.space.load import load_space
from tests.conftest import REPOSITORY

FILE = REPOSITORY / "tests" / "assets" / "quick_truth.csv"


@pytest.fixture(scope="module")
def truth() -> tuple[Codes, Floats, Floats]:
    """Returns every class of the space, and its accuracy in two trainings."""
    space = load_space("quick")
    one, other = (read_truth(FILE, space, f"seed{seed}").accuracy_percent for seed in (0, 1))
    known = np.isfinite(one)
    return space.all_codes()[known], one[known], other[known]


def test_a_second_training_and_a_count_order_the_first_one(truth: tuple[Codes, Floats, Floats]) -> None:
    # Twelve passes leave much to chance: one training predicts another one worse (.50) than the parameters do (.60).
    codes, one, other = truth
    space = load_space("quick")
    parameters = space.parameters(codes, space.network).astype(np.float64)
    assert kendall_tau(one, other) == pytest.approx(0.50, abs=0.01)
    assert kendall_tau(parameters, other) == pytest.approx(0.60, abs=0.01)


@pytest.mark.slow
def test_a_predictor_of_half_of_the_networks_orders_the_others(truth: tuple[Codes, Floats, Floats]) -> None:
    codes, one, other = truth
    taus = []
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(len(codes))
        shown, asked = order[:24], order[24:]
        settings = PredictorSettings(width=16, layers=2, steps=100, ensemble=2, folds=2, recipe="labels")
        fitted = fit_predictor(load_space("quick"), codes[shown], one[shown], one[shown], settings, seed)
        taus.append(kendall_tau(fitted.score(codes[asked]), other[asked]))
    assert np.mean(taus) > 0.3
