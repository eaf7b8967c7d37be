"""Scores what is listed with the predictor, and searches under the budgets."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.predictor.predictor import FittedPredictor
from surrogate_nas.predictor.protocol import Prediction
from surrogate_nas.runs.console import StudyConsole
from surrogate_nas.runs.interrupts import stoppable
from surrogate_nas.runs.run_folder import RunFolder, digest
from surrogate_nas.search.protocol import Predictor
from surrogate_nas.search.result import SearchResult
from surrogate_nas.search.run_search import run_search
from surrogate_nas.space.pool import Pool
from surrogate_nas.space.space import Codes
from surrogate_nas.study.stages.learn import StudyLabels, predictor_inputs
from surrogate_nas.study.stages.prepare import Prepared

_DECIMALS = 6


@dataclass(frozen=True)
class SpaceScores:
    """What the predictor says of every listed architecture; itself a scorer of the search.

    Attributes:
        pool: The N listed architectures.
        mean: Predicted accuracy in percent, on the scale of the labels, shape (N,).
        std: Its spread, shape (N,).
        scorer: Scores architectures that are not listed; None where all are.
        notes: What a person should know about where they come from.
    """

    pool: Pool
    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    scorer: Predictor | None = None
    notes: tuple[str, ...] = ()

    def predict(self, codes: Codes) -> Prediction:
        """Scores of codes of shape (N, D).

        Raises:
            SpaceError: If an architecture is not listed and nothing can score it.
        """
        if self.scorer is None:
            rows = self.pool.rows(codes)
            return Prediction(self.mean[rows], self.std[rows])
        rows = self.pool.find(codes)
        mean, std, missing = self.mean[rows], self.std[rows], rows < 0
        if missing.any():
            asked = _rounded(self.scorer, codes[missing])
            mean[missing], std[missing] = asked.mean, asked.std
        return Prediction(mean, std)

    def over(self, pool: Pool) -> "SpaceScores":
        """The scores of another pool."""
        scored = self.predict(pool.codes)
        return SpaceScores(pool, scored.mean, scored.std, self.scorer)


def score_space(prepared: Prepared, predictor: FittedPredictor) -> SpaceScores:
    """Scores every listed architecture in one call."""
    prediction = _rounded(predictor, prepared.codes)
    scorer = None if prepared.pool.complete else predictor
    return SpaceScores(prepared.pool, prediction.mean, prediction.std, scorer)


def _rounded(scorer: Predictor, codes: Codes) -> Prediction:
    """What a scorer says, to a millionth of a percentage point, far below what scores mean.

    A matrix product may differ in its last bits with where its operands lie in memory, so that a predictor just fitted
    and the same one loaded would not quite agree.
    """
    scores = scorer.predict(codes)
    mean, std = (np.asarray(values, dtype=np.float64) for values in (scores.mean, scores.std))
    return Prediction(mean.round(_DECIMALS), std.round(_DECIMALS))


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
    costs = {cost: np.round(values, 9).tolist() for cost, values in prepared.bounds.items()}
    with console.progress("search") as advance:
        return run_search(
            prepared.space,
            scores,
            prepared.cautious_costs,
            prepared.budgets,
            prepared.settings.search,
            seed=prepared.settings.seed,
            journal=folder.journal,
            study=prepared.settings.name,
            inputs=digest(
                {"predictor": predictor_inputs(prepared, labels), "costs": costs, "scores": scores.mean.tolist()}
            ),
            progress=stoppable(advance, should_stop, "searching"),
            pool=prepared.pool,
        )
