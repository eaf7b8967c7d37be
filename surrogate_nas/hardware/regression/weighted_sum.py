"""Products of a table and a vector whose last bits are the same everywhere."""

import numpy as np
from numpy.typing import NDArray


def weighted_sum(columns: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns ``columns @ weights`` for (N, K) and (K,), column by column, shape (N,).

    The last bits of a BLAS product depend on the memory addresses of its operands and on the number of rows; two
    processes must agree on costs.
    """
    total = np.zeros(len(columns))
    for column, weight in zip(columns.T, weights, strict=True):
        total += column * weight
    return total
