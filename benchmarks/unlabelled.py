"""A rival of the study's predictor: one without labels of a supernet, from the prior and trained networks alone."""

from surrogate_nas.predictor.ensemble import derived_seed
from surrogate_nas.predictor.fusion.fusion import FusedPredictor
from surrogate_nas.predictor.fusion.priors import ExtraScores, make_prior
from surrogate_nas.predictor.fusion.rank_transform import reference_codes
from surrogate_nas.predictor.fusion.stack import MINIMUM_TRAINED, fit_stack
from surrogate_nas.predictor.protocol import FittedModel
from surrogate_nas.predictor.settings import PredictorSettings
from surrogate_nas.predictor.training_set import SourceLabels, make_training_set
from surrogate_nas.space.space import Space


def fit_unlabelled(
    space: Space,
    settings: PredictorSettings,
    trained: SourceLabels | None = None,
    *,
    seed: int = 0,
    extra: ExtraScores | None = None,
) -> FittedModel:
    """Fits a predictor where no supernet has labelled anything.

    Args:
        space: Space of the codes.
        settings: Settings of the graph networks that learn from trained networks.
        trained: Accuracies of at least 5 trained networks that are not isomorphic; None for the prior alone.
        seed: Decides all random draws.
        extra: Scores from elsewhere that vote in the prior.

    Raises:
        SettingsError: If the accuracies cannot be learnt from.
    """
    reference = reference_codes(space, derived_seed(seed, 2))
    start = FusedPredictor(space, make_prior(space, reference, extra))
    if trained is None:
        return start
    known = make_training_set(space, trained.codes, trained.values, trained.values, True, MINIMUM_TRAINED)
    return fit_stack(space, settings, start, (start.prior, None), known, reference, derived_seed(seed, 3))
