"""Labels, predictor, plain counts and the answer judged by ground truth."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from surrogate_nas.ranking import bootstrap_interval, kendall_tau, regret, top_tau
from surrogate_nas.report.facts.against_truth import RankFacts, TruthFacts
from surrogate_nas.report.facts.architectures import Estimate
from surrogate_nas.report.truth.truth import Truth
from surrogate_nas.space.space import Space

Floats = NDArray[np.float64]

_MANY = 5_000
_RESAMPLES, _RESAMPLES_OF_MANY = 200, 100


def judge_truth(
    truth: Truth,
    space: Space,
    *,
    labels: Floats,
    predicted: Floats,
    baselines: Mapping[str, Floats],
    feasible: NDArray[np.bool_],
    chosen: int | None,
    seed: int,
) -> TruthFacts:
    """Judges scores and the chosen architecture; all arrays in the order of ``space.all_codes()``.

    Ranks are judged where score and truth are both known. Isomorphic cells, which share labels and predictions, are
    resampled together for the intervals.

    Args:
        truth: True accuracies.
        space: The space.
        labels: Label of each architecture, larger is better, NaN where it has none, shape (size,).
        predicted: The predictor's score, shape (size,).
        baselines: Name of a plain count to its values, shape (size,) each.
        feasible: Whether each architecture is predicted to meet every budget, shape (size,).
        chosen: Position of the chosen architecture; ``None`` if there is none.
        seed: Seed of the resampling.
    """
    everywhere = np.ones(space.size, dtype=bool)
    chosen_percent = _finite(truth.accuracy_percent[chosen]) if chosen is not None else None
    best_percent, best_digits = _best(truth, space, everywhere)
    feasible_percent, feasible_digits = _best(truth, space, feasible)
    missed = None if chosen_percent is None or feasible_percent is None else feasible_percent - chosen_percent
    return TruthFacts(
        file=truth.file,
        column=truth.column,
        known=int(np.isfinite(truth.accuracy_percent).sum()),
        ranks=_ranks(truth, space, labels, predicted, baselines, seed),
        chosen_percent=chosen_percent,
        best_percent=best_percent,
        best_digits=best_digits,
        feasible_percent=feasible_percent,
        feasible_digits=feasible_digits,
        regret_percent=missed,
    )


def _ranks(
    truth: Truth, space: Space, labels: Floats, predicted: Floats, baselines: Mapping[str, Floats], seed: int
) -> tuple[RankFacts, ...]:
    """Returns one row per score and set of architectures; sets without any known truth are left out."""
    known, labelled = np.isfinite(truth.accuracy_percent), np.isfinite(labels)
    cells = space.index(space.canonical(space.all_codes()))

    def row(name: str, score: Floats, over: str, where: NDArray[np.bool_], interval: bool) -> RankFacts:
        rows = np.flatnonzero(where & known & np.isfinite(score))
        return _ranked(name, over, score[rows], truth.accuracy_percent[rows], cells[rows] if interval else None, seed)

    ranks = [row("labels", labels, "labelled", labelled, True)]
    # A label of one architecture says all about the ones that are isomorphic to it.
    unknown = ~np.isin(cells, cells[labelled])
    sets = {"labelled": labelled, "not labelled": unknown, "whole space": np.ones(space.size, dtype=bool)}
    for over, where in sets.items():
        ranks.append(row("predictor", predicted, over, where, True))
        ranks += [row(name, score, over, where, False) for name, score in baselines.items()]
    return tuple(rank for rank in ranks if rank.count)


def _best(truth: Truth, space: Space, where: NDArray[np.bool_]) -> tuple[float | None, str | None]:
    """Returns the truth and code of the best architecture by truth among some; ``None`` where none of them is known."""
    rows = np.flatnonzero(where & np.isfinite(truth.accuracy_percent))
    if len(rows) == 0:
        return None, None
    position = rows[np.argmax(truth.accuracy_percent[rows])]
    return float(truth.accuracy_percent[position]), space.digits(space.codes_at(np.array([position])))[0]


def _ranked(
    name: str, over: str, score: Floats, truth: Floats, groups: NDArray[np.int64] | None, seed: int
) -> RankFacts:
    # Regret breaks ties by position, and positions follow the code: shuffled, they carry no meaning.
    order = np.random.default_rng(seed).permutation(len(score))
    score, truth = score[order], truth[order]
    groups = groups[order] if groups is not None else None
    return RankFacts(
        score=name,
        over=over,
        count=len(score),
        tau=_estimate(kendall_tau, score, truth, groups, seed),
        top10_tau=_estimate(top_tau, score, truth, groups, seed),
        regret_top1=_finite(regret(score, truth)),
        regret_top10=_finite(regret(score, truth, best_of=10)),
    )


def _estimate(
    statistic: Callable[[Floats, Floats], float],
    score: Floats,
    truth: Floats,
    groups: NDArray[np.int64] | None,
    seed: int,
) -> Estimate:
    value = _finite(statistic(score, truth))
    if groups is None or value is None:
        return Estimate(value)
    resamples = _RESAMPLES if len(score) <= _MANY else _RESAMPLES_OF_MANY
    low, high = bootstrap_interval(
        lambda rows: statistic(score[rows], truth[rows]), len(score), seed, groups=groups, resamples=resamples
    )
    return Estimate(value, _finite(low), _finite(high))


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
