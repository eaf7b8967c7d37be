"""Joins models that learn from trained networks, each in its own way, with scores that need no trained networks.

Symbols:
    N: architectures to predict.
    M: trained networks, one per isomorphism class.
    R: architectures of the reference set.
"""

from dataclasses import dataclass

import numpy as np

from surrogate_nas.predictor.ensemble import Ensemble, Member, derived_seed
from surrogate_nas.predictor.features.path_counts import path_sums
from surrogate_nas.predictor.fusion.cached_model import remembered
from surrogate_nas.predictor.fusion.fine_tuning import pretrained_members, tuned_members
from surrogate_nas.predictor.fusion.priors import Prior
from surrogate_nas.predictor.fusion.process import (
    Groups,
    ProcessModel,
    fit_process,
    known_groups,
    normal_scores,
    standardised,
)
from surrogate_nas.predictor.fusion.rank_mean import Ranked, Stack, ranked
from surrogate_nas.predictor.models.boosting import BoostingScorer
from surrogate_nas.predictor.protocol import Codes, FittedModel, Floats, Prediction
from surrogate_nas.predictor.settings import PredictorSettings
from surrogate_nas.predictor.training_set import TrainingSet
from surrogate_nas.space.space import Space

# Fewer give hardly any information about an order.
MINIMUM_TRAINED = 5
# Fewer trained networks only correct the weights of known scores; more of them add information beyond any count. At 20
# networks, models of the graphs cost 0.01 to 0.04 in tau; at 50 they gain.
ENOUGH_FOR_GRAPHS = 50
BOOSTED_MEMBERS = 3
TUNED_MEMBERS = 3


@dataclass(frozen=True)
class Known:
    """Scores that need no trained networks.

    Attributes:
        space: Space of the codes.
        prior: The prior.
        start: Ranks by labels and prior together.
        labels: Ranks of the model of a supernet's labels alone; None without labels.
    """

    space: Space
    prior: Prior
    start: Ranked
    labels: Ranked | None

    def scores(self) -> list[Ranked]:
        """Returns the start, and the labels where there are any."""
        return [self.start] if self.labels is None else [self.start, self.labels]

    def groups(self, structure: bool) -> Groups:
        """Returns the inputs of a Gaussian process; ``structure`` adds the graphs."""
        return known_groups(self.space, self.prior, [one.score for one in self.scores()], structure)

    def columns(self, codes: Codes) -> Floats:
        """Returns the inputs of boosting for codes of shape (N, D), shape (N, any)."""
        ranks = np.stack([one.score(codes) for one in self.scores()], axis=1)
        return np.concatenate([ranks, self.prior.ranks(codes), path_sums(self.space, codes).columns()], axis=1)


@dataclass(frozen=True)
class SourceStack:
    """A ``FittedModel``: mean of the ranks of the start and of the models that learnt from trained networks.

    Attributes:
        known: Scores that need no trained networks.
        process: A Gaussian process.
        boosted: Gradient boosting; None where trained networks were few.
        tuned: Graph networks, pretrained and tuned; None in the same case.
        models: All joined models, by name, as ranks.
        codes: The trained networks, shape (M, D).
        targets: Targets of the fit, shape (M,).
    """

    known: Known
    process: ProcessModel
    boosted: Ensemble | None
    tuned: Ensemble | None
    models: dict[str, Ranked]
    codes: Codes
    targets: Floats

    def predict(self, codes: Codes) -> Prediction:
        """Returns the mean of the models' ranks for codes of shape (N, D), and how far the models disagree.

        Raises:
            SpaceError: If the codes are not codes of the space.
        """
        return Stack(self.known.space, self.models).predict(codes)


def fit_stack(
    space: Space,
    settings: PredictorSettings,
    start: FittedModel,
    known: tuple[Prior, FittedModel | None],
    units: TrainingSet,
    reference: Codes,
    seed: int,
) -> SourceStack:
    """Joins the start with models that learn from trained networks.

    With few of them this is a Gaussian process on the start, the labels and the prior's votes. From 50 on it is a
    process and boosting that also use the graphs, and graph networks that first learn the mean of all these over the
    whole space and are then tuned on the trained networks alone.

    Args:
        space: Space of the codes.
        settings: Settings of the graph networks.
        start: Model without trained networks.
        known: The prior, and the model of a supernet's labels where there is one.
        units: Trained networks, one per isomorphism class.
        reference: Architectures among which ranks are taken.
        seed: Seed of the fits.

    Raises:
        TrainingError: If a fit diverged.
    """

    def ranks(model: FittedModel) -> Ranked:
        return ranked(remembered(space, model, reference), reference)

    prior, labels = known
    all_known = Known(space, prior, ranks(start), None if labels is None else ranks(labels))
    graphs = len(units) >= ENOUGH_FOR_GRAPHS
    groups = standardised(all_known.groups(structure=graphs), reference)
    process = fit_process(space, groups, units.codes, units.targets)
    models = {"start": all_known.start, "process": ranks(process)}
    if not graphs:
        return SourceStack(all_known, process, None, None, models, units.codes, units.targets)
    boosted = _boosted(settings, all_known, units, derived_seed(seed, 0))
    models["boosting"] = ranks(boosted)
    tuned = _tuned(space, settings, Stack(space, dict(models)), units, reference, derived_seed(seed, 1))
    models["tuned"] = ranks(tuned)
    return SourceStack(all_known, process, boosted, tuned, models, units.codes, units.targets)


def _boosted(settings: PredictorSettings, known: Known, units: TrainingSet, seed: int) -> Ensemble:
    members = []
    for index in range(BOOSTED_MEMBERS):
        scorer = BoostingScorer(known.space, settings, columns=known.columns)
        scorer.fit(units.codes, normal_scores(units.targets), seed=derived_seed(seed, index))
        members.append(Member(scorer, 0.0, 1.0))
    return Ensemble(known.space, settings, members)


def tuned_settings(settings: PredictorSettings) -> PredictorSettings:
    """Returns settings of the graph networks that are tuned."""
    return settings.model_copy(update={"model": "gcn", "ensemble": TUNED_MEMBERS})


def _tuned(
    space: Space, settings: PredictorSettings, start: FittedModel, units: TrainingSet, reference: Codes, seed: int
) -> Ensemble:
    """Returns graph networks pretrained on the start's scores of the reference set, tuned on trained networks."""
    networks = tuned_settings(settings)
    distinct = np.unique(space.canonical(reference), axis=0)
    known = start.predict(distinct).mean
    first = pretrained_members(space, networks, distinct, known, derived_seed(seed, 0))
    members = tuned_members(first, units.codes, units.targets, distinct, derived_seed(seed, 1))
    return Ensemble(space, networks, members)
