"""Measures how well a predictor orders architectures if neither they nor isomorphic ones were in its fit.

Symbols:
    M: labels.
    U: units, one per distinct architecture (see ``targets``).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surrogate_nas.predictor.ensemble import derived_seed, fit_member
from surrogate_nas.predictor.protocol import Floats
from surrogate_nas.predictor.settings import PredictorSettings
from surrogate_nas.predictor.training_set import TrainingSet
from surrogate_nas.ranking import bootstrap_values, kendall_tau, percentile_interval, regret, top_tau
from surrogate_nas.space.space import Space


@dataclass(frozen=True)
class FitContext:
    """Inputs of a fit, and the callbacks during it.

    Attributes:
        space: Space of the codes.
        settings: Settings of the predictor.
        seed: Seed of folds, fits and the bootstrap.
        baselines: Scores to compare with, one per label, larger is better.
        on_fold: Called after each fold of each model.
        should_stop: Called from time to time; True ends a fit.
    """

    space: Space
    settings: PredictorSettings
    seed: int
    baselines: Mapping[str, ArrayLike] | None = None
    on_fold: Callable[[], None] | None = None
    should_stop: Callable[[], bool] | None = None

    def of_model(self, model: str) -> "FitContext":
        """Returns the same for one kind of model."""
        return replace(self, settings=self.settings.model_copy(update={"model": model}))


@dataclass(frozen=True)
class CrossValidation:
    """Agreement of held-out scores with held-out labels; the labels' own error is not in it.

    Each fold is scored by one model that saw all other folds, where a prediction is the mean of an ensemble: so the
    figures are a little pessimistic. All of them are over distinct architectures.

    Attributes:
        tau: Kendall's tau-b.
        low: Lower end of its 95% bootstrap interval over isomorphism classes.
        high: Upper end.
        top10_tau: Tau among the best tenth by label; NaN where their labels are equal.
        top10_low: Lower end of its interval, found in the same way.
        top10_high: Upper end.
        regret_percent: Expected regret: best label accuracy minus the label accuracy of the architecture with the
            highest score, mean over the resamples of the bootstrap. The regret of a single pick depends on luck.
        regret_low: Lower end of the middle 95% of the resamples' regrets.
        regret_high: Upper end.
        baselines: Tau of each baseline against the same labels, by name; NaN for one that is constant.
        out_of_fold: Held-out score of each label's architecture, shape (M,).
        labels_tau: Tau of the model of the labels alone; another one than ``tau`` where its scores were joined with
            what is known without labels.
        fold: Fold in which it was held out, shape (M,).
    """

    tau: float
    low: float
    high: float
    top10_tau: float
    top10_low: float
    top10_high: float
    regret_percent: float
    regret_low: float
    regret_high: float
    baselines: Mapping[str, float]
    out_of_fold: Floats
    fold: NDArray[np.int64]
    labels_tau: float

    def joined(self, scores: Floats, units: TrainingSet, seed: int) -> "CrossValidation":
        """Returns the evidence for the scores that held-out ones were joined into, shape (U,).

        The joint has no fit of its own in each fold: its weights and ranks are of the whole space.
        """
        figures = _figures(scores, units, seed)
        return replace(self, **figures, out_of_fold=scores[units.unit_of_label], labels_tau=self.tau)


def assign_folds(groups: NDArray[np.integer], folds: int, seed: int) -> NDArray[np.int64]:
    """Returns a fold for each unit, at random but equal within a group, with groups divided evenly over folds.

    Args:
        groups: Shape (U,).
        folds: Number of folds.
        seed: Seed of the assignment.

    Returns:
        Shape (U,), values 0 to folds - 1.
    """
    distinct, position = np.unique(groups, return_inverse=True)
    fold_of_group = np.random.default_rng(seed).permutation(len(distinct)) % folds
    return np.asarray(fold_of_group[position.reshape(-1)], dtype=np.int64)


def out_of_fold_scores(context: FitContext, units: TrainingSet, fold: NDArray[np.int64], seed: int) -> Floats:
    """Returns the score of each unit by a model that was fitted to the other folds, shape (U,).

    Every fold's model has its own scale; its scores are standardised over its training units.
    """
    scores = np.empty(len(units))
    for index in range(context.settings.folds):
        held_out = fold == index
        member = fit_member(
            context.space,
            context.settings,
            units.codes[~held_out],
            units.targets[~held_out],
            seed=derived_seed(seed, index),
            should_stop=context.should_stop,
        )
        scores[held_out] = member.score(units.codes[held_out])
        if context.on_fold is not None:
            context.on_fold()
    return scores


def cross_validate(context: FitContext, units: TrainingSet) -> CrossValidation:
    """Runs a K-fold cross-validation with one model per fold.

    Args:
        context: Inputs of the fit, which include the number of folds and the baselines.
        units: Training units.

    Raises:
        SettingsError: If a baseline is not M finite numbers.
        Interrupted: If ``should_stop`` returned True.
    """
    seed, baselines = context.seed, context.baselines or {}
    rivals = {name: units.mean_over_labels(values, f"baseline {name}") for name, values in baselines.items()}
    fold = assign_folds(units.groups, context.settings.folds, derived_seed(seed, 0))
    scores = out_of_fold_scores(context, units, fold, derived_seed(seed, 1))
    figures = _figures(scores, units, seed)
    return CrossValidation(
        **figures,
        baselines={name: kendall_tau(values, units.targets) for name, values in rivals.items()},
        out_of_fold=scores[units.unit_of_label],
        fold=fold[units.unit_of_label],
        labels_tau=figures["tau"],
    )


def _figures(scores: Floats, units: TrainingSet, seed: int) -> dict[str, Any]:
    """Returns the figures of held-out scores, shape (U,), by the names of ``CrossValidation``."""

    def resampled(statistic: Callable[[Floats, Floats], float], truth: Floats) -> Floats:
        # The same resamples for every figure.
        return bootstrap_values(
            lambda rows: statistic(scores[rows], truth[rows]), len(units), derived_seed(seed, 2), groups=units.groups
        )

    low, high = percentile_interval(resampled(kendall_tau, units.targets))
    top10_low, top10_high = percentile_interval(resampled(top_tau, units.targets))
    regrets = resampled(regret, units.accuracy_percent)
    regret_low, regret_high = percentile_interval(regrets)
    return {
        "tau": kendall_tau(scores, units.targets),
        "low": low,
        "high": high,
        "top10_tau": top_tau(scores, units.targets),
        "top10_low": top10_low,
        "top10_high": top10_high,
        "regret_percent": float(regrets.mean()),
        "regret_low": regret_low,
        "regret_high": regret_high,
    }
