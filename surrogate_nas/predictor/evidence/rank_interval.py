"""Computes intervals for the rank of an architecture's label, calibrated on held-out labels.

Symbols:
    U: architectures with a held-out score and a label.
    N: architectures to predict.

Split conformal prediction (Vovk et al., "Algorithmic Learning in a Random World", 2005; by bins of the prediction,
"Mondrian"): the interval of a bin is as wide as the stated share of its held-out residuals. It holds for labels of
architectures drawn as the labelled ones were. It does not include the error of the labels: a supernet's bias is the
same in the held-out labels.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from surrogate_nas.predictor.protocol import Floats

LEVEL = 0.8
# Fewer residuals do not determine their own quantile.
_PER_BIN = 40
_MOST_BINS = 5


@dataclass(frozen=True)
class RankIntervals:
    """Rank intervals for any score.

    Attributes:
        scores: Held-out scores, rising, shape (U,).
        half_widths: By bin of the predicted rank, bins of equal width, shape (bins,), in shares of all ranks.
        level: Share of labels that the intervals should contain.
        coverage: Share that they contained where each fold was left out in turn; NaN where folds were not given.

    Raises:
        ValueError: If the arrays have other shapes.
    """

    scores: Floats
    half_widths: Floats
    level: float
    coverage: float

    def __post_init__(self) -> None:
        if not self.scores.ndim == self.half_widths.ndim == 1 or not len(self.half_widths):
            raise ValueError(f"intervals are of shapes {self.scores.shape} and {self.half_widths.shape}")

    def __call__(self, scores: Floats) -> tuple[Floats, Floats]:
        """Returns the ends of the intervals for scores (N,), as ranks from 0 (worst label) to 1 (best)."""
        ranks = ranks_among(self.scores, scores)
        half = self.half_widths[_bins(ranks, len(self.half_widths))]
        return np.maximum(ranks - half, 0.0), np.minimum(ranks + half, 1.0)


def rank_intervals(
    scores: Floats, targets: Floats, fold: NDArray[np.int64] | None = None, level: float = LEVEL
) -> RankIntervals:
    """Calibrates intervals on held-out scores.

    Args:
        scores: Scores of models that did not see the architecture, shape (U,).
        targets: Labels, larger is better, shape (U,).
        fold: Fold in which each was held out, shape (U,).
        level: Share of labels that the intervals should contain.
    """
    held = np.nan
    if fold is not None:
        inside = np.zeros(len(scores), dtype=bool)
        for out in (fold == index for index in np.unique(fold)):
            truth = ranks_among(np.sort(targets[~out]), targets[out])
            low, high = _calibrated(scores[~out], targets[~out], level, np.nan)(scores[out])
            inside[out] = (low <= truth) & (truth <= high)
        held = float(inside.mean())
    return _calibrated(scores, targets, level, held)


def _calibrated(scores: Floats, targets: Floats, level: float, coverage: float) -> RankIntervals:
    known = np.sort(scores)
    predicted, actual = ranks_among(known, scores), rankdata(targets) / (len(targets) + 1)
    residuals = np.abs(predicted - actual)
    bins = int(np.clip(len(scores) // _PER_BIN, 1, _MOST_BINS))
    member = _bins(predicted, bins)
    half = np.array([_quantile(residuals[member == index], level) for index in range(bins)])
    return RankIntervals(known, half, level, coverage)


def ranks_among(known: Floats, values: Floats) -> Floats:
    """Returns the share of known values, rising, that lie below each value, equal ones counted half, shape (N,)."""
    below = np.searchsorted(known, values, side="left") + np.searchsorted(known, values, side="right")
    return np.asarray((below / 2 + 0.5) / (len(known) + 1), dtype=np.float64)


def _bins(ranks: Floats, bins: int) -> NDArray[np.int64]:
    return np.minimum((ranks * bins).astype(np.int64), bins - 1)


def _quantile(residuals: Floats, level: float) -> float:
    """Returns the smallest residual that at least ``level`` of n + 1 residuals do not exceed; 1 if n is too small."""
    position = int(np.ceil(level * (len(residuals) + 1))) - 1
    return float(np.sort(residuals)[position]) if position < len(residuals) else 1.0
