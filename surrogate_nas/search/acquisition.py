"""Values the trial of an architecture: by its prediction, the prediction's upper bound, or its expected gain.

Symbols:
    N: architectures.
"""

from typing import Literal

import numpy as np

from surrogate_nas.search.candidates import Floats

AcquisitionName = Literal["mean", "ucb", "ei"]


def acquire(mean: Floats, std: Floats, name: AcquisitionName, kappa: float, incumbent: float | None) -> Floats:
    """Returns the value of trying each architecture, shape (N,).

    Args:
        mean: Predicted accuracy, shape (N,).
        std: Its standard deviation, shape (N,).
        name: ``mean``, upper confidence bound (``ucb``) or expected improvement (``ei``).
        kappa: Standard deviations that the upper confidence bound adds.
        incumbent: Best accuracy so far, for the expected improvement over it; without one, the mean is the value.
    """
    if name == "ucb":
        return np.asarray(mean + kappa * std)
    if name == "ei" and incumbent is not None:
        return expected_improvement(mean - incumbent, std)
    return mean


def expected_improvement(gap: Floats, std: Floats) -> Floats:
    """Returns the expected positive part of normal variables with mean ``gap`` and deviation ``std``, shape (N,).

    Jones et al., "Efficient global optimization of expensive black-box functions", 1998.
    """
    from scipy.special import ndtr  # scipy imports slowly, and most searches do not need it

    safe = np.maximum(std, 1e-12)
    z = gap / safe
    density = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
    # Far below the incumbent both terms cancel to rounding errors of either sign.
    return np.asarray(np.where(std > 0, np.maximum(gap * ndtr(z) + safe * density, 0.0), np.maximum(gap, 0.0)))
