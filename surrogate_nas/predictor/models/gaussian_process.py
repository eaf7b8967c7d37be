"""A Gaussian process over several groups of columns, for tens to hundreds of trained networks.

Symbols:
    M: architectures with a target; N: architectures to predict.
    G: groups of columns; x_g: the columns of group g, k_g of them, each with mean 0 and standard deviation 1.
    d_g(x, x'): |x_g - x'_g|^2 / k_g.
    K(x, x') = sum_g a_g^2 exp(-d_g(x, x') / (2 l_g^2)) + b_g^2 x_g . x'_g / k_g, and s^2 on the diagonal.
    y: targets, mean 0.

The amplitudes a_g and b_g, the lengths l_g and the noise s maximise the likelihood of the targets times a log-normal
prior on each of them (Rasmussen and Williams, "Gaussian Processes for Machine Learning", 2006, chapters 2 and 5): with
twenty targets the prior dominates, with hundreds the targets do. So every group's weight is learnt, none is set.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize

from surrogate_nas.predictor.protocol import Floats

# Means and standard deviations of the logarithms of a_g, l_g, b_g, and of s, before any target is seen.
_MEANS, _SPREADS = np.array([-1.0, 0.5, -1.0]), np.array([1.0, 0.5, 1.0])
_NOISE_MEAN, _NOISE_SPREAD = -1.2, 0.5
_JITTER = 1e-6
_ITERATIONS = 60
_FARTHEST = 4.0
_BATCH = 4096


@dataclass(frozen=True)
class GaussianProcess:
    """Fitted process.

    Attributes:
        groups: Columns of the architectures that it was fitted to, shape (M, k_g) each.
        logarithms: Logarithms of a_g, l_g, b_g for each group in turn, then of s, shape (3 G + 1,).
        solved: (K + s^2)^-1 y, shape (M,).
        inverse: (K + s^2)^-1, shape (M, M).
        mean: Mean of the targets.
    """

    groups: tuple[Floats, ...]
    logarithms: Floats
    solved: Floats
    inverse: Floats
    mean: float

    def predict(self, groups: Sequence[Floats]) -> tuple[Floats, Floats]:
        """Returns mean and standard deviation, without the noise of targets, shape (N,) each.

        Args:
            groups: Shape (N, k_g) each.
        """
        count = len(groups[0])
        mean, variance = np.empty(count), np.empty(count)
        for start in range(0, count, _BATCH):
            part = [columns[start : start + _BATCH] for columns in groups]
            across = _kernel(self.logarithms, *_distances_and_products(part, self.groups))
            mean[start : start + _BATCH] = across @ self.solved
            explained = np.einsum("nm,mk,nk->n", across, self.inverse, across, optimize=True)
            variance[start : start + _BATCH] = _own_variance(self.logarithms, part) - explained
        return self.mean + mean, np.sqrt(np.maximum(variance, 0.0))


def fit_gaussian_process(groups: Sequence[Floats], targets: Floats) -> GaussianProcess:
    """Fits amplitudes, lengths and noise by their posterior mode.

    Args:
        groups: Shape (M, k_g) each, standardised.
        targets: Shape (M,), of a scale near 1.
    """
    distances, products = _distances_and_products(groups, groups)
    mean = float(targets.mean())
    centred = targets - mean
    first, spreads = _prior_of_logarithms(len(groups))
    found = minimize(
        _loss,
        first,
        (distances, products, centred),
        "L-BFGS-B",
        jac=True,
        # Far from the prior a step of the line search would leave the range of usable numbers.
        bounds=list(zip(first - _FARTHEST * spreads, first + _FARTHEST * spreads, strict=True)),
        options={"maxiter": _ITERATIONS},
    )
    factor = cho_factor(_noisy(found.x, _kernel(found.x, distances, products)), lower=True)
    # Rows are contiguous in memory, as in a file: the last bits of a product depend on it.
    inverse = np.ascontiguousarray(cho_solve(factor, np.eye(len(targets))))
    columns = tuple(np.ascontiguousarray(group) for group in groups)
    return GaussianProcess(columns, found.x, inverse @ centred, inverse, mean)


def _prior_of_logarithms(groups: int) -> tuple[Floats, Floats]:
    """Returns means and standard deviations, shape (3 G + 1,) each."""
    return np.append(np.tile(_MEANS, groups), _NOISE_MEAN), np.append(np.tile(_SPREADS, groups), _NOISE_SPREAD)


def _distances_and_products(left: Sequence[Floats], right: Sequence[Floats]) -> tuple[Floats, Floats]:
    """Returns d_g and x_g . x'_g / k_g between the rows of two sets, shape (G, rows left, rows right) each."""
    distances, products = [], []
    for one, other in zip(left, right, strict=True):
        product = one @ other.T
        squares = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1)[None, :]
        distances.append(np.maximum(squares - 2 * product, 0.0) / one.shape[1])
        products.append(product / one.shape[1])
    return np.stack(distances), np.stack(products)


def _parts(logarithms: Floats, distances: Floats, products: Floats) -> tuple[Floats, Floats, Floats]:
    """Returns the two terms of K by group, shape (G, rows, rows), and d_g / l_g^2."""
    amplitude, length, slope = np.exp(2 * logarithms[:-1].reshape(-1, 3)).T[:, :, None, None]
    scaled = distances / length
    return amplitude * np.exp(-scaled / 2), slope * products, scaled


def _kernel(logarithms: Floats, distances: Floats, products: Floats) -> Floats:
    near, linear, _ = _parts(logarithms, distances, products)
    return np.asarray(near.sum(axis=0) + linear.sum(axis=0))


def _noisy(logarithms: Floats, kernel: Floats) -> Floats:
    return np.asarray(kernel + (np.exp(2 * logarithms[-1]) + _JITTER) * np.eye(len(kernel)))


def _own_variance(logarithms: Floats, groups: Sequence[Floats]) -> Floats:
    """Returns K(x, x), shape (N,)."""
    amplitude, _, slope = np.exp(2 * logarithms[:-1].reshape(-1, 3)).T
    lengths = np.stack([(columns**2).mean(axis=1) for columns in groups])  # (G, N)
    return np.asarray(amplitude.sum() + slope @ lengths)


def _loss(logarithms: Floats, distances: Floats, products: Floats, targets: Floats) -> tuple[float, Floats]:
    """Returns minus the logarithm of the posterior, up to a constant, and its gradient."""
    near, linear, scaled = _parts(logarithms, distances, products)
    kernel = _noisy(logarithms, near.sum(axis=0) + linear.sum(axis=0))
    factor = cho_factor(kernel, lower=True)
    solved = cho_solve(factor, targets)
    pull = (cho_solve(factor, np.eye(len(targets))) - np.outer(solved, solved)) / 2  # d loss / d kernel
    means, spreads = _prior_of_logarithms(len(near))
    off = (logarithms - means) / spreads
    value = targets @ solved / 2 + np.log(np.diag(factor[0])).sum() + (off**2).sum() / 2
    slopes = np.empty_like(logarithms)
    slopes[0:-1:3] = 2 * (near * pull).sum(axis=(1, 2))
    slopes[1:-1:3] = (near * scaled * pull).sum(axis=(1, 2))
    slopes[2:-1:3] = 2 * (linear * pull).sum(axis=(1, 2))
    slopes[-1] = 2 * np.exp(2 * logarithms[-1]) * np.trace(pull)
    return float(value), slopes + off / spreads
