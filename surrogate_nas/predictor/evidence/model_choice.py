"""Chooses the kind of model, where the settings leave it open: the one that orders held-out labels best."""

from surrogate_nas.predictor.evidence.cross_validation import CrossValidation, FitContext, cross_validate
from surrogate_nas.predictor.model_table import MODELS
from surrogate_nas.predictor.settings import PredictorSettings
from surrogate_nas.predictor.training_set import TrainingSet


def candidates(settings: PredictorSettings) -> tuple[str, ...]:
    """Returns the kinds of model to choose from."""
    return tuple(MODELS) if settings.model == "auto" else (settings.model,)


def choose_model(context: FitContext, units: TrainingSet) -> tuple[PredictorSettings, CrossValidation]:
    """Cross-validates every candidate on the same folds of the labels.

    No ground truth is used. The winner's figures are slightly optimistic because it was selected; with a handful of
    candidates and hundreds of labels that bias is far smaller than their interval.

    Args:
        context: Inputs of the fit; only ``model = "auto"`` leaves a choice.
        units: Training units.

    Returns:
        The settings with the model of the highest tau, and its evidence; the first of ``MODELS`` among equals.

    Raises:
        SettingsError: If a baseline is not as many finite numbers as there are labels.
        Interrupted: If ``should_stop`` returned True.
    """
    contexts = [context.of_model(model) for model in candidates(context.settings)]
    tried = [(one.settings, cross_validate(one, units)) for one in contexts]
    return max(tried, key=lambda pair: pair[1].tau)
