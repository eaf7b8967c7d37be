"""The findings of the stages of a study, each a type of its own, and all of them so far."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from surrogate_nas._support.words import SHARED_WEIGHTS, count_of
from surrogate_nas.hardware.measurement import Measurement
from surrogate_nas.predictor.protocol import Prediction
from surrogate_nas.rivals.results_file import RivalRecords
from surrogate_nas.search.protocol import LearnedDistribution, Predictor
from surrogate_nas.space.class_table import ClassTable
from surrogate_nas.space.pool import Pool
from surrogate_nas.space.space import Codes

BudgetOutcome = Literal["met", "predicted to meet, measured over"]
Kind = TypeVar("Kind")
_DECIMALS = 6


class Findings:
    """Everything that the stages of a study have found so far, one thing of each type.

    Nothing in it changes: ``findings | Findings(scores)`` is another one, in which later things take the place of
    earlier ones of their type.

    Args:
        found: Things of different types.
    """

    def __init__(self, *found: object) -> None:
        self._found = {type(one): one for one in found}

    def __getitem__(self, kind: type[Kind]) -> Kind:
        """Returns the one thing of a type.

        Raises:
            LookupError: If no stage has found it.
        """
        one = self._found.get(kind)
        if not isinstance(one, kind):
            known = ", ".join(sorted(known.__name__ for known in self._found))
            raise LookupError(f"no stage has found a {kind.__name__} (there are {known or 'no findings'})")
        return one

    def __or__(self, more: "Findings") -> "Findings":
        return Findings(*(self._found | more._found).values())

    def only(self, kinds: tuple[type, ...]) -> "Findings":
        """Returns the things of some types alone.

        Raises:
            LookupError: If no stage has found one of them.
        """
        return Findings(*(self[kind] for kind in kinds))


@dataclass(frozen=True)
class StudyLabels:
    """Labels of the drawn architectures.

    Attributes:
        codes: Shape (M, D), distinct.
        accuracy_percent: Shape (M,).
        loss: Mean cross-entropy, shape (M,).
        evaluations: Number of different computations among them.
    """

    codes: Codes
    accuracy_percent: NDArray[np.float64]
    loss: NDArray[np.float64]
    evaluations: int

    def targets(self, target: Literal["loss", "accuracy"]) -> NDArray[np.float64]:
        """Returns the values that a predictor is fitted to, shape (M,), larger is better."""
        return -self.loss if target == "loss" else self.accuracy_percent


@dataclass(frozen=True)
class LearnedOrder:
    """The order of architectures by a distribution that was learnt by gradients.

    Attributes:
        votes: Log-probability of every isomorphism class, one column; None where nothing votes.
        notes: Sentences for the report: the derived architecture, and signs of a collapse.
        derived: Codes of the derived architectures, the chosen one first; they are trained with the finalists.
        distribution: The distribution, for a search that proposes from it.
    """

    votes: ClassTable | None = None
    notes: tuple[str, ...] = ()
    derived: tuple[tuple[int, ...], ...] = ()
    distribution: LearnedDistribution | None = None


@dataclass(frozen=True)
class FinalistTrainings:
    """Short trainings that predicted accuracies are of.

    Attributes:
        epochs: The longest length.
        noise_percent: Standard deviation of one training around the expected accuracy, in percentage points.
        accuracy_percent: Validation accuracies after the longest length, by code in digits.
    """

    epochs: int
    noise_percent: float
    accuracy_percent: Mapping[str, float]

    @property
    def networks(self) -> int:
        """The number of architectures that were trained for the longest length."""
        return len(self.accuracy_percent)


@dataclass(frozen=True)
class SpaceScores:
    """Predicted accuracies of every architecture of the pool; itself a predictor to the search.

    Attributes:
        pool: The N architectures that the study works on.
        mean: Predicted accuracy in percent, on the scale of the labels or of the trainings, shape (N,).
        std: Its spread, shape (N,).
        predictor: Scores architectures outside the pool; None if the pool is the whole space.
        notes: What a person should know about where they come from.
        trained: Trainings that corrected them; None where they are of shared weights.
    """

    pool: Pool
    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    predictor: Predictor | None = None
    notes: tuple[str, ...] = ()
    trained: FinalistTrainings | None = None

    @property
    def basis(self) -> str:
        """Says in words what the predicted accuracies are of."""
        if self.trained is None:
            return SHARED_WEIGHTS
        return f"after {count_of(self.trained.epochs, 'epoch')} of training"

    def error_percent(self, label_error_percent: float) -> float:
        """Returns how far one training, or else a label by ``label_error_percent``, lies from what is predicted."""
        return label_error_percent if self.trained is None else self.trained.noise_percent

    @classmethod
    def of(cls, pool: Pool, predictor: Predictor) -> "SpaceScores":
        """Scores every architecture of the pool in one call."""
        scored = _rounded(predictor, pool.codes)
        return cls(pool, scored.mean, scored.std, None if pool.complete else predictor)

    def predict(self, codes: Codes) -> Prediction:
        """Returns scores of codes of shape (N, D).

        Raises:
            SpaceError: If an architecture is outside the pool and nothing can score it.
        """
        if self.predictor is None:
            rows = self.pool.rows(codes)
            return Prediction(self.mean[rows], self.std[rows])
        rows = self.pool.find(codes)
        mean, std, missing = self.mean[rows], self.std[rows], rows < 0
        if missing.any():
            asked = _rounded(self.predictor, codes[missing])
            mean[missing], std[missing] = asked.mean, asked.std
        return Prediction(mean, std)

    def over(self, pool: Pool) -> "SpaceScores":
        """Returns the scores of another pool."""
        scored = self.predict(pool.codes)
        return replace(self, pool=pool, mean=scored.mean, std=scored.std)


def _rounded(predictor: Predictor, codes: Codes) -> Prediction:
    """Returns scores to a millionth of a percentage point, far below their own precision.

    A matrix product may differ in its last bits with where its operands lie in memory, so that a predictor just fitted
    and the same one loaded would not quite agree.
    """
    scores = predictor.predict(codes)
    mean, std = (np.asarray(values, dtype=np.float64) for values in (scores.mean, scores.std))
    return Prediction(mean.round(_DECIMALS), std.round(_DECIMALS))


@dataclass(frozen=True)
class FinalistChoice:
    """The finalists and the one that was chosen.

    Attributes:
        outcome: Whether the chosen one keeps the budget where it was measured.
        chosen: Row of the chosen one among the finalists.
        codes: Finalists, the best predicted first, shape (F, D).
        measured: Their measured latency; empty where this machine is not the device of the budget.
        planned: Their RAM and flash by a planner, by cost, shape (F,) each; empty where nothing plans.
    """

    outcome: BudgetOutcome
    chosen: int
    codes: Codes
    measured: tuple[Measurement, ...]
    planned: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    @property
    def code(self) -> Codes:
        """The chosen one, shape (1, D)."""
        return self.codes[self.chosen : self.chosen + 1]

    @property
    def measured_ms(self) -> float | None:
        """Its measured latency; None where it was not measured."""
        return self.measured[self.chosen].median_ms if self.measured else None


@dataclass(frozen=True)
class RivalFindings:
    """Off-the-shelf networks at the budgets of the study.

    Attributes:
        records: Everything known of them; no fitted ones where the study compares with none.
        trained: Keys of the ones that this study trains.
        unknown: Budgeted costs that cannot be known of them.
    """

    records: RivalRecords = field(default_factory=RivalRecords)
    trained: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
