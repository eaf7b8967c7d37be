"""One predictor from labels of two sources: a supernet's, many and biased, and trained networks', few and right.

Symbols:
    M: labels of a source.
    R: architectures of the reference set, one per isomorphism class, among which ranks are taken.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from surrogate_nas.errors import SettingsError
from surrogate_nas.predictor.auto import choose_model
from surrogate_nas.predictor.ensemble import Ensemble, derived_seed
from surrogate_nas.predictor.fusion import FusionWeights, fusion_weights
from surrogate_nas.predictor.priors import PRIOR_CORRELATION, Prior, make_prior
from surrogate_nas.predictor.protocol import Codes, FittedModel, Floats, Prediction
from surrogate_nas.predictor.rank_transform import RankTransform, rank_transform
from surrogate_nas.predictor.settings import PredictorSettings
from surrogate_nas.predictor.source_stack import fit_stack
from surrogate_nas.predictor.targets import make_units
from surrogate_nas.space.space import Space

REFERENCE_SIZE = 20_000
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
        labels: The fitted ensemble, and the transform of its scores to ranks; None without labels.
        weights: How far each is trusted; None without labels.
    """

    space: Space
    prior: Prior
    labels: tuple[Ensemble, RankTransform] | None = None
    weights: FusionWeights | None = None

    def predict(self, codes: Codes) -> Prediction:
        """Scores of codes of shape (N, D), and the spread that the ensemble's members cause.

        Raises:
            SpaceError: If the codes are not codes of the space.
        """
        codes = self.space.check(codes)
        prior = self.prior.score(codes)
        if self.labels is None or self.weights is None:
            return Prediction(prior, np.zeros(len(prior)))
        ensemble, transform = self.labels
        prediction = ensemble.predict(codes)
        # The members' scores are on a scale of their own, whose slope to ranks is about 1 where they are standardised.
        return Prediction(self.weights(transform(prediction.mean), prior), self.weights.label * prediction.std)


def reference_codes(space: Space, seed: int) -> Codes:
    """The whole space where it can be listed and is small enough, a uniform sample otherwise, shape (R, D)."""
    if space.listable and space.size <= REFERENCE_SIZE:
        return space.all_codes()
    return space.sample(REFERENCE_SIZE, np.random.default_rng(seed))


def _fit_to_labels(space: Space, settings: PredictorSettings, labels: SourceLabels, seed: int) -> Ensemble:
    units = make_units(space, labels.codes, labels.values, labels.values, settings.canonical)
    if settings.model == "auto":
        settings, _ = choose_model(space, settings, units, seed=derived_seed(seed, 0))
    ensemble = Ensemble(space, settings)
    ensemble.fit(units.codes, units.targets, seed=seed)
    return ensemble


def fit_without_training(
    space: Space, settings: PredictorSettings, supernet: SourceLabels | None, reference: Codes, seed: int
) -> FusedPredictor:
    """What is known before any network is trained: the supernet's labels, if any, and the prior.

    Args:
        space: Space of the codes.
        settings: Of the ensemble that learns the labels.
        supernet: Labels of a supernet.
        reference: Architectures among which ranks are taken, shape (R, D).
        seed: Decides the fit.

    Raises:
        SettingsError: If labels cannot be learnt from.
    """
    prior = make_prior(space, reference)
    if supernet is None:
        return FusedPredictor(space, prior)
    ensemble = _fit_to_labels(space, settings, supernet, seed)
    scores = ensemble.predict(reference).mean
    transform = rank_transform(scores, "scores of the labels")
    weights = fusion_weights(transform(scores), prior.score(reference), PRIOR_CORRELATION)
    return FusedPredictor(space, prior, (ensemble, transform), weights)


def _labels_alone(
    space: Space,
    settings: PredictorSettings,
    supernet: SourceLabels | None,
    trained: SourceLabels | None,
    seed: int,
) -> FittedModel:
    """The rival without priors: fitted to the supernet's labels, or to the trained networks where there are none."""
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
) -> FittedModel:
    """Before any training the fused score; with trained networks, a stack of it and of models that learn from them."""
    reference = reference_codes(space, derived_seed(seed, 0))
    start = fit_without_training(space, settings, supernet, reference, derived_seed(seed, 1))
    if trained is None:
        return start
    units = make_units(space, trained.codes, trained.values, trained.values, True, MINIMUM_TRAINED)
    return fit_stack(space, settings, start, units, reference, derived_seed(seed, 2))


Recipe = Callable[
    [Space, PredictorSettings, SourceLabels | None, SourceLabels | None, int],
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
) -> FittedModel:
    """Fits what a recipe makes of the sources there are.

    Args:
        space: Space of the codes.
        settings: Of the ensemble that learns the supernet's labels.
        supernet: Labels of a supernet, or None.
        trained: Accuracies of trained networks, at least 5 that are not isomorphic, or None.
        recipe: A name of ``RECIPES``.
        seed: Decides all random draws.

    Raises:
        SettingsError: If the recipe is unknown or a source cannot be learnt from.
    """
    if recipe not in RECIPES:
        raise SettingsError(f"unknown recipe {recipe!r}; choose from {', '.join(RECIPES)}")
    return RECIPES[recipe](space, settings, supernet, trained, seed)
