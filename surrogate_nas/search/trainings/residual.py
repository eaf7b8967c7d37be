"""Corrects a score by trained networks: a Gaussian process on the part of accuracy that the score leaves unexplained.

Ten trained networks are too few to fit a predictor to, and enough to correct one. A candidate's accuracy is modelled as

    y = level + slope * x + g(features) + own + noise

x is the predictor's score, standardised among the best; g is smooth in the features of the architecture, ``own``
belongs to one architecture alone, and noise to one training. All are normal, so that the posterior has a closed form
(Rasmussen and Williams, "Gaussian Processes for Machine Learning", 2006, chapter 2).

Symbols:
    N: candidates.
    F: features.
    T: trained networks; a network may be trained more than once.
    B: sets of budgets, each of which wants an answer.
"""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from surrogate_nas.search.acquisition import expected_improvement
from surrogate_nas.search.candidates import Floats, Rows
from surrogate_nas.search.settings import ResidualSettings

# The level is unknown; so is, to a smaller extent, the slope.
_LEVEL_SPREAD = 3.0
_SLOPE_SPREAD = 0.5
_FAR = 2.0
# Fewer trainings do not show their spread.
_FEWEST_FOR_SPREAD = 4
_RARE = 0.01  # a share of errors that chance alone may make seem none


@dataclass(frozen=True)
class Posterior:
    """Expected accuracies of N candidates.

    Attributes:
        mean: Expected accuracy in percent, shape (N,); relative to an unknown level where nothing was trained.
        std: Its standard deviation, without the noise of a training, shape (N,).
        noise: Standard deviation of one training around its expected accuracy.
    """

    mean: Floats
    std: Floats
    noise: float


