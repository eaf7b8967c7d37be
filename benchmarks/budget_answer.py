"""One budget answered: search the score, train finalists, learn, search again, check latencies.

Symbols:
    N: architectures of the space, in listing order.
    C: candidates, one per isomorphism class.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.budget_latency import DeviceLatency
from surrogate_nas.costs.budget import Budget
from surrogate_nas.predictor.protocol import Floats, Prediction
from surrogate_nas.search.candidates import AnyArray
from surrogate_nas.search.evaluator import Evaluator
from surrogate_nas.search.sampler_table import SAMPLERS
from surrogate_nas.search.settings import LoopSettings, SearchSettings
from surrogate_nas.search.trainings.loop import learn_by_training
from surrogate_nas.search.trainings.residual import ResidualProcess
from surrogate_nas.space.space import Codes, Space

_SAME = 1e-9


@dataclass(frozen=True)
class Known:
    """A score and a latency of every architecture; itself a predictor and a cost model of the search.

    Attributes:
        space: The space.
        score: Shape (N,), larger is better.
        latency_ms: Shape (N,).
        features: What architectures are compared by, shape (N, F).
    """

    space: Space
    score: Floats
    latency_ms: Floats
    features: Floats
    names: tuple[str, ...] = ("latency_ms",)

    def predict(self, codes: Codes) -> Prediction:
        """Returns the scores of codes of shape (C, D)."""
        scores = self.score[self.space.index(codes)]
        return Prediction(scores, np.zeros(len(scores)))

    def evaluate(self, codes: Codes) -> Mapping[str, AnyArray]:
        """Returns the latencies of codes of shape (C, D)."""
        return {"latency_ms": self.latency_ms[self.space.index(codes)]}


@dataclass(frozen=True)
class Searched:
    """Feasible candidates that a sampler found, the best score first.

    Attributes:
        rows: Positions in the space, shape (C,), one per class.
        hit: Whether the best is the score's own optimum within the budget.
    """

    rows: NDArray[np.int64]
    hit: bool


def search_score(known: Known, limit_ms: float, settings: SearchSettings, seed: int) -> Searched:
    """Lets a sampler propose ``settings.trials`` architectures by the score and the latencies that are known."""
    evaluator = Evaluator(known.space, known, known, [Budget("latency_ms", limit_ms)])
    sampler = SAMPLERS[settings.sampler].make(evaluator, settings, seed)
    found, done = [np.empty(0, dtype=np.int64)], 0
    while done < settings.trials:
        codes = sampler.propose(min(settings.batch, settings.trials - done))
        if not len(codes):
            break
        candidates = evaluator.evaluate(codes)
        sampler.observe(candidates)
        found.append(known.space.index(codes[candidates.feasible]))
        done += len(codes)
    rows = np.concatenate(found)
    rows = rows[np.lexsort((rows, known.latency_ms[rows], -known.score[rows]))]
    feasible = (known.latency_ms <= limit_ms) & known.space.is_connected(known.space.all_codes())
    best = known.score[feasible].max() if feasible.any() else np.inf
    return Searched(rows, bool(len(rows) and known.score[rows[0]] >= best - _SAME))


def answer(
    known: Known,
    revealed_percent: Floats,
    device: DeviceLatency,
    limit_ms: float,
    candidates: Searched,
    settings: LoopSettings,
    checks: int,
) -> int | None:
    """Returns the position of the architecture that is answered with; None where the search found no candidate.

    What is believed to be the best is measured first, then the next, until one keeps the limit; without measurements
    left a candidate is taken that keeps it even by the cautious latency, or else the one that comes nearest to that.

    Args:
        known: Score and features.
        revealed_percent: What a training reveals, shape (N,); read only where a candidate is trained.
        device: Latencies, and measurements that are left for the device.
        limit_ms: The budget.
        candidates: What the search found.
        settings: How many trainings.
        checks: How many measurements this answer may take.
    """
    rows = candidates.rows
    if not len(rows):
        return None
    order: Sequence[int] = range(len(rows))
    if settings.trainings:
        process = ResidualProcess(known.score[rows], known.features[rows], settings.residual)
        learnt = learn_by_training(process, lambda batch: [float(revealed_percent[rows[i]]) for i in batch], settings)
        order = learnt.best_first
    last = device.checks - checks
    for position in order:
        if device.fits(int(rows[position]), limit_ms, measure=device.checks > last):
            return int(rows[position])
    return int(rows[np.argmin(device.updated(device.cautious_ms)[rows])])
