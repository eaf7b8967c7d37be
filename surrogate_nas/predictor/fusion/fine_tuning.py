"""Fits graph networks first to a score of the whole space, and then to a few trained networks.

Symbols:
    R: architectures of the reference set.
    M: trained networks.
"""

import numpy as np

from surrogate_nas.predictor.ensemble import Member, derived_seed
from surrogate_nas.predictor.models.graph import GraphScorer
from surrogate_nas.predictor.protocol import Codes, Floats
from surrogate_nas.predictor.settings import PredictorSettings
from surrogate_nas.space.space import Space

PRETRAINING_STEPS = 600
TUNING_STEPS = 150
TUNING_RATE = 1e-3


def pretrained_members(
    space: Space, settings: PredictorSettings, codes: Codes, scores: Floats, seed: int
) -> list[GraphScorer]:
    """Returns one graph network per member of the ensemble, fitted to a score.

    Args:
        space: Space of the codes.
        settings: Width, layers, batch size, loss and number of members.
        codes: Shape (R, D).
        scores: Scores to learn, shape (R,).
        seed: Seed of initial weights and batches.
    """
    # PyTorch Geometric takes seconds to import, which a study without trainings need not wait for.
    from surrogate_nas.predictor.models.convolutions import sum_convolution
    from surrogate_nas.predictor.models.graph_kinds import bidirectional

    make_scorer = bidirectional(sum_convolution)
    longer = settings.model_copy(update={"steps": PRETRAINING_STEPS})
    scorers = [make_scorer(space, longer) for _ in range(settings.ensemble)]
    for index, scorer in enumerate(scorers):
        scorer.fit(codes, scores, seed=derived_seed(seed, index))
    return scorers


def tuned_members(
    scorers: list[GraphScorer], codes: Codes, targets: Floats, reference: Codes, seed: int
) -> list[Member]:
    """Tunes each network gently on trained networks alone: few steps at a low rate.

    Args:
        scorers: Fitted networks; they are not changed.
        codes: Shape (M, D).
        targets: Shape (M,).
        reference: Architectures over which scores are standardised, shape (R, D).
        seed: Seed of the batches.
    """
    members = []
    for index, scorer in enumerate(scorers):
        tuned = scorer.tuned(
            codes, targets, steps=TUNING_STEPS, learning_rate=TUNING_RATE, seed=derived_seed(seed, index)
        )
        scores = tuned.score(reference)
        members.append(Member(tuned, float(scores.mean()), float(np.maximum(scores.std(), 1e-12))))
    return members
