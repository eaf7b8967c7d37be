"""Predicts the latency of a network from the summed latencies of its pieces.

Pieces timed alone run with warm caches and without their neighbours, so their sum is off by a factor that differs
between kinds of pieces, between short and long networks, and between networks whose weights fit into a cache and
others. A few networks measured as a whole give the factors.

Symbols:
    M: networks measured as a whole.
    G: groups of pieces, the first of which are the fixed layers.
    X: summed latency of each group in each network, (M, G), ms.
    y: measured latency, (M,), ms.
    w: weights of each network, (M,), in number.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from surrogate_nas.hardware.regression.weighted_sum import weighted_sum

Kind = Literal["scale and offset", "factor per group", "factor by shares"]
Floats = NDArray[np.float64]
_PENALTY = 3.0  # of the factor by shares, on standardised columns; chosen on networks of the space images32


_LEAST = 0.05  # of a sum of pieces, in the place of a prediction of nothing


class _Summed(NamedTuple):
    """X and w of networks."""

    groups: Floats
    weights: Floats


class _Law(NamedTuple):
    """A kind of correction.

    Attributes:
        solve: Returns the coefficients for X, w and y.
        predict: Returns latencies, shape (N,), of N networks, by coefficients.
        names: Returns a name for each coefficient, by the names of the groups.
    """

    solve: Callable[[_Summed, Floats], Floats]
    predict: Callable[[_Summed, Floats], Floats]
    names: Callable[[tuple[str, ...]], tuple[str, ...]]


def _with_offset(networks: _Summed) -> Floats:
    return np.column_stack([np.ones(len(networks.groups)), networks.groups.sum(axis=1)])


def _not_negative(design: Floats, measured: Floats) -> Floats:
    # Divided by the measured latency, so that squares of relative errors are summed.
    coefficients, _ = nnls(design / measured[:, None], np.ones(len(measured)))
    return np.asarray(coefficients, dtype=np.float64)


def _shares(networks: _Summed) -> Floats:
    """Returns a column of ones, each group's share of the sum, and logarithms of the sum and of w, shape (N, G + 3)."""
    groups, total = networks.groups, networks.groups.sum(axis=1)
    size = np.log(np.maximum(networks.weights, 1))
    return np.column_stack([np.ones(len(groups)), groups / total[:, None], np.log(total), size])


def _solve_shares(networks: _Summed, measured: Floats) -> Floats:
    """Fits the logarithm of the factor, by ridge regression: networks are few, and shares sum to 1."""
    columns = _shares(networks)[:, 1:]
    mean, spread = columns.mean(axis=0), columns.std(axis=0)
    spread[spread < 1e-12] = np.inf  # a constant column says nothing
    scaled = (columns - mean) / spread
    wanted = np.log(measured / networks.groups.sum(axis=1))
    weights = np.linalg.solve(
        scaled.T @ scaled + _PENALTY * np.eye(scaled.shape[1]), scaled.T @ (wanted - wanted.mean())
    )
    weights /= spread
    return np.array([wanted.mean() - float(mean @ weights), *weights])


def _predict_shares(networks: _Summed, coefficients: Floats) -> Floats:
    return np.asarray(networks.groups.sum(axis=1) * np.exp(weighted_sum(_shares(networks), coefficients)))


_LAWS: dict[Kind, _Law] = {
    "scale and offset": _Law(
        lambda networks, measured: _not_negative(_with_offset(networks), measured),
        lambda networks, coefficients: weighted_sum(_with_offset(networks), coefficients),
        lambda _: ("offset_ms", "scale"),
    ),
    "factor per group": _Law(
        lambda networks, measured: _not_negative(networks.groups, measured),
        lambda networks, coefficients: weighted_sum(networks.groups, coefficients),
        lambda groups: groups,
    ),
    "factor by shares": _Law(
        _solve_shares,
        _predict_shares,
        lambda groups: ("log_factor", *groups, "logarithm of the sum", "logarithm of the weights"),
    ),
}
KINDS: tuple[Kind, ...] = tuple(_LAWS)


@dataclass(frozen=True)
class Correction:
    """Correction of a profile; its predictions are above zero.

    Attributes:
        kind: One scale and an offset for the total; a factor for each group; or a factor for the total that depends on
            each group's share in it, on the total, and on the number of weights.
        coefficients: Offset (ms) and scale, shape (2,); factors, shape (G,); or the factor's logarithm without any
            share, its change by each share, by the logarithm of the total and of the weights, shape (G + 3,).
        errors: Relative error of each measured network when it is left out of the fit, shape (M,):
            predicted / measured - 1.
    """

    kind: Kind
    coefficients: NDArray[np.float64]
    errors: NDArray[np.float64]

    @property
    def held_out(self) -> NDArray[np.float64]:
        """Measured / predicted - 1 of each network that was left out, shape (M,); at most a factor of 20."""
        return np.asarray(1 / np.maximum(1 + self.errors, _LEAST) - 1)

    @property
    def relative_error(self) -> float:
        """Median of the absolute relative errors."""
        return float(np.median(np.abs(self.errors)))

    @property
    def mean_log_factor(self) -> float:
        """Mean absolute logarithm of predicted / measured; a prediction of nothing counts as a factor of 20."""
        return float(np.mean(np.abs(np.log(np.maximum(1 + self.errors, 0.05)))))

    def predict(self, groups: NDArray[np.float64], weights: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """Returns latencies, shape (N,), in ms.

        Args:
            groups: Latency of each group alone, shape (N, G), in ms.
            weights: Number of weights, shape (N,), where the fit had them.
        """
        predicted = _LAWS[self.kind].predict(_summed(groups, weights), self.coefficients)
        # A fit to few noisy networks may give groups of pieces no time at all, and nothing would keep any budget.
        return np.where(predicted > 0, predicted, _LEAST * groups.sum(axis=1))

    def named(self, groups: tuple[str, ...]) -> dict[str, float]:
        """Returns the coefficients by name, given the names of the groups, length G."""
        return dict(zip(_LAWS[self.kind].names(groups), self.coefficients.tolist(), strict=True))


def fit_correction(
    groups: NDArray[np.float64], measured: NDArray[np.float64], weights: NDArray[np.float64] | None = None
) -> Correction:
    """Returns the kind of correction that is most accurate on networks left out of its fit.

    By the mean factor between prediction and measurement rather than the median error: a kind that predicts next to
    nothing for one of the networks would make every bound absurd.

    Args:
        groups: X, shape (M, G), rows with a sum above zero; M at least 2.
        measured: y, shape (M,), above zero.
        weights: w, shape (M,); None where they play no part.

    Raises:
        ValueError: If there are fewer than two networks.
    """
    if len(measured) < 2:
        raise ValueError(f"a correction needs at least 2 measured networks (got {len(measured)})")
    fits = [_fit(kind, _summed(groups, weights), measured) for kind in KINDS]
    return min(fits, key=lambda fit: fit.mean_log_factor)


def _summed(groups: Floats, weights: Floats | None) -> _Summed:
    return _Summed(groups, np.ones(len(groups)) if weights is None else weights)


def _fit(kind: Kind, networks: _Summed, measured: Floats) -> Correction:
    law, (groups, weights) = _LAWS[kind], networks
    errors = np.empty(len(measured))
    for left_out in range(len(measured)):
        others = np.arange(len(measured)) != left_out
        one, rest = (_Summed(groups[rows], weights[rows]) for rows in ([left_out], others))
        errors[left_out] = law.predict(one, law.solve(rest, measured[others]))[0] / measured[left_out] - 1.0
    return Correction(kind, law.solve(networks, measured), errors)
