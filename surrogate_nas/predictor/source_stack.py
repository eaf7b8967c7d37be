"""The models that learn from trained networks, each in its own way, joined with what is known without them.

Symbols:
    M: trained networks, one per isomorphism class.
    R: architectures of the reference set.
"""

from collections.abc import Callable

import numpy as np

from surrogate_nas.predictor.boosting_scorer import BoostingScorer
from surrogate_nas.predictor.ensemble import Ensemble, Member, derived_seed
from surrogate_nas.predictor.fine_tuning import pretrained_members, tuned_members
from surrogate_nas.predictor.path_counts import path_sums
from surrogate_nas.predictor.priors import Prior
from surrogate_nas.predictor.process_model import fit_process, known_groups, normal_scores, standardised
from surrogate_nas.predictor.protocol import Codes, FittedModel, Floats
from surrogate_nas.predictor.remembered import remembered
from surrogate_nas.predictor.settings import PredictorSettings
from surrogate_nas.predictor.stacking import Stack, ranked
from surrogate_nas.predictor.targets import Units
from surrogate_nas.space.space import Space

# Fewer trained networks correct the weights of what is known; more of them show what no count knows. At 20 networks,
# models that look at the graphs cost 0.01 to 0.04 in tau; at 50 they gain.
ENOUGH_FOR_GRAPHS = 50
BOOSTED_MEMBERS = 3
TUNED_MEMBERS = 3

Score = Callable[[Codes], Floats]


def fit_stack(
    space: Space,
    settings: PredictorSettings,
    start: FittedModel,
    known: tuple[Prior, FittedModel | None],
    units: Units,
    reference: Codes,
    seed: int,
) -> Stack:
    """Joins the start with models that learn from trained networks.

    With few of them a Gaussian process that sees the start, the labels and the prior's votes. From 50 on a process and
    boosting that see the graphs too, and graph networks that learn the mean of all these over the whole space first and
    are then tuned on the trained networks alone.

    Args:
        space: Space of the codes.
        settings: Of the graph networks.
        start: What is known without trained networks.
        known: The prior, and what follows a supernet's labels where there is one.
        units: Trained networks, one per isomorphism class.
        reference: Architectures among which ranks are taken, shape (R, D).
        seed: Decides the fits.

    Raises:
        TrainingError: If a fit diverged.
    """
    prior, labels = known
    start = remembered(space, start, reference)
    first = ranked(start, reference)
    scores: list[Score] = [first.score]
    if labels is not None:
        scores.append(ranked(remembered(space, labels, reference), reference).score)
    graphs = len(units) >= ENOUGH_FOR_GRAPHS
    groups = standardised(known_groups(space, prior, scores, structure=graphs), reference)
    process = fit_process(space, groups, units.codes, units.targets)
    models = {"start": first, "process": ranked(remembered(space, process, reference), reference)}
    if graphs:
        boosted = _boosted(space, settings, prior, scores, units, derived_seed(seed, 0))
        models["boosting"] = ranked(remembered(space, boosted, reference), reference)
        joined = Stack(space, dict(models))
        tuned = _tuned(space, settings, joined, units, reference, derived_seed(seed, 1))
        models["tuned"] = ranked(remembered(space, tuned, reference), reference)
    return Stack(space, models)


def _boosted(
    space: Space, settings: PredictorSettings, prior: Prior, scores: list[Score], units: Units, seed: int
) -> Ensemble:
    def columns(codes: Codes) -> Floats:
        known = np.stack([score(codes) for score in scores], axis=1)
        return np.concatenate([known, prior.ranks(codes), path_sums(space, codes).columns()], axis=1)

    members = []
    for index in range(BOOSTED_MEMBERS):
        scorer = BoostingScorer(space, settings, columns=columns)
        scorer.fit(units.codes, normal_scores(units.targets), seed=derived_seed(seed, index))
        members.append(Member(scorer, 0.0, 1.0))
    return Ensemble(space, settings, members)


def _tuned(
    space: Space, settings: PredictorSettings, start: FittedModel, units: Units, reference: Codes, seed: int
) -> Ensemble:
    """Graph networks pretrained on the start's scores of the reference set, tuned on trained networks."""
    networks = settings.model_copy(update={"model": "gcn", "ensemble": TUNED_MEMBERS})
    distinct = np.unique(space.canonical(reference), axis=0)
    known = start.predict(distinct).mean
    first = pretrained_members(space, networks, distinct, known, derived_seed(seed, 0))
    members = tuned_members(first, units.codes, units.targets, distinct, derived_seed(seed, 1))
    return Ensemble(space, networks, members)
