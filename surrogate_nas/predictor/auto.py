"""Which kind of model, where the settings leave it open: the one that orders held-out labels best."""

from collections.abc import Callable, Mapping

from numpy.typing import ArrayLike

from surrogate_nas.predictor.cross_validation import CrossValidation, cross_validate
from surrogate_nas.predictor.models import MODELS
from surrogate_nas.predictor.settings import PredictorSettings
from surrogate_nas.predictor.targets import Units
from surrogate_nas.space.space import Space


def candidates(settings: PredictorSettings) -> tuple[str, ...]:
    """Kinds of model that come into question."""
    return tuple(MODELS) if settings.model == "auto" else (settings.model,)


def choose_model(
    space: Space,
    settings: PredictorSettings,
    units: Units,
    *,
    seed: int,
    baselines: Mapping[str, ArrayLike] | None = None,
    on_fold: Callable[[], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> tuple[PredictorSettings, CrossValidation]:
    """Cross-validates every candidate on the same folds of the labels.

    No truth takes part. The winner's figures are a little flattered by having won; with two or three candidates and
    hundreds of labels that is far less than their interval.

    Args:
        space: Space of the codes.
        settings: Settings of the predictor; only ``model = "auto"`` leaves a choice.
        units: What is fitted.
        seed: Decides folds and fits.
        baselines: As ``cross_validate`` takes them.
        on_fold: Called after each fold of each candidate.
        should_stop: Asked now and then; True ends it.

    Returns:
        The settings with the model of the highest tau, and its evidence; the first of ``MODELS`` among equals.

    Raises:
        SettingsError: If a baseline is not as many finite numbers as there are labels.
        Interrupted: If ``should_stop`` said so.
    """
    tried = []
    for model in candidates(settings):
        own = settings.model_copy(update={"model": model})
        evidence = cross_validate(
            space, own, units, seed=seed, baselines=baselines, on_fold=on_fold, should_stop=should_stop
        )
        tried.append((own, evidence))
    return max(tried, key=lambda pair: pair[1].tau)
