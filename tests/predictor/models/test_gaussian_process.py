"""Gradients against differences, predictions against scikit-learn, weights that follow the data."""

import numpy as np
import pytest
from scipy.optimize import check_grad
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, DotProduct

from surrogate_nas.predictor.models import gaussian_process as module
from surrogate_nas.predictor.models.gaussian_process import fit_gaussian_process


def columns(seed: int, count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(count, 1)), rng.normal(size=(count, 3))]


def test_the_gradient_is_that_of_the_loss() -> None:
    groups = columns(0, 15)
    matrices = module._distances_and_products(groups, groups)
    targets = np.random.default_rng(1).normal(size=15)
    point = np.random.default_rng(2).normal(-0.5, 0.4, 7)
    difference = check_grad(
        lambda p: module._loss(p, *matrices, targets)[0], lambda p: module._loss(p, *matrices, targets)[1], point
    )
    assert difference < 1e-4


def test_it_predicts_as_scikit_learn_does_with_the_same_kernel() -> None:
    groups = columns(0, 30)[1:]
    targets = np.sin(groups[0][:, 0]) + groups[0][:, 1]
    process = fit_gaussian_process(groups, targets)
    amplitude, length, slope, noise = np.exp(process.logarithms)
    kernel = ConstantKernel(amplitude**2) * RBF(length * 3**0.5) + ConstantKernel(slope**2 / 3) * DotProduct(0)
    rival = GaussianProcessRegressor(kernel, alpha=noise**2 + 1e-6, optimizer=None)
    rival.fit(groups[0], targets - targets.mean())
    unseen = columns(5, 50)[1:]
    mean, std = process.predict(unseen)
    wanted, spread = rival.predict(unseen[0], return_std=True)
    np.testing.assert_allclose(mean, wanted + targets.mean(), atol=1e-6)
    np.testing.assert_allclose(std, spread, atol=1e-5)


def test_the_group_that_says_something_gets_the_weight() -> None:
    groups = columns(3, 80)
    process = fit_gaussian_process(groups, 2 * groups[0][:, 0])
    worth = np.exp(process.logarithms[:-1].reshape(2, 3))
    assert worth[0, [0, 2]].max() > 5 * worth[1, [0, 2]].max()
    mean, std = process.predict(columns(3, 80))
    assert np.corrcoef(mean, groups[0][:, 0])[0, 1] > 0.99
    far = [10 * group for group in columns(4, 5)]
    assert process.predict(far)[1].mean() > std.mean()


@pytest.mark.parametrize("count", [5, 200])
def test_repeated_rows_do_no_harm(count: int) -> None:
    groups = [np.repeat(group, 2, axis=0) for group in columns(1, count)]
    mean, std = fit_gaussian_process(groups, np.arange(2 * count) / count).predict(groups)
    assert np.isfinite(mean).all()
    assert np.isfinite(std).all()
