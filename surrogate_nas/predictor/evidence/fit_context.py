"""What the fits of one predictor share, whichever labels each of them sees."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from numpy.typing import ArrayLike

from surrogate_nas.predictor.settings import PredictorSettings
from surrogate_nas.space.space import Space


@dataclass(frozen=True)
class FitContext:
    """What is fitted with, and who hears of it.

    Attributes:
        space: Space of the codes.
        settings: Settings of the predictor.
        seed: Decides folds, fits and the bootstrap.
        baselines: Scores to compare with, one per label, larger is better.
        on_fold: Called after each fold of each model.
        should_stop: Asked now and then; True ends a fit.
    """

    space: Space
    settings: PredictorSettings
    seed: int
    baselines: Mapping[str, ArrayLike] | None = None
    on_fold: Callable[[], None] | None = None
    should_stop: Callable[[], bool] | None = None

    def of_model(self, model: str) -> "FitContext":
        """The same for one kind of model."""
        return replace(self, settings=self.settings.model_copy(update={"model": model}))
