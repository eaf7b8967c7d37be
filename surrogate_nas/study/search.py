"""Scores the whole space with the predictor, and searches it under the budgets."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.hardware.stored import StoredCosts
from surrogate_nas.predictor.fitted import FittedPredictor
from surrogate_nas.predictor.protocol import Prediction
from surrogate_nas.search.result import SearchResult
from surrogate_nas.search.run import run_search
from surrogate_nas.space.space import Codes, Space
from surrogate_nas.study.console import StudyConsole
from surrogate_nas.study.interrupts import stoppable
from surrogate_nas.study.learn import StudyLabels, predictor_inputs
from surrogate_nas.study.prepare import Prepared
from surrogate_nas.study.run_folder import RunFolder, digest

_DECIMALS = 6


@dataclass(frozen=True)
class SpaceScores:
    """What the predictor says of every architecture, in listing order; itself a scorer of the search.

    Attributes:
        space: The space.
        mean: Predicted accuracy in percent, on the scale of the labels, shape (size,).
        std: Its spread, shape (size,).
    """

    space: Space
    mean: NDArray[np.float64]
    std: NDArray[np.float64]

    def predict(self, codes: Codes) -> Prediction:
        """Scores of codes of shape (N, D)."""
        rows = self.space.index(codes)
        return Prediction(self.mean[rows], self.std[rows])


def score_space(prepared: Prepared, predictor: FittedPredictor) -> SpaceScores:
    """Scores the whole space in one call.

    A matrix product may differ in its last bits with where its operands lie in memory, so that a predictor just fitted
    and the same one loaded would not quite agree; a millionth of a percentage point is far below what scores mean.
    """
    prediction = predictor.predict(prepared.codes)
    return SpaceScores(prepared.space, prediction.mean.round(_DECIMALS), prediction.std.round(_DECIMALS))


def search(
    prepared: Prepared,
    labels: StudyLabels,
    scores: SpaceScores,
    folder: RunFolder,
    console: StudyConsole,
    should_stop: Callable[[], bool],
) -> SearchResult:
    """Searches the space under the budgets, as an Optuna study in the run folder's journal.

    Raises:
        Interrupted: If a stop was asked for; trials written so far are kept.
    """
    # The search sees costs with the caution in them: to it a chance constraint is a bound like any other.
    costs = {cost: np.round(values, 9).tolist() for cost, values in prepared.bounds.items()}
    bounds = StoredCosts(prepared.space, prepared.bounds, {}, {})
    with console.progress("search") as advance:
        return run_search(
            prepared.space,
            scores,
            bounds,
            prepared.budgets,
            prepared.settings.search,
            seed=prepared.settings.seed,
            journal=folder.journal,
            study=prepared.settings.name,
            inputs=digest(
                {"predictor": predictor_inputs(prepared, labels), "costs": costs, "scores": scores.mean.tolist()}
            ),
            progress=stoppable(advance, should_stop, "searching"),
        )
