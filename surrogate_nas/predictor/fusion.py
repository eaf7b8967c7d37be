"""Two noisy measures of one quality as one, weighted by what each is worth.

Symbols:
    q: the quality, here the rank of the accuracy after training, standardised.
    l: the rank that a supernet's labels give, standardised; rho_l its correlation with q.
    p: the rank that the prior gives, standardised; rho_p its correlation with q.

With errors of l and p that are independent given q, the regression of q on both is proportional to
    rho_l / (1 - rho_l^2) * l + rho_p / (1 - rho_p^2) * p,
and corr(l, p) = rho_l * rho_p (Spearman's one-factor model). So corr(l, p), which takes no trained network, tells
rho_l once rho_p is known. A supernet that underrates large architectures, as they do, makes corr(l, p) smaller, and is
trusted less for it.
"""

from dataclasses import dataclass

import numpy as np

from surrogate_nas.predictor.protocol import Floats

# Labels that agree with the prior as well as an error-free measure would are still not taken for error-free.
MAXIMUM_CORRELATION = 0.98


@dataclass(frozen=True)
class FusionWeights:
    """How far each measure is trusted.

    Attributes:
        label: Weight of the labels' rank, at least 0.
        prior: Weight of the prior's rank.
        label_correlation: What the labels' correlation with the quality was estimated to be.
    """

    label: float
    prior: float
    label_correlation: float

    def __call__(self, label: Floats, prior: Floats) -> Floats:
        """The weighted sum, shape (N,), of ranks of shape (N,)."""
        return np.asarray(self.label * label + self.prior * prior, dtype=np.float64)


def fusion_weights(label: Floats, prior: Floats, prior_correlation: float) -> FusionWeights:
    """Weights from the agreement of labels and prior over a reference set.

    Args:
        label: Standardised ranks, shape (R,).
        prior: Standardised ranks, shape (R,).
        prior_correlation: rho_p, in (0, 1).
    """
    agreement = float(np.corrcoef(label, prior)[0, 1])
    correlation = min(max(agreement / prior_correlation, 0.0), MAXIMUM_CORRELATION)
    return FusionWeights(_worth(correlation), _worth(prior_correlation), correlation)


def _worth(correlation: float) -> float:
    return correlation / (1 - correlation**2)
