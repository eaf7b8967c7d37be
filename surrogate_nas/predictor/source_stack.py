"""The models that learn from trained networks, each in its own way, and their stack.

Symbols:
    M: trained networks, one per isomorphism class.
    R: architectures of the reference set.
"""

from collections.abc import Callable

import numpy as np

from surrogate_nas.predictor.boosting_scorer import BoostingScorer
from surrogate_nas.predictor.cross_validation import assign_folds
from surrogate_nas.predictor.ensemble import Ensemble, Member, derived_seed
from surrogate_nas.predictor.fine_tuning import pretrained_members, tuned_members
from surrogate_nas.predictor.fit import rank_scale
from surrogate_nas.predictor.priors import complexity_counts
from surrogate_nas.predictor.protocol import Codes, FittedModel, Floats
from surrogate_nas.predictor.settings import PredictorSettings
from surrogate_nas.predictor.stacking import Ranked, Stack, ranked, stacking_weights
from surrogate_nas.predictor.targets import Units
from surrogate_nas.space.space import Space

FOLDS = 5
# Held-out scores decide weights, for which two members do; the models that are kept have all members.
MEMBERS_PER_FOLD = 2

# (codes (M, D), targets (M,), members, seed) -> fitted model
FitTrained = Callable[[Codes, Floats, int, int], FittedModel]


def ways_to_learn(
    space: Space, settings: PredictorSettings, start: FittedModel, reference: Codes, seed: int
) -> dict[str, FitTrained]:
    """The models that are joined with the start, as functions that fit them.

    ``tuned`` are graph networks that first learn the start's scores of the whole reference set; ``scratch`` the same
    networks without that; ``boosting`` sees the start's score and the prior's counts beside the cell.

    Args:
        space: Space of the codes.
        settings: Of the ensembles.
        start: What is known without trained networks.
        reference: Shape (R, D).
        seed: Decides the pretraining.
    """
    distinct = np.unique(space.canonical(reference), axis=0)
    known = start.predict(distinct).mean
    networks = settings.model_copy(update={"model": "gcn"})
    first = pretrained_members(space, networks, distinct, known, derived_seed(seed, 0))

    def tuned(codes: Codes, targets: Floats, members: int, seed: int) -> FittedModel:
        return Ensemble(space, networks, tuned_members(first[:members], codes, targets, distinct, seed))

    def scratch(codes: Codes, targets: Floats, members: int, seed: int) -> FittedModel:
        ensemble = Ensemble(space, networks.model_copy(update={"ensemble": members}))
        ensemble.fit(codes, targets, seed=seed)
        return ensemble

    def inputs(codes: Codes) -> Floats:
        return np.concatenate([start.predict(codes).mean[:, None], complexity_counts(space, codes)], axis=1)

    def boosting(codes: Codes, targets: Floats, members: int, seed: int) -> FittedModel:
        made = []
        for index in range(members):
            scorer = BoostingScorer(space, settings, inputs=inputs)
            scorer.fit(codes, targets, seed=derived_seed(seed, index))
            made.append(Member(scorer, 0.0, 1.0))
        return Ensemble(space, settings, made)

    return {"tuned": tuned, "scratch": scratch, "boosting": boosting}


def fit_stack(
    space: Space, settings: PredictorSettings, start: FittedModel, units: Units, reference: Codes, seed: int
) -> Stack:
    """Joins the start with the models that learn from trained networks.

    Args:
        space: Space of the codes.
        settings: Of the ensembles.
        start: What is known without trained networks.
        units: Trained networks, one per isomorphism class.
        reference: Architectures among which ranks are taken, shape (R, D).
        seed: Decides folds and fits.

    Raises:
        TrainingError: If a fit diverged.
    """
    ways = ways_to_learn(space, settings, start, reference, derived_seed(seed, 0))
    ranks = rank_scale(units.targets)
    fold = assign_folds(units.groups, min(FOLDS, len(units)), derived_seed(seed, 1))
    first = ranked(start, reference)
    models: dict[str, Ranked] = {"start": first}
    held_out = [first.score(units.codes)]
    for number, (name, fit) in enumerate(ways.items()):
        own = derived_seed(seed, 2, number)
        scores = np.empty(len(units))
        for index in range(int(fold.max()) + 1):
            out = fold == index
            part = fit(units.codes[~out], ranks[~out], MEMBERS_PER_FOLD, derived_seed(own, index))
            scores[out] = ranked(part, reference).score(units.codes[out])
        held_out.append(scores)
        models[name] = ranked(fit(units.codes, ranks, settings.ensemble, derived_seed(own, FOLDS)), reference)
    return Stack(space, models, stacking_weights(held_out, ranks))
