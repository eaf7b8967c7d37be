"""One predictor from labels of two sources: a supernet's, many and biased, and trained networks', few and right.

Symbols:
    M: labels of a source.
    R: architectures of the reference set, one per isomorphism class, among which ranks are taken.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from surrogate_nas.errors import SettingsError
from surrogate_nas.predictor.ensemble import Ensemble, derived_seed
from surrogate_nas.predictor.evidence.fit_context import FitContext
from surrogate_nas.predictor.evidence.model_choice import choose_model
from surrogate_nas.predictor.fusion.fusion import Fusion, fuse
from surrogate_nas.predictor.fusion.priors import ExtraScores, Prior, make_prior
from surrogate_nas.predictor.fusion.reference_set import reference_codes
from surrogate_nas.predictor.fusion.stack import fit_stack
from surrogate_nas.predictor.protocol import Codes, FittedModel, Floats, Prediction
from surrogate_nas.predictor.settings import PredictorSettings
from surrogate_nas.predictor.training_set import make_units
from surrogate_nas.space.space import Space

# Fewer say next to nothing about an order.
MINIMUM_TRAINED = 5


@dataclass(frozen=True)
class SourceLabels:
    """Labels of one source.

    Attributes:
        codes: Shape (M, D).
        values: Shape (M,), larger is better; only their order is used.
    """

    codes: Codes
    values: Floats


@dataclass(frozen=True)
class FusedPredictor:
    """A ``FittedModel`` that joins a prior with an ensemble that learnt a supernet's labels.

    Attributes:
        space: Space of the codes.
        prior: The prior.
        ensemble: Fitted to the labels; None without labels.
        fusion: How the two are joined; None without labels.
    """

    space: Space
    prior: Prior
    ensemble: Ensemble | None = None
    fusion: Fusion | None = None

    def predict(self, codes: Codes) -> Prediction:
        """Scores of codes of shape (N, D), and the spread that the ensemble's members cause.

        Raises:
            SpaceError: If the codes are not codes of the space.
        """
        codes = self.space.check(codes)
        if self.ensemble is None or self.fusion is None:
            prior = self.prior.score(codes)
            return Prediction(prior, np.zeros(len(prior)))
        return self.fusion(codes, self.ensemble.predict(codes))


def _fit_to_labels(space: Space, settings: PredictorSettings, labels: SourceLabels, seed: int) -> Ensemble:
    units = make_units(space, labels.codes, labels.values, labels.values, settings.canonical)
    if settings.model == "auto":
        settings, _ = choose_model(FitContext(space, settings, derived_seed(seed, 0)), units)
    ensemble = Ensemble(space, settings)
    ensemble.fit(units.codes, units.targets, seed=seed)
    return ensemble


def fit_without_training(
    space: Space,
    settings: PredictorSettings,
    supernet: SourceLabels | None,
    reference: Codes,
    seed: int,
    extra: ExtraScores | None = None,
) -> FusedPredictor:
    """What is known before any network is trained: the supernet's labels, if any, and the prior.

    Args:
        space: Space of the codes.
        settings: Of the ensemble that learns the labels.
        supernet: Labels of a supernet.
        reference: Architectures among which ranks are taken, shape (R, D).
        seed: Decides the fit.
        extra: Scores from elsewhere.

    Raises:
        SettingsError: If labels cannot be learnt from.
    """
    prior = make_prior(space, reference, extra)
    if supernet is None:
        return FusedPredictor(space, prior)
    ensemble = _fit_to_labels(space, settings, supernet, seed)
    return FusedPredictor(space, prior, ensemble, fuse(prior, reference, ensemble.predict(reference).mean))


def _labels_alone(
    space: Space,
    settings: PredictorSettings,
    supernet: SourceLabels | None,
    trained: SourceLabels | None,
    seed: int,
    extra: ExtraScores | None,
) -> FittedModel:
    """The rival without priors: fitted to the supernet's labels, or to the trained networks where there are none."""
    del extra
    labels = trained if supernet is None else supernet
    if labels is None:
        raise SettingsError("a predictor that learns from labels alone needs labels or trained networks (got neither)")
    return _fit_to_labels(space, settings, labels, seed)


def _fusion(
    space: Space,
    settings: PredictorSettings,
    supernet: SourceLabels | None,
    trained: SourceLabels | None,
    seed: int,
    extra: ExtraScores | None,
) -> FittedModel:
    """Before any training the fused score; with trained networks, a stack of it and of models that learn from them."""
    reference = reference_codes(space, derived_seed(seed, 0))
    start = fit_without_training(space, settings, supernet, reference, derived_seed(seed, 1), extra)
    if trained is None:
        return start
    units = make_units(space, trained.codes, trained.values, trained.values, True, MINIMUM_TRAINED)
    return fit_stack(space, settings, start, (start.prior, start.ensemble), units, reference, derived_seed(seed, 2))


Recipe = Callable[
    [Space, PredictorSettings, SourceLabels | None, SourceLabels | None, int, ExtraScores | None],
    FittedModel,
]

RECIPES: dict[str, Recipe] = {
    "fusion": _fusion,
    "labels": _labels_alone,
}


def fit_sources(
    space: Space,
    settings: PredictorSettings,
    *,
    supernet: SourceLabels | None = None,
    trained: SourceLabels | None = None,
    recipe: str = "fusion",
    seed: int = 0,
    extra: ExtraScores | None = None,
) -> FittedModel:
    """Fits what a recipe makes of the sources there are.

    Args:
        space: Space of the codes.
        settings: Of the ensemble that learns the supernet's labels.
        supernet: Labels of a supernet, or None.
        trained: Accuracies of trained networks, at least 5 that are not isomorphic, or None.
        recipe: A name of ``RECIPES``.
        seed: Decides all random draws.
        extra: Scores from elsewhere, which the recipe of labels alone does not use.

    Raises:
        SettingsError: If the recipe is unknown or a source cannot be learnt from.
    """
    if recipe not in RECIPES:
        raise SettingsError(f"unknown recipe {recipe!r}; choose from {', '.join(RECIPES)}")
    return RECIPES[recipe](space, settings, supernet, trained, seed, extra)
