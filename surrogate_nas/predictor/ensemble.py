"""Ensembles of models that differ in seed and labels: the mean ranks architectures, the spread is the uncertainty."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.errors import TrainingError
from surrogate_nas.predictor.model_table import MODELS
from surrogate_nas.predictor.protocol import Codes, Floats, Prediction, Scorer, StoredArrays
from surrogate_nas.predictor.settings import PredictorSettings
from surrogate_nas.space.space import Space

RESAMPLED_FRACTION = 0.9


@dataclass(frozen=True)
class Member:
    """Fitted scorer whose scores have mean 0 and standard deviation 1 over the architectures it was fitted for.

    Under a ranking loss every fit ends on its own scale; without a common one, the member with the widest scores would
    decide the mean alone.

    Attributes:
        scorer: The fitted scorer.
        shift: Mean of its raw scores.
        scale: Standard deviation of its raw scores, positive.
    """

    scorer: Scorer
    shift: float
    scale: float

    def score(self, codes: Codes) -> Floats:
        """Returns standardised scores of codes of shape (N, D), shape (N,)."""
        return (self.scorer.score(codes) - self.shift) / self.scale


def derived_seed(seed: int, *path: int) -> int:
    """Returns a separate seed for each use of one seed; small integers identify the use."""
    return int(np.random.SeedSequence(seed, spawn_key=path).generate_state(1)[0])


def make_scorer(space: Space, settings: PredictorSettings, arrays: StoredArrays | None = None) -> Scorer:
    """Returns a scorer of the settings' kind, not yet fitted; from the arrays of a fitted one, an equal scorer.

    Raises:
        StoreError: If the arrays do not belong to such a scorer.
    """
    made: Scorer = MODELS[settings.model](space, settings, arrays)
    return made


def fit_member(
    space: Space,
    settings: PredictorSettings,
    codes: Codes,
    targets: Floats,
    *,
    seed: int,
    rows: NDArray[np.int64] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Member:
    """Fits one scorer and standardises its scores.

    Args:
        space: Space of the codes.
        settings: Settings of the predictor.
        codes: Shape (U, D); the scores are standardised over all of them.
        targets: Shape (U,), larger is better.
        seed: Seed of all random draws.
        rows: Positions that are fitted; all of them by default.
        should_stop: Called from time to time; True ends the fit.

    Raises:
        Interrupted: If ``should_stop`` returned True.
        TrainingError: If the fit diverged or gives every architecture the same score.
    """
    scorer = make_scorer(space, settings)
    seen = slice(None) if rows is None else rows
    scorer.fit(codes[seen], targets[seen], seed=seed, should_stop=should_stop)
    scores = scorer.score(codes)
    scale = float(scores.std())
    if not (np.isfinite(scale) and scale > 0):
        raise TrainingError(
            "the predictor gives all architectures the same score; more steps or a smaller weight decay may help"
        )
    return Member(scorer, float(scores.mean()), scale)


def resample(count: int, seed: int) -> NDArray[np.int64]:
    """Returns a random nine tenths of ``count`` positions, without repeats, shape (9/10 of count, rounded).

    A bootstrap with repeats leaves out a third of the rows, which costs an ensemble of five 0.01 in tau on recorded
    supernet labels; leaving out a tenth costs 0.003 or less, and members still differ by their labels.
    """
    kept = max(2, round(RESAMPLED_FRACTION * count))
    return np.random.default_rng(seed).permutation(count)[:kept]


class Ensemble:
    """Several members as one model; its predictions are on the members' standardised scale.

    Args:
        space: Space of the codes.
        settings: Settings of the predictor.
        members: Fitted members; without them, ``fit`` comes first.
    """

    def __init__(self, space: Space, settings: PredictorSettings, members: Sequence[Member] = ()) -> None:
        self._space = space
        self._settings = settings
        self.members = tuple(members)

    def fit(
        self,
        codes: Codes,
        targets: Floats,
        *,
        seed: int,
        on_member: Callable[[], None] | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> None:
        """Fits every member with its own seed and resample.

        Args:
            codes: Shape (U, D), one row per distinct architecture: the resample draws rows.
            targets: Shape (U,), larger is better.
            seed: Seed of all random draws.
            on_member: Called after each member.
            should_stop: Called from time to time; True ends the fit.

        Raises:
            Interrupted: If ``should_stop`` returned True.
            TrainingError: If a fit diverged.
        """
        members = []
        for index in range(self._settings.ensemble):
            rows = resample(len(codes), derived_seed(seed, index, 0))
            own = derived_seed(seed, index, 1)
            members.append(
                fit_member(self._space, self._settings, codes, targets, seed=own, rows=rows, should_stop=should_stop)
            )
            if on_member is not None:
                on_member()
        self.members = tuple(members)

    def predict(self, codes: Codes) -> Prediction:
        """Returns mean and standard deviation of the members' scores for codes of shape (N, D).

        Isomorphic codes get exactly the same prediction where the settings say ``canonical``.

        Raises:
            SpaceError: If the codes are not codes of the space.
        """
        if not self.members:
            raise RuntimeError("an ensemble must be fitted before it predicts")
        codes = self._space.check(codes)
        distinct, back = np.unique(
            self._space.canonical(codes) if self._settings.canonical else codes, axis=0, return_inverse=True
        )
        scores = np.stack([member.score(distinct) for member in self.members])  # (members, distinct)
        spread = scores.std(axis=0, ddof=1) if len(scores) > 1 else np.zeros(len(distinct))
        back = back.reshape(-1)
        return Prediction(scores.mean(axis=0)[back], spread[back])