class ResidualProcess:
    """Model of N candidates before and after some of them were trained.

    Only columns of the covariance that belong to trained networks are computed, so a million candidates are feasible.

    Args:
        score: Predicted quality, shape (N,), larger is better; its scale does not matter.
        features: Features to compare architectures by, shape (N, F), scales comparable (``standardised``); F may be 0.
        settings: Influence of the score and of neighbours.
        allowed: True for candidates that may be trained and be the answer, shape (N,), or (B, N) for the answers to
            several sets of budgets; all by default.
        images: Number of images that judge a training; their choice is chance. None where accuracies are exact.
    """

    def __init__(
        self,
        score: Floats,
        features: Floats,
        settings: ResidualSettings,
        allowed: NDArray[np.bool_] | None = None,
        images: int | None = None,
    ) -> None:
        self._settings = settings
        self._answers = np.atleast_2d(np.ones(len(score), dtype=np.bool_) if allowed is None else allowed)
        # The standard deviation of the score is taken among the best, whose differences matter.
        wanted = self.allowed if self.allowed.any() else np.ones(len(score), dtype=np.bool_)
        best = np.sort(score[wanted])[::-1][: settings.reference]
        spread = float(best.std()) if np.ptp(best) > 0 else 1.0
        self._x = (score - best.mean()) / spread
        self._images = images
        self._features = features

    def __len__(self) -> int:
        return len(self._x)

    def with_score(self, score: Floats) -> "ResidualProcess":
        """Returns the same candidates without trainings, with another score, shape (N,)."""
        return ResidualProcess(score, self._features, self._settings, self._answers, self._images)

    def with_answers(self, allowed: NDArray[np.bool_]) -> "ResidualProcess":
        """Returns the same candidates, of which others may be answers, shape (B, N)."""
        changed = copy(self)
        changed._answers = allowed
        return changed

    @property
    def least_unit(self) -> float:
        """Least unit of deviations, in percentage points."""
        return self._settings.spread_percent

    @property
    def sets(self) -> int:
        """The number of sets of budgets, each of which wants an answer."""
        return len(self._answers)

    @property
    def answers(self) -> NDArray[np.bool_]:
        """True for candidates that may be the answer to each set of budgets, shape (B, N)."""
        return self._answers

    @property
    def allowed(self) -> NDArray[np.bool_]:
        """True for candidates that may be trained and be an answer, shape (N,)."""
        return np.asarray(self._answers.any(axis=0))

    def _scaled(self, rows: Rows) -> Floats:
        """Returns the scores in the unit that the slope is of, after the candidates at ``rows`` were trained; (N,).

        It is the standard deviation among the best. It is larger where the trained ones are far from them: then they
        and as many of the best have a standard deviation of ``_FAR`` units. In a large space trained variations of
        known networks lay 80 standard deviations below the best, over which a slope among the best says nothing.
        """
        together = np.concatenate([self._x[rows], np.zeros(len(rows))])
        return np.asarray(self._x / max(1.0, float(together.std()) / _FAR))

    def _columns(self, rows: Rows, x: Floats) -> Floats:
        """Returns the covariance of every candidate, of scores ``x`` (N), with the rows ``rows`` (T), shape (N, T)."""
        settings = self._settings
        near = np.exp(-_squared_distances(self._features, self._features[rows]) / (2 * settings.length**2))
        slope = (_SLOPE_SPREAD * settings.slope) ** 2 * np.outer(x, x[rows])
        columns = settings.smooth**2 * near + slope + _LEVEL_SPREAD**2
        # A repeated row is a repeated architecture.
        for position, row in enumerate(rows.tolist()):
            columns[row, position] += settings.own**2
        return np.asarray(columns)

    def _variance(self, x: Floats) -> Floats:
        """Returns the prior variance of every candidate, of scores ``x``, the level's included, shape (N,)."""
        settings = self._settings
        slope = (_SLOPE_SPREAD * settings.slope * x) ** 2
        return np.asarray(settings.smooth**2 + settings.own**2 + slope + _LEVEL_SPREAD**2)

    def _unit(self, values: Floats, inside: Floats, x: Floats, error: float) -> float:
        """Returns the unit of deviations in percentage points: the setting's, or the trainings' larger spread.

        The spread is held against what the trained ones should differ by. Variations of one network share most of their
        deviation, so that a small spread of theirs is no sign that others are near. What the chance of the judging
        images adds to the spread is no deviation of networks.

        Args:
            values: Accuracies of the trained ones, shape (T,).
            inside: Their covariance in units, shape (T, T).
            x: Their scores, shape (T,).
            error: Standard error of an accuracy by that chance, in percentage points.
        """
        settings = self._settings
        if len(values) < _FEWEST_FOR_SPREAD:
            return settings.spread_percent
        apart, differ = values - values.mean(), x - x.mean()
        variances, axes = np.linalg.eigh(inside + settings.slope**2 * np.outer(differ, differ))
        squares = (apart @ axes) ** 2

        def too_wide(unit: float) -> float:
            return float((squares / (unit**2 * variances + error**2)).sum()) - (len(values) - 1)

        least, most = settings.spread_percent, float(np.sqrt((squares / variances).sum() / (len(values) - 1)))
        # The errors alone may explain the spread.
        if most <= least or too_wide(least) <= 0:
            return least
        return float(brentq(too_wide, least, most)) if error else most

    def _error(self, accuracy_percent: float) -> float:
        """Returns the standard error of an accuracy by the chance which images judge it, in percentage points."""
        share = min(max(accuracy_percent / 100, _RARE), 1 - _RARE)
        return 0.0 if self._images is None else 100 * float(np.sqrt(share * (1 - share) / self._images))

    def posterior(self, rows: Sequence[int], accuracy_percent: Sequence[float]) -> Posterior:
        """Returns the posterior after the candidates at ``rows`` (T) were trained to ``accuracy_percent`` (T)."""
        if not len(rows):
            unit, x = self._settings.spread_percent, self._x
            prior, deviation = self._settings.slope * x, np.sqrt(self._variance(x))
            return Posterior(unit * prior, unit * deviation, unit * self._settings.noise)
        taken = np.asarray(rows, dtype=np.int64)
        values = np.asarray(accuracy_percent, dtype=np.float64)
        x = self._scaled(taken)
        prior = self._settings.slope * x
        columns = self._columns(taken, x)
        inside = columns[taken].copy()
        inside[np.diag_indices(len(taken))] += self._settings.noise**2
        centre = float(values.mean())
        error = self._error(centre)
        unit = self._unit(values, inside, x[taken], error)
        inside[np.diag_indices(len(taken))] += (error / unit) ** 2
        gain = np.linalg.solve(inside, columns.T).T  # (N, T)
        mean = centre + unit * prior + gain @ (values - centre - unit * prior[taken])
        variance = self._variance(x) - np.einsum("nt,nt->n", gain, columns)
        noise = float(np.hypot(unit * self._settings.noise, error))
        return Posterior(mean, unit * np.sqrt(np.maximum(variance, 0.0)), noise)

    def next_batch(
        self, rows: Sequence[int], accuracy_percent: Sequence[float], count: int, pending: Sequence[int] = ()
    ) -> list[int]:
        """Returns candidates worth training next, the most promising first, none of them trained before.

        Candidates are chosen by upper confidence bounds, one after another: each as if earlier ones had their expected
        accuracy ("kriging believer", Ginsbourger et al., 2010), so that a batch is not one neighbourhood; ``pending``
        ones are being trained and are assumed to have their expected accuracy, too. Sets of budgets take turns.
        """
        believed, values = list(rows), [float(value) for value in accuracy_percent]
        chosen: list[int] = []
        for row in pending:
            values.append(float(self.posterior(believed, values).mean[row]))
            believed.append(row)
        free = self._answers.copy()
        free[:, believed] = False
        for _ in range(min(count, int(free.any(axis=0).sum()))):
            state = self.posterior(believed, values)
            turn = _next_turn(free, len(believed))
            # Before any training the candidates differ only in the score.
            bound = state.mean + (self._settings.caution * state.std if believed else 0.0)
            best = int(np.argmax(np.where(free[turn], bound, -np.inf)))
            free[:, best] = False
            chosen.append(best)
            believed.append(best)
            values.append(float(state.mean[best]))
        return chosen

    def expected_gain(self, rows: Sequence[int], accuracy_percent: Sequence[float], count: int) -> float:
        """Returns an upper bound, in percentage points, of the gain expected from ``count`` more trainings.

        It is the sum of the largest expected improvements (Jones et al., 1998) over the candidate that is best now; the
        true gain is smaller, since improvements overlap and a training is noisy. Infinite where nothing was trained.
        Of several sets of budgets, the one that gains most counts.
        """
        if not len(rows):
            return float("inf")
        state = self.posterior(rows, accuracy_percent)
        gains = [0.0]
        for allowed in self._answers[self._answers.any(axis=1)]:
            improvement = expected_improvement(state.mean - state.mean[allowed].max(), state.std)
            improvement[list(rows)] = 0.0
            improvement[~allowed] = 0.0
            gains.append(float(np.sort(improvement)[::-1][:count].sum()))
        return max(gains)

    def in_turns(self, rows: Sequence[int], values: Floats) -> list[int]:
        """Returns candidates in the order in which sets of budgets, in turns, take their best by ``values``, (N,)."""
        best_first = sorted(rows, key=lambda row: (-values[row], row))
        free = np.zeros_like(self._answers)
        free[:, best_first] = self._answers[:, best_first]
        taken: list[int] = []
        while free.any():
            turn = _next_turn(free, len(taken))
            row = next(one for one in best_first if free[turn, one])
            free[:, row] = False
            taken.append(row)
        return taken


def _next_turn(free: NDArray[np.bool_], done: int) -> int:
    """Returns the set of budgets, of those with a candidate left in ``free`` (B, N), whose turn it is."""
    left = np.flatnonzero(free.any(axis=1))
    return int(left[done % len(left)])


def standardised(features: NDArray[np.floating]) -> Floats:
    """Returns features of mean 0 and variance 1, without constants, scaled to distances of about 1; shape (N, F)."""
    spread = features.std(axis=0)
    varying = features[:, spread > 0]
    if not varying.shape[1]:
        return np.zeros((len(features), 0))
    return np.asarray((varying - varying.mean(axis=0)) / spread[spread > 0] / np.sqrt(varying.shape[1]))


def _squared_distances(one: Floats, other: Floats) -> Floats:
    squares = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1)[None, :]
    return np.asarray(np.maximum(squares - 2 * one @ other.T, 0.0))
