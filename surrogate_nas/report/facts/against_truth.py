"""Facts of labels, predictor and answer beside ground truth."""

from dataclasses import dataclass

from surrogate_nas.report.facts.architectures import Estimate


@dataclass(frozen=True)
class RankFacts:
    """The quality of a score's order of a set of architectures, by ground truth.

    Attributes:
        score: ``"labels"``, ``"predictor"`` or a baseline's name.
        over: ``"labelled"``, ``"not labelled"`` or ``"whole space"``.
        count: Architectures of that set with a known truth.
        tau: Kendall's tau, with a bootstrap interval for labels and predictor.
        top10_tau: The same inside the true best 10% of the set.
        regret_top1: True accuracy of the set's best minus the top-scored one's, percentage points.
        regret_top10: The same for the best of the ten top-scored.
    """

    score: str
    over: str
    count: int
    tau: Estimate
    top10_tau: Estimate
    regret_top1: float | None
    regret_top10: float | None


@dataclass(frozen=True)
class TruthFacts:
    """Labels, predictor and answer against ground truth, which nothing but the report has seen.

    Attributes:
        file: Name of the file.
        column: Column used.
        known: Number of architectures with a truth.
        ranks: One row per score and set.
        chosen_percent: Truth of the chosen architecture.
        best_percent: Best truth in the space.
        best_digits: Its code.
        feasible_percent: Best truth among architectures predicted to meet every budget.
        feasible_digits: Its code.
        regret_percent: ``feasible_percent - chosen_percent``, percentage points.
    """

    file: str
    column: str
    known: int
    ranks: tuple[RankFacts, ...]
    chosen_percent: float | None = None
    best_percent: float | None = None
    best_digits: str | None = None
    feasible_percent: float | None = None
    feasible_digits: str | None = None
    regret_percent: float | None = None
